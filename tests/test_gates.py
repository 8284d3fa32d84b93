"""What a training on a user's forms must show before its reader is written."""

import pytest

from formlens.types import CallError
from model.gates import FORGOTTEN, learnable, passed

BEFORE = {"digits": 0.02, "fonts": 0.06, "own": 0.3}


def after(own: float, lost: float) -> dict[str, float]:
    return {"digits": 0.02 + lost, "fonts": 0.06 + lost, "own": own}


def test_a_training_that_learned_and_forgot_nothing_is_kept_whole() -> None:
    assert passed(BEFORE, (1.0, 0.5), lambda share: after(0.3 - 0.2 * share, 0.0))[0] == 1.0


def test_less_of_a_training_is_kept_where_all_of_it_forgets() -> None:
    share, errors = passed(BEFORE, (1.0, 0.7, 0.5), lambda share: after(0.3 - 0.2 * share, 0.008 * share))
    assert share == 0.5
    assert errors["own"] == pytest.approx(0.2)


@pytest.mark.parametrize("own", [0.3, 0.31])
def test_a_training_that_taught_nothing_is_refused_and_says_so(own: float) -> None:
    with pytest.raises(CallError, match=r"nothing was learned .*0\.300 before, 0\.3\d\d after\)"):
        passed(BEFORE, (1.0, 0.5), lambda share: after(own, 0.0))


def test_a_training_that_forgot_too_much_is_refused_and_says_so() -> None:
    with pytest.raises(CallError, match=r"read other forms worse .*\+0\.020"):
        passed(BEFORE, (1.0, 0.5), lambda share: after(0.1, 0.02))


def test_chance_is_not_taken_for_forgetting() -> None:
    assert passed(BEFORE, (1.0,), lambda share: after(0.1, 0.9 * FORGOTTEN))[0] == 1.0


def test_a_reader_without_errors_has_nothing_to_learn() -> None:
    learnable(BEFORE)
    with pytest.raises(CallError, match="nothing to learn"):
        learnable({**BEFORE, "own": 0.0})
