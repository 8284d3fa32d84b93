"""Checked cells, their confidence and an error rate go in; from which confidence on cells need no check comes out.

Where a form's own cells are many enough the threshold is chosen on them, from a first one downwards for as long as the
upper bound of Clopper and Pearson stays within the error rate (learn then test with a fixed sequence: Angelopoulos et
al., 2021); where it starts follows from the confidences alone, so that the test stays honest. Where they are too few,
it is one that 95 % of the forms of the general calibration kept, which is conformal prediction over forms (Vovk et al.,
2005; with whole forms as the examples); a form's own cells can then only raise it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, lgamma, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from formlens.bounds import at_most, trade_off
from formlens.calibrate import MOST, General

SURE = 0.95
"""The confidence of every bound."""

_RISK = (1 - SURE) / 2
"""Of one test on a form's own cells: a column's cells are tested twice, alone and with all others."""

NEVER = 1.0
"""A threshold that no cell reaches."""

Ground = Literal["own", "forms", "none"]
"""What stands behind a threshold: a form's own cells, other forms, or nothing but the confidences themselves."""

_LEAST = 0.5
"""A cell that is as likely wrong as right is always shown."""

_PROBABLE = 0.9
"""The test starts at the lowest threshold that passes with this probability, if the confidences are right."""


@dataclass(frozen=True)
class Promise:
    """From which confidence on cells are not flagged, and what is promised of them."""

    threshold: float
    checked: int
    """Held-out cells of the form that stand behind it."""
    ground: Ground


def promise(confidence: NDArray[np.float64], right: NDArray[np.bool_], error: float, general: General) -> Promise:
    """The lowest threshold that can be promised for cells like these, of which those at or above it are wrong at most
    with a share of ``error``."""
    own = certified(confidence, right, error)
    if own is not None:
        return Promise(max(own, _LEAST), len(right), "own")
    others = kept_by_forms(general, error)
    ground: Ground = "forms" if others < NEVER else "none"
    lowest = others if others < NEVER else min(1 - error, MOST)
    return Promise(max(lowest, _seen_to_keep(confidence, right, error)), len(right), ground)


def certified(confidence: NDArray[np.float64], right: NDArray[np.bool_], error: float) -> float | None:
    """The lowest threshold whose error is within ``error`` with confidence `SURE` by these cells alone, if any."""
    shares, thresholds, errors = trade_off(confidence, right)
    counts = np.round(shares * len(right)).astype(int).tolist()
    expected = np.cumsum(np.sort(1 - confidence))
    most = _most_wrong(counts, error)
    chances = [_poisson(m, float(expected[n - 1])) if m >= 0 else 0.0 for n, m in zip(counts, most, strict=True)]
    if not chances or max(chances) <= 0:
        return None
    good = min(_PROBABLE, max(chances))
    first = max(n for n, chance in enumerate(chances) if chance >= good)
    found = None
    for n in range(first, len(counts)):
        if round(errors[n] * counts[n]) > most[n]:
            break
        found = float(thresholds[n])
    return found


def _most_wrong(counts: Sequence[int], error: float) -> list[int]:
    """How many of so many cells may be wrong for the upper bound to stay within ``error``; -1 where none may."""
    most, found = -1, []
    for count in counts:
        while most + 1 < count and at_most(most + 1, count, error) <= _RISK:
            most += 1
        found.append(most)
    return found


def _poisson(most: int, expected: float) -> float:
    """The probability of at most so many wrong cells where so many are expected."""
    return sum(exp(n * log(expected) - expected - lgamma(n + 1)) for n in range(most + 1)) if expected > 0 else 1.0


def cells_needed(error: float) -> int:
    """How many cells without a wrong one it takes to promise an error rate."""
    return ceil(log(_RISK) / log(1 - error)) if error < 1 else 1


def kept_by_forms(general: General, error: float) -> float:
    """The threshold that a further form keeps with probability `SURE`, if it is like those measured."""
    lowest = sorted(_lowest(form, general.thresholds, error) for form in general.forms)
    place = ceil((len(lowest) + 1) * SURE)
    return max(lowest[place - 1], _LEAST) if place <= len(lowest) else NEVER


def _lowest(form: Sequence[tuple[int, int]], thresholds: Sequence[float], error: float) -> float:
    """The threshold from which on a form keeps an error rate."""
    lowest = NEVER
    for (count, wrong), threshold in zip(form[::-1], thresholds[::-1], strict=True):
        if wrong > error * count:
            break
        lowest = threshold
    return lowest


def _seen_to_keep(confidence: NDArray[np.float64], right: NDArray[np.bool_], error: float) -> float:
    """The threshold from which on these cells keep an error rate, just above the surest that breaks it."""
    lowest = _LEAST
    _, thresholds, errors = trade_off(confidence, right)
    for threshold, wrong in zip(thresholds, errors, strict=True):
        if wrong > error:
            lowest = max(lowest, float(np.nextafter(threshold, 2)))
    return lowest


def words(found: Promise, error: float) -> str:
    """What is promised, for people."""
    share = f"{100 * error:.3g} %"
    if found.ground == "own":
        return (
            f"of the cells not flagged at most {share} are wrong, with {100 * SURE:.0f} % confidence,"
            f" from {found.checked} checked cells of this form"
        )
    few = (
        f"the {found.checked} checked cells of this form are too few, or too often wrong, to promise it from them alone"
        f" (it takes {cells_needed(error)} sure ones without a wrong one)"
    )
    if found.ground == "none":
        least = f"cells less than {100 * found.threshold:.3g} % sure are flagged"
        return f"{least}, but that at most {share} of the others are wrong is not promised: {few}"
    of = f"on {100 * SURE:.0f} % of forms like those that the reader was calibrated on"
    return f"of the cells not flagged at most {share} are wrong, {of}; {few}"
