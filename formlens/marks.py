"""The print of a form goes in, its boxes to tick come out; and a page's pen, how likely each of them is ticked."""

import cv2
import numpy as np

from formlens.ink import Gray
from formlens.pen import Sheet
from formlens.types import Box

_LEAST, _MOST = 12, 70
"""Pixels of a form's frame: the sides of a box to tick."""

_USUAL = 0.07
"""Share of a box that is inked where it is as likely ticked as not."""
_SPREAD = 0.015


def find_boxes(blank: Gray) -> list[Box]:
    """Every small printed square that is empty inside, from top to bottom."""
    dark = cv2.adaptiveThreshold(blank, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 12)
    contours, families = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found: list[Box] = []
    for contour, family in zip(contours, families[0] if families is not None else (), strict=True):
        x, y, w, h = cv2.boundingRect(contour)
        hole = family[3] >= 0
        if not hole or not (_LEAST <= w <= _MOST and _LEAST <= h <= _MOST) or not 0.75 < w / h < 1.33:
            continue
        edge = max(3, h // 5)
        inside = dark[y + edge : y + h - edge, x + edge : x + w - edge]
        if cv2.contourArea(contour) > 0.8 * (w - 1) * (h - 1) and np.count_nonzero(inside) < 0.03 * inside.size:
            found.append((x, y, x + w, y + h))
    return sorted(found, key=lambda box: (box[1], box[0]))


def ticked(sheet: Sheet, box: Box) -> float:
    """The probability that a box is ticked, by how much of it the pen covers."""
    x0, y0, x1, y1 = box
    inked = sheet.components[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] > 0
    return float(1 / (1 + np.exp(-np.clip((inked.mean() - _USUAL) / _SPREAD, -8, 8))))
