"""The rows of a table and the ink of its columns go in; where another row may be squeezed in between two comes out.

What somebody added later stands between two rows, smaller, where paper is left. Most gaps between rows hold little
more than the ends of long letters; one that holds far more than most, in every column, is looked at closer.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.rows import Rows

Floats = NDArray[np.float64]

_BAND = 0.32
"""Height of what is looked at between two rows, in pitches."""
_REACH = 0.15
"""How far from the middle between two rows one may be squeezed in, in pitches."""
_APART = 0.7
"""Pitches between two rows that may hold another."""
_STANDS_OUT = 1.4
"""How many times the ink of most gaps is in one that may hold a row."""
_LITTLE = 0.1
"""Ink that every gap is taken to have, as a share of what rows have."""


def find_squeezed(profiles: Sequence[Floats], rows: Sequence[Rows]) -> list[tuple[int, float]]:
    """Where rows may be squeezed in: the number of the row above, and pixels from the middle of that row down.

    ``profiles`` has the ink of each column at each level, ``rows`` the same rows as each column sees them.
    """
    pitch = rows[0].pitch
    gaps = np.diff(rows[0].middles)
    reach = np.arange(-round(_REACH * pitch), round(_REACH * pitch) + 1)
    ratios = []
    for profile, own in zip(profiles, rows, strict=True):
        mean = cv2.blur(profile[None], (max(1, round(_BAND * pitch)), 1), borderType=cv2.BORDER_CONSTANT)[0]
        at = np.clip(np.round(own.middles).astype(int), 0, len(mean) - 1)
        between = np.clip(np.round(own.middles[:-1] + gaps / 2).astype(int)[:, None] + reach, 0, len(mean) - 1)
        inside = mean[between]
        usual = np.median(inside) + _LITTLE * np.median(mean[at])
        if usual > 0:
            ratios.append(inside / usual)
    if not ratios or not len(gaps):
        return []
    least = np.min(ratios, axis=0)
    best = least.argmax(axis=1)
    return [
        (row, float(gaps[row] / 2 + reach[best[row]]))
        for row in np.flatnonzero((least.max(axis=1) > _STANDS_OUT) & (gaps > _APART * pitch)).tolist()
    ]
