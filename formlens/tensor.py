"""A crop of any size goes in, what the network takes comes out; training and reading share this one place.

The network reads 48 rows of (BGR / 255 - 0.5) / 0.5, as its base was trained (PP-OCR). Bare paper is taken off all
round, so that the writing is as tall as the network expects; the proportions stay. On the right the tensor is filled up
with middle grey to a least width, because the features that the network pools over the whole are used to it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.types import Box, Image

HEIGHT = 48
STEP = 8
"""Pixels of width for each step of the output."""
MIN_WIDTH = 128
MAX_WIDTH = 2400
"""A longer line is squeezed: memory and time stay bounded whatever is handed in."""

_INK_HEIGHT = 96
"""Ink is looked for in a copy of at most this height, in pixels."""
_MARGIN = 1 / 6
"""What is left above and below the ink, in heights of the ink; twice that beside it."""
_PEN_HEIGHTS = 6.0
"""A character is at least so many pens tall: a lone minus or dot keeps the room around it."""
_STRAY = 0.003
"""Share of the ink that may lie above, and below, what counts as the writing: specks, a neighbour's descender."""


def to_tensor(crop: Image, stretch: float = 1.0) -> NDArray[np.float32]:
    """Shape (3, 48, width), width a multiple of 8 between MIN_WIDTH and MAX_WIDTH; ``stretch`` makes it wider.

    Raises ValueError for no pixels.
    """
    if crop.size == 0:
        raise ValueError(f"a crop without pixels: shape {crop.shape}")
    x0, y0, x1, y1 = written_part(crop)
    crop = crop[y0:y1, x0:x1]
    height, width = crop.shape[:2]
    scaled = min(max(round(HEIGHT * width / height * stretch), 1), MAX_WIDTH)
    tensor = np.zeros((3, HEIGHT, max(MIN_WIDTH, -(-scaled // STEP) * STEP)), np.float32)
    tensor[:, :, :scaled] = _resize(crop, scaled, HEIGHT).transpose(2, 0, 1) / np.float32(127.5) - 1
    return tensor


def written_part(crop: Image) -> Box:
    """Where a line of writing stands in its crop, with a margin; the whole crop where there is no ink.

    Ink is what is darker than the paper around it, which a closing and a blur find.
    """
    height, width = crop.shape[:2]
    scale = min(1.0, _INK_HEIGHT / height, 2 * MAX_WIDTH / width)
    small = _resize(crop, max(1, round(width * scale)), max(1, round(height * scale)))
    gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    paper = cv2.blur(cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)), (31, 31))
    contrast = cv2.subtract(paper, gray)
    faintest = max(12.0, 0.35 * float(np.percentile(contrast, 99)))
    ink = np.where(contrast > faintest, contrast, 0).astype(np.float64)
    if not ink.any():
        return 0, 0, width, height
    above = np.cumsum(ink.sum(axis=1))
    top, last = np.searchsorted(above / above[-1], [_STRAY, 1 - _STRAY])
    bottom = last + 1
    columns = np.flatnonzero(ink.any(axis=0))
    tall = max(float(bottom - top), _PEN_HEIGHTS * _pen_width(ink > 0))
    room_above = _MARGIN * tall + 1 + (tall - (bottom - top)) / 2
    room_beside = 2 * _MARGIN * tall + 1
    y = np.array([top - room_above, bottom + room_above]) * height / len(ink)
    x = np.array([columns[0] - room_beside, columns[-1] + 1 + room_beside]) * width / ink.shape[1]
    (x0, x1), (y0, y1) = np.clip(np.round(x), 0, width), np.clip(np.round(y), 0, height)
    return int(x0), int(y0), int(x1), int(y1)


def _pen_width(ink: NDArray[np.bool_]) -> float:
    """Width of a stroke in pixels: its area over half its outline."""
    mask = np.pad(ink, 1).astype(np.uint8)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8))
    area = int(mask.sum())
    return 2 * area / (area - int(core.sum()))


def _resize(image: Image, width: int, height: int) -> Image:
    shrinks = height < image.shape[0] or width < image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
