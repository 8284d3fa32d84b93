"""A reader passes that is better beyond chance, and no other."""

import numpy as np
import pytest

from model.gate import paired_bootstrap


def pages(*shares: float, size: int = 100) -> list[np.ndarray]:
    return [np.arange(size) < share * size for share in shares]


def test_a_reader_that_is_no_other_gains_nothing() -> None:
    same = pages(0.8, 0.9)
    assert paired_bootstrap(same, same) == paired_bootstrap([], [])
    assert paired_bootstrap(same, same).low == 0.0


def test_a_clear_gain_on_every_page_is_seen() -> None:
    gain = paired_bootstrap(pages(0.9, 0.95, 0.9), pages(0.8, 0.8, 0.85))
    assert gain.mean == pytest.approx(0.1)
    assert 0 < gain.low < gain.mean


def test_a_single_cell_is_chance() -> None:
    assert paired_bootstrap(pages(0.91), pages(0.9)).low <= 0.0


def test_a_gain_on_one_page_that_others_lose_is_no_gain() -> None:
    assert paired_bootstrap(pages(1.0, 0.8, 0.8, 0.8), pages(0.6, 0.85, 0.85, 0.85)).low < 0


def test_a_reader_that_is_no_better_passes_about_as_often_as_is_said() -> None:
    rng = np.random.default_rng(3)
    passed = 0
    for _ in range(200):
        hands = rng.beta(20, 4, 12)
        new, old = ([rng.random(60) < hand for hand in hands] for _ in range(2))
        passed += paired_bootstrap(new, old).low > 0
    assert passed <= 0.08 * 200
