"""Boxes to tick, drawn: a random generator in; a picture of one, its blank, and whether it is marked, out.

Squares, circles, ovals, brackets and cells of many sizes and lines, with what stands around them on forms; ticks,
crosses, strokes, dots, fillings, loops of pens and pencils; and what scanners, cameras and copiers make of it. A box is
also empty with dust on it, a rubbed-out stroke, its neighbour's overflowing mark, or a printed letter inside.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.ink import Gray

SIZE = 40
"""Pixels of each side of a picture."""
_FINE = 4
"""Drawn so many times larger."""

Layer = NDArray[np.float32]
"""How much of the light ink takes, 0 to 1."""
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """A box as a page shows it, its blank a little beside it, and whether it is marked."""

    picture: Gray
    blank: Gray
    marked: bool


@dataclass(frozen=True)
class _Frame:
    """Where a box lies: its middle and the half of its sides, in fine pixels."""

    x: float
    y: float
    a: float
    b: float
    round: bool


def draw_box(rng: Generator) -> Drawn:
    """One box, as often marked as not."""
    side = float(rng.normal(20, 1.5) if rng.random() < 0.6 else rng.uniform(11, 34)) * _FINE / 2
    middle = SIZE * _FINE / 2 + rng.normal(0, 0.05 * side, 2)
    flat = float(rng.uniform(0.45, 1.0)) if rng.random() < 0.25 else 1.0
    frame = _Frame(float(middle[0]), float(middle[1]), side, side * flat, bool(rng.random() < 0.45))
    printed = np.zeros((SIZE * _FINE, SIZE * _FINE), np.float32)
    _print(rng, printed, frame)
    printed *= rng.uniform(0.35, 1.0)
    pen = np.zeros_like(printed)
    marked = bool(rng.random() < 0.5)
    if marked:
        _mark(rng, pen, frame)
    _strays(rng, pen, frame, few=marked)
    return Drawn(_taken(rng, printed, pen), _blank(rng, printed), marked)


def _print(rng: Generator, layer: Layer, frame: _Frame) -> None:
    """The box, and what is printed around and, at times, in it."""
    thick = max(1, round(float(rng.uniform(0.04, 0.16)) * frame.a))
    x0, y0, x1, y1 = _edges(frame, 1.0)
    style = rng.random()
    if frame.round:
        axes = round(frame.a), round(frame.b)
        cv2.ellipse(layer, (round(frame.x), round(frame.y)), axes, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)
        if rng.random() < 0.3:
            letter = str(rng.choice(list("ABCDEFGHIJ0123456789")))
            size = frame.b / _FINE / rng.uniform(9, 14)
            _text(layer, letter, (frame.x - 9 * size * _FINE, frame.y + 10 * size * _FINE), size, rng)
    elif style < 0.12:  # brackets or parentheses
        reach = 35 if rng.random() < 0.5 else 60
        for turn in (0, 180):
            centre = round(frame.x), round(frame.y)
            cv2.ellipse(
                layer, centre, (round(frame.a), round(frame.b)), turn, -reach, reach, (1.0,), thick, cv2.LINE_AA
            )
    elif style < 0.18:
        for x, way in ((x0, 1), (x1, -1)):
            corners = [[x + way * thick * 3, y0], [x, y0], [x, y1], [x + way * thick * 3, y1]]
            _line(layer, np.array(corners, float), thick)
    else:
        cv2.rectangle(layer, (x0, y0), (x1, y1), (1.0,), thick, cv2.LINE_AA)
        if rng.random() < 0.1:  # a shadow to the right and below
            cv2.line(layer, (x0 + thick, y1 + thick), (x1 + thick, y1 + thick), (1.0,), thick)
            cv2.line(layer, (x1 + thick, y0 + thick), (x1 + thick, y1 + thick), (1.0,), thick)
    if rng.random() < 0.08:  # a tinted inside
        cv2.rectangle(layer, (x0, y0), (x1, y1), (float(rng.uniform(0.05, 0.2)),), -1)
        cv2.rectangle(layer, (x0, y0), (x1, y1), (1.0,), thick, cv2.LINE_AA)
    if rng.random() < 0.04:  # broken, as worn copies have it
        at = rng.uniform(0, len(layer), 2).astype(int)
        cv2.circle(layer, (int(at[0]), int(at[1])), round(0.3 * frame.a), (0.0,), -1)
    _around(rng, layer, frame, thick)


def _around(rng: Generator, layer: Layer, frame: _Frame, thick: int) -> None:
    """A label on one side or both, a frame, or other boxes in a row or column."""
    size = frame.b / _FINE * rng.uniform(0.03, 0.06)
    words = "".join(rng.choice(list("aeionrstlMFYN18 "), 9))
    if rng.random() < 0.45:
        x, y = frame.x + frame.a * rng.uniform(1.25, 1.7), frame.y + frame.b * rng.uniform(0.3, 0.9)
        _text(layer, words, (x, y), size, rng)
    if rng.random() < 0.2:
        x, y = frame.x - frame.a * rng.uniform(1.25, 1.7), frame.y + frame.b * rng.uniform(0.3, 0.9)
        _text(layer, words, (x - cv2.getTextSize(words, 0, size * _FINE, 1)[0][0], y), size, rng)
    if rng.random() < 0.12:
        x0, y0, x1, y1 = _edges(frame, float(rng.uniform(1.35, 1.9)))
        cv2.rectangle(layer, (x0, y0), (x1, y1), (1.0,), thick, cv2.LINE_AA)
    elif rng.random() < 0.3:
        way = (1, 0) if rng.random() < 0.5 else (0, 1)
        pitch = float(rng.uniform(2.1, 3.2)) if rng.random() < 0.7 else 2.0
        for turn in (-1, 1):
            x, y = frame.x + turn * way[0] * pitch * frame.a, frame.y + turn * way[1] * pitch * frame.b
            centre, axes = (round(x), round(y)), (round(frame.a), round(frame.b))
            if frame.round:
                cv2.ellipse(layer, centre, axes, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)
            else:
                corner = (round(x + frame.a), round(y + frame.b))
                cv2.rectangle(layer, (round(x - frame.a), round(y - frame.b)), corner, (1.0,), thick, cv2.LINE_AA)


def _mark(rng: Generator, layer: Layer, frame: _Frame) -> None:
    """One of the ways in which people mark a box."""
    way = str(rng.choice(["cross", "tick", "stroke", "fill", "scribble", "loops", "dot", "ring", "edge", "wild"],
                         p=[0.2, 0.18, 0.14, 0.14, 0.11, 0.05, 0.06, 0.03, 0.05, 0.04]))  # fmt: skip
    wide = frame.a * float(rng.uniform(0.07, 0.22) if rng.random() < 0.8 else rng.uniform(0.2, 0.5))
    reach = float(rng.uniform(0.45, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 2.0))
    scale = np.array([frame.a, frame.b]) * reach
    middle = np.array([frame.x, frame.y]) + rng.normal(0, 0.12, 2) * [frame.a, frame.b] * max(1.0, reach)
    if way == "cross":
        for start, end in (((-1, -1), (1, 1)), ((1, -1), (-1, 1))):
            ends = np.array([start, end]) * rng.uniform(0.6, 1.15, (2, 1)) + rng.normal(0, 0.15, (2, 2))
            _line(layer, _curve(rng, middle + ends * scale), wide)
    elif way == "tick":
        points = np.array([[-0.8, -0.1], [-0.2, 0.8], [1.0, -1.0]]) * rng.uniform(0.7, 1.3, (3, 1))
        _line(layer, _curve(rng, middle + (points + rng.normal(0, 0.15, (3, 2))) * scale, 0.02), wide)
    elif way == "stroke":
        angle = float(rng.uniform(0, np.pi))
        along = np.array([np.cos(angle), np.sin(angle)])
        ends = np.array([-along, along]) * rng.uniform(0.55, 1.4, (2, 1))
        _line(layer, _curve(rng, middle + ends * scale), wide)
    elif way == "fill":
        _fill(rng, layer, frame)
    elif way == "scribble":
        turns = int(rng.integers(4, 12))
        across = np.linspace(-1, 1, turns) * rng.uniform(0.6, 1.1)
        points = np.stack([across, np.where(np.arange(turns) % 2, 1, -1) * rng.uniform(0.5, 1.1, turns)], 1)
        angle = float(rng.uniform(0, np.pi))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        _line(layer, middle + points @ turn * scale, wide)
    elif way == "loops":
        t = np.linspace(0, 2 * np.pi * rng.uniform(2, 5), 90)
        radius = np.linspace(rng.uniform(0.2, 1), rng.uniform(0.3, 1.2), 90)
        points = np.stack([np.cos(t) * radius, np.sin(t * rng.uniform(0.9, 1.1)) * radius], 1)
        _line(layer, middle + points * scale, wide)
    elif way == "dot":
        axes = (np.array([frame.a, frame.b]) * rng.uniform(0.2, 0.5) * rng.uniform(0.8, 1.2, 2)).astype(int)
        cv2.ellipse(layer, tuple(middle.astype(int)), tuple(axes), 0, 0, 360, (1.0,), -1, cv2.LINE_AA)
    elif way == "ring":
        t = np.linspace(0, 2 * np.pi * rng.uniform(0.9, 1.1), 40) + rng.uniform(0, 6)
        points = np.stack([np.cos(t), np.sin(t)], 1) * (
            rng.uniform(1.15, 1.7) if rng.random() < 0.7 else rng.uniform(0.4, 0.75)
        )
        _line(layer, np.array([frame.x, frame.y]) + points * [frame.a, frame.b] + rng.normal(0, 1, (40, 2)), wide)
    elif way == "edge":
        angle = float(rng.uniform(0, 2 * np.pi))
        out = np.array([np.cos(angle), np.sin(angle)])
        along = np.array([-out[1], out[0]]) * rng.uniform(0.4, 1.2)
        points = out * rng.uniform(0.3, 0.7) + np.array([-along, along])
        _line(layer, _curve(rng, np.array([frame.x, frame.y]) + points * [frame.a, frame.b]), wide * 2)
    else:
        points = rng.normal(0, 0.7, (int(rng.integers(3, 6)), 2))
        points[0] = rng.uniform(-0.4, 0.4, 2)
        _line(layer, _curve(rng, middle + points * scale, 0.05), wide)
    if rng.random() < 0.3:  # a pen that skips, or a pencil on rough paper
        grain = cv2.resize(rng.random((SIZE * 2, SIZE * 2)).astype(np.float32), layer.shape[::-1])
        layer *= np.clip(grain * rng.uniform(1.5, 3), 0, 1)


def _fill(rng: Generator, layer: Layer, frame: _Frame) -> None:
    """A filled box, not quite to its edge or a little beyond; at times only half of it."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = rng.uniform(0.6, 1.15) * (1 + rng.normal(0, 0.08, 24))
    power = 1.0 if frame.round else 0.45  # a superellipse: near a square
    shape = np.stack([np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power, np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power])
    points = np.array([frame.x, frame.y]) + (shape * radius).T * [frame.a, frame.b]
    if rng.random() < 0.25:
        points += np.array([frame.a, frame.b]) * rng.uniform(-0.5, 0.5, 2)
    ink = np.zeros_like(layer)
    cv2.fillPoly(ink, [np.round(points).astype(np.int32)], (1.0,), cv2.LINE_AA)
    if rng.random() < 0.6:  # paper shows between the strokes
        gaps = rng.random((int(rng.integers(4, 20)), int(rng.integers(4, 20)))).astype(np.float32)
        ink *= np.clip(0.35 + 1.2 * cv2.resize(gaps, layer.shape[::-1]), 0, 1)
    np.maximum(layer, ink, out=layer)


def _strays(rng: Generator, layer: Layer, frame: _Frame, *, few: bool) -> None:
    """Ink that does not mark this box: dust, something rubbed out, a neighbour's mark, writing beside it."""
    chance = 0.3 if few else 0.55
    if rng.random() < chance * 0.4:
        for _ in range(int(rng.integers(1, 4))):
            at = rng.uniform(0, len(layer), 2).astype(int)
            cv2.circle(layer, (int(at[0]), int(at[1])), max(1, round(frame.a * rng.uniform(0.02, 0.06))), (0.7,), -1)
    if rng.random() < chance * 0.2:
        smear = np.zeros_like(layer)
        _line(smear, np.array([frame.x, frame.y]) + rng.normal(0, 0.5, (3, 2)) * frame.a, 0.5 * frame.a)
        np.maximum(layer, cv2.GaussianBlur(smear, (0, 0), 6) * rng.uniform(0.02, 0.07), out=layer)
    if rng.random() < chance * 0.7:
        # a stroke that comes in from outside, and ends before the box or no more than touches its line
        for _ in range(int(rng.integers(1, 3))):
            stroke = np.zeros_like(layer)
            angle = rng.uniform(0, 2 * np.pi)
            start = np.array([frame.x, frame.y]) + np.array([np.cos(angle), np.sin(angle)]) * 2.6 * frame.a
            bend = start + rng.normal(0, 1.1, (2, 2)) * frame.a
            _line(stroke, _curve(rng, np.vstack([start, bend]), 0.05), frame.a * rng.uniform(0.07, 0.25))
            x0, y0, x1, y1 = _edges(frame, float(rng.uniform(0.93, 1.3)))
            if frame.round:
                axes = (x1 - x0) // 2, (y1 - y0) // 2
                cv2.ellipse(stroke, (round(frame.x), round(frame.y)), axes, 0, 0, 360, (0.0,), -1)
            else:
                stroke[max(y0, 0) : y1, max(x0, 0) : x1] = 0
            np.maximum(layer, stroke, out=layer)


def _taken(rng: Generator, printed: Layer, pen: Layer) -> Gray:
    """As a device gives it: light, view, blur, noise, compression."""
    paper = float(rng.uniform(0.75, 1.0) if rng.random() < 0.75 else rng.uniform(0.35, 0.75))
    strength = float(rng.uniform(0.45, 1.0) if rng.random() < 0.75 else rng.uniform(0.2, 0.45))
    page = (1 - printed * rng.uniform(0.8, 1.0)) * (1 - pen * strength)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), float(rng.normal(0, 2.5)), 1.0)
    turn[:, :2] = turn[:, :2] + rng.normal(0, 0.015, (2, 2))
    moved = cv2.warpAffine(page, turn, page.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    page = _small(rng, np.asarray(moved, np.float32))
    light = cv2.resize(rng.uniform(0.75, 1.0, (2, 2)).astype(np.float32), (SIZE, SIZE))
    page = page * (light if rng.random() < 0.6 else 1.0) * paper + rng.uniform(0, 0.12)
    page = page + rng.normal(0, rng.uniform(0.002, 0.035), page.shape)
    if rng.random() < 0.06:  # a copier: black and white
        edge = float(np.median(page)) * rng.uniform(0.6, 0.85)
        page = 1 / (1 + np.exp((edge - page) / rng.uniform(0.01, 0.05)))
    gray = np.clip(page * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])[1]
        gray = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray


def _blank(rng: Generator, printed: Layer) -> Gray:
    """The blank of the same box, as far beside its place as registration may leave it."""
    shift = np.hstack([np.eye(2), rng.normal(0, 0.55 * _FINE, (2, 1))])
    page = cv2.warpAffine(1 - printed, shift, printed.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(_small(rng, np.asarray(page, np.float32)) * 255, 0, 255), np.uint8)


def _small(rng: Generator, page: Layer) -> Layer:
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.3, 1.3)) * _FINE), np.float32)
    if rng.random() < 0.3:  # fewer pixels than the picture has
        fewer = int(rng.integers(14, 36))
        coarse = cv2.resize(page, (fewer, fewer), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(cv2.resize(page, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.float32)


def _edges(frame: _Frame, times: float) -> tuple[int, int, int, int]:
    a, b = frame.a * times, frame.b * times
    return round(frame.x - a), round(frame.y - b), round(frame.x + a), round(frame.y + b)


def _curve(rng: Generator, points: Points, bend: float = 0.06) -> Points:
    """A hand's way through points: not quite straight between them."""
    length = float(np.abs(np.diff(points, axis=0)).sum())
    pieces = [points[:1]]
    for start, end in pairwise(points):
        t = np.linspace(0, 1, 8)[1:, None]
        bulge = np.sin(np.pi * t) * rng.normal(0, bend, 2) * length
        pieces.append(start + (end - start) * t + bulge)
    return np.vstack(pieces)


def _line(layer: Layer, points: Points, wide: float) -> None:
    drawn = np.round(points * 16).astype(np.int32)
    cv2.polylines(layer, [drawn], False, (1.0,), max(1, round(wide)), cv2.LINE_AA, 4)


def _text(layer: Layer, words: str, at: tuple[float, float], size: float, rng: Generator) -> None:
    place = round(at[0]), round(at[1])
    thick = max(1, round(float(size * _FINE * rng.uniform(1, 3))))
    cv2.putText(layer, words, place, int(rng.integers(0, 4)), float(size * _FINE), (1.0,), thick, cv2.LINE_AA)
