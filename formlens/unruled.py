"""Ink and the bands of a table's rulings go in; the ink without the rulings and without the paper's lines comes out.

What a ruling fills is removed; a stroke that comes out of it on both sides keeps what it has in it. That is how staff
lines are taken out of music by the lengths of runs (Dalitz et al., "A comparative study of staff removal algorithms",
PAMI 2008).
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.bands import Rulings
from formlens.ink import Gray

Floats = NDArray[np.float64]


def add_printed(rulings: Rulings, contrast: Gray, corners: Floats, floor: float, pen: float) -> Rulings:
    """The same with the paper's own lines: thin faint runs as long as some cells, which no writing is.

    `pen` is the contrast of the writing's full strokes, which are never taken for print.
    """
    ink = np.asarray(contrast > floor, np.uint8) | rulings.bands
    taken = np.asarray(cv2.dilate(rulings.bands, np.ones((5, 5), np.uint8)), np.uint8)
    faint = np.asarray(contrast < 0.6 * pen, np.uint8) & (1 - taken)
    wide, tall = (float(np.median(np.linalg.norm(np.diff(corners, axis=k), axis=2))) for k in (1, 0))
    wide, tall = wide * min(2.5, corners.shape[1] - 1.1), tall * min(2.5, len(corners) - 1.1)
    level = _lines(ink, round(max(wide, 40)), rulings.width) & faint
    upright = _lines(ink.T, round(max(tall, 40)), rulings.width).T & faint
    return replace(rulings, level=rulings.level | level, upright=rulings.upright | upright)


def _lines(ink: Gray, length: int, width: float) -> Gray:
    """Level lines at least so long, not quite level ones too, with a pixel on both sides."""
    linked = cv2.morphologyEx(np.ascontiguousarray(ink), cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    linked = cv2.dilate(linked, np.ones((3, 1), np.uint8))
    lines = np.asarray(cv2.morphologyEx(linked, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)), np.uint8)
    thick = np.asarray(cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones((round(2 * width) + 4, 1), np.uint8)), np.uint8)
    return np.asarray(lines & (1 - thick), np.uint8)


def without_rulings(ink: Gray, rulings: Rulings) -> Gray:
    """The ink (0, 1) without the rulings, but with the strokes that touch or cross them."""
    free = ink & (1 - rulings.bands)
    left = free.copy()
    for band, turned in ((rulings.level, False), (rulings.upright, True)):
        rough, kept = _strokes(_turned(free, turned), _turned(ink, turned), _turned(band, turned), rulings.width)
        left = (left & (1 - _turned(rough, turned))) | _turned(kept, turned)
    return np.asarray(left, np.uint8)


def _turned(mask: Gray, turned: bool) -> Gray:
    return np.ascontiguousarray(mask.T) if turned else mask


def _strokes(free: Gray, ink: Gray, band: Gray, width: float) -> tuple[Gray, Gray]:
    """What beside level rulings is only their own roughness, and what in them belongs to strokes that come out.

    A stroke that goes on at the other side is whole; one that ends in the ruling ends at its edge.
    """
    least = round(max(2.0, 0.6 * width))
    stroke = np.asarray(cv2.morphologyEx(free, cv2.MORPH_OPEN, np.ones((least, 1), np.uint8)), np.uint8)
    near = np.asarray(cv2.dilate(band, np.ones((2 * least + 1, 1), np.uint8)), np.uint8)
    within = ink & (band | stroke)
    deep = round(width) + 2
    first, whole = [], []
    for by in (-1, 1):
        reach = stroke
        for step in range(1, deep + 1):
            reach = _grown(reach, by) & within
            if step == 1:
                first.append(reach)
        whole.append(reach)
    kept = (first[0] | first[1] | (whole[0] & whole[1])) & band
    return np.asarray(near & free & (1 - stroke), np.uint8), np.asarray(kept, np.uint8)


def _grown(mask: Gray, by: int) -> Gray:
    """The mask and the same one row up (-1) or down (1)."""
    grown = mask.copy()
    if by > 0:
        grown[1:] |= mask[:-1]
    else:
        grown[:-1] |= mask[1:]
    return grown
