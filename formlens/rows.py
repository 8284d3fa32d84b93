"""A strip of a page that holds rows of writing goes in; where each row runs comes out, with rulings or without them.

Writing adds up to a profile along the strip's height; a row is where the profile stands out from what is half a row
above and below. Rows follow each other at about one pitch, so the best chain of them is found as a whole (dynamic
programming), and a row that is out of step with the others costs, but is not impossible.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray, contrast_to, noise_of, paper_of
from formlens.types import Image

Floats = NDArray[np.float64]

_STEEPEST = 0.03
"""How far the slope of rows may be off what is square to the edges of their strip."""
_OUT_OF_STEP = 6.0
"""Cost of a distance of two rows that is off by its own pitch, in rows of usual weight."""
_LEAST = 0.25
"""Weight of a row that is as likely none, in rows of usual weight."""


@dataclass(frozen=True)
class Rows:
    """Rows of a strip: the middle of each, from top to bottom, where the strip's own middle column is."""

    middles: Floats
    pitch: float
    slope: float
    """Pixels down for each pixel to the right."""

    def bounds(self) -> Floats:
        """Where rows begin and end, shape (rows + 1,): halfway between two, and half a pitch beyond the outer ones."""
        if not len(self.middles):
            return np.zeros(1)
        half = np.minimum(np.diff(self.middles), self.pitch) / 2
        before = np.append(0.5 * self.pitch, half)
        return np.append(self.middles - before, self.middles[-1] + 0.5 * self.pitch)


def ink_of(strip: Image, detail: float) -> Gray:
    """Where a strip is written on, 1 or 0; long level and upright lines do not count."""
    contrast = contrast_to(paper_of(strip, detail), strip)
    floor = max(4.0 * noise_of(contrast), 14.0)
    dark = contrast[contrast > floor]
    weak = max(floor, 0.3 * float(np.percentile(dark, 97))) if len(dark) > 50 else floor
    ink = np.asarray(contrast > weak, np.uint8)
    width = ink.shape[1]
    for long in ((1, max(30, width // 3)), (max(30, round(4 * detail)), 1)):
        linked = cv2.morphologyEx(cv2.dilate(ink, np.ones((3, 3), np.uint8)), cv2.MORPH_OPEN, np.ones(long, np.uint8))
        ink[linked > 0] = 0
    return ink


def slope_of(ink: Gray, about: float = 0.0) -> float:
    """The slope, not far from the one given, at which the rows of a strip add up to the sharpest profile."""
    height, width = ink.shape
    parts = np.array_split(np.arange(width), 12)
    columns = np.stack([ink[:, part].sum(axis=1) for part in parts], axis=1).astype(np.float32)
    places = np.array([part.mean() - width / 2 for part in parts])
    levels = np.arange(height)[:, None]

    def sharpness(slope: float) -> float:
        rows = np.clip(levels + np.round(slope * places).astype(np.intp), 0, height - 1)
        profile = np.take_along_axis(columns, rows, axis=0).sum(axis=1)
        return float((cv2.GaussianBlur(profile[None], (0, 0), 2.0) ** 2).sum())

    slopes = about + np.linspace(-_STEEPEST, _STEEPEST, 31)
    scores = np.array([sharpness(slope) for slope in slopes])
    return float(slopes[scores >= 0.998 * scores.max()].mean())


def profile_of(ink: Gray, slope: float) -> Floats:
    """How much ink each level has, along the slope; shape (height,)."""
    height, width = ink.shape
    shear = np.array([[1, 0, 0], [-slope, 1, slope * width / 2]], np.float64)
    level = cv2.warpAffine(ink, shear, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(level.sum(axis=1), np.float64)


def pitch_of(profiles: list[Floats], least: float, most: float) -> float:
    """The distance between rows at which profiles repeat, between two bounds; 0 where they do not."""
    most = min(most, max(map(len, profiles), default=0) / 2 - 3)  # a short table has close rows, or too few
    if most < least:
        return 0.0
    total = np.zeros(round(most) + 2)
    for profile in profiles:
        sharp = profile - cv2.GaussianBlur(profile[None], (0, 0), most / 2)[0]
        sharp = cv2.GaussianBlur(sharp[None], (0, 0), 2.0)[0]
        norm = float(sharp @ sharp)
        if norm > 0 and len(sharp) > 2 * len(total):
            total += [float(sharp[: len(sharp) - lag] @ sharp[lag:]) / norm for lag in range(len(total))]
    peaks = [
        lag for lag in range(max(2, round(least)), len(total) - 1)
        if total[lag] > 0 and total[lag] >= max(total[lag - 1], total[lag + 1])
    ]  # fmt: skip
    if not peaks:
        return 0.0
    best = max(total[lag] for lag in peaks)
    return float(next(lag for lag in peaks if total[lag] > 0.7 * best))


def find_rows(profile: Floats, pitch: float, slope: float = 0.0) -> Rows:
    """The chain of rows that stands out most from a profile, given about how far apart rows are."""
    gain = _standing_out(profile, pitch)
    usual = float(np.percentile(gain[gain > 0], 90)) if (gain > 0).any() else 0.0
    if usual <= 0:
        return Rows(np.zeros(0), pitch, slope)
    gain = gain / usual - _LEAST
    near, far = max(1, round(0.6 * pitch)), round(1.45 * pitch)
    steps = np.arange(near, far + 1)
    cost = _OUT_OF_STEP * (steps / pitch - 1) ** 2
    best = gain.copy()
    before = np.full(len(gain), -1)
    top = np.full(len(gain), -np.inf)
    """The best chain that ends at or above a level, and where."""
    ends = np.full(len(gain), -1)
    for y in range(len(gain)):
        at = y - steps
        there = at[at >= 0]
        if len(there):
            chained = best[there] - cost[: len(there)]
            k = int(chained.argmax())
            if chained[k] > 0:
                best[y], before[y] = gain[y] + chained[k], there[k]
        if y > far and top[y - far - 1] - 1.0 > max(best[y] - gain[y], 0.0):
            best[y], before[y] = gain[y] + top[y - far - 1] - 1.0, ends[y - far - 1]
        top[y], ends[y] = (best[y], y) if not y or best[y] > top[y - 1] else (top[y - 1], ends[y - 1])
    y = int(best.argmax())
    middles: list[int] = []
    while y >= 0 and best[y] > 0:
        middles.append(y)
        y = int(before[y])
    return Rows(np.array(middles[::-1], np.float64), pitch, slope)


def _standing_out(profile: Floats, pitch: float) -> Floats:
    """How much more ink a row in the middle of each level would have than what lies between rows."""
    half = max(1, round(0.22 * pitch))
    mean = cv2.blur(profile[None], (2 * half + 1, 1), borderType=cv2.BORDER_CONSTANT)[0]
    between = round(0.5 * pitch)
    padded = np.pad(cv2.blur(profile[None], (max(1, half // 2) * 2 + 1, 1), borderType=cv2.BORDER_CONSTANT)[0], between)
    sides = (padded[: len(profile)] + padded[2 * between :]) / 2
    return np.asarray(mean - np.minimum(sides, mean * 2), np.float64)
