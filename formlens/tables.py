"""A page goes in, its ruled tables come out: rows, columns and the place of every cell.

No form is known: rulings are followed (`formlens.rulings`), and those that cross each other are read as a lattice
(`formlens.lattice`); first in ink of the colour that the ground suggests, then, if that gives none, in the other.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from formlens.lattice import Lattice, find_lattices
from formlens.rulings import Gray, trace_level, trace_upright
from formlens.types import Image, Points

WORKING_SIDE = 1600
"""Pixels of the longer side at which rulings are followed; smaller images are left as they are."""


@dataclass(frozen=True)
class Table:
    """A ruled table: the crossings of its rulings, shape (rows+1, columns+1, 2), in pixels of the image."""

    corners: Points
    light: bool = False
    """Whether its ink is lighter than its ground: chalk, a white pen, an inverted scan."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.corners) - 1

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self.corners.shape[1]) - 1

    def quad(self, row: int, column: int) -> Points:
        """The corners of a cell, shape (4, 2), clockwise from the top left."""
        c = self.corners
        return np.stack([c[row, column], c[row, column + 1], c[row + 1, column + 1], c[row + 1, column]])


def find_tables(image: Image) -> list[Table]:
    """Find the ruled tables of a page, in reading order; an empty list where there is none."""
    scale = min(1.0, WORKING_SIDE / max(image.shape[:2]))
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if min(gray.shape) < 32:
        return []
    plane = np.asarray(gray, np.uint8)
    likely = bool(np.median(plane) < 100)
    for light in (likely, not likely):
        lattices = _lattices(plane, light)
        if lattices:
            return _in_reading_order(
                [Table(((k.corners + 0.5) / scale - 0.5).astype(np.float32), light) for k in lattices]
            )
    return []


def _lattices(gray: Gray, light: bool) -> list[Lattice]:
    """The lattices in one colour of ink, the largest and best drawn where some overlap."""
    ground = np.asarray(cv2.bitwise_not(gray), np.uint8) if light else gray
    found = find_lattices(trace_level(ground), trace_upright(ground))
    kept: list[Lattice] = []
    for lattice in sorted(found, key=lambda f: -_area(f) * f.drawn):
        if not any(_overlap(lattice, other) for other in kept):
            kept.append(lattice)
    return kept


def _outline(lattice: Lattice) -> Points:
    c = lattice.corners
    return np.concatenate([c[0], c[1:, -1], c[-1, -2::-1], c[-2:0:-1, 0]]).astype(np.float32)


def _area(lattice: Lattice) -> float:
    return float(cv2.contourArea(_outline(lattice)))


def _overlap(a: Lattice, b: Lattice) -> bool:
    ax, ay, aw, ah = cv2.boundingRect(_outline(a))
    bx, by, bw, bh = cv2.boundingRect(_outline(b))
    wide = min(ax + aw, bx + bw) - max(ax, bx)
    tall = min(ay + ah, by + bh) - max(ay, by)
    return wide > 0 and tall > 0 and wide * tall > 0.2 * min(aw * ah, bw * bh)


def _in_reading_order(tables: list[Table]) -> list[Table]:
    """From top to bottom; those side by side from left to right."""
    rest = sorted(tables, key=lambda t: float(t.corners[..., 1].min()))
    ordered: list[Table] = []
    while rest:
        top = rest[0].corners[..., 1]
        middle = (float(top.min()) + float(top.max())) / 2
        beside = [t for t in rest if float(t.corners[..., 1].min()) < middle]
        ordered += sorted(beside, key=lambda t: float(t.corners[..., 0].min()))
        rest = [t for t in rest if not any(t is b for b in beside)]
    return ordered
