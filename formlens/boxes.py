"""The print of a form goes in; its boxes to mark come out: squares, circles, ovals, brackets, whole or a little broken.

A box is a hole of the print that fills its bounds as a square or an ellipse does, with a thin line around and next to
nothing inside; or two brackets that look at each other.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.types import Box

_LEAST, _MOST = 11, 90
"""Pixels of a form's frame: the sides of a box."""


def find_boxes(blank: Gray) -> list[Box]:
    """Every small printed outline that somebody may mark, from top to bottom; of one inside another the inner."""
    dark = cv2.adaptiveThreshold(blank, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 12)
    found: list[Box] = []
    for gap in (0, 3, 5):  # broken lines are closed, in as many pixels
        whole = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8)) if gap else dark
        found += [box for box in _holes(np.asarray(whole, np.uint8)) if not any(_same(box, other) for other in found)]
    found += [box for box in _bracketed(np.asarray(dark, np.uint8)) if not any(_same(box, other) for other in found)]
    return sorted(found, key=lambda box: (box[1], box[0]))


def _holes(dark: Gray) -> list[Box]:
    contours, families = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found: list[Box] = []
    for contour, family in zip(contours, families[0] if families is not None else (), strict=True):
        x, y, w, h = cv2.boundingRect(contour)
        if family[3] < 0 or not (min(w, h) >= _LEAST and max(w, h) <= _MOST) or not 0.4 < w / h < 2.5:
            continue
        if (
            _is_outline(np.asarray(contour, np.int32), w, h)
            and _inked(dark, (x, y, x + w, y + h)) < 0.3
            and _line(dark, (x, y, w, h))
        ):
            found.append((x, y, x + w, y + h))
    return found


def _is_outline(contour: NDArray[np.int32], w: int, h: int) -> bool:
    """Whether a hole is a rectangle, perhaps with round corners, or an ellipse."""
    area, hull = cv2.contourArea(contour), cv2.contourArea(cv2.convexHull(contour))
    if area < 0.9 * hull:
        return False
    share = area / max(1, (w - 1) * (h - 1))
    if share > 0.88:
        return 0.6 < w / h < 1.7 or min(w, h) >= 14
    return 0.7 < share < 0.88 and min(w, h) >= 12


def _inked(dark: Gray, box: Box) -> float:
    """Share of what is within a box that is printed: nothing, or a letter."""
    x0, y0, x1, y1 = box
    edge = max(2, (y1 - y0) // 6)
    inside = dark[y0 + edge : y1 - edge, x0 + edge : x1 - edge]
    return float(np.count_nonzero(inside) / max(1, inside.size))


def _line(dark: Gray, hole: tuple[int, int, int, int]) -> bool:
    """Whether the line around a hole is thin, as a box's is and a letter's is not."""
    x, y, w, h = hole
    reach = max(4, min(w, h) // 2)
    middle_x, middle_y = x + w // 2, y + h // 2
    rays = (
        dark[middle_y, max(0, x - reach) : x + 1][::-1], dark[middle_y, x + w - 1 : x + w + reach],
        dark[max(0, y - reach) : y + 1, middle_x][::-1], dark[y + h - 1 : y + h + reach, middle_x],
    )  # fmt: skip
    widths = []
    for ray in rays:
        inked = np.flatnonzero(ray)
        after = np.flatnonzero(ray[inked[0] :] == 0) if len(inked) else np.zeros(0, np.intp)
        widths.append(int(after[0]) if len(after) else reach)
    return float(np.median(widths)) <= max(5.0, 0.2 * min(w, h))


def _bracketed(dark: Gray) -> list[Box]:
    """What lies between a left and a right bracket or parenthesis."""
    _, components, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    sides: list[tuple[int, int, int, int, bool]] = []
    for number, (x, y, w, h, area) in enumerate(boxes[1:].tolist(), start=1):
        if not (_LEAST <= h <= _MOST and 0.1 * h <= w <= 0.45 * h and area < 0.7 * w * h):
            continue
        piece = components[y : y + h, x : x + w] == number
        ends = piece[[*range(max(1, h // 6)), *range(h - max(1, h // 6), h)]]
        waist = piece[2 * h // 5 : 3 * h // 5]
        lean = float(np.nonzero(ends)[1].mean() - np.nonzero(waist)[1].mean()) if waist.any() and ends.any() else 0.0
        single = (np.abs(np.diff(np.pad(waist, ((0, 0), (1, 1))).astype(np.int8), axis=1)).sum(axis=1) <= 2).all()
        if single and abs(lean) > 0.12 * w:
            sides.append((x, y, w, h, lean > 0))
    found: list[Box] = []
    for x, y, w, h, opens in sides:
        closing = [s for s in sides if not s[4] and opens and abs(s[1] - y) < 0.25 * h and abs(s[3] - h) < 0.25 * h
                   and 0.3 * h < s[0] - (x + w) < 2.2 * h]  # fmt: skip
        if closing:
            right, _, wide, _, _ = min(closing)
            if not np.count_nonzero(dark[y : y + h, x + w : right]):
                found.append((x, y, right + wide, y + h))
    return found


def _same(a: Box, b: Box) -> bool:
    """Whether the middle of one box lies in the other, and they are about as large."""
    x, y = (a[0] + a[2]) / 2, (a[1] + a[3]) / 2
    return b[0] <= x <= b[2] and b[1] <= y <= b[3]
