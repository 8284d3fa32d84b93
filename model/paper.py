"""Ink on paper: a line of ink in, a picture of it out, with what forms have around their writing.

Pens: ball-pen, pencil, felt-tip, ink. Papers: white, yellowed, tinted, ruled. Around the writing: remains of rulings
and boxes, combs of digit boxes, printed labels cut in, descenders of the line above, show-through, crossings-out.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.types import Image
from model.glyphs import CAP, Ink, trim

Floats = NDArray[np.float32]

PENS = ("ball-pen", "pencil", "felt-tip", "ink", "print")
COLOURS = {
    "ball-pen": ((110, 45, 25), (45, 40, 40), (60, 25, 20), (30, 30, 150), (60, 100, 40)),
    "pencil": ((95, 95, 95), (70, 70, 72)),
    "felt-tip": ((25, 25, 25), (120, 40, 20), (30, 30, 170)),
    "ink": ((70, 40, 25), (30, 30, 35), (50, 70, 95)),
    "print": ((20, 20, 20), (50, 50, 50)),
}
"""BGR of each pen's usual colours."""


@dataclass(frozen=True)
class Sheet:
    """Ink with room around it; `neighbours` are other people's words and printed labels to cut pieces from."""

    ink: Ink
    neighbours: tuple[Ink, ...] = ()
    labels: tuple[Ink, ...] = ()


def picture(rng: Generator, sheet: Sheet, kind: str, clutter: float = 1.0) -> Image:
    """Write the ink with a pen of that kind on a random paper; `clutter` scales how often something is in the way."""
    ink = trim(sheet.ink)
    tall = max(ink.shape[0], round(CAP * rng.uniform(0.6, 1.0)))
    lack = tall - ink.shape[0]
    above = int(lack * rng.uniform(0.2, 0.8)) + _margin(rng, tall)
    below = lack - int(lack * 0.5) + _margin(rng, tall)
    wide = rng.random() < 0.12  # a cell that the writing does not fill
    left = _margin(rng, tall) + int(wide * rng.uniform(0, 3) * tall)
    right = _margin(rng, tall) + int(wide * rng.uniform(0, 3) * tall)
    ink = np.pad(ink, ((above, below), (left, right)))
    if rng.random() < 0.02 * clutter:
        ink = _crossed_out(rng, ink, left)
    sheet_paper = _paper(rng, ink.shape)
    out = _blend(sheet_paper, _texture(rng, ink, kind), _vary(rng, COLOURS[kind], 18))
    box = (left, above, ink.shape[1] - right, ink.shape[0] - below)
    for share, work in ((0.3, _rulings), (0.05, _comb)):
        if rng.random() < share * clutter:
            lines = work(rng, ink.shape, box)
            out = _blend(out, lines, _vary(rng, ((40, 40, 40), (120, 90, 60), (150, 150, 150), (60, 60, 170)), 20))
    if sheet.neighbours and rng.random() < 0.14 * clutter:
        out = _blend(
            out, _texture(rng, _intruder(rng, ink.shape, sheet.neighbours, box), kind), _vary(rng, COLOURS[kind], 18)
        )
    if sheet.labels and rng.random() < 0.06 * clutter:
        out = _blend(out, _label(rng, ink.shape, sheet.labels, box), _vary(rng, ((50, 50, 50), (130, 80, 50)), 20))
    if sheet.neighbours and rng.random() < 0.07 * clutter:
        back = _intruder(rng, ink.shape, sheet.neighbours, None)[:, ::-1]
        faint = cv2.GaussianBlur(back, (0, 0), 1.5).astype(np.float32) * rng.uniform(0.0005, 0.0011)
        out = _blend(out, faint.astype(np.float32), (120.0, 120.0, 125.0))
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def _margin(rng: Generator, tall: int) -> int:
    return max(1, int(tall * abs(rng.normal(0.17, 0.09))))


def _vary(rng: Generator, colours: tuple[tuple[int, int, int], ...], spread: float) -> tuple[float, float, float]:
    b, g, r = np.clip(np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, spread, 3), 0, 210)
    return float(b), float(g), float(r)


def _blend(paper: Floats, cover: Floats, colour: tuple[float, float, float]) -> Floats:
    """Lay colour over paper where `cover`, 0 to 1, says so."""
    cover = cover[..., None]
    return np.asarray(paper * (1 - cover) + np.array(colour, np.float32) * cover, np.float32)


def _cloud(rng: Generator, shape: tuple[int, ...], grain: float) -> Floats:
    """Smooth noise of unit spread whose spots are about `grain` pixels wide."""
    rows, columns = max(2, int(shape[0] / grain) + 2), max(2, int(shape[1] / grain) + 2)
    field = rng.standard_normal((rows, columns), np.float32)
    return np.asarray(cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _paper(rng: Generator, shape: tuple[int, ...]) -> Floats:
    tone = np.array(rng.choice([250, 240, 225, 200, 175, 150], p=(0.34, 0.24, 0.18, 0.12, 0.08, 0.04)), np.float32)
    tint = rng.choice(
        np.array([[0, 0, 0], [-22, -6, 0], [-10, -3, 0], [2, -3, -10], [-6, 2, -6]]), p=(0.5, 0.14, 0.16, 0.1, 0.1)
    )
    sheet = np.empty((*shape, 3), np.float32)
    sheet[:] = tone + tint + rng.normal(0, 3, 3)
    rough = _cloud(rng, shape, rng.uniform(20, 80)) * rng.uniform(0, 6)
    if rng.random() < 0.5:
        rough += _cloud(rng, shape, rng.uniform(1.5, 4)) * rng.uniform(0, 4)
    return np.asarray(sheet + rough[..., None], np.float32)


def _texture(rng: Generator, ink: Ink, kind: str) -> Floats:
    """How much each pixel of the ink covers the paper, 0 to 1, with the traces of the pen."""
    cover = ink.astype(np.float32) / 255
    if kind == "pencil":
        grain = _cloud(rng, ink.shape, rng.uniform(1.2, 2.5))
        return np.asarray(np.clip(cover * (rng.uniform(0.45, 0.85) + 0.22 * grain), 0, 1), np.float32)
    if kind == "ball-pen":
        pressure = 1 + 0.12 * _cloud(rng, ink.shape, 14) - 0.15 * np.maximum(_cloud(rng, ink.shape, 3) - 1.2, 0)
        return np.asarray(np.clip(cover * pressure * rng.uniform(0.65, 1.0), 0, 1), np.float32)
    if kind == "ink":
        flow = rng.uniform(0.7, 1.0) + 0.18 * _cloud(rng, ink.shape, 18)
        return np.asarray(np.clip(cover * flow, 0, 1), np.float32)
    if kind == "felt-tip":
        return np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.7) * rng.uniform(0.85, 1.0), np.float32)
    worn = np.clip(1.15 - 0.15 * np.abs(_cloud(rng, ink.shape, 2.5)), 0, 1) if rng.random() < 0.5 else 1.0
    return np.asarray(cover * worn * rng.uniform(0.7, 1.0), np.float32)


def _line(canvas: Ink, start: tuple[float, float], end: tuple[float, float], width: int) -> None:
    points = [(round(x * 16), round(y * 16)) for x, y in (start, end)]
    cv2.line(canvas, points[0], points[1], (255,), width, cv2.LINE_AA, 4)


def _rulings(rng: Generator, shape: tuple[int, ...], box: tuple[int, int, int, int]) -> Floats:
    """Lines of a cell, whole or in part, at the edges or under the writing."""
    height, width = shape
    canvas = np.zeros(shape, np.uint8)
    thick, tilt = int(rng.choice([1, 1, 1, 2, 2, 3])), rng.normal(0, 0.006)
    edges = {
        "below": min(box[3] + rng.uniform(-0.12, 0.2) * CAP, height - 1),
        "above": max(box[1] - rng.uniform(0, 0.25) * CAP, 0),
    }
    for name, share in (("below", 0.6), ("above", 0.25)):
        if rng.random() < share:
            y = edges[name]
            a, b = (0.0, 1.0) if rng.random() < 0.7 else sorted(rng.uniform(0, 1, 2))
            _line(canvas, (a * width, y), (b * width, y + tilt * width), thick)
    for x in (rng.uniform(0, max(box[0], 1)), rng.uniform(min(box[2], width - 1), width)):
        if rng.random() < 0.3:
            _line(canvas, (x, 0), (x - tilt * height, height), thick)
    if rng.random() < 0.2:  # dotted, as many forms are
        canvas[:, ::3] = 0
    gaps = (_cloud(rng, shape, 12) > rng.uniform(-2.5, -0.3)) if rng.random() < 0.5 else 1.0
    return np.asarray(canvas.astype(np.float32) / 255 * gaps * rng.uniform(0.3, 1.0), np.float32)


def _comb(rng: Generator, shape: tuple[int, ...], box: tuple[int, int, int, int]) -> Floats:
    """The frame of a field of boxes: short or full uprights at even distances, behind the writing."""
    canvas = np.zeros(shape, np.uint8)
    step = rng.uniform(0.55, 1.1) * CAP
    top = box[3] - rng.uniform(0.15, 1.2) * (box[3] - box[1])
    for x in np.arange(rng.uniform(0, step), shape[1], step):
        _line(canvas, (x, top), (x, box[3] + 2), 1)
    _line(canvas, (0, box[3] + 2), (shape[1], box[3] + 2), 1)
    return np.asarray(canvas.astype(np.float32) / 255 * rng.uniform(0.15, 0.55), np.float32)


def _intruder(
    rng: Generator, shape: tuple[int, ...], words: tuple[Ink, ...], box: tuple[int, int, int, int] | None
) -> Ink:
    """A neighbour's word reaching in from above or below; with no box, anywhere (the other side of the paper)."""
    canvas = np.zeros(shape, np.uint8)
    word = words[int(rng.integers(len(words)))][: shape[0], : shape[1]]
    x = int(rng.integers(0, max(shape[1] - word.shape[1], 0) + 1))
    if box is None:
        y = int(rng.integers(0, max(shape[0] - word.shape[0], 0) + 1))
        canvas[y : y + word.shape[0], x : x + word.shape[1]] = word
    elif rng.random() < 0.6:
        seen = word[-max(1, int(min(box[1], 0.35 * CAP))) :]
        canvas[: seen.shape[0], x : x + seen.shape[1]] = seen
    else:
        seen = word[: max(1, int(min(shape[0] - box[3], 0.35 * CAP)))]
        canvas[shape[0] - seen.shape[0] :, x : x + seen.shape[1]] = seen
    return canvas


def _label(rng: Generator, shape: tuple[int, ...], labels: tuple[Ink, ...], box: tuple[int, int, int, int]) -> Floats:
    """The lower or upper half of a small printed label at the edge of the field."""
    canvas = np.zeros(shape, np.uint8)
    label = labels[int(rng.integers(len(labels)))]
    scale = rng.uniform(0.25, 0.45)
    small = np.asarray(cv2.resize(label, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    room = max(1, min(box[1], int(rng.uniform(0.3, 0.8) * small.shape[0])))
    seen = small[-room:, : shape[1]]
    canvas[: seen.shape[0], : seen.shape[1]] = seen
    return np.asarray(canvas.astype(np.float32) / 255 * rng.uniform(0.5, 1.0), np.float32)


def _crossed_out(rng: Generator, ink: Ink, left: int) -> Ink:
    """A word struck out before the text: scribble wide enough that nobody would read it as a sign."""
    height = ink.shape[0]
    wide = int(rng.uniform(0.8, 2.5) * CAP)
    blot = np.zeros((height, wide), np.uint8)
    n = int(rng.integers(8, 20))
    xs = np.linspace(4, wide - 4, n) + rng.normal(0, 5, n)
    ys = height * (0.5 + 0.28 * rng.uniform(0.4, 1, n) * np.where(np.arange(n) % 2, 1, -1))
    points = np.round(np.stack([xs, ys], 1) * 16).astype(np.int32)
    cv2.polylines(blot, [points], False, (255,), int(rng.integers(2, 4)), cv2.LINE_AA, 4)
    return np.concatenate([ink[:, :left], blot, np.zeros((height, 8), np.uint8), ink[:, left:]], 1)
