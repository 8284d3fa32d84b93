"""One filled page without its blank, and how well each column's value fits a place, go in; the page emptied comes out.

All ink but rulings is taken for writing, print too. What says a value of the CSV is the pen's; the surest of it tells
how this pen looks (colour, height, darkness), which parts a written `3` from a printed one.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.assign import assign
from formlens.ink import Gray
from formlens.pen import Sheet, find_strokes, strokes_in
from formlens.places import find_places
from formlens.types import Box, Image

Floats = NDArray[np.float64]
Fit = Callable[[Sequence[Sheet], Sequence[Box]], Floats]
"""Sheets and places in; nats for each column and place, shape (columns, places), out."""

_SURE = 5.0
"""Nats from which a value is taken for written where it fits: no short printed number reaches so many."""

_MOST = 6.0
"""Nats that the look of a place may weigh at most."""


def empty(image: Image, fit: Fit) -> Gray:
    """What stands on a page but for the values of its CSV, in grey; the image is in the size of a form's frame."""
    lines = _lines(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8))
    sheet = find_strokes(image, lines)
    places = find_places([sheet], lines)
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    if not places:
        return gray
    fits = fit([sheet], places)
    fits += _like_the_pen(np.array([_look(sheet, place) for place in places]), fits)
    written = np.zeros(gray.shape, np.uint8)
    for where in assign(fits):
        if where is not None:
            written |= np.isin(sheet.components, strokes_in(sheet, places[where])).astype(np.uint8)
    painted = np.asarray(cv2.dilate(written, np.ones((5, 5), np.uint8)), np.uint8) & (1 - lines)
    paper = cv2.cvtColor(sheet.paper, cv2.COLOR_BGR2GRAY)
    return np.asarray(np.where(painted > 0, paper, gray), np.uint8)


def _lines(gray: Gray) -> Gray:
    """Rulings and black areas, 1 or 0, with the room by which they may be off."""
    dark = cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20)
    level = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, 61), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((61, 1), np.uint8))
    lines = (level > 0) | (upright > 0) | (cv2.blur(gray, (31, 31)) < 110)
    return np.asarray(cv2.dilate(lines.astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)


def _look(sheet: Sheet, place: Box) -> Floats:
    """Height of the ink in a place, in its logarithm, and how dark it is in each colour."""
    x0, y0, x1, y1 = place
    ink = sheet.components[y0:y1, x0:x1] > 0
    rows = np.flatnonzero(ink.any(axis=1))
    if not len(rows):
        return np.zeros(4)
    contrast = sheet.paper[y0:y1, x0:x1][ink].astype(float) - sheet.image[y0:y1, x0:x1][ink]
    return np.array([30 * np.log(rows[-1] + 1 - rows[0]), *np.percentile(contrast, 75, axis=0)])


def _like_the_pen(looks: Floats, fits: Floats) -> Floats:
    """Nats by which each place looks like the surest writing rather than like everything on the page."""
    sure = [where for i, where in enumerate(assign(fits)) if where is not None and fits[i, where] > _SURE]
    if len(sure) < 2:
        return np.zeros(len(looks))

    def nats(group: Floats) -> Floats:
        middle, spread = np.median(group, axis=0), np.maximum(group.std(axis=0), 4.0)
        off = np.minimum(((looks - middle) / spread) ** 2 / 2, 4.0)
        return np.asarray(-(off + np.log(spread)).sum(axis=1))

    return np.clip(nats(looks[sure]) - nats(looks), -_MOST, _MOST)
