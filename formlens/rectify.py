"""A page as given goes in; the paper on it, put square, and the way back to the page's pixels come out.

Only what is sure is done: a sheet is cut out and flattened when all four of its edges show as a step from paper to
what lies around it; otherwise the page is turned level when its lines plainly run askew; otherwise it stays as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.outline import find_sheet
from formlens.rulings import family_slope
from formlens.types import Image

LONGEST = 3508
"""Pixels of the longer side that a page is reduced to: A4 at 300 dpi."""

_AROUND = 0.1
"""Of a sheet's longer side, how far around it is looked for its edges."""
_FINE = 2200
"""Pixels of the longer side up to which a sheet is enlarged when it is cut out, twofold at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Squared:
    """The page put square; `to_page` (3 x 3) takes its pixels to those of the page as given."""

    image: Image
    to_page: Floats


def square(image: Image) -> Squared:
    """Put the paper on an image square; never enlarges, and leaves alone what is not surely askew."""
    scale = min(1.0, LONGEST / max(image.shape[:2]))
    work = image
    to_page = np.eye(3)
    if scale < 1:
        work = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        to_page = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5], [0, 0, 1]])
    quad = find_sheet(work)
    if quad is not None:
        work, back = _flattened(work, quad)
        to_page = to_page @ back
    elif angle := _skew(work):
        work, back = _turned(work, angle)
        to_page = to_page @ back
    return Squared(work, to_page)


def cut_out(image: Image, near: Floats) -> Image:
    """The sheet whose corners lie near those given, shape (4, 2), clockwise from top left, put square.

    It is looked for once more in its surroundings alone, where its edges are seen more exactly than in the whole. A
    small one is enlarged, as what reads it will turn and scale it again: so little is lost of its strokes.
    """
    room = _AROUND * float(np.ptp(near, axis=0).max())
    low = np.maximum(np.floor(near.min(axis=0) - room).astype(int), 0)
    high = np.ceil(near.max(axis=0) + room).astype(int)
    around, quad = np.asarray(image[low[1] : high[1], low[0] : high[0]], np.uint8), near - low
    found = find_sheet(around)
    if found is not None and np.abs(found - quad).max() < room / 2:
        quad = found
    longest = float(np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).max())
    larger = float(np.clip(_FINE / longest, 1, 2))
    if larger > 1:
        around = np.asarray(cv2.resize(around, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC), np.uint8)
    return _flattened(around, (quad + 0.5) * larger - 0.5)[0]


def _flattened(image: Image, quad: Floats) -> tuple[Image, Floats]:
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
    flat = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    view = cv2.getPerspectiveTransform(quad.astype(np.float32), flat)
    done = cv2.warpPerspective(image, view, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(done, np.uint8), np.asarray(np.linalg.inv(view), np.float64)


def _skew(image: Image) -> float:
    """Degrees by which the lines of a page run askew, 0 unless level and upright lines plainly say the same."""
    scale = min(1.0, 1000 / max(image.shape[:2]))
    gray = cv2.cvtColor(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    level, sure = family_slope(np.asarray(gray, np.uint8))
    upright, also = family_slope(np.ascontiguousarray(gray.T))
    angle = float(np.degrees(np.arctan(level)))
    other = float(np.degrees(np.arctan(-upright)))
    agree = abs(angle - other) < 0.6 and also > 1.3
    if sure > 1.5 and agree and 0.4 < abs(angle) < 12:
        return (angle + other) / 2
    return 0.0


def _turned(image: Image, angle: float) -> tuple[Image, Floats]:
    height, width = image.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0), [0, 0, 1]])
    box = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    moved = cv2.perspectiveTransform(box, turn)[0]
    low, high = moved.min(axis=0), moved.max(axis=0)
    view = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ turn
    size = int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1]))
    done = cv2.warpPerspective(image, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(done, np.uint8), np.asarray(np.linalg.inv(view), np.float64)
