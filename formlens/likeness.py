"""Two squared pages go in; whether they are one sheet seen twice, or two with different writing, comes out.

What is compared is ink against the paper around it, so light and shadow do not matter, piece by piece, each looked for
a little around its place, so that a sheet pushed aside or cut out a trifle differently stays the same sheet. One piece
that is not found makes it another sheet: two copies of a form differ in a few digits only.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.types import Image

Gray = NDArray[np.uint8]

SIDE = 1200
"""Pixels of a portrait's longer side."""
OTHER = 13.0
"""Pixels of ink close together that one portrait has and the other has not, at which they show two sheets."""

_PIECE = 60
_REACH = 14
_EDGE = 16
"""Pixels along the edge that may show the desk."""
_INK = 40
"""Of a pixel that is surely ink, of 255."""
_LEFT = 0.6
"""Share of its darkness that ink keeps at least, however much softer the other picture is."""


def portrait(page: Image) -> Gray:
    """The ink of a squared page, light on black, the longer side `SIDE` pixels."""
    scale = SIDE / max(page.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    gray = cv2.resize(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale, interpolation=how)
    gray = cv2.GaussianBlur(gray, (0, 0), 1.0)
    paper = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((17, 17), np.uint8))
    return np.asarray(cv2.divide(cv2.subtract(paper, gray), np.maximum(paper, 24), scale=255), np.uint8)


def difference(one: Gray, other: Gray, enough: float = float(_PIECE**2)) -> float:
    """Pixels of ink close together that only one of two portraits has; the better of the ways up.

    What is more than ``enough`` may be said to be less than it is: looking further takes time.
    """
    least = float(_PIECE**2)
    for k in range(4):
        if _fits(one, turned := np.rot90(other, k)):
            least = min(least, _apart(one, np.ascontiguousarray(turned), enough))
            if least < enough < _PIECE**2:
                break
    return least


def is_same(one: Gray, other: Gray) -> bool:
    """Whether two portraits show one sheet."""
    return difference(one, other, OTHER) < OTHER


def _fits(one: Gray, other: Gray) -> bool:
    (height, width), (tall, wide) = one.shape, other.shape
    return bool(abs(height - tall) < 0.06 * SIDE and abs(width - wide) < 0.06 * SIDE)


def _apart(one: Gray, other: Gray, enough: float) -> float:
    height, width = one.shape
    other = np.asarray(cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    gone = _missing(one, other, enough)
    return gone if gone >= enough else max(gone, _missing(other, one, enough))  # and what was written since


def _missing(here: Gray, there: Gray, enough: float) -> float:
    """How much ink of one portrait is not found in the other; it ends where that is enough."""
    padded = cv2.copyMakeBorder(there, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    height, width = here.shape
    most = 0.0
    for y in range(_EDGE, height - _PIECE - _EDGE, _PIECE):
        for x in range(_EDGE, width - _PIECE - _EDGE, _PIECE):
            piece = here[y : y + _PIECE, x : x + _PIECE]
            ink = piece >= _INK
            if np.count_nonzero(ink) < OTHER:
                continue
            around = padded[y : y + _PIECE + 2 * _REACH, x : x + _PIECE + 2 * _REACH]
            _, _, _, (right, down) = cv2.minMaxLoc(cv2.matchTemplate(around, piece, cv2.TM_CCORR_NORMED))
            found = around[down : down + _PIECE, right : right + _PIECE]
            lost = ink & (cv2.dilate(found, np.ones((3, 3), np.uint8)) < _LEFT * piece)
            most = max(most, float(cv2.boxFilter(lost.astype(np.float32), -1, (11, 11), normalize=False).max()))
            if most >= enough:
                return most
    return most
