"""What boxes and their marks are drawn with: where a box lies, and lines, curves and letters on a layer of ink."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

SIZE = 40
"""Pixels of each side of a picture."""
FINE = 3
"""Drawn so many times larger."""

Layer = NDArray[np.float32]
"""How much of the light ink takes, 0 to 1; shape (SIZE * FINE, SIZE * FINE)."""
Points = NDArray[np.float64]
"""Shape (n, 2), x and y."""


@dataclass(frozen=True)
class Frame:
    """Where a box lies: its middle and the half of its sides, in fine pixels."""

    x: float
    y: float
    a: float
    b: float
    round: bool

    @property
    def middle(self) -> Points:
        """x and y."""
        return np.array([self.x, self.y])

    @property
    def half(self) -> Points:
        """The half of its width and height."""
        return np.array([self.a, self.b])

    def edges(self, times: float = 1.0) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of a box so many times as large."""
        a, b = self.a * times, self.b * times
        return round(self.x - a), round(self.y - b), round(self.x + a), round(self.y + b)

    def inside(self, points: Points, times: float) -> NDArray[np.bool_]:
        """Which points lie in a box so many times as large."""
        away = np.abs((points - self.middle) / self.half)
        reach = np.hypot(away[:, 0], away[:, 1]) if self.round else away.max(axis=1)
        return np.asarray(reach < times)

    def erase(self, layer: Layer, times: float) -> None:
        """Take all ink off a box so many times as large."""
        x0, y0, x1, y1 = self.edges(times)
        if self.round:
            cv2.ellipse(layer, (round(self.x), round(self.y)), ((x1 - x0) // 2, (y1 - y0) // 2), 0, 0, 360, (0.0,), -1)
        else:
            layer[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = 0


def empty() -> Layer:
    """A layer without ink."""
    return np.zeros((SIZE * FINE, SIZE * FINE), np.float32)


def curve(rng: Generator, points: Points, bend: float = 0.06) -> Points:
    """A hand's way through points: not quite straight between them."""
    length = float(np.abs(np.diff(points, axis=0)).sum())
    pieces = [points[:1]]
    for start, end in pairwise(points):
        t = np.linspace(0, 1, 12)[1:, None]
        bulge = np.sin(np.pi * t) * rng.normal(0, bend, 2) * length
        pieces.append(start + (end - start) * t + bulge)
    return np.vstack(pieces)


def line(layer: Layer, points: Points, wide: float, ink: float = 1.0) -> None:
    """A line of one width through points."""
    drawn = np.round(points * 16).astype(np.int32)
    cv2.polylines(layer, [drawn], False, (ink,), max(1, round(wide)), cv2.LINE_AA, 4)


def letters(layer: Layer, words: str, at: tuple[float, float], size: float, rng: Generator) -> None:
    """Letters of a plotter from a place on the base line; `size` as OpenCV has it, in pixels of the picture."""
    place = round(at[0]), round(at[1])
    thick = max(1, round(float(size * FINE * rng.uniform(1, 3))))
    cv2.putText(layer, words, place, int(rng.integers(0, 4)), float(size * FINE), (1.0,), thick, cv2.LINE_AA)


def reach(words: str, size: float) -> int:
    """How wide letters are, in fine pixels."""
    return cv2.getTextSize(words, 0, size * FINE, 1)[0][0]
