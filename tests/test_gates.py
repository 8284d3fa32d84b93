"""What a training on a user's forms must show before its reader is written."""

import numpy as np
import pytest

from formlens.types import CallError
from model.gates import MOST, OWN, Errors, Sets, forgotten, learnable, passed

WRITTEN = np.full(60, 10)


def errors(rate: float, seed: int = 0) -> Errors:
    """A set of 600 characters of which about this share is wrong, in crops of its own choice."""
    wrong = np.zeros(60, np.int64)
    chosen = np.random.default_rng(seed).permutation(60)[: round(600 * rate)]
    wrong[chosen] = 1
    return Errors(wrong, WRITTEN)


BEFORE: Sets = {"digits": errors(0.02), "fonts": errors(0.06), OWN: errors(0.09)}


def after(own: float, lost: float = 0.0, seed: int = 0) -> Sets:
    return {"digits": errors(0.02 + lost, seed), "fonts": errors(0.06 + lost, seed), OWN: errors(own)}


def test_a_training_that_learned_and_forgot_nothing_is_kept_whole() -> None:
    share, found = passed(BEFORE, (1.0, 0.5), lambda share: after(0.09 - 0.05 * share))
    assert share == 1.0
    assert found[OWN].rate == pytest.approx(0.04)


def test_less_of_a_training_is_kept_where_all_of_it_forgets() -> None:
    assert passed(BEFORE, (1.0, 0.7, 0.5), lambda share: after(0.05, 0.03 if share > 0.5 else 0.0))[0] == 0.5


@pytest.mark.parametrize("own", [0.09, 0.1])
def test_a_training_that_taught_nothing_is_refused_and_says_so(own: float) -> None:
    with pytest.raises(CallError, match=r"nothing was learned .*0\.090 before, 0\.\d+ after\)"):
        passed(BEFORE, (1.0, 0.5), lambda share: after(own))


def test_a_training_that_forgot_too_much_is_refused_and_says_so() -> None:
    with pytest.raises(CallError, match=r"read other forms worse .*\+0\.0300"):
        passed(BEFORE, (1.0, 0.5), lambda share: after(0.04, 0.03))


def test_other_errors_of_the_same_number_are_chance() -> None:
    growth, chance = forgotten(BEFORE, after(0.04, seed=1))
    assert growth == 0
    assert 0 < chance <= MOST
    assert passed(BEFORE, (1.0,), lambda share: after(0.04, 1 / 600, seed=1))[0] == 1.0


def test_a_reader_without_errors_has_nothing_to_learn() -> None:
    learnable(BEFORE)
    with pytest.raises(CallError, match="nothing to learn"):
        learnable({**BEFORE, OWN: errors(0.0)})
