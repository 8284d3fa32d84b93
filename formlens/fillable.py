"""What is printed on a blank form goes in; the places that somebody is meant to fill come out.

A place to write is bare paper above a ruling (`ledges`). Little boxes are to be marked; a row of equal ones without
words between takes one character each (a comb). Where a form has next to no rulings to write on, the white after a
label with its colon is a place too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from formlens.boxes import find_boxes
from formlens.combs import Comb, comb_of, find_rows, ticked
from formlens.ink import Gray
from formlens.ledges import find_ledges
from formlens.printed import Line
from formlens.ruled import Ruled, take_apart
from formlens.surroundings import LINE, NARROWEST, is_shaded
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
    """Every place to fill, in reading order; ``lines`` is the printed text."""
    boxes = [box for box in find_boxes(blank) if not is_shaded(ruled, box) and not _in_word(box, lines)]
    boxes = [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) <= _LETTERED or _is_bare(ruled, box)]
    combs = find_rows(boxes, ruled.text)
    in_combs = {box for comb in combs for box in comb}
    marks = [box for box in boxes if box not in in_combs and _is_mark(box)]
    found = [Fillable(box, "mark") for box in marks]
    found += [_comb(comb_of(row)) for row in combs]
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
    return _in_order(found)


def _in_order(places: Sequence[Fillable]) -> list[Fillable]:
    """Places in reading order: line by line as they end, and in a line from left to right."""
    ordered: list[Fillable] = []
    left = sorted(places, key=lambda one: one.box[3])
    while left:
        row = [one for one in left if one.box[3] - left[0].box[3] < 0.4 * LINE]
        ordered += sorted(row, key=lambda one: one.box[0])
        left = left[len(row) :]
    return ordered


def find_combs(blank: Gray) -> dict[Box, int]:
    """The combs of a blank, and how many characters each takes."""
    return {one.box: one.cells for one in find_fillable(blank, take_apart(blank), ()) if one.way == "comb"}


def _texts_and_combs(boxes: Sequence[Box], ruled: Ruled) -> list[Fillable]:
    """Places to write; narrow ones side by side that take a character each are a comb, and so is a line with ticks."""
    rows = find_rows([box for box in boxes if box[2] - box[0] <= 1.5 * LINE], ruled.text)
    found = [_comb(comb_of(row)) for row in rows]
    for box in boxes:
        if not any(box in row for row in rows):
            comb = ticked(box, [*ruled.ticks, *ruled.upright])
            found.append(Fillable(box, "text") if comb is None else _comb(comb))
    return found


def _comb(comb: Comb) -> Fillable:
    return Fillable(comb.box, "comb", comb.cells)


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


def _common(a: Box, b: Box) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _area(box: Box) -> int:
    return max(1, (box[2] - box[0]) * (box[3] - box[1]))
