"""A form's own rows suit the reader to its hand."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from formlens.decode import decode
from formlens.hand import Hand, Lesson, hand_from, learn_hand, suited

DIGITS = "0123456789"
SEVEN, TWO = DIGITS.index("7") + 1, DIGITS.index("2") + 1


def seen_of(signs: Sequence[int], seed: int) -> NDArray[np.float32]:
    """What a network sees that takes sevens for twos, but not quite as it sees twos."""
    rng = default_rng(seed)
    steps = []
    for sign in signs:
        row = rng.uniform(0.001, 0.01, 11)
        row[TWO if sign == SEVEN else sign] = 0.6 + 0.2 * rng.random()
        row[SEVEN] += 0.2 if sign == SEVEN else 0.0
        blank = rng.uniform(0.001, 0.01, 11)
        blank[0] = 1.0
        steps += [row / row.sum(), blank / blank.sum()]
    return np.array(steps, np.float32)


def lessons_for(count: int, first: int = 0) -> list[Lesson]:
    signs = [tuple(default_rng(first + n).integers(1, 11, 5).tolist()) for n in range(count)]
    return [Lesson(one, seen_of(one, first + n)) for n, one in enumerate(signs)]


def test_sevens_that_look_like_twos_are_sevens_once_the_rows_have_said_so() -> None:
    hand = learn_hand(lessons_for(80), "r1")
    assert hand is not None
    for lesson in lessons_for(20, first=1000):
        seen = suited(lesson.seen, hand, "r1")
        assert seen.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
        assert decode(seen, DIGITS).text == "".join(DIGITS[sign - 1] for sign in lesson.spelling)


def test_what_another_reader_saw_stays_as_it_is() -> None:
    hand = learn_hand(lessons_for(80), "r1")
    seen = seen_of([SEVEN, 3], 5)
    assert suited(seen, hand, "r2") is seen
    assert suited(seen, None, "r1") is seen


def test_few_rows_teach_no_hand() -> None:
    assert learn_hand(lessons_for(8), "r1") is None


def test_a_hand_comes_back_as_it_was_and_no_other_table_is_one() -> None:
    hand = Hand("r1", (0, 2), ((0.5, 0.0), (0.0, -0.25), (0.125, 0.0), (0.0, 0.0)))
    content: dict[str, Any] = {**asdict(hand), "weights": [list(row) for row in hand.weights], "classes": [0, 2]}
    assert hand_from(content) == hand
    changes: tuple[dict[str, Any], ...] = (
        {"classes": [0, 9]},
        {"classes": [0, 0]},
        {"weights": [[1.0]]},
        {"reader": 3},
        {"classes": []},
        {"weights": [["a", "b"]] * 4},
        {"weights": [[float("nan"), 0.0]] * 4},
    )
    for change in changes:
        with pytest.raises((ValueError, TypeError, KeyError)):
            hand_from({**content, **change})
