"""Filled copies of a form go in; the empty form comes out, in grey and in the size of a form's frame.

The copies are put on each other: the print stays, the pen is elsewhere on each.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from formlens.form import SIDE
from formlens.ink import Gray
from formlens.rectify import square
from formlens.register import Print, Registration, find_print, register
from formlens.ruled import levelled
from formlens.types import CallError, Image

_MOST_FOR_BLANK = 12
"""Copies that a blank is rebuilt from."""

_FEW = 3
"""Copies up to which strokes of two pens are likely to meet: print must be whole on all of them."""

_FILLED = 17
"""Pixels of a form's frame: what is dark over more than that is print, not a pen."""


def framed(image: Image) -> Gray:
    """The picture of an empty form, levelled, as a form keeps it."""
    return np.asarray(cv2.cvtColor(in_frame(levelled(image)), cv2.COLOR_BGR2GRAY), np.uint8)


def in_frame(image: Image) -> Image:
    """A picture in the size of a form's frame."""
    scale = SIDE / max(image.shape[:2])
    height, width = (round(side * scale) for side in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def rebuilt(images: Sequence[Image], first_path: str) -> Gray:
    """The empty form from filled copies that lie on each other: the print stays, the pen is elsewhere on each.

    Raises CallError, which names the first, where no two look alike.
    """
    prints: list[Print] = []
    matches: list[list[tuple[Image, Registration]]] = []
    for first in images[:3]:
        squared = square(first).image
        prints.append(find_print(squared))
        found = [(image, register(image, prints[-1])) for image in images[:_MOST_FOR_BLANK]]
        matches.append([(image, where) for image, where in found if where is not None])
        if len(matches[-1]) > 0.8 * len(found):
            break
    best = int(np.argmax([len(match) for match in matches]))
    height, width = (round(side * SIDE / max(prints[best].gray.shape)) for side in prints[best].gray.shape)
    stack = np.stack(
        [cv2.cvtColor(where.warp(image, width, height), cv2.COLOR_BGR2GRAY) for image, where in matches[best]]
    )
    if len(stack) < 2:
        raise CallError(
            f"{first_path}: no other scan looks like it; take copies of one form, or add the empty form as blank.pdf"
        )
    return common_print(np.asarray(stack, np.uint8))


def common_print(copies: Gray) -> Gray:
    """What copies of a form that lie on each other, shape (n, height, width), have in common, on white.

    Strokes of pens cross by chance, or stand at one place on most copies as the dashes of dates do. So print is what
    all copies have (of more than four, all but one), as far as it is most of the ink that it hangs together with: on
    each of few copies, on more than half of many.
    """
    # what share of the ink on a copy, how many pixels about, and on how many copies
    share, reach, least = (0.75, 3, len(copies)) if len(copies) <= _FEW else (0.6, 1, len(copies) // 2 + 1)
    rank = len(copies) - 1 - (len(copies) > 4)
    common = np.asarray(np.partition(copies, rank, axis=0)[rank], np.uint8)
    dark = _dark(common)
    near = cv2.dilate(dark, np.ones((3, 3), np.uint8)) > 0
    votes = np.zeros(dark.shape, np.uint8)
    for copy in copies:
        count, components = cv2.connectedComponents(_dark(copy), connectivity=8)
        area = np.maximum(np.bincount(components.ravel(), minlength=count), 1)
        shared = np.bincount(components[near], minlength=count) > share * area
        alike = (shared[components] & (components > 0)).astype(np.uint8)
        votes += np.asarray(cv2.dilate(alike, np.ones((reach, reach))), np.uint8)
    kept = cv2.dilate((votes >= least).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    # grounds and bars are dark all over, as crossings of pens are not for long
    filled = np.asarray(cv2.blur(common, (9, 9)) < 200, np.uint8)
    kept |= cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((_FILLED, _FILLED), np.uint8)) > 0
    usual = np.asarray(np.median(copies, axis=0), np.uint8)
    return np.asarray(np.where(kept, usual, np.maximum(usual, np.percentile(usual, 90))), np.uint8)


def _dark(gray: Gray) -> Gray:
    return np.asarray(
        cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20), np.uint8
    )
