"""Pieces of handwriting and how they join: glyphs with their baseline in, one line of ink out.

Ink is an array (height, width) of 0 (paper) to 255 (ink). `CAP` pixels are the height of a capital above the baseline.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Ink = NDArray[np.uint8]

CAP = 40


@dataclass(frozen=True)
class Glyph:
    """A piece of ink, its rows above the baseline, and the free pixels it keeps before the next piece."""

    ink: Ink
    rise: int
    gap: int = 0


def trim(ink: Ink, least: int = 1) -> Ink:
    """The part of an array that holds ink; one empty pixel where there is none."""
    rows, columns = np.flatnonzero(ink.max(1) > 60), np.flatnonzero(ink.max(0) > 60)
    if not len(rows):
        return np.zeros((least, least), np.uint8)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def join(glyphs: list[Glyph]) -> Glyph:
    """Set glyphs one behind the other on one baseline; a gap below zero lets neighbours overlap."""
    rise = max(glyph.rise for glyph in glyphs)
    depth = max(glyph.ink.shape[0] - glyph.rise for glyph in glyphs)
    width = sum(glyph.ink.shape[1] + max(glyph.gap, 0) for glyph in glyphs)
    line = np.zeros((max(rise + depth, 1), width), np.uint8)
    x = 0
    for glyph in glyphs:
        height, wide = glyph.ink.shape
        at = line[rise - glyph.rise : rise - glyph.rise + height, x : x + wide]
        np.maximum(at, glyph.ink, out=at)
        x += max(wide + glyph.gap, 1)
    return Glyph(line[:, : max(x - glyphs[-1].gap, 1)], rise)


def scaled(glyph: Glyph, fx: float, fy: float) -> Glyph:
    """The glyph in another size."""
    height, width = glyph.ink.shape
    size = max(1, round(width * fx)), max(1, round(height * fy))
    way = cv2.INTER_AREA if fy < 1 else cv2.INTER_CUBIC
    return Glyph(
        np.asarray(cv2.resize(glyph.ink, size, interpolation=way), np.uint8), round(glyph.rise * fy), glyph.gap
    )


def leaning(ink: Ink, slant: float, turn: float = 0.0) -> Ink:
    """Ink with its uprights leaning by `slant` (x per y, right positive) and turned by `turn` radians."""
    height, width = ink.shape
    pad = int(abs(slant) * height / 2 + abs(turn) * max(height, width) / 2) + 2
    move = np.array([[1, -slant - turn, 0], [turn, 1, 0]], np.float32)
    move[:, 2] = [pad, pad] - move[:, :2] @ [width / 2, height / 2] + [width / 2, height / 2]
    return np.asarray(cv2.warpAffine(ink, move, (width + 2 * pad, height + 2 * pad)), np.uint8)


def pen(rng: Generator, ink: Ink, change: float) -> Ink:
    """Strokes wider (change > 0) or thinner by about so many pixels, as with another pen."""
    step = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    whole, part = int(abs(change)), abs(change) % 1
    work = cv2.dilate if change > 0 else cv2.erode
    out = work(ink, step, iterations=whole) if whole else ink
    if part > 0.05:
        out = cv2.addWeighted(work(out, step), part, out, 1 - part, 0)
    # a pen never gets so thin that the stroke is gone
    return np.asarray(np.maximum(out, ink // 2) if change < 0 else out, np.uint8)


def stroke_width(ink: Ink) -> float:
    """Mean width of the strokes in pixels: twice the ink's area over its outline's length."""
    on = (ink > 127).astype(np.uint8)
    edge = int(on.sum()) - int(cv2.erode(on, np.ones((3, 3), np.uint8)).sum())
    return 2.0 * float(on.sum()) / max(edge, 1)


def wobble(rng: Generator, ink: Ink, strength: float) -> Ink:
    """Bend a line as a hand does: the baseline drifts, strokes swell to the side; strength 1 is an ordinary hand."""
    height, width = ink.shape
    knots = max(2, width // (height + 8)) + 2
    drift = np.asarray(
        cv2.resize(
            rng.normal(0, 0.05 * height * strength, (1, knots)).astype(np.float32),
            (width, 1),
            interpolation=cv2.INTER_CUBIC,
        )
    )
    grid = (4, max(4, width // 20))
    dx, dy = (
        cv2.resize(
            rng.normal(0, 0.028 * height * strength, grid).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    )
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.asarray(cv2.remap(ink, x + dx, y + dy + drift, cv2.INTER_LINEAR), np.uint8)
