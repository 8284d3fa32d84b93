"""Checked cells go in; how many are wrong at most, and how well their confidence ranks them, come out."""

from math import exp, lgamma, log, log1p

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def upper_bound(wrong: int, checked: int, confidence: float) -> float:
    """The share of wrong cells that is not exceeded with this confidence, after so many wrong ones of those checked.

    Exact for independent cells (Clopper and Pearson, Biometrika 1934); 1 where nothing was checked.
    """
    if wrong >= checked:
        return 1.0
    low, high = wrong / checked, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if at_most(wrong, checked, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def lower_bound(wrong: int, checked: int, confidence: float) -> float:
    """The share of wrong cells that is exceeded with this confidence."""
    return 1 - upper_bound(checked - wrong, checked, confidence)


def at_most(k: int, n: int, p: float) -> float:
    """The probability of at most ``k`` of ``n`` where each has probability ``p``."""
    if not 0 < p < 1:
        return float(p <= 0)
    ways = (lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) for i in range(k + 1))
    return sum(exp(many + i * log(p) + (n - i) * log1p(-p)) for i, many in enumerate(ways))


def ranking(confidence: Floats, right: Flags) -> float | None:
    """How often a right cell is surer than a wrong one (AUROC; ties count half); None where either kind lacks."""
    wrong_sorted = np.sort(confidence[~right])
    above = confidence[right]
    if not len(wrong_sorted) or not len(above):
        return None
    below = np.searchsorted(wrong_sorted, above, "left") + np.searchsorted(wrong_sorted, above, "right")
    return float(below.mean() / (2 * len(wrong_sorted)))


def coverage(confidence: Floats, right: Flags, error: float) -> tuple[float, float]:
    """The largest share of the surest cells of which at most ``error`` are wrong, and the confidence it begins at."""
    shares, thresholds, errors = trade_off(confidence, right)
    kept = np.flatnonzero(errors <= error)
    return (float(shares[kept[-1]]), float(thresholds[kept[-1]])) if len(kept) else (0.0, 1.0)


def trade_off(confidence: Floats, right: Flags) -> tuple[Floats, Floats, Floats]:
    """For each threshold from the surest cell down: share of cells from it on, the threshold, share of them wrong."""
    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(~right[order])
    ends = np.flatnonzero(np.diff(sure, append=-1.0))  # cells that are equally sure stand or fall together
    return (ends + 1) / max(1, len(sure)), sure[ends], wrong[ends] / (ends + 1)


def calibration_error(confidence: Floats, right: Flags, bins: int = 10) -> float:
    """The mean distance of confidence from share right, over bins of as many cells each (Naeini et al., AAAI 2015)."""
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    gaps = [len(part) * abs(confidence[part].mean() - right[part].mean()) for part in parts]
    return float(sum(gaps) / len(confidence)) if len(confidence) else 0.0
