"""The print of a form goes in, its words come out; and a page's pen, how likely each word is circled or underlined."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.pen import Sheet
from formlens.types import Box

_AROUND = 16
"""Directions in which ink is looked for around a word."""
_TURNS = 0.62
"""Share of the directions in which there is ink around a word that is as likely circled as not."""
_UNDER = 0.6
"""Share of a word's width that is underlined where it is as likely meant as not."""


def find_words(printed: Gray) -> list[Box]:
    """Every printed word, from top to bottom; ``printed`` is what print a form has, 1 or 0, a little thickened."""
    rulings = [cv2.morphologyEx(printed, cv2.MORPH_OPEN, np.ones(shape, np.uint8)) for shape in ((1, 61), (61, 1))]
    bare = cv2.subtract(printed, cv2.max(*rulings))
    joined = cv2.morphologyEx(bare, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    boxes = cv2.connectedComponentsWithStats(np.asarray(joined, np.uint8), connectivity=8)[2][1:]
    words = [(x, y, x + w, y + h) for x, y, w, h, _ in boxes.tolist() if 12 <= h <= 80 and 8 <= w <= 500]
    return sorted(words, key=lambda box: (box[1], box[0]))


def circled(sheet: Sheet, words: Sequence[Box]) -> list[float]:
    """The probability that a word has pen all around it, or under all of it."""
    ink = np.asarray(sheet.components > 0, np.uint8)
    return [_circled(ink, word) for word in words]


def _circled(ink: NDArray[np.uint8], word: Box) -> float:
    x0, y0, x1, y1 = word
    room = max(8, round(0.75 * (y1 - y0)))
    left, top = max(0, x0 - room), max(0, y0 - room)
    part = ink[top : y1 + room, left : x1 + room]
    if np.count_nonzero(part) < 20:
        return 0.002
    ys, xs = np.nonzero(part)
    across = (xs + left - (x0 + x1) / 2) / ((x1 - x0) / 2)
    down = (ys + top - (y0 + y1) / 2) / ((y1 - y0) / 2)
    outside = np.maximum(np.abs(across), np.abs(down)) > 0.75
    angle = np.arctan2(down[outside], across[outside])
    turns = len(np.unique(((angle + np.pi) / (2 * np.pi) * _AROUND).astype(int) % _AROUND)) / _AROUND
    under = (ys + top > y1 - 0.15 * (y1 - y0)) & (xs + left >= x0) & (xs + left < x1)
    line = len(np.unique(xs[under])) / (x1 - x0)
    flat = np.ptp(ys[under]) < 0.6 * (y1 - y0) if under.any() else False
    most = max((turns - _TURNS) / 0.06, (line - _UNDER) / 0.08 if flat else -8.0)
    return float(1 / (1 + np.exp(-np.clip(most, -6, 6))))
