"""A form's boxes go in; the grids that they make, and how a grid spells what people typed, come out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formlens.types import Box

ALPHABETS = ("0123456789", "1234567890", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What the options of a slot stand for, the first, the second and so on."""


@dataclass(frozen=True)
class Grid:
    """Boxes in rows and columns."""

    numbers: NDArray[np.intp]
    """For each row and column the number of the box."""


def find_grids(boxes: Sequence[Box]) -> list[Grid]:
    """Every regular grid of at least four boxes one way and one the other, the larger first."""
    middles = np.array([((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in boxes]).reshape(-1, 2)
    sizes = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes], np.float64).reshape(-1, 2)
    beside = _neighbours(middles, sizes, 0)
    below = _neighbours(middles, sizes, 1)
    firsts = [i for i in range(len(boxes)) if i not in set(beside.values()) and i not in set(below.values())]
    grids = []
    for first in firsts:
        rows = [_chain(row, beside) for row in _chain(first, below)]
        wide = min(len(row) for row in rows)
        numbers = np.array([row[:wide] for row in rows], np.intp)
        if max(numbers.shape) >= 4:
            grids.append(Grid(numbers))
    return sorted(grids, key=lambda grid: -grid.numbers.size)


def spelled(grid: Grid, marked: NDArray[np.float64], alphabet: str, upright: bool) -> str:
    """What the marks of one page say: a slot is a column if ``upright``, else a row; a slot without a mark is left out.

    ``marked`` has a probability for each box. A slot with two marks says `?`.
    """
    numbers = grid.numbers.T if upright else grid.numbers
    text = ""
    for slot in numbers:
        given = np.flatnonzero(marked[slot] > 0.5)
        text += "" if not len(given) else alphabet[given[0]] if len(given) == 1 and given[0] < len(alphabet) else "?"
    return text


def _neighbours(middles: NDArray[np.float64], sizes: NDArray[np.float64], axis: int) -> dict[int, int]:
    """For each box the number of the next one of its size to the right (axis 0) or below (axis 1)."""
    found: dict[int, int] = {}
    for i, (middle, size) in enumerate(zip(middles, sizes, strict=True)):
        away = middles - middle
        level = np.abs(away[:, 1 - axis]) < 0.3 * size[1 - axis]
        alike = (np.abs(sizes - size) < 0.25 * size + 2).all(axis=1)
        near = (away[:, axis] > 0.7 * size[axis]) & (away[:, axis] < 3.5 * size[axis])
        candidates = np.flatnonzero(level & alike & near)
        if len(candidates):
            found[i] = int(candidates[away[candidates, axis].argmin()])
    return found


def _chain(first: int, following: dict[int, int]) -> list[int]:
    chain = [first]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    return chain
