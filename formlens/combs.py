"""A blank form goes in, its combs (one box a character) come out; and a comb on a page goes in, one line comes out.

A comb is a row of equal boxes at one pitch with no print between them, or a line to write on that short ticks part
evenly. Its bars are print, which is taken away before (`pen`); what is left of each box is put close to the next, as
in a line of writing, for a reader that has learned lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from formlens.ink import Gray
from formlens.pen import Sheet, bare, cut, strokes_in
from formlens.types import Box, Image

_FEWEST = 3
"""Boxes from which a row is a comb."""
_WIDEST = 80
"""Pixels of a form's frame that the place of one character may be wide."""


@dataclass(frozen=True)
class Comb:
    """A place for some characters, each in its own box."""

    box: Box
    cells: int


def find_rows(boxes: Sequence[Box], text: Gray) -> list[list[Box]]:
    """Rows of three and more equal boxes at one pitch; ``text`` is the print that is no line, 1 or 0."""
    left = sorted(boxes)
    rows: list[list[Box]] = []
    while left:
        row = [left.pop(0)]
        while following := [box for box in left if _follows(row, box, text)]:
            row.append(following[0])
            left.remove(following[0])
        if len(row) >= _FEWEST:
            rows.append(row)
    return rows


def comb_of(row: Sequence[Box]) -> Comb:
    """The comb that a row of boxes makes."""
    edges = list(zip(*row, strict=True))
    return Comb((min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])), len(row))


def ticked(box: Box, ticks: Sequence[Box]) -> Comb | None:
    """The comb that ticks on a line to write on make; None where they do not part it evenly."""
    x0, y0, x1, y1 = box
    standing = [(a + c) / 2 for a, b, c, d in ticks if b < y1 and d > y1 - 8 and d - b < y1 - y0 + 12]
    inside = sorted(tick for tick in standing if x0 + 6 < tick < x1 - 6)
    steps = np.diff([x0, *inside, x1])
    if len(inside) < _FEWEST - 1 or steps.max() > _WIDEST or np.ptp(steps) > 0.3 * steps.mean():
        return None
    return Comb(box, len(steps))


def cut_place(sheet: Sheet, place: Box, cells: int = 1) -> Image | None:
    """What stands in a place as one line of writing, the boxes of a comb closed up; None where nothing does."""
    if cells < 2:
        return cut(sheet, place)
    own = strokes_in(sheet, place)
    if not len(own) or sheet.boxes[own, cv2.CC_STAT_AREA].sum() < 20:
        return None
    x0, _, x1, _ = place
    left, top, wide, tall = sheet.boxes[own, :4].T
    numbers = np.clip(((left + wide / 2 - x0) * cells / (x1 - x0)).astype(int), 0, cells - 1)
    above, below = int(top.min()), int((top + tall).max())
    margin = max(3, (below - above) // 6)
    rows = slice(max(0, above - margin), below + margin)
    parts = []
    for number in sorted(set(numbers.tolist())):
        strokes = own[numbers == number]
        a, b = int(left[numbers == number].min()), int((left + wide)[numbers == number].max())
        columns = slice(max(0, a - margin), b + margin)
        written = np.isin(sheet.components[rows, columns], strokes).astype(np.uint8)
        parts.append(bare(sheet.image[rows, columns], sheet.paper[rows, columns], written))
    return np.asarray(np.hstack(parts), np.uint8)


def _follows(row: Sequence[Box], box: Box, text: Gray) -> bool:
    last = row[-1]
    wide, gap = last[2] - last[0], box[0] - last[2]
    if abs(box[1] - last[1]) > 4 or abs(box[3] - last[3]) > 4 or abs(box[2] - box[0] - wide) > 5:
        return False
    if not -2 <= gap < 0.9 * wide or (len(row) > 1 and abs(gap - (last[0] - row[-2][2])) > 5):
        return False
    between = text[last[1] + 3 : last[3] - 3, last[2] + 4 : max(last[2] + 4, box[0] - 4)]
    return int(np.count_nonzero(between)) < 6
