"""A contrast image and a table's lattice go in; where its rulings run comes out.

Each ruling is followed in a strip of its own along the lattice, by the darkest path that does not leap (dynamic
programming), so that digits beside it do not draw the path away.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray

Floats = NDArray[np.float64]

_STEP = 4
"""Pixels along a ruling for one across: a pen does not turn more sharply from the lattice."""


@dataclass(frozen=True)
class Rulings:
    """Where a table's rulings run: masks (0, 1) of the level and of the upright ones, width in pixels and contrast."""

    level: Gray
    upright: Gray
    width: float
    contrast: float

    @property
    def bands(self) -> Gray:
        """Both directions in one mask."""
        return self.level | self.upright


@dataclass(frozen=True)
class _Band:
    outline: Floats
    width: float
    contrast: float


def find_bands(contrast: Gray, corners: Floats, floor: float) -> Rulings:
    """Follow every ruling of a lattice from end to end; `floor` is the contrast from which something is ink."""
    found = []
    for lines in (corners, corners.transpose(1, 0, 2)):
        room = float(np.median(np.linalg.norm(np.diff(lines, axis=0), axis=2)))
        found.append(_follow(contrast, lines, int(np.clip(0.12 * room, 4, 24)), floor))
    bands = found[0] + found[1]
    if not bands:
        return Rulings(np.zeros_like(contrast), np.zeros_like(contrast), 2.0, floor)
    width = float(np.median([band.width for band in bands]))
    pen = float(np.percentile([band.contrast for band in bands], 80))
    level, upright = (_mask(contrast, some, 0.6 * pen) for some in found)
    return Rulings(level, upright, width, pen)


def _mask(contrast: Gray, bands: list[_Band], faint: float) -> Gray:
    """The bands in one mask; what is clearly darker than a faint printed ruling is no part of it."""
    mask, printed = np.zeros_like(contrast), np.zeros_like(contrast)
    for band in bands:
        target = printed if band.contrast < faint else mask
        cv2.fillPoly(target, [np.round(band.outline).astype(np.int32)], (1,))
    return np.asarray(mask | (printed & (contrast < 1.3 * faint)), np.uint8)


def _follow(contrast: Gray, lines: Floats, reach: int, floor: float) -> list[_Band]:
    """The bands of the rulings of one direction, and of their twins where somebody drew them twice."""
    edge = reach + 8
    longest = max(float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) for line in lines)
    length = max(8, round(longest / _STEP))
    walks = [_walk(line, length) for line in lines]
    strips = [_strip(contrast, points, normals, edge) for points, normals in walks]
    bands = []
    for coverage in (0.4, 0.75):
        inked = [k for k, strip in enumerate(strips) if _usual(strip[8:-8]) > floor]
        if not inked:
            break
        paths = _paths(np.stack([strips[k] for k in inked]), reach)
        for k, path in zip(inked, paths, strict=True):
            strip, (points, normals) = strips[k], walks[k]
            ruling = _profile(strip, path, floor)
            if ruling is None or ruling.coverage < coverage:
                continue
            course = points + (path - edge)[:, None] * normals
            outline = np.concatenate([course - (ruling.up + 1) * normals, (course + (ruling.down + 1) * normals)[::-1]])
            bands.append(_Band(outline, ruling.up + ruling.down + 1, ruling.contrast))
            rows = np.arange(len(strip))[:, None] - path[None]
            strip[(rows >= -ruling.up - 2) & (rows <= ruling.down + 2)] = 0
    return bands


def _walk(line: Floats, length: int) -> tuple[Floats, Floats]:
    """So many points evenly along a line through some points, from a little before to a little behind, and normals."""
    ends = [line[0] + 4 * _unit(line[0] - line[1]), line[-1] + 4 * _unit(line[-1] - line[-2])]
    line = np.concatenate([ends[:1], line, ends[1:]])
    place = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, place[-1], length)
    points = np.stack([np.interp(at, place, line[:, k]) for k in (0, 1)], axis=1)
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return points, np.stack([-along[:, 1], along[:, 0]], axis=1)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6))


def _strip(contrast: Gray, points: Floats, normals: Floats, edge: int) -> Gray:
    """The surroundings of a line laid straight, shape (2 edge + 1, points)."""
    grid = (points[None] + np.arange(-edge, edge + 1)[:, None, None] * normals[None]).astype(np.float32)
    strip = cv2.remap(contrast, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(strip, np.uint8)


def _usual(strip: Gray) -> float:
    """The contrast that most of a strip's length has somewhere across."""
    return float(np.percentile(strip.max(axis=0), 40))


def _paths(strips: Gray, reach: int) -> NDArray[np.intp]:
    """The row of each strip along which the ruling runs, shape (strips, points).

    Ink darker than most of the ruling counts no more than the ruling: digits beside it are to leave it its way.
    """
    count, height, length = strips.shape
    distance = np.abs(np.arange(height) - height // 2)
    ink = np.stack([cv2.blur(s, (3, 3)) for s in strips]).astype(np.float32)
    ink[:, distance > reach] = 0
    usual = np.percentile(ink.max(axis=1), 40, axis=1).astype(np.float32)[:, None, None]
    gain = np.minimum(ink / np.maximum(usual, 1), 1) - (0.1 * distance / reach).astype(np.float32)[None, :, None]
    gain[:, distance > reach] = -9
    gain = np.ascontiguousarray(gain.transpose(2, 0, 1))
    best, came = gain[0], np.empty((length, count, height), np.int8)
    for k in range(1, length):
        moved = np.full((3, count, height), -1e6, np.float32)
        moved[0, :, 1:] = best[:, :-1] - 0.6
        moved[1] = best
        moved[2, :, :-1] = best[:, 1:] - 0.6
        came[k] = moved.argmax(axis=0)
        best = moved.max(axis=0) + gain[k]
    paths = np.empty((count, length), np.intp)
    paths[:, -1] = best.argmax(axis=1)
    for k in range(length - 1, 0, -1):
        paths[:, k - 1] = paths[:, k] + came[k, np.arange(count), paths[:, k]] - 1
    return paths


@dataclass(frozen=True)
class _Profile:
    up: float
    down: float
    contrast: float
    coverage: float


def _profile(strip: Gray, path: NDArray[np.intp], floor: float) -> _Profile | None:
    """How far a ruling reaches to both sides of its path, how dark it is, and how much of the path is inked."""
    half_height = 24
    rows = path[None] + np.arange(-half_height, half_height + 1)[:, None]
    level = np.take_along_axis(strip, np.clip(rows, 0, len(strip) - 1), axis=0)
    level[(rows < 0) | (rows >= len(strip))] = 0
    middle = level[half_height]
    inked = middle > floor
    if not inked.any():
        return None
    dark = float(np.median(middle[inked]))
    half = level > max(0.35 * dark, floor)
    seen = half[half_height]
    up = float(np.median(_run(half[half_height::-1])[seen]))
    down = float(np.median(_run(half[half_height:])[seen]))
    return _Profile(up, down, dark, float(inked.mean()))


def _run(dark: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many rows beyond the first stay dark without a break, column by column."""
    return np.asarray(np.maximum(np.logical_and.accumulate(dark, axis=0).sum(axis=0) - 1, 0), np.intp)
