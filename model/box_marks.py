"""Ink on boxes: a random generator, a layer and a box in; the layer with a mark of that box, or with none of it, out.

Ticks, crosses, strokes, dots, fillings, scribbles, loops, rings, letters; and what marks nothing: dust, something
rubbed out, a neighbour's overflowing mark, writing that ends at the box.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from model.box_layers import FINE, SIZE, Frame, Layer, Points, curve, empty, letters, line

_DEEP = 0.85
"""Ink within so much of a box is in it; what is nearer to its line may have slipped."""
_LEAST = 0.02
"""Share of what is so deep in the box that a mark covers: a thin stroke of half its side has that."""
_LONG = 0.5
"""A stroke that was not drawn for the box is taken as its mark from so many half sides of ink in it."""


def mark(rng: Generator, layer: Layer, frame: Frame) -> None:
    """One of the ways in which people mark a box."""
    way = _WAYS[int(rng.choice(len(_WAYS), p=_SHARES))]
    wide = frame.a * float(rng.uniform(0.07, 0.22) if rng.random() < 0.8 else rng.uniform(0.2, 0.5))
    extent = float(rng.uniform(0.45, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 2.0))
    middle = frame.middle + rng.normal(0, 0.12, 2) * frame.half * max(1.0, extent)
    way(rng, layer, Frame(float(middle[0]), float(middle[1]), frame.a * extent, frame.b * extent, frame.round), wide)
    if _covered(layer, frame) < _LEAST:  # it went astray
        layer[:] = 0
        _crossing(rng, layer, frame, wide)
    if rng.random() < 0.3:  # a pen that skips, or a pencil on rough paper
        grain = cv2.resize(rng.random((SIZE * 2, SIZE * 2)).astype(np.float32), layer.shape[::-1])
        layer *= np.clip(grain * rng.uniform(1.5, 3), 0, 1)


def strays(rng: Generator, layer: Layer, frame: Frame, *, few: bool) -> None:
    """Ink that does not mark this box: dust, something rubbed out, a neighbour's mark, writing beside it."""
    chance = 0.3 if few else 0.55
    if rng.random() < chance * 0.4:
        for _ in range(int(rng.integers(1, 4))):
            at = rng.uniform(0, len(layer), 2)
            radius = max(1, round(frame.a * rng.uniform(0.02, 0.06)))
            cv2.circle(layer, (int(at[0]), int(at[1])), radius, (0.7,), -1)
    if rng.random() < chance * 0.2:
        smear = empty()
        line(smear, frame.middle + rng.normal(0, 0.5, (3, 2)) * frame.a, 0.5 * frame.a)
        np.maximum(layer, cv2.GaussianBlur(smear, (0, 0), 6) * rng.uniform(0.02, 0.07), out=layer)
    if rng.random() < chance * 0.7:
        # strokes that come in from outside, and end before the box or no more than touch its line
        others = empty()
        for _ in range(int(rng.integers(1, 3))):
            line(others, _way_past(rng, frame), frame.a * rng.uniform(0.07, 0.25))
        frame.erase(others, float(rng.uniform(0.93, 1.3)))
        np.maximum(layer, others, out=layer)


def _cross(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    for start, end in (((-1, -1), (1, 1)), ((1, -1), (-1, 1))):
        ends = np.array([start, end]) * rng.uniform(0.6, 1.15, (2, 1)) + rng.normal(0, 0.15, (2, 2))
        line(layer, curve(rng, frame.middle + ends * frame.half), wide)


def _tick(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    points = np.array([[-0.8, -0.1], [-0.2, 0.8], [1.0, -1.0]]) * rng.uniform(0.5, 1.4, (3, 1))
    if rng.random() < 0.2:  # a left hand's
        points[:, 0] *= -1
    line(layer, curve(rng, frame.middle + (points + rng.normal(0, 0.18, (3, 2))) * frame.half, 0.03), wide)


def _stroke(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    angle = float(rng.uniform(0, np.pi))
    along = np.array([np.cos(angle), np.sin(angle)])
    ends = np.array([-along, along]) * rng.uniform(0.55, 1.4, (2, 1))
    line(layer, curve(rng, frame.middle + ends * frame.half), wide)


def _crossing(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    """A stroke that goes through the box or its corner from anywhere to anywhere."""
    for _ in range(60):
        points = _way_past(rng, frame)
        steps = np.hypot(*(np.diff(points, axis=0) / frame.half).T)
        if steps[frame.inside((points[1:] + points[:-1]) / 2, _DEEP)].sum() > _LONG:
            return line(layer, points, wide)
    return _stroke(rng, layer, frame, wide)


def _through(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    """A straight stroke of any length, most often along a side, that need not pass the middle."""
    angle = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(0, np.pi))
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    away = across * rng.uniform(-0.75, 0.75)
    ends = np.array([away - along * rng.uniform(0.5, 3.5), away + along * rng.uniform(0.5, 3.5)])
    line(layer, curve(rng, frame.middle + ends * frame.half, 0.02), wide)


def _fill(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    """A filled box, not quite to its edge or a little beyond; at times only half of it."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = rng.uniform(0.6, 1.15) * (1 + rng.normal(0, 0.08, 24))
    power = 1.0 if frame.round else 0.45  # a superellipse: near a square
    shape = np.stack([np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power, np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power])
    points = frame.middle + (shape * radius).T * frame.half
    if rng.random() < 0.25:
        points += frame.half * rng.uniform(-0.5, 0.5, 2)
    ink = empty()
    cv2.fillPoly(ink, [np.round(points).astype(np.int32)], (1.0,), cv2.LINE_AA)
    if rng.random() < 0.6:  # paper shows between the strokes
        gaps = rng.random((int(rng.integers(4, 20)), int(rng.integers(4, 20)))).astype(np.float32)
        ink *= np.clip(0.35 + 1.2 * cv2.resize(gaps, layer.shape[::-1]), 0, 1)
    np.maximum(layer, ink, out=layer)


def _scribble(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    turns = int(rng.integers(4, 12))
    across = np.linspace(-1, 1, turns) * rng.uniform(0.6, 1.1)
    points = np.stack([across, np.where(np.arange(turns) % 2, 1, -1) * rng.uniform(0.5, 1.1, turns)], 1)
    angle = float(rng.uniform(0, np.pi))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    line(layer, frame.middle + points @ turn * frame.half, wide)


def _loops(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    t = np.linspace(0, 2 * np.pi * rng.uniform(2, 5), 90)
    radius = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.3, 1.2), 90)
    points = np.stack([np.cos(t) * radius, np.sin(t * rng.uniform(0.9, 1.1)) * radius], 1)
    line(layer, frame.middle + points * frame.half, wide)


def _dot(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    axes = (frame.half * rng.uniform(0.2, 0.5) * rng.uniform(0.8, 1.2, 2)).astype(int)
    centre = round(frame.x), round(frame.y)
    cv2.ellipse(layer, centre, (int(axes[0]), int(axes[1])), 0, 0, 360, (1.0,), -1, cv2.LINE_AA)


def _ring(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    """A ring in the box."""
    t = np.linspace(0, 2 * np.pi * rng.uniform(0.9, 1.1), 40) + rng.uniform(0, 6)
    points = np.stack([np.cos(t), np.sin(t)], 1) * rng.uniform(0.4, 0.8)
    line(layer, frame.middle + points * frame.half + rng.normal(0, 1, (40, 2)), wide)


def _wild(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    points = rng.normal(0, 0.7, (int(rng.integers(3, 6)), 2))
    points[0] = rng.uniform(-0.4, 0.4, 2)
    line(layer, curve(rng, frame.middle + points * frame.half, 0.05), wide)


def _letter(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    size = frame.b / FINE / rng.uniform(9, 14)
    sign = str(rng.choice(list("xXvVyYjJ1IoO+*")))
    letters(layer, sign, (frame.x - 9 * size * FINE, frame.y + 9 * size * FINE), size, rng)


def _blackened(rng: Generator, layer: Layer, frame: Frame, wide: float) -> None:
    """Marked, then crossed out by strokes over all of it."""
    _tick(rng, layer, frame, wide)
    wider = Frame(frame.x, frame.y, frame.a * 1.2, frame.b * 1.2, frame.round)
    for _ in range(int(rng.integers(1, 4))):
        _scribble(rng, layer, wider, wide)


def _way_past(rng: Generator, frame: Frame) -> Points:
    """The way of a pen from outside to anywhere."""
    angle = rng.uniform(0, 2 * np.pi)
    start = frame.middle + np.array([np.cos(angle), np.sin(angle)]) * 2.6 * frame.a
    bend = start + rng.normal(0, 1.1, (2, 2)) * frame.a
    if rng.random() < 0.5:  # towards the other side
        bend += (frame.middle - start) * rng.uniform(0.5, 1.6)
    return curve(rng, np.vstack([start, bend]), 0.05)


def _covered(layer: Layer, frame: Frame) -> float:
    """Share of the inner part of a box that has ink."""
    around = layer.copy()
    frame.erase(around, _DEEP)
    area = (np.pi if frame.round else 4.0) * _DEEP**2 * frame.a * frame.b
    return float(np.count_nonzero(layer > 0.5) - np.count_nonzero(around > 0.5)) / area


_SOME: dict[Callable[[Generator, Layer, Frame, float], None], float] = {
    _cross: 17, _tick: 18, _stroke: 8, _crossing: 11, _through: 10, _fill: 13, _scribble: 9, _loops: 3, _dot: 3,
    _ring: 1.5, _wild: 3, _letter: 1.5, _blackened: 2,
}  # fmt: skip
_WAYS = list(_SOME)
_SHARES = np.array(list(_SOME.values())) / sum(_SOME.values())
