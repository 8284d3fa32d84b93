"""The clues of a reading go in, the probability that it is exactly right comes out; and how that is learned.

Two steps. The general calibration ships with the reader (`calibration.json`, made by `model/calibration.py`): a
logistic model of the clues for each family of cells, in which a surer reading is never less probable. In the reader's
own confidence it is a beta calibration (Kull, Silva Filho and Flach, AISTATS 2017). A form's own calibration moves and
stretches its log odds by what its labelled scans say, column by column, as far as they are many enough to say anything:
a Gaussian prior holds it to the general one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formlens.types import Clues

Floats = NDArray[np.float64]

SHIPPED = Path(__file__).with_name("calibration.json")

FAMILIES = "written", "mark", "empty"
FEATURES = 8
_RISING = 4
"""So many of the features come first that can only make a cell surer."""

LEAST, MOST = 0.001, 0.9995
"""Nothing is impossible, nothing certain."""

_STRETCH, _SHIFT, _COLUMN = 0.3, 0.8, 1.0
"""How far forms, and columns within one, usually lie from the general calibration (standard deviations of log odds)."""


@dataclass(frozen=True)
class Line:
    """A logistic model of the features."""

    bias: float
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Own:
    """How a form's log odds differ from the general ones."""

    stretch: float = 1.0
    shift: float = 0.0
    columns: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class General:
    """What ships with a reader: how clues become probabilities, and how often cells were wrong from one on."""

    reader: str
    lines: Mapping[str, Line]
    thresholds: tuple[float, ...]
    """Confidences, rising."""
    forms: tuple[tuple[tuple[int, int], ...], ...]
    """For each form that it was measured on, and each threshold: cells at least so sure, and how many of them wrong."""
    made_from: str = ""


def features(clues: Clues) -> list[float]:
    """What the general calibration looks at; those that only make a cell surer come first."""
    sure = min(max(clues.likelihood, 1e-6), 1 - 1e-6)
    weak = min(max(clues.weakest, 1e-4), 1 - 1e-4)
    return [
        log(sure),
        -log(1 - sure),
        min(max(clues.margin, 0.0), 10.0),
        log(weak / (1 - weak)),
        clues.free if clues.free < 1 else 0.0,
        log(1 + clues.length),
        clues.left,
        1 - clues.fit,
    ]


def general_odds(clues: Clues, general: General) -> float:
    """The log odds that a reading is right, by the general calibration."""
    line = general.lines.get(clues.family)
    if line is None:
        return log(LEAST)
    return line.bias + float(np.dot(line.weights, features(clues)))


def confidence(clues: Clues, column: str, general: General, own: Own | None = None) -> float:
    """The probability that a reading is exactly right; that of a column which is not on the page is none."""
    if clues.family == "nowhere":
        return 0.0
    odds = general_odds(clues, general)
    if own is not None:
        odds = own.stretch * odds + own.shift + dict(own.columns).get(column, 0.0)
    return probability(odds)


def probability(odds: float) -> float:
    """Log odds as a probability that is neither 0 nor 1."""
    return float(min(max(1 / (1 + np.exp(-np.clip(odds, -30, 30))), LEAST), MOST))


def fit_line(rows: Floats, right: NDArray[np.bool_], rising: int = _RISING, ridge: float = 1.0) -> Line:
    """The logistic model of maximum posterior for features, shape (n, features); the first ``rising`` weights are not
    negative. Weights are held to 0 by ``ridge``, in units of each feature's own spread."""
    middle, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    flat = rows.std(axis=0) < 1e-6
    unit = np.hstack([np.ones((len(rows), 1)), np.where(flat, 0.0, (rows - middle) / spread)])
    prior = np.full(unit.shape[1], ridge)
    prior[0] = 1e-3
    free = np.ones(unit.shape[1], np.bool_)
    while True:
        weights = _newton(unit[:, free], right, np.zeros(int(free.sum())), prior[free])
        full = np.zeros(unit.shape[1])
        full[free] = weights
        falling = np.flatnonzero((full < 0) & (np.arange(len(full)) >= 1) & (np.arange(len(full)) <= rising))
        if not len(falling):
            break
        free[falling[np.argmin(full[falling])]] = False
    scaled = np.where(flat, 0.0, full[1:] / spread)
    return Line(float(full[0] - scaled @ middle), tuple(float(weight) for weight in scaled))


def fit_own(odds: Floats, columns: Sequence[str], right: NDArray[np.bool_]) -> Own:
    """A form's own calibration from the general log odds of its held-out cells, held to the general one by a prior."""
    names = sorted(set(columns))
    design = np.hstack(
        [odds[:, None], np.ones((len(odds), 1)), np.array([[name == own for own in names] for name in columns], float)]
    )
    prior = np.array([_STRETCH**-2, _SHIFT**-2, *[_COLUMN**-2] * len(names)])
    start = np.zeros(design.shape[1])
    start[0] = 1.0
    found = _newton(design, right, start, prior)
    return Own(float(max(found[0], 0.05)), float(found[1]), tuple(zip(names, map(float, found[2:]), strict=True)))


def _newton(design: Floats, right: NDArray[np.bool_], middle: Floats, prior: Floats) -> Floats:
    """Maximum a posteriori of a logistic model whose weights are around ``middle`` with precisions ``prior``."""
    weights = middle.copy()

    def loss(tried: Floats) -> float:
        odds = design @ tried
        return float(np.logaddexp(0, np.where(right, -odds, odds)).sum() + 0.5 * (prior * (tried - middle) ** 2).sum())

    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -40, 40)))
        slope = design.T @ (chance - right) + prior * (weights - middle)
        curve = (design.T * (chance * (1 - chance))) @ design + np.diag(prior)
        step = np.asarray(np.linalg.solve(curve, slope), np.float64)
        size = 1.0
        while size > 1e-4 and loss(weights - size * step) > loss(weights):
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-6:
            break
    return weights


@cache
def shipped() -> General:
    """The general calibration of the shipped reader."""
    return general_from_json(json.loads(SHIPPED.read_text(encoding="utf-8")))


def general_from_json(content: dict[str, Any]) -> General:
    """The calibration that `general_json` wrote. Raises KeyError, TypeError or ValueError for another shape."""
    lines = {
        name: Line(float(one["bias"]), tuple(map(float, one["weights"]))) for name, one in content["lines"].items()
    }
    if any(len(line.weights) != FEATURES for line in lines.values()):
        raise ValueError("not the features of this version")
    forms = tuple(tuple((int(n), int(k)) for n, k in form) for form in content["forms"])
    return General(content["reader"], lines, tuple(map(float, content["thresholds"])), forms, content["made_from"])


def general_json(general: General) -> dict[str, Any]:
    """A general calibration as JSON."""
    return {
        "reader": general.reader,
        "made_from": general.made_from,
        "lines": {
            name: {"bias": round(line.bias, 5), "weights": [round(w, 5) for w in line.weights]}
            for name, line in general.lines.items()
        },
        "thresholds": [round(threshold, 6) for threshold in general.thresholds],
        "forms": [[list(pair) for pair in form] for form in general.forms],
    }
