"""Work is done several at a time, and comes out in order."""

import threading
from collections.abc import Iterator

import pytest

from formlens.abreast import abreast


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_order_and_little_is_begun_ahead(threads: int) -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for item in range(20):
            begun.append(item)
            yield item

    for number, result in enumerate(abreast(lambda item: item * item, items(), threads)):
        assert result == number * number
        assert len(begun) <= number + 2 + threads
    assert len(begun) == 20


def test_two_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)
    assert list(abreast(lambda item: both.wait() >= 0 and item, (1, 2), 2)) == [1, 2]


def test_what_fails_comes_out_in_its_turn() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    done = []
    with pytest.raises(ValueError, match="two"):
        done += list(abreast(work, range(5), 2))
    results = abreast(work, range(5), 2)
    assert [next(results), next(results)] == [0, 1]
