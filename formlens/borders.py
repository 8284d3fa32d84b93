"""A table's rulings go in; those with a border where nobody drew one come out."""

import numpy as np
from numpy.typing import NDArray

from formlens.families import ends_of, places_of, starts_of, step_of
from formlens.fragments import Floats, Ruling

Bools = NDArray[np.bool_]


def bordered(lines: list[Ruling], others: list[Ruling], limit: int) -> list[Ruling]:
    """With a border put where the lines across end, if they go on well beyond the first or the last line."""
    if not lines or not others or any(o.printed for o in others):
        return lines
    places = places_of(lines, others)
    step = step_of(places)
    first, last = starts_of(others), ends_of(others)
    before, after = places[0] - first, last - places[-1]
    at = places_of(others, lines)
    done = list(lines)
    if _goes_on(before, step, first < 0.012 * limit):
        done.insert(0, _border(lines[0], at[:, 0], first))
    if _goes_on(after, step, last > 0.988 * limit):
        done.append(_border(lines[-1], at[:, -1], last))
    return done


def _goes_on(beyond: Floats, step: float, cut: Bools) -> bool:
    enough = max(14.0, 0.4 * step)
    usual = float(np.median(beyond))
    agree = np.abs(beyond - usual) < 0.35 * usual
    return bool(usual > enough and agree.mean() >= 0.6 and cut.mean() < 0.5)


def _border(neighbour: Ruling, along: Floats, ends: Floats) -> Ruling:
    """A line that nobody drew, through the ends of those that are there: its neighbour's shape, moved and turned.

    The fewer ends there are, the less they turn it: pens stop where they like.
    """
    away = ends - neighbour.at(along)
    i, j = np.triu_indices(len(along), 1)
    slope = float(np.median((away[j] - away[i]) / (along[j] - along[i] + 1e-6))) if len(i) else 0.0
    slope *= max(0, len(along) - 2) / (len(along) + 2)
    base = float(np.median(away - slope * along))
    across = neighbour.across + base + slope * neighbour.along
    return Ruling(neighbour.along, across, float(along.min()), float(along.max()), 0.0)
