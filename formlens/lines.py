"""A straight strip of rows without rulings goes in; a picture of what is written in each row comes out, or None.

A stroke is its row's in whose height most of it lies; one that runs through two rows, because a descender touches the
line below, is cut where they meet. What is another row's, or a line of the paper, is painted over with paper.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray, paper_of
from formlens.rows import Rows
from formlens.types import Image

_LEAST_INK = 0.02
"""Ink of a row that is written in, in squares of the pitch."""


def cut_lines(strip: Image, ink: Gray, rows: Rows, only: Sequence[int] | None = None) -> list[Image | None]:
    """What is written in each row, or only in those of the numbers given; ``ink`` as `formlens.rows.ink_of` gives it
    for the strip, same height and width."""
    height, width = ink.shape
    shear = np.array([[1, 0, 0], [-rows.slope, 1, rows.slope * width / 2]], np.float64)
    level = cv2.warpAffine(strip, shear, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = np.asarray(cv2.warpAffine(ink, shear, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
    owner = _owners(mask, rows)
    paper = paper_of(np.asarray(level, np.uint8), rows.pitch)
    numbers = range(len(rows.middles)) if only is None else only
    return [_cut(np.asarray(level, np.uint8), paper, owner, row, rows) for row in numbers]


def _owners(mask: Gray, rows: Rows) -> NDArray[np.intp]:
    """For each pixel the row whose writing it is, -1 for none."""
    bounds = rows.bounds()
    row_of = np.searchsorted(bounds, np.arange(len(mask)), "right") - 1
    row_of[row_of >= len(rows.middles)] = -1
    count, names = cv2.connectedComponents(mask, connectivity=8)
    ys, xs = np.nonzero(mask)
    names = np.asarray(names, np.intp)
    shares = np.zeros((count, len(rows.middles) + 1))
    own = np.asarray(names[ys, xs], np.intp)
    np.add.at(shares, (own, row_of[ys]), 1)
    total = np.maximum(shares.sum(axis=1), 1)
    best = shares[:, :-1].argmax(axis=1) if len(rows.middles) else np.zeros(count, np.intp)
    whole = shares[np.arange(count), best] > 0.7 * total
    owner = np.full(mask.shape, -1, np.intp)
    owner[ys, xs] = np.where(whole[own], best[own], row_of[ys])
    return owner


def _cut(strip: Image, paper: Image, owner: NDArray[np.intp], row: int, rows: Rows) -> Image | None:
    middle, reach = rows.middles[row], 0.95 * rows.pitch
    top, bottom = max(0, round(middle - reach)), min(len(strip), round(middle + reach))
    own = (owner[top:bottom] == row).astype(np.uint8)
    ys, xs = np.nonzero(own)
    if len(ys) < _LEAST_INK * rows.pitch**2:
        return None
    margin = max(3, round(rows.pitch / 8))
    y0, y1 = max(0, int(ys.min()) - margin), min(len(own), int(ys.max()) + 1 + margin)
    x0, x1 = max(0, int(xs.min()) - 2 * margin), min(own.shape[1], int(xs.max()) + 1 + 2 * margin)
    other = ((owner[top:bottom] >= 0) & (own == 0)).astype(np.uint8)[y0:y1, x0:x1]
    near = cv2.dilate(own[y0:y1, x0:x1], np.ones((3, 3), np.uint8))
    paint = np.asarray(cv2.dilate(other, np.ones((5, 5), np.uint8)), np.uint8) & (1 - np.asarray(near, np.uint8))
    share = cv2.GaussianBlur(paint.astype(np.float32), (0, 0), 0.8)[..., None]
    image, ground = strip[top:bottom][y0:y1, x0:x1], paper[top:bottom][y0:y1, x0:x1]
    return np.asarray(np.round(image * (1 - share) + ground * share), np.uint8)
