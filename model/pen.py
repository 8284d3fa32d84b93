"""Signs drawn with a pen from their skeletons: one character in, a glyph out.

Real collections have no punctuation, and their digits follow one country's school: here are the marks that forms need,
and the European ways of 1, 4, 7, 9, 0. x counts to the right, y up from the baseline.
"""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from model.glyphs import CAP, Glyph

SIGNS: dict[str, tuple[str, ...]] = {
    ".": ("0,3 3,0",),
    ",": ("6,6 5,-6 0,-18", "10,8 0,-14",),
    ":": ("0,3 3,0 | 0,43 3,40",),
    ";": ("6,4 0,-16 | 2,43 5,40",),
    "/": ("0,-15 42,112", "0,-22 27,115", "0,-10 60,108",),
    "-": ("0,42 34,44", "0,45 55,43", "0,50 22,48",),
    "+": ("0,42 46,44 | 23,68 22,18",),
    "=": ("0,30 42,31 | 0,52 42,54",),
    "%": ("10,65 0,75 10,87 20,76 10,65 | 5,0 55,100 | 50,5 40,15 50,27 60,16 50,5",),
    "(": ("20,105 2,70 0,35 18,-12",),
    ")": ("0,105 18,70 20,35 0,-12",),
    "#": ("20,95 10,0 | 45,95 35,0 | 0,33 55,35 | 2,65 58,67",),
    "'": ("5,100 0,75",),
    '"': ("3,100 0,76 | 18,100 15,76",),
    "°": ("10,75 0,85 10,97 20,86 10,75",),
    "€": ("55,90 35,100 15,75 12,35 30,0 55,12 | 0,60 45,61 | 0,40 42,41",),
    "$": ("45,85 25,95 5,78 20,55 42,35 30,5 0,12 | 25,110 22,-10",),
    "£": ("50,85 35,100 20,80 22,40 0,0 25,6 52,2 | 5,48 40,50",),
    "1": ("0,62 28,100 | 28,100 25,0", "0,45 33,100 | 33,100 30,0", "10,75 28,100 | 28,100 27,0 | 8,0 48,2",),
    "7": (
        "0,95 52,100 | 52,100 30,50 20,0 | 12,50 50,54",
        "0,82 5,97 30,92 55,100 | 55,100 30,55 22,0 | 10,48 52,50",
    ),
    "4": ("22,100 0,38 | 0,38 52,40 | 40,65 35,0", "5,100 4,50 | 4,50 45,50 | 45,100 42,0",),
    "0": ("25,100 0,60 5,15 28,0 50,40 45,85 25,100 | 2,2 48,98",),
    "9": ("42,85 20,100 0,75 18,52 42,80 | 42,85 40,40 36,0",),
}  # fmt: skip
"""Ways to write each sign: strokes parted by bars, points x,y in hundredths of a capital's height."""


def sign(rng: Generator, character: str, width: float) -> Glyph:
    """Draw one of `SIGNS` with strokes of that width in pixels; KeyError for any other character."""
    ways = SIGNS[character]
    strokes = _points(ways[int(rng.integers(len(ways)))])
    size = CAP * rng.uniform(0.88, 1.1)
    stretch, lean = rng.uniform(0.8, 1.25), rng.normal(0, 0.08)
    jitter = 0.012 if character in ".:°" else 0.03
    drawn = []
    for stroke in strokes:
        points = stroke + rng.normal(0, jitter, stroke.shape)
        points[:, 0] = points[:, 0] * stretch + points[:, 1] * lean
        drawn.append(_smooth(points) * size)
    every = np.concatenate(drawn)
    edge = width / 2 + 1.5
    left, top = every[:, 0].min() - edge, every[:, 1].max() + edge
    extent = np.ceil([every[:, 0].max() - left + edge, top - every[:, 1].min() + edge]).astype(int)
    ink = np.zeros((extent[1], extent[0]), np.uint8)
    for points in drawn:
        placed = np.stack([points[:, 0] - left, top - points[:, 1]], 1)
        cv2.polylines(
            ink, [np.round(placed * 16).astype(np.int32)], False, (255,), max(1, round(width)), cv2.LINE_AA, 4
        )
    return Glyph(ink, round(top))


def _points(way: str) -> list[NDArray[np.float64]]:
    return [np.array([point.split(",") for point in stroke.split()], float) / 100 for stroke in way.split("|")]


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut the corners of a polyline twice (Chaikin 1974); its ends stay."""
    for _ in range(2 if len(points) > 2 else 0):
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points
