"""A place above a ruling and what is printed around it go in; whether somebody is to write there comes out.

A label asks for it; a heading of a table, a paragraph with a ruling below, a shaded cell and a line of a chart do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.types import Box

LINE = 33
"""Pixels of a form's frame that a line of writing takes, a sixth of an inch on letter and A4."""
NARROWEST = 34
"""Pixels across the narrowest place for a character."""


@dataclass(frozen=True)
class Ledge:
    """A place above a ruling."""

    box: Box
    span: tuple[int, int]
    """From where to where the ruling runs between upright ones."""
    roof: int
    """Where the next ruling above is; the top of the page where none is."""
    barred: bool
    """Whether an upright ruling stands at one of its ends."""
    inline: bool = False
    """Whether it begins after a label in its own cell."""


def is_shaded(ruled: Ruled, box: Box) -> bool:
    """Whether most of a box is shaded."""
    x0, y0, x1, y1 = box
    part = ruled.shaded[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
    return bool(part.size) and float(part.mean()) > 0.5


def has_ticks(box: Box, ruled: Ruled) -> bool:
    """Whether ticks stand on a line: then it is for characters, whatever is printed around."""
    return sum(box[0] + 6 < a and c < box[2] - 6 and b < box[3] < d + 8 for a, b, c, d in ruled.ticks) >= 2


def is_asked_for(ruled: Ruled, lines: Sequence[Line], box: Box) -> bool:
    """Whether something printed says what to write on a line that is open above, which parts it from an ornament.

    A label stands left of it, or close above or below and does not fill its width, as a paragraph does.
    """
    x0, y0, x1, y1 = box
    if any(is_left(line, box) for line in lines):
        return True
    if x1 - x0 < 1.5 * NARROWEST:
        return False
    boxed = any(abs(b - y1) < 8 and d > y1 + LINE for a, b, c, d in ruled.upright if min(abs(a - x0), abs(c - x1)) < 8)
    margins = min(a[0] for a in ruled.level), max(a[2] for a in ruled.level)
    if not boxed and x1 - x0 < 0.75 * (margins[1] - margins[0]):  # what runs from margin to margin parts sections
        for a, b, c, _ in (line.box for line in lines):
            if -4 <= b - y1 < 0.6 * LINE and x0 - LINE < a and c > x0 and a < x1 and c - a < 1.2 * (x1 - x0):
                return True
    part = np.asarray(ruled.text[max(0, y0 - LINE) : y0 + 2, x0:x1].max(axis=0, keepdims=True), np.uint8)
    words = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((1, 45), np.uint8))
    return 0 < float(words.mean()) < 0.6


def is_left(line: Line, box: Box) -> bool:
    """Whether a line of print ends where a box begins, at its height."""
    _, b, c, d = line.box
    return min(d, box[3] + 6) - max(b, box[1]) > 0.4 * (d - b) and -1.5 * LINE < box[0] - c < 6 * LINE


def joins(line: Line, box: Box) -> bool:
    """Whether a ruling runs to the middle of words, as the lines of a chart do, not to their foot."""
    a, b, c, d = line.box
    at_end = abs(a - box[2]) < LINE or abs(c - box[0]) < 0.5 * LINE or (a <= box[0] and box[2] <= c + 6)
    return at_end and b + 0.25 * (d - b) < box[3] < b + 0.7 * (d - b)


def under_paragraph(ledge: Ledge, lines: Sequence[Line]) -> bool:
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


def beside_shade(box: Box, ruled: Ruled) -> bool:
    """Whether the ground left of a box is shaded."""
    part = ruled.shaded[box[1] + 6 : box[3] - 6, max(0, box[0] - 24) : max(0, box[0] - 6)]
    return bool(part.size) and float(part.mean()) > 0.7


def has_words(ledge: Ledge, lines: Sequence[Line]) -> bool:
    """Whether some print stands above a ledge in its own cell; what runs on beyond the cell is not its own."""
    x0, x1 = ledge.span
    return any(
        x0 - 8 < line.box[0] and line.box[2] < x1 + 8
        and max(ledge.roof, ledge.box[1] - 4 * LINE) - 8 < line.box[1] and line.box[3] < ledge.box[1] + 10
        for line in lines
    )  # fmt: skip


def is_heading(ledge: Ledge, others: Sequence[Ledge], lines: Sequence[Line]) -> bool:
    """Whether a cell with words has a cell without any right below: then it heads the column of a table."""
    close = replace(ledge, roof=max(ledge.roof, ledge.box[1] - round(1.3 * LINE)))
    if not ledge.inline and not has_words(close, lines):
        return False
    return any(
        abs(other.span[0] - ledge.span[0]) < 8 and abs(other.span[1] - ledge.span[1]) < 8
        and 0 <= other.roof - ledge.box[3] < 16 and not other.inline and not has_words(other, lines)
        for other in others
    )  # fmt: skip


def is_corner(ledge: Ledge, others: Sequence[Ledge]) -> bool:
    """Whether a bare cell stands left of what heads the columns of a table, over what names its rows."""
    below = [one for one in others if 0 <= one.roof - ledge.box[3] < 16]
    alone = not any(one is not ledge and abs(one.box[3] - ledge.box[3]) < 6 for one in others)
    right = [one for one in below if one.span[0] > ledge.span[1] - 4]
    return alone and len(right) == len(below) >= 2
