"""A page put on its form and the form's blank go in; what the pen left, without the print, comes out.

Print is where the blank is dark. It is painted over with paper, but for the places where a stroke crosses it: there
pen stands close on both sides, and the gap is the page's own.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray, contrast_to, noise_of, paper_of
from formlens.types import Box, Image

DETAIL = 40.0
"""Pixels of a form's frame: the height of the largest ink that is not a picture."""

_REACH = 2
"""Pixels by which print may lie beside its place."""


@dataclass(frozen=True)
class Sheet:
    """A page on its form: its picture, its paper, and its pen's strokes."""

    image: Image
    paper: Image
    components: NDArray[np.int32]
    """The number of each pixel's stroke, 0 for none; shape (height, width)."""
    boxes: NDArray[np.int32]
    """For each stroke left, top, width, height and area; the first is the ground."""


def print_of(blank: Gray) -> Gray:
    """Where a form is printed, 1 or 0, with the room by which it may be off."""
    image = np.asarray(cv2.cvtColor(blank, cv2.COLOR_GRAY2BGR), np.uint8)
    dark = contrast_to(paper_of(image, DETAIL), image) > 20
    dark |= cv2.blur(blank, (9, 9)) < 128
    side = 2 * _REACH + 1
    return np.asarray(cv2.dilate(dark.astype(np.uint8), np.ones((side, side), np.uint8)), np.uint8)


def find_strokes(image: Image, printed: Gray) -> Sheet:
    """What the pen left on a page that lies on its form; ``printed`` as `print_of` gives it."""
    paper = paper_of(image, DETAIL)
    contrast = contrast_to(paper, image)
    free = contrast[printed == 0]
    floor = max(4.0 * noise_of(contrast), 14.0)
    dark = free[free > floor]
    weak = max(floor, 0.3 * float(np.percentile(dark, 97))) if len(dark) > 50 else floor
    ink = ((contrast > weak) & (printed == 0)).astype(np.uint8)
    span = 2 * _REACH + 5
    across = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((span, 1), np.uint8))
    along = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, span), np.uint8))
    bridged = ((across > 0) | (along > 0)) & (contrast > weak) & (printed > 0)
    ink[bridged] = 1
    count, components, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    strong = np.bincount(components[(contrast > 1.4 * weak) & (ink > 0)], minlength=count)
    small = (boxes[:, cv2.CC_STAT_AREA] < 9) | (strong < 4)
    small[0] = False
    components[small[components]] = 0
    return Sheet(image, paper, components, boxes)


def strokes_in(sheet: Sheet, place: Box) -> NDArray[np.intp]:
    """The strokes that lie mostly inside a place, by number."""
    x0, y0, x1, y1 = place
    inside = np.bincount(sheet.components[y0:y1, x0:x1].ravel(), minlength=len(sheet.boxes))
    inside[0] = 0
    return np.flatnonzero(inside >= np.maximum(0.5 * sheet.boxes[:, cv2.CC_STAT_AREA], 1))


def cut(sheet: Sheet, place: Box) -> Image | None:
    """What stands in a place, one line of writing with a margin, all else painted over; None where nothing does."""
    own = strokes_in(sheet, place)
    if not len(own) or sheet.boxes[own, cv2.CC_STAT_AREA].sum() < 20:
        return None
    left, top, wide, tall = sheet.boxes[own, :4].T
    x0, y0, x1, y1 = left.min(), top.min(), (left + wide).max(), (top + tall).max()
    margin = max(3, (y1 - y0) // 6)
    height, width = sheet.components.shape
    x0, y0 = max(0, x0 - 2 * margin), max(0, y0 - margin)
    x1, y1 = min(width, x1 + 2 * margin), min(height, y1 + margin)
    written = np.isin(sheet.components[y0:y1, x0:x1], own).astype(np.uint8)
    return bare(sheet.image[y0:y1, x0:x1], sheet.paper[y0:y1, x0:x1], written)


def bare(image: Image, paper: Image, written: Gray) -> Image:
    """A picture where something is written (1, else 0), and its paper elsewhere."""
    share = cv2.GaussianBlur(cv2.dilate(written, np.ones((5, 5), np.uint8)).astype(np.float32), (0, 0), 0.8)[..., None]
    return np.asarray(np.round(image * share + paper * (1 - share)), np.uint8)
