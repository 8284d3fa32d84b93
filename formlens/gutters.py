"""A page with a table that has no upright rulings goes in; edges in the white space between its columns come out.

The page is cut into level bands about as high as a row, and for each x it is counted in how many of them something
stands there. Where hardly anything does, between places where much does, is white space that parts two columns; the
edge goes where least stands. The slope of the rows says how the page is turned, and edges run square to it.
"""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.rows import ink_of, pitch_of, profile_of, slope_of
from formlens.strips import Edge
from formlens.tables import WORKING_SIDE
from formlens.types import Image

Floats = NDArray[np.float64]

_ABOUT = (-0.045, 0.0, 0.045)
"""Slopes of rows around which the sharpest is looked for."""
_FEW, _MANY = 0.1, 0.3
"""Share of the bands that something may stand in where columns are parted, and in which a column is written."""
_WIDE = 0.35
"""Least width of white space between columns, in pitches."""
_DETAIL = 20.0
"""Height of writing in the copy that is looked at, in pixels, about."""
_LEAST = 4
"""Bands that make a table."""


def find_gutters(image: Image) -> list[Edge]:
    """The edges of columns that white space alone parts, from left to right, the outer ones included."""
    scale = min(1.0, WORKING_SIDE / max(image.shape[:2]))
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    ink = ink_of(small, _DETAIL)
    slope = max((slope_of(ink, about) for about in _ABOUT), key=lambda one: float((profile_of(ink, one) ** 2).sum()))
    pitch = pitch_of([profile_of(ink, slope)], 10.0, 120.0)
    if not pitch:
        return []
    height, width = ink.shape
    # level rows, and what is square to them upright
    turn = np.array([[1, slope, -slope * height / 2], [-slope, 1, slope * width / 2]])
    level = np.asarray(cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
    found = _parted(level, pitch)
    if found is None:
        return []
    places, top, bottom = found
    y = np.linspace(top, bottom, 6)
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
    edges = []
    for x in places:
        points = np.stack([np.full(len(y), x), y, np.ones(len(y))], axis=1) @ back.T
        edges.append(Edge((points[:, 1] + 0.5) / scale - 0.5, (points[:, 0] + 0.5) / scale - 0.5))
    return edges


def _parted(level: Gray, pitch: float) -> tuple[list[float], float, float] | None:
    """Where white space parts the columns of a level page, x of each edge, and its table's top and bottom."""
    bands = [
        level[round(y) : round(y + pitch)].any(axis=0) for y in np.arange(0.0, len(level) - pitch / 2, pitch)
    ]  # fmt: skip
    near = max(1, round(0.12 * pitch))
    written = np.stack(bands).astype(np.uint8)
    stands = np.asarray(cv2.dilate(written, np.ones((1, 2 * near + 1))), np.uint8)
    there = stands.any(axis=1)
    if there.sum() < _LEAST:
        return None
    for _ in range(3):  # what is no row of the table (a title, a footnote) does not count
        share = stands[there].mean(axis=0)
        gaps = _gaps(share, pitch)
        if len(gaps) < 3:
            return None
        cells = np.stack([stands[:, a:b].any(axis=1) for (_, a), (b, _) in pairwise(gaps)])
        crossed = np.stack([stands[:, a:b].mean(axis=1) for a, b in gaps[1:-1]])
        rows = (cells.sum(axis=0) >= max(2, 0.5 * len(cells))) & (crossed.mean(axis=0) < 0.3)
        if rows.sum() < _LEAST or (rows == there).all():
            break
        there = rows
    inked = np.flatnonzero(there)
    places = [_emptiest(share, a, b) for a, b in gaps]
    return places, float(inked[0] * pitch), float((inked[-1] + 1) * pitch)


def _gaps(share: Floats, pitch: float) -> list[tuple[int, int]]:
    """Where hardly anything stands, from x to x; the first and the last are the margins of the table."""
    few = np.concatenate([[True], share <= _FEW, [True]])
    change = np.flatnonzero(np.diff(few.astype(np.int8)))
    starts, ends = change[::2], change[1::2]  # of what is written
    columns: list[list[int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if columns and start - columns[-1][1] < _WIDE * pitch:
            columns[-1][1] = end
        else:
            columns.append([start, end])
    columns = [one for one in columns if share[one[0] : one[1]].max() >= _MANY and one[1] - one[0] > 0.3 * pitch]
    if not columns:
        return []
    room = round(pitch)
    lefts = [max(0, columns[0][0] - room), *(end for _, end in columns)]
    rights = [*(start for start, _ in columns), min(len(share), columns[-1][1] + room)]
    return list(zip(lefts, rights, strict=True))


def _emptiest(share: Floats, a: int, b: int) -> float:
    """The middle of the longest stretch between two places where least stands."""
    part = share[a:b]
    if not len(part):
        return float(a)
    least = np.concatenate([[False], part <= part.min(), [False]])
    change = np.flatnonzero(np.diff(least.astype(np.int8)))
    starts, ends = change[::2], change[1::2]
    longest = int((ends - starts).argmax())
    return a + float(starts[longest] + ends[longest]) / 2
