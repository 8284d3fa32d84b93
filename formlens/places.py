"""What pens left on several copies of a form, and its print, go in; the places where something may stand come out.

Strokes beside each other make a run; runs of several copies that lie in one room of the print, at one height, are one
place. A place is as wide as its room and as high as what is written there, or to the rulings close above and below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.pen import Sheet
from formlens.types import Box


@dataclass(frozen=True)
class _Run:
    """Strokes side by side on one copy, and the room of the print around them from left to right."""

    box: Box
    room: tuple[int, int]


def find_places(sheets: Sequence[Sheet], printed: Gray) -> list[Box]:
    """Every place where at least one copy is written on, from top to bottom."""
    rulings = _rulings(printed)
    runs = [run for sheet in sheets for run in _runs(sheet, printed, rulings)]
    if not runs:
        return []
    near = np.array([[_together(a, b) for b in runs] for a in runs])
    lower = np.array([-1e-4 * (run.box[3] - run.box[1]) for run in runs])
    groups = []
    while near.any():
        # the run with most others at its place leads: what a few long strokes would join stays apart
        joined = np.flatnonzero(near[(near.sum(axis=1) + lower).argmax()])
        groups.append([runs[number] for number in joined])
        near[joined] = False
        near[:, joined] = False
    places: list[Box] = []
    for members in sorted(groups, key=len, reverse=True):
        place = _place(members, rulings)
        if not any(_share(place, other) > 0.5 for other in places):
            places.append(place)
    return sorted(places, key=lambda box: (box[1], box[0]))


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share, over the area that either covers."""
    both = _common(a, b)
    return both / (_area(a) + _area(b) - both)


def usual_height(sheets: Sequence[Sheet]) -> float:
    """The height in pixels of what pens usually wrote in one stroke; 20 where there is next to nothing."""
    heights = [sheet.boxes[np.unique(sheet.components)[1:], cv2.CC_STAT_HEIGHT] for sheet in sheets]
    tall = np.concatenate([h[h >= 8] for h in heights]) if heights else np.zeros(0)
    return float(np.median(tall)) if len(tall) > 5 else 20.0


def _rulings(printed: Gray) -> NDArray[np.int32]:
    """The level rulings of the print, shape (n, 4): left, top, right, bottom."""
    bare = cv2.erode(printed, np.ones((5, 5), np.uint8))
    level = cv2.morphologyEx(bare, cv2.MORPH_OPEN, np.ones((1, 41), np.uint8))
    x, y, w, h = cv2.connectedComponentsWithStats(level, connectivity=8)[2][1:, :4].T
    thin = h < 12
    return np.asarray(np.stack([x, y, x + w, y + h], axis=1)[thin], np.int32)


def _runs(sheet: Sheet, printed: Gray, rulings: NDArray[np.int32]) -> list[_Run]:
    tall = usual_height([sheet])
    ink = (sheet.components > 0).astype(np.uint8)
    upright = cv2.morphologyEx(printed, cv2.MORPH_OPEN, np.ones((round(1.5 * tall), 1), np.uint8))
    reach = round(1.4 * tall) | 1
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, reach), np.uint8))
    joined[(upright > 0) & (ink == 0)] = 0
    for x0, y0, x1, y1 in rulings:
        joined[y0:y1, x0:x1] = 0
    boxes = cv2.connectedComponentsWithStats(joined, connectivity=8)[2]
    runs = []
    for x, y, w, h, _ in boxes[1:]:
        if h >= 0.4 * tall and max(w, h) >= 0.5 * tall and np.count_nonzero(ink[y : y + h, x : x + w]) >= 25:
            box = int(x), int(y), int(x + w), int(y + h)
            runs.append(_Run(box, _room(box, printed, rulings)))
    return runs


def _room(box: Box, printed: Gray, rulings: NDArray[np.int32]) -> tuple[int, int]:
    """How far the paper is bare to the left and the right of a run, or the line goes on that it is written on."""
    x0, y0, x1, y1 = box
    third = max(2, (y1 - y0) // 3)
    band = np.atleast_1d(printed[y0 + third : max(y1 - third, y0 + third + 1)].any(axis=0))
    before, after = np.flatnonzero(band[:x0]), np.flatnonzero(band[x1:])
    columns = np.flatnonzero(printed.any(axis=0))
    left = int(before[-1]) + 1 if len(before) else min(x0, int(columns[0]) if len(columns) else 0)
    right = int(x1 + after[0]) if len(after) else max(x1, int(columns[-1]) if len(columns) else len(band))
    under = (rulings[:, 1] > y1 - third) & (rulings[:, 1] < y1 + 3 * third)
    under &= (np.minimum(rulings[:, 2], x1) - np.maximum(rulings[:, 0], x0)) > 0.7 * (x1 - x0)
    if under.any():
        line = rulings[under][np.argmin(rulings[under, 1])]
        left, right = max(left, min(x0, int(line[0]))), min(right, max(x1, int(line[2])))
    return left, right


def _together(a: _Run, b: _Run) -> bool:
    """Whether two runs are what two copies have in one place, or two pieces of what one copy has there."""
    high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    if high < 0.5 * (max(a.box[3], b.box[3]) - min(a.box[1], b.box[1])):
        return False
    shared = min(a.room[1], b.room[1]) - max(a.room[0], b.room[0])
    return shared >= 0.6 * (max(a.room[1], b.room[1]) - min(a.room[0], b.room[0]))


def _place(members: list[_Run], rulings: NDArray[np.int32]) -> Box:
    boxes = np.array([run.box for run in members])
    rooms = np.array([run.room for run in members])
    x0, x1 = np.median(rooms, axis=0).astype(int)
    x0, x1 = min(x0, boxes[:, 0].min()), max(x1, boxes[:, 2].max())
    high = boxes[boxes[:, 3] - boxes[:, 1] >= 0.6 * np.median(boxes[:, 3] - boxes[:, 1])]
    top, bottom = float(np.percentile(high[:, 1], 25)), float(np.percentile(high[:, 3], 75))
    room = 0.2 * (bottom - top)
    near = rulings[(np.minimum(rulings[:, 2], x1) - np.maximum(rulings[:, 0], x0)) > 0.5 * (x1 - x0)]
    above = near[(near[:, 3] < top + room) & (near[:, 3] > top - 3 * room), 3]
    below = near[(near[:, 1] > bottom - room) & (near[:, 1] < bottom + 3 * room), 1]
    y0 = above.max() if len(above) else top - room
    y1 = below.min() if len(below) else bottom + room
    return int(x0), max(0, round(y0)), int(x1), round(y1)


def _common(a: Box, b: Box) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _area(box: Box) -> int:
    return max(1, (box[2] - box[0]) * (box[3] - box[1]))


def _share(place: Box, other: Box) -> float:
    """How much of a place lies in another."""
    return _common(place, other) / _area(place)
