"""The rulings and the print of a blank form go in; the bare paper above rulings that somebody is to write on comes out.

A ledge is as wide as a ruling runs between upright ones, and as high as a generous line of writing where the paper goes
on. Where other print stands on the same ruling there is none, unless it is a sign at its end ("$", parentheses) or a
label with its colon. Headings of tables, paragraphs with a ruling below and lines of a chart are told from it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.surroundings import (
    LINE,
    NARROWEST,
    Ledge,
    beside_shade,
    has_ticks,
    has_words,
    is_asked_for,
    is_corner,
    is_heading,
    is_left,
    is_shaded,
    joins,
    under_paragraph,
)
from formlens.types import Box

_TALLEST = round(1.45 * LINE)
"""Height of a place where nothing bounds it above: between one line and two."""
_LOWEST = round(0.8 * LINE)
_SIGN = 28
"""Pixels from the end of a ledge in which a sign ("$", a parenthesis) stands."""


def find_ledges(ruled: Ruled, lines: Sequence[Line]) -> list[Box]:
    """Every place above a ruling to write on; of two that share their ground the wider."""
    found = _two_lined([ledge for line in ruled.level for ledge in _on(ruled, lines, line)], ruled, lines)
    headings = [ledge for ledge in found if is_heading(ledge, found, lines)]
    found = [ledge for ledge in found if not is_corner(ledge, found)]
    kept: list[Box] = []
    for ledge in sorted(found, key=lambda one: one.box[0] - one.box[2]):
        in_headings = any(ledge.box[3] == other.box[3] and ledge.roof == other.roof for other in headings)
        if in_headings and (ledge.inline or has_words(ledge, lines)):
            continue
        if not any(_common(ledge.box, other) > 0.5 * _area(ledge.box) for other in kept):
            kept.append(ledge.box)
    return kept


def _on(ruled: Ruled, lines: Sequence[Line], line: Box) -> list[Ledge]:
    """The ledges of one ruling, from left to right."""
    x0, top, x1, _ = line
    if _is_top(line, ruled):
        return []
    bars = [
        (left, right)
        for left, above, right, below in ruled.upright
        if above < top - 0.6 * _LOWEST and below > top - 6 and left < x1 + 6 and right > x0 - 6
    ]
    edges = sorted([(x0, x0), *bars, (x1, x1)])
    found: list[Ledge] = []
    labelled: list[Ledge] = []
    cells = 0
    for (before, left), (right, after) in pairwise(edges):
        if right - left >= NARROWEST:
            cells += 1
            barred = (before, left) in bars or (right, after) in bars
            ledge = _above(ruled, lines, left + 1, right - 1, top, barred)
            after_label = None if ledge else _after_label(ruled, lines, left + 1, right - 1, top)
            found += [ledge] if ledge else []
            labelled += [after_label] if after_label else []
    if len(labelled) == cells > 1:  # where every cell of a row begins with words, these are its label
        found += labelled
    return [_whole(found[0], line, ruled)] if len(found) == cells == 1 else found


def _after_label(ruled: Ruled, lines: Sequence[Line], x0: int, x1: int, bottom: int) -> Ledge | None:
    """What is bare of a low cell after the words that begin it; None for a cell of other making."""
    roof = _roof(ruled, x0, x1, bottom)
    own = [
        line.box for line in lines
        if x0 - 8 < line.box[0] and line.box[2] < x1 + 8 and roof - 8 < line.box[1] and line.box[3] < bottom + 8
    ]  # fmt: skip
    if len(own) != 1 or not _LOWEST < bottom - roof < 2.2 * LINE or own[0][0] - x0 > 0.8 * LINE:
        return None
    left = own[0][2] + 6
    if np.count_nonzero(ruled.text[roof : bottom - 3, left:x1]) > 3 or x1 - left < max(3 * LINE, 0.4 * (x1 - x0)):
        return None
    box = left, max(roof + 1, bottom - _TALLEST), x1, bottom
    return None if is_shaded(ruled, box) else Ledge(box, (x0, x1), roof, True, inline=True)


def _whole(ledge: Ledge, line: Box, ruled: Ruled) -> Ledge:
    """A ledge that is the foot of a frame of its own, with nothing in it, as all that is in the frame."""
    x0, y0, x1, y1 = ledge.box
    frame = any(a[3] == ledge.roof and abs(a[0] - line[0]) < 8 and abs(a[2] - line[2]) < 8 for a in ruled.level)
    sides = [any(abs((u[0] + u[2]) / 2 - x) < 8 and u[1] < ledge.roof + 8 for u in ruled.upright) for x in line[::2]]
    bare = not np.count_nonzero(ruled.text[ledge.roof : y0, x0:x1])
    return replace(ledge, box=(x0, ledge.roof + 1, x1, y1)) if frame and all(sides) and bare else ledge


def _roof(ruled: Ruled, x0: int, x1: int, bottom: int) -> int:
    """Where the next ruling above a span is; 0 where none is."""
    above = [a for a in ruled.level if a[3] < bottom - 6 and min(a[2], x1) - max(a[0], x0) > 0.8 * (x1 - x0)]
    return max((a[3] for a in above), default=0)


def _is_top(line: Box, ruled: Ruled) -> bool:
    """Whether a ruling is the upper side of a box or table: at both ends upright ones go down, and none goes up."""
    ends = [[u for u in ruled.upright if abs((u[0] + u[2]) / 2 - x) < 8] for x in (line[0], line[2])]
    down = all(any(abs(u[1] - line[1]) < 8 and u[3] > line[3] + 6 for u in end) for end in ends)
    return down and not any(u[1] < line[1] - 8 and u[3] > line[1] - 8 for end in ends for u in end)


def _above(ruled: Ruled, lines: Sequence[Line], x0: int, x1: int, bottom: int, barred: bool) -> Ledge | None:
    """What may be written on a ruling between two edges, or None."""
    roof = _roof(ruled, x0, x1, bottom)
    if bottom - roof < _LOWEST:
        return None
    free = _free(ruled, lines, x0, x1, bottom)
    if free is None:
        return None
    left, right = free
    ceiling = max(roof, bottom - _TALLEST)
    inked = np.flatnonzero(np.count_nonzero(ruled.text[ceiling : bottom - 3, left:right], axis=1) > 3)
    top = ceiling + int(inked[-1]) + 2 if len(inked) else ceiling + 1
    ledge = Ledge((left, top, right, bottom), (x0, x1), roof, barred)
    if bottom - top < _LOWEST or right - left < NARROWEST or is_shaded(ruled, ledge.box):
        return None
    if any(joins(line, ledge.box) for line in lines) or beside_shade(ledge.box, ruled):
        return None
    matched = barred or any(a[3] == roof and abs(a[0] - x0) < LINE and abs(a[2] - x1) < LINE for a in ruled.level)
    if matched and bottom - roof < 2.2 * LINE and not has_words(ledge, lines):
        return ledge
    if barred:
        return None if under_paragraph(ledge, lines) else ledge
    return ledge if has_ticks(ledge.box, ruled) or is_asked_for(ruled, lines, ledge.box) else None


def _free(ruled: Ruled, lines: Sequence[Line], x0: int, x1: int, bottom: int) -> tuple[int, int] | None:
    """What is bare of a ruling's span, from left to right: all of it, but for signs at its ends or a label's colon."""
    low = ruled.text[bottom - _LOWEST : bottom - 3, x0:x1]
    inked = np.flatnonzero(low.any(axis=0))
    if not len(inked):
        return x0, x1
    ends = np.concatenate([[-1], inked, [low.shape[1]]])
    widest = int(np.diff(ends).argmax())
    left, right = int(ends[widest]) + 1, int(ends[widest + 1])
    if low.shape[1] - right > _SIGN:
        return None
    if left <= _SIGN and right - left >= 0.6 * (x1 - x0):
        return x0 + left, x0 + right
    heads_table = any(abs(a[1] - bottom) < 8 and x0 + left < a[0] < x1 - 8 for a in ruled.upright)
    labelled = any(
        line.text.rstrip().endswith((":", "："))
        and line.box[1] < bottom < line.box[3] + LINE
        and abs(line.box[2] - (x0 + left)) < LINE
        for line in lines
    )
    if labelled and not heads_table and right - left > 2.5 * LINE:
        return x0 + left + 4, x0 + right
    return None


def _two_lined(ledges: Sequence[Ledge], ruled: Ruled, lines: Sequence[Line]) -> list[Ledge]:
    """The same ledges; of one place are those that only dots part, or that lie free with no label between."""
    dotted = {line[1] for line in ruled.dotted}
    found: list[Ledge] = []
    for ledge in sorted(ledges, key=lambda one: one.box[3]):
        above = [
            one for one in found
            if abs(one.box[0] - ledge.box[0]) < 12 and abs(one.box[2] - ledge.box[2]) < 12
            and 0 <= ledge.box[1] - one.box[3] < 14
            and (one.box[3] in dotted or not (one.barred or ledge.barred or any(is_left(x, ledge.box) for x in lines)))
        ]  # fmt: skip
        if above:
            found.remove(above[0])
            box = above[0].box[0], above[0].box[1], ledge.box[2], ledge.box[3]
            ledge = Ledge(box, ledge.span, above[0].roof, ledge.barred)
        found.append(ledge)
    return found


def _common(a: Box, b: Box) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _area(box: Box) -> int:
    return max(1, (box[2] - box[0]) * (box[3] - box[1]))
