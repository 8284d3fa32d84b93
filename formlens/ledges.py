"""The rulings and the print of a blank form go in; the bare paper above rulings that somebody is to write on comes out.

A ledge is as wide as a ruling runs between upright ones, and as high as a generous line of writing where the paper goes
on. Where other print stands on the same ruling there is none, unless it is a sign at its end ("$", parentheses) or a
label with its colon. Headings of tables, paragraphs with a ruling below and lines of a chart are told from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.types import Box

LINE = 33
"""Pixels of a form's frame that a line of writing takes, a sixth of an inch on letter and A4."""
NARROWEST = 34
"""Pixels across the narrowest place for a character."""
_TALLEST = round(1.45 * LINE)
"""Height of a place where nothing bounds it above: between one line and two."""
_LOWEST = round(0.8 * LINE)
_SIGN = 28
"""Pixels from the end of a ledge in which a sign ("$", a parenthesis) stands."""


@dataclass(frozen=True)
class _Ledge:
    box: Box
    span: tuple[int, int]
    """From where to where the ruling runs between upright ones."""
    roof: int
    """Where the next ruling above is; the top of the page where none is."""
    barred: bool
    """Whether an upright ruling stands at one of its ends."""


def find_ledges(ruled: Ruled, lines: Sequence[Line]) -> list[Box]:
    """Every place above a ruling to write on; of two that share their ground the wider."""
    found = _two_lined([ledge for line in ruled.level for ledge in _on(ruled, lines, line)], ruled, lines)
    headings = [ledge for ledge in found if _is_heading(ledge, found, lines)]
    kept: list[Box] = []
    for ledge in sorted(found, key=lambda one: one.box[0] - one.box[2]):
        in_headings = any(ledge.box[3] == other.box[3] and ledge.roof == other.roof for other in headings)
        if in_headings and _has_words(ledge, lines):
            continue
        if not any(_common(ledge.box, other) > 0.5 * _area(ledge.box) for other in kept):
            kept.append(ledge.box)
    return kept


def is_shaded(ruled: Ruled, box: Box) -> bool:
    """Whether most of a box is shaded."""
    x0, y0, x1, y1 = box
    part = ruled.shaded[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
    return bool(part.size) and float(part.mean()) > 0.5


def _on(ruled: Ruled, lines: Sequence[Line], line: Box) -> list[_Ledge]:
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
    found = []
    for (before, left), (right, after) in pairwise(edges):
        if right - left >= NARROWEST:
            barred = (before, left) in bars or (right, after) in bars
            ledge = _above(ruled, lines, left + 1, right - 1, top, barred)
            if ledge is not None:
                found.append(ledge)
    return found


def _is_top(line: Box, ruled: Ruled) -> bool:
    """Whether a ruling is the upper side of a box or table: at both ends upright ones go down, and none goes up."""
    ends = [[u for u in ruled.upright if abs((u[0] + u[2]) / 2 - x) < 8] for x in (line[0], line[2])]
    down = all(any(abs(u[1] - line[1]) < 8 and u[3] > line[3] + 6 for u in end) for end in ends)
    return down and not any(u[1] < line[1] - 8 and u[3] > line[1] - 8 for end in ends for u in end)


def _above(ruled: Ruled, lines: Sequence[Line], x0: int, x1: int, bottom: int, barred: bool) -> _Ledge | None:
    """What may be written on a ruling between two edges, or None."""
    above = [a for a in ruled.level if a[3] < bottom - 6 and min(a[2], x1) - max(a[0], x0) > 0.8 * (x1 - x0)]
    roof = max((a[3] for a in above), default=0)
    if bottom - roof < _LOWEST:
        return None
    free = _free(ruled, lines, x0, x1, bottom)
    if free is None:
        return None
    left, right = free
    ceiling = max(roof, bottom - _TALLEST)
    inked = np.flatnonzero(np.count_nonzero(ruled.text[ceiling : bottom - 3, left:right], axis=1) > 3)
    top = ceiling + int(inked[-1]) + 2 if len(inked) else ceiling + 1
    ledge = _Ledge((left, top, right, bottom), (x0, x1), roof, barred)
    if bottom - top < _LOWEST or right - left < NARROWEST or is_shaded(ruled, ledge.box):
        return None
    if any(_joins(line, ledge.box) for line in lines) or _beside_shade(ledge.box, ruled):
        return None
    matched = barred or any(a[3] == roof and abs(a[0] - x0) < LINE and abs(a[2] - x1) < LINE for a in above)
    if matched and bottom - roof < 2.2 * LINE and not _has_words(ledge, lines):
        return ledge
    if barred:
        return None if _under_paragraph(ledge, lines) else ledge
    return ledge if _has_ticks(ledge.box, ruled) or _is_asked_for(ruled, lines, ledge.box) else None


def _has_ticks(box: Box, ruled: Ruled) -> bool:
    """Whether ticks stand on a line: then it is for characters, whatever is printed around."""
    return sum(box[0] + 6 < a and c < box[2] - 6 and b < box[3] < d + 8 for a, b, c, d in ruled.ticks) >= 2


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


def _is_asked_for(ruled: Ruled, lines: Sequence[Line], box: Box) -> bool:
    """Whether something printed says what to write on a line that is open above, which parts it from an ornament.

    A label stands left of it, or close above or below and does not fill its width, as a paragraph does.
    """
    x0, y0, x1, y1 = box
    if any(_is_left(line, box) for line in lines):
        return True
    if x1 - x0 < 1.5 * NARROWEST:
        return False
    boxed = any(abs(b - y1) < 8 and d > y1 + LINE for a, b, c, d in ruled.upright if min(abs(a - x0), abs(c - x1)) < 8)
    printed = np.flatnonzero(ruled.text.any(axis=0))
    if (
        not boxed and len(printed) and x1 - x0 < 0.75 * np.ptp(printed)
    ):  # what runs from margin to margin parts sections
        for a, b, c, _ in (line.box for line in lines):
            if -4 <= b - y1 < 0.6 * LINE and x0 - LINE < a and c > x0 and a < x1 and c - a < 1.2 * (x1 - x0):
                return True
    part = np.asarray(ruled.text[max(0, y0 - LINE) : y0 + 2, x0:x1].max(axis=0, keepdims=True), np.uint8)
    words = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((1, 45), np.uint8))
    return 0 < float(words.mean()) < 0.6


def _is_left(line: Line, box: Box) -> bool:
    """Whether a line of print ends where a box begins, at its height."""
    _, b, c, d = line.box
    return min(d, box[3] + 6) - max(b, box[1]) > 0.4 * (d - b) and -1.5 * LINE < box[0] - c < 6 * LINE


def _joins(line: Line, box: Box) -> bool:
    """Whether a ruling runs to the middle of words, as the lines of a chart do, not to their foot."""
    a, b, c, d = line.box
    at_end = abs(a - box[2]) < LINE or abs(c - box[0]) < 0.5 * LINE or (a <= box[0] and box[2] <= c + 6)
    return at_end and b + 0.25 * (d - b) < box[3] < b + 0.7 * (d - b)


def _under_paragraph(ledge: _Ledge, lines: Sequence[Line]) -> bool:
    """Whether two full lines of text stand above in the same cell."""
    x0, x1 = ledge.span
    full = [
        line.box
        for line in lines
        if ledge.roof - 4 < line.box[1] and line.box[3] < ledge.box[1] + 8
        and min(line.box[2], x1) - max(line.box[0], x0) > 0.5 * (x1 - x0)
    ]  # fmt: skip
    full.sort(key=lambda box: -box[3])
    near = full and ledge.box[1] - full[0][3] < 1.2 * LINE
    return bool(near) and len(full) > 1 and full[0][1] - full[1][3] < 0.6 * LINE


def _beside_shade(box: Box, ruled: Ruled) -> bool:
    part = ruled.shaded[box[1] + 6 : box[3] - 6, max(0, box[0] - 24) : max(0, box[0] - 6)]
    return bool(part.size) and float(part.mean()) > 0.7


def _has_words(ledge: _Ledge, lines: Sequence[Line]) -> bool:
    """Whether some print stands above a ledge in its own cell; what runs on beyond the cell is not its own."""
    x0, x1 = ledge.span
    return any(
        x0 - 8 < line.box[0] and line.box[2] < x1 + 8
        and max(ledge.roof, ledge.box[1] - 4 * LINE) - 8 < line.box[1] and line.box[3] < ledge.box[1] + 10
        for line in lines
    )  # fmt: skip


def _is_heading(ledge: _Ledge, others: Sequence[_Ledge], lines: Sequence[Line]) -> bool:
    """Whether a cell with words has a cell without any right below: then it heads the column of a table."""
    close = replace(ledge, roof=max(ledge.roof, ledge.box[1] - round(1.3 * LINE)))
    if not _has_words(close, lines):
        return False
    return any(
        abs(other.span[0] - ledge.span[0]) < 8 and abs(other.span[1] - ledge.span[1]) < 8
        and 0 <= other.roof - ledge.box[3] < 16 and not _has_words(other, lines)
        for other in others
    )  # fmt: skip


def _two_lined(ledges: Sequence[_Ledge], ruled: Ruled, lines: Sequence[Line]) -> list[_Ledge]:
    """The same ledges; of one place are those that only dots part, or that lie free with no label between."""
    dotted = {line[1] for line in ruled.dotted}
    found: list[_Ledge] = []
    for ledge in sorted(ledges, key=lambda one: one.box[3]):
        above = [
            one for one in found
            if abs(one.box[0] - ledge.box[0]) < 12 and abs(one.box[2] - ledge.box[2]) < 12
            and 0 <= ledge.box[1] - one.box[3] < 14
            and (one.box[3] in dotted or not (one.barred or ledge.barred or any(_is_left(x, ledge.box) for x in lines)))
        ]  # fmt: skip
        if above:
            found.remove(above[0])
            box = above[0].box[0], above[0].box[1], ledge.box[2], ledge.box[3]
            ledge = _Ledge(box, ledge.span, above[0].roof, ledge.barred)
        found.append(ledge)
    return found


def _common(a: Box, b: Box) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _area(box: Box) -> int:
    return max(1, (box[2] - box[0]) * (box[3] - box[1]))
