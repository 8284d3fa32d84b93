"""What is printed on a blank form goes in; the places that somebody is meant to fill come out.

A place to write is bare paper above a ruling (`ledges`). Little boxes are to be marked; a row of equal ones without
words between takes one character each (a comb). Where a form has next to no rulings to write on, the white after a
label with its colon is a place too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from formlens.boxes import find_boxes
from formlens.ink import Gray
from formlens.ledges import LINE, NARROWEST, find_ledges, is_shaded
from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.types import Box

_LETTERED = 44
"""Sides of a box or bubble that may have a letter inside and still is to be marked."""


@dataclass(frozen=True)
class Fillable:
    """One place of a form to be filled."""

    box: Box
    """In pixels of the form's frame."""
    way: Literal["text", "comb", "mark"]
    cells: int = 1
    """Of a comb, how many characters it takes."""


def find_fillable(blank: Gray, ruled: Ruled, lines: Sequence[Line]) -> list[Fillable]:
    """Every place to fill, from top to bottom; ``lines`` is the printed text."""
    boxes = [box for box in find_boxes(blank) if not is_shaded(ruled, box) and not _in_word(box, lines)]
    boxes = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) <= _LETTERED or _is_bare(ruled, box)]
    combs = _rows(boxes, ruled.text)
    in_combs = {box for comb in combs for box in comb}
    marks = [box for box in boxes if box not in in_combs and _is_mark(box)]
    found = [Fillable(box, "mark") for box in marks]
    found += [Fillable(_around(comb), "comb", len(comb)) for comb in combs]
    taken = [one.box for one in found]
    small = [box for box in boxes if box not in in_combs and not _is_mark(box) and box[2] - box[0] >= NARROWEST]
    written: list[Box] = []
    for box in [*find_ledges(ruled, lines), *small]:
        if not any(_common(box, other) > 0.3 * min(_area(box), _area(other)) for other in taken):
            written.append(box)
            taken.append(box)
    found += _texts_and_combs(written, ruled)
    after = [Fillable(box, "text") for box in _after_labels(ruled, lines, taken)]
    if len(after) > sum(one.way != "mark" for one in found):
        found += after
    return sorted(found, key=lambda one: (one.box[1], one.box[0]))


def _texts_and_combs(boxes: Sequence[Box], ruled: Ruled) -> list[Fillable]:
    """Places to write; narrow ones side by side that take a character each are a comb, and so is a line with ticks."""
    narrow = [box for box in boxes if box[2] - box[0] <= 1.5 * LINE]
    combs = _rows(narrow, ruled.text)
    in_combs = {box for comb in combs for box in comb}
    found = [Fillable(_around(comb), "comb", len(comb)) for comb in combs]
    return found + [_ticked(Fillable(box, "text"), ruled) for box in boxes if box not in in_combs]


def _rows(boxes: Sequence[Box], text: Gray) -> list[list[Box]]:
    """Rows of three and more equal boxes at one pitch with no print between them."""
    left = sorted(boxes)
    rows: list[list[Box]] = []
    while left:
        row = [left.pop(0)]
        while following := [box for box in left if _follows(row, box, text)]:
            row.append(following[0])
            left.remove(following[0])
        if len(row) >= 3:
            rows.append(row)
    return rows


def _follows(row: Sequence[Box], box: Box, text: Gray) -> bool:
    last = row[-1]
    wide, gap = last[2] - last[0], box[0] - last[2]
    if abs(box[1] - last[1]) > 4 or abs(box[3] - last[3]) > 4 or abs(box[2] - box[0] - wide) > 5:
        return False
    if not -2 <= gap < 0.9 * wide or (len(row) > 1 and abs(gap - (last[0] - row[-2][2])) > 5):
        return False
    between = text[last[1] + 3 : last[3] - 3, last[2] + 4 : max(last[2] + 4, box[0] - 4)]
    return int(np.count_nonzero(between)) < 6


def _ticked(one: Fillable, ruled: Ruled) -> Fillable:
    """A line to write on whose room is parted by ticks at equal distances is a comb."""
    x0, y0, x1, y1 = one.box
    ticks = [(a + c) / 2 for a, b, c, d in [*ruled.ticks, *ruled.upright] if b < y1 and d > y1 - 8 and d - b < y1 - y0 + 12]
    inside = sorted(tick for tick in ticks if x0 + 6 < tick < x1 - 6)
    steps = np.diff([x0, *inside, x1])
    if len(inside) >= 2 and steps.max() < 1.8 * LINE and np.ptp(steps) < 0.3 * steps.mean():
        return replace(one, way="comb", cells=len(steps))
    return one


def _after_labels(ruled: Ruled, lines: Sequence[Line], taken: Sequence[Box]) -> list[Box]:
    """The white after labels with their colon, to the next print."""
    places: list[Box] = []
    columns = np.flatnonzero(ruled.text.any(axis=0))
    for line in lines:
        x1, bottom = line.box[2], line.box[3] + 2
        if not line.text.rstrip().endswith((":", "：")):
            continue
        top = max(0, min(line.box[1], bottom - LINE))
        inked = np.flatnonzero(ruled.text[top + 4 : bottom - 4, x1 + 4 :].any(axis=0)) + x1
        bars = [a - 2 for a, b, _, d in ruled.upright if b < bottom and d > top and a > x1 + 4]
        right = min([int(columns[-1]), *inked[:1].tolist(), *bars])
        box = x1 + 6, top, right, bottom
        if right - x1 > 3 * LINE and not any(_common(box, other) for other in taken) and not is_shaded(ruled, box):
            places.append(box)
    return places


def _is_mark(box: Box) -> bool:
    wide, tall = box[2] - box[0], box[3] - box[1]
    return abs(wide - tall) <= 0.14 * max(wide, tall) and max(wide, tall) <= 1.5 * LINE


def _is_bare(ruled: Ruled, box: Box) -> bool:
    x0, y0, x1, y1 = box
    return int(np.count_nonzero(ruled.text[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4])) < 12


def _in_word(box: Box, lines: Sequence[Line]) -> bool:
    """Whether a box is the hole of a printed letter: lower than the text it stands in, with text on both sides."""
    x0, y0, x1, y1 = box
    for line in lines:
        a, b, c, d = line.box
        if a + 4 < x0 and x1 < c - 4 and b - 2 < y0 and y1 < d + 2 and y1 - y0 < 0.62 * (d - b):
            return True
    return False


def _around(boxes: Sequence[Box]) -> Box:
    edges = list(zip(*boxes, strict=True))
    return min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])


def _common(a: Box, b: Box) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _area(box: Box) -> int:
    return max(1, (box[2] - box[0]) * (box[3] - box[1]))
