"""A frame, reduced, goes in; where the sheet under the camera lies comes out, and what the keeper is to do about it."""

from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.outline import search
from formlens.types import Image

Floats = NDArray[np.float64]

SIDE = 320
"""Pixels of the longer side at which a sheet is looked for: what an eighth of a frame of 4 megapixels has."""
LONG = 900
"""Pixels of the frame that the longer side of a sheet must have for its writing to be read."""

NOTHING = "put a form under the camera"
CLOSER = "move closer"
CUT_OFF = "corner cut off"
DARK = "too dark"
COVERED = "something lies on the form"
BLURRED = "blurred"

_DARK = 60
"""Of 255: paper that is darker than this is read badly."""
_STEEP = 0.19
"""Share of the step from paper to ink that sharp writing takes in one pixel; out of focus by two pixels it is 0.17."""
_MARGIN = 12
"""Pixels of a reduced frame around a sheet that its edges are known by."""
_SHARP_SIDE = 1400
"""Pixels of the longer side of a sheet at which its sharpness is judged, if it has so many."""


@dataclass(frozen=True)
class Sighting:
    """What one frame shows."""

    corners: Floats | None = None
    """Of the sheet, shape (4, 2), clockwise from top left, in pixels of the whole frame."""
    lack: str | None = None
    """What the keeper is to do; None where the sheet lies as it should."""


def sight(small: Image, magnify: float) -> Generator[None, None, Sighting]:
    """Where the sheet lies on a frame whose longer side was reduced to `SIDE`, ``magnify`` times.

    A generator: it yields between pieces none of which takes long, and returns what it found.
    """
    quad = yield from search(small)
    yield
    if quad is None:
        return Sighting(lack=_why_none(small))
    corners = (quad + 0.5) * magnify - 0.5
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    height, width = small.shape[:2]
    beyond = (quad < 1).any() or (quad > [width - 2, height - 2]).any()
    if beyond:
        return Sighting(corners, CUT_OFF)
    flat = _flat(small, quad)
    if np.percentile(flat.max(axis=2), 80) < _DARK:
        return Sighting(corners, DARK)
    if sides.max() < LONG:
        return Sighting(corners, CLOSER)
    return Sighting(corners, COVERED if _is_covered(flat) else None)


def steepness(frame: Image, corners: Floats) -> float:
    """How sharp the writing on a sheet is: the share of a step from paper to ink that one pixel takes; 0 without any.

    It says the same of much writing and of little, in light and in shade: each step is measured by its own height.
    """
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    low = np.maximum(low, 0)
    gray: NDArray[np.uint8] = np.asarray(
        cv2.cvtColor(frame[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY), np.uint8
    )
    scale = min(1.0, _SHARP_SIDE / max(gray.shape))
    if scale < 1:
        gray = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    inside: NDArray[np.uint8] = np.zeros(gray.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round((corners - low) * scale).astype(np.int32), (1,))
    inside = np.asarray(cv2.erode(inside, np.ones((25, 25), np.uint8)), np.uint8)
    gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), 0.8), np.uint8)
    near = np.ones((15, 15), np.uint8)
    step = cv2.subtract(cv2.dilate(gray, near), cv2.erode(gray, near))
    paper = float(np.percentile(gray[::8, ::8], 80))
    places = (inside > 0) & (step > max(20.0, 0.2 * paper))
    if np.count_nonzero(places) < 200:
        return 0.0
    # in eighths of a grey, so that eight bits hold what a dilation needs
    right, down = cv2.Sobel(gray, cv2.CV_16S, 1, 0), cv2.Sobel(gray, cv2.CV_16S, 0, 1)
    slope = cv2.dilate(np.maximum(cv2.convertScaleAbs(right, alpha=0.25), cv2.convertScaleAbs(down, alpha=0.25)), near)
    return float(np.median(slope[places] / (2.0 * step[places])))


def is_sharp(steep: float) -> bool:
    """Whether writing of that steepness can be read. A sheet without any writing is as sharp as it will be."""
    return steep == 0.0 or steep >= _STEEP


def _why_none(small: Image) -> str:
    gray = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    if np.percentile(gray, 95) < _DARK:
        return DARK
    _, light = cv2.threshold(cv2.medianBlur(gray, 5), 0, 255, cv2.THRESH_OTSU)
    if not 0 < light.mean() < 255 or gray[light > 0].mean() - gray[light == 0].mean() < 40:
        return NOTHING
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(largest)
    if area < 0.01 * gray.size or area < 0.8 * cv2.contourArea(cv2.convexHull(largest)):
        return NOTHING
    x, y, width, height = cv2.boundingRect(largest)
    free = min(x, y, gray.shape[1] - x - width, gray.shape[0] - y - height)
    if free <= 1 or (free < _MARGIN and area > 0.2 * gray.size):
        return CUT_OFF if area > 0.1 * gray.size else NOTHING
    return CLOSER if area < 0.2 * gray.size else NOTHING


def _flat(small: Image, quad: Floats) -> Image:
    """The sheet alone, 128 pixels wide and high, whatever its shape."""
    square = np.array([[0, 0], [127, 0], [127, 127], [0, 127]], np.float32)
    view = cv2.getPerspectiveTransform(quad.astype(np.float32), square)
    return np.asarray(cv2.warpPerspective(small, view, (128, 128), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _is_covered(flat: Image) -> bool:
    """Whether something that is neither paper nor its shadow reaches onto the sheet from beyond its edge."""
    lab = cv2.cvtColor(cv2.morphologyEx(flat, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), cv2.COLOR_BGR2LAB)
    light = lab[..., 0].astype(np.float32)
    paper = light >= np.percentile(light, 50)
    tint = [float(np.median(lab[..., channel][paper])) for channel in (1, 2)]
    colour = np.hypot(lab[..., 1] - tint[0], lab[..., 2] - tint[1])
    other = ((colour > 14) | (light < 0.42 * float(np.median(light[paper])))).astype(np.uint8)
    other = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(other)
    edge = np.zeros((128, 128), np.bool_)
    edge[3:-3, 3:-3] = True
    for number in range(1, count):
        # a strip along the edge is desk that shows where the paper curls
        thin = min(stats[number, cv2.CC_STAT_WIDTH], stats[number, cv2.CC_STAT_HEIGHT]) <= 6
        if not thin and stats[number, cv2.CC_STAT_AREA] >= 100 and (labels[~edge] == number).sum() >= 5:
            return True
    return False
