"""A table's rulings go in; those with a border where nobody drew one come out."""

import numpy as np
from numpy.typing import NDArray

from formlens.families import ends_of, places_of, starts_of, step_of
from formlens.fragments import Floats, Ruling
from formlens.lined_paper import is_paper

Bools = NDArray[np.bool_]


def bordered(lines: list[Ruling], others: list[Ruling], limit: int) -> list[Ruling]:
    """With a border put where the lines across end, if they go on well beyond the first or the last line."""
    if not lines or not others or is_paper(others, lines, []):
        return lines
    places = places_of(lines, others)
    step = step_of(places)
    first, last = starts_of(others), ends_of(others)
    before, after = places[0] - first, last - places[-1]
    at = places_of(others, lines)
    done = list(lines)
    if _goes_on(before, step, first < 0.012 * limit):
        done.insert(0, _border(at[:, 0], first))
    if _goes_on(after, step, last > 0.988 * limit):
        done.append(_border(at[:, -1], last))
    return done


def _goes_on(beyond: Floats, step: float, cut: Bools) -> bool:
    enough = max(14.0, 0.4 * step)
    usual = float(np.median(beyond))
    agree = np.abs(beyond - usual) < 0.35 * max(usual, step)
    return bool(usual > enough and agree.mean() >= 0.6 and cut.mean() < 0.5)


def _border(along: Floats, ends: Floats) -> Ruling:
    """A line that nobody drew, through the ends of those that are there."""
    order = np.argsort(along)
    along, ends = along[order], ends[order]
    slope = 0.0
    if len(along) >= 3:
        pairs = [
            (ends[j] - ends[i]) / (along[j] - along[i] + 1e-6)
            for i in range(len(along))
            for j in range(i + 1, len(along))
        ]
        slope = float(np.median(pairs))
    base = float(np.median(ends - slope * along))
    far = np.array([along[0] - 4000, along[0], along[-1], along[-1] + 4000])
    return Ruling(far, base + slope * far, float(along[0]), float(along[-1]), 0.0)
