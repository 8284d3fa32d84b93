"""A squared page goes in, the same page turned the right way up comes out, judged by how well its writing reads."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from formlens.reader import Reader
from formlens.types import Image

_SAMPLE = 12
"""Crops that are enough to tell which way is up."""

_CLEAR = 0.75
"""Mean confidence at which nobody would turn the page round."""

_MARGIN = 0.1
"""By how much another way up must read better, in mean confidence."""


def quarter_turns(crops: Sequence[Image], as_given: Sequence[float], reader: Reader) -> int:
    """How many quarter turns anticlockwise put the writing in these crops upright: 0, 1, 2 or 3.

    ``as_given`` is the confidence with which each of them reads unturned.
    """
    step = max(1, len(crops) // _SAMPLE)
    sample = crops[::step][:_SAMPLE]
    legible = float(np.mean(as_given[::step][:_SAMPLE])) if sample else 1.0
    if legible >= _CLEAR:
        return 0
    turned = [_legibility([turn(crop, k) for crop in sample], reader) for k in (1, 2, 3)]
    best = int(np.argmax(turned))
    return best + 1 if turned[best] > legible + _MARGIN else 0


def turn(image: Image, quarter_turns: int) -> Image:
    """The image turned anticlockwise."""
    return np.ascontiguousarray(np.rot90(image, quarter_turns))


def turn_back(shape: tuple[int, ...], quarter_turns: int) -> NDArray[np.float64]:
    """The 3 x 3 matrix from pixels of the turned image to pixels of the image (height, width, ...) before the turn."""
    height, width = shape[:2]
    to_before = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        1: [[0, -1, width - 1], [1, 0, 0], [0, 0, 1]],
        2: [[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
        3: [[0, 1, 0], [-1, 0, height - 1], [0, 0, 1]],
    }
    return np.array(to_before[quarter_turns % 4], dtype=np.float64)


def _legibility(crops: Sequence[Image], reader: Reader) -> float:
    """Mean confidence of the crops as text."""
    return float(np.mean([reading.confidence for reading in reader.read(crops)]))
