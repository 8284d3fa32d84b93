"""A page goes in; the strips between its upright rulings come out, each to be laid straight."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.fragments import Ruling
from formlens.rulings import Gray, trace_upright
from formlens.tables import WORKING_SIDE
from formlens.types import Image

Floats = NDArray[np.float64]

_DRAWN = 0.8
"""Share of a ruling's length that is inked, where a stamp or a fold hides some of it."""


@dataclass(frozen=True)
class Edge:
    """An upright line: its x at each y, and how far it goes, in pixels of its image."""

    y: Floats
    x: Floats

    def at(self, y: Floats | float) -> Floats:
        """Its x at some y; straight on beyond its ends."""
        grown = np.array([self.y[0] - 4000, *self.y, self.y[-1] + 4000])
        count = max(2, len(self.y) // 4)
        head = (self.x[count - 1] - self.x[0]) / (self.y[count - 1] - self.y[0])
        tail = (self.x[-1] - self.x[-count]) / (self.y[-1] - self.y[-count])
        led = np.array([self.x[0] - 4000 * head, *self.x, self.x[-1] + 4000 * tail])
        return np.asarray(np.interp(y, grown, led), np.float64)

    @property
    def middle(self) -> float:
        """Its x at half its length."""
        return float(self.at((self.y[0] + self.y[-1]) / 2))


@dataclass(frozen=True)
class Strip:
    """What stands between two edges, from `top` to `bottom`."""

    left: Edge
    right: Edge
    top: float
    bottom: float

    @property
    def width(self) -> float:
        """Usual distance of its edges, in pixels."""
        y = np.linspace(self.top, self.bottom, 20)
        return float(np.median(self.right.at(y) - self.left.at(y)))

    @property
    def square(self) -> float:
        """The slope of what runs square to its edges."""
        y = np.array([self.top, self.bottom])
        (a, b), (c, d) = self.left.at(y), self.right.at(y)
        return float((a - b + c - d) / 2 / (self.bottom - self.top))

    def straight(self, image: Image, room: int = 0) -> Image:
        """Laid straight with some room on both sides, shape (bottom - top, width + 2 room, 3)."""
        y = np.arange(self.top, self.bottom)
        left, right = self.left.at(y)[:, None], self.right.at(y)[:, None]
        width = round(self.width)
        x = left + (right - left) * ((np.arange(-room, width + room) + 0.5) / width)[None]
        levels = np.broadcast_to(y[:, None], x.shape)
        field = x.astype(np.float32), levels.astype(np.float32)
        seen = cv2.remap(image, *field, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.uint8)

    def box(self, middle: float, height: float, slope: float, left: float, right: float) -> Floats:
        """The corners, shape (4, 2), of a piece of a row: x from the strip's left edge, y from its top."""
        y = self.top + middle + slope * (np.array([left, right]) - self.width / 2)
        x = self.left.at(y) + np.array([left, right])
        (x0, x1), (y0, y1), half = x, y, height / 2
        return np.array([[x0, y0 - half], [x1, y1 - half], [x1, y1 + half], [x0, y0 + half]])


def find_edges(image: Image) -> list[Edge]:
    """The upright rulings that run through at least half of what the longest do, from left to right."""
    scale = min(1.0, WORKING_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    trace = trace_upright(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8))
    rulings = [ruling for ruling in trace.rulings if _covered(ruling, trace.hat) > _DRAWN]
    if not rulings:
        return []
    long = float(np.percentile([ruling.length for ruling in rulings], 90))
    edges = [_edge(ruling, scale) for ruling in rulings if ruling.length > 0.5 * long]
    return sorted(edges, key=lambda edge: edge.middle)


def _covered(ruling: Ruling, hat: Gray) -> float:
    """The share of an upright line's length that is inked: writing that chance put below writing is mostly paper."""
    height, width = hat.shape
    y = np.arange(max(0, int(ruling.start)), min(height, int(ruling.end)))
    x = np.round(ruling.at(y.astype(np.float64))).astype(np.intp)
    ink = np.max([hat[y, np.clip(x + beside, 0, width - 1)] for beside in (-1, 0, 1)], axis=0)
    return float((ink > 0.5 * np.median(ink)).mean()) if len(ink) else 0.0


def _edge(ruling: Ruling, scale: float) -> Edge:
    along = np.linspace(ruling.start, ruling.end, max(5, round(ruling.length / 20)))
    return Edge((along + 0.5) / scale - 0.5, (ruling.at(along) + 0.5) / scale - 0.5)


def between(edges: Sequence[Edge]) -> list[Strip]:
    """The strips between neighbours that run side by side for a while."""
    strips = []
    for left, right in pairwise(edges):
        top, bottom = max(left.y[0], right.y[0]), min(left.y[-1], right.y[-1])
        if bottom - top > 60:
            strip = Strip(left, right, float(top), float(bottom))
            if strip.width > 24:
                strips.append(strip)
    return strips
