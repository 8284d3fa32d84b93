"""A contrast image and a table's lattice go in; the mask of its rulings comes out, open where writing crosses them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.fragments import Plane
from formlens.ink import Gray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RulingInk:
    """Where a table's rulings are inked: a mask of 0 and 255, their usual width in pixels and contrast (0 to 255)."""

    mask: Gray
    width: float
    contrast: float


def ruling_ink(contrast: Gray, corners: Floats, floor: float) -> RulingInk:
    """Follow every ruling from crossing to crossing; `floor` is the contrast from which something is ink.

    A stroke that goes on at both sides of a ruling is left; one that ends in it loses what lies in the ruling.
    """
    mask = np.zeros_like(contrast)
    widths, contrasts = [], []
    for lines in (corners, corners.transpose(1, 0, 2)):
        room = float(np.median(np.linalg.norm(np.diff(lines, axis=0), axis=2)))
        for line in lines:
            width, dark = _mark(mask, contrast, line, int(np.clip(0.12 * room, 4, 24)), floor)
            if dark > floor:
                widths.append(width)
                contrasts.append(dark)
    if not widths:
        return RulingInk(mask, 2.0, floor)
    return RulingInk(mask, float(np.median(widths)), float(np.percentile(contrasts, 80)))


def _mark(mask: Gray, contrast: Gray, line: Floats, reach: int, floor: float) -> tuple[float, float]:
    """Draw one ruling into the mask; its width and its contrast."""
    points, normals = _walk(line)
    offsets = np.arange(-reach - 6, reach + 7)
    grid = points[None] + offsets[:, None, None] * normals[None]
    grid = grid.astype(np.float32)
    strip = cv2.remap(contrast, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    centre = _centre(strip, reach)
    rows = centre[None] + np.arange(-6 - reach, 7 + reach)[:, None]
    inside = np.clip(rows, 0, len(offsets) - 1)
    level = np.take_along_axis(strip, inside, axis=0)
    level[(rows < 0) | (rows >= len(offsets))] = 0
    middle = len(level) // 2
    dark = float(np.median(level[middle]))
    if dark <= floor:
        return 0.0, dark
    half = level > max(0.35 * dark, floor)
    seen = half[middle]
    if not seen.any():
        return 0.0, dark
    above, below = _run(half[middle::-1]), _run(half[middle:])
    up, down = float(np.median(above[seen])), float(np.median(below[seen]))
    width = up + down + 1
    beyond = round(max(4.0, width))
    over, under = above >= up + beyond, below >= down + beyond
    crossed = _widened(over, 2) & _widened(under, 2) & ~_widened(_at_crossings(line, len(points)), round(width) + 4)
    above = np.where(above > 2 * up + 3, up, above)
    below = np.where(below > 2 * down + 3, down, below)
    course = points + (centre - len(offsets) // 2)[:, None] * normals
    height, wide = mask.shape
    for step in np.arange(-above.max() - 1, below.max() + 1.5, 0.5):
        there = (step >= -above - 1) & (step <= below + 1) & ~crossed
        x, y = np.round(course[there] + step * normals[there]).astype(int).T
        within = (x >= 0) & (y >= 0) & (x < wide) & (y < height)
        mask[y[within], x[within]] = 255
    return width, dark


def _at_crossings(line: Floats, length: int) -> NDArray[np.bool_]:
    place = 4 + np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    flags = np.zeros(length, np.bool_)
    flags[np.clip(np.round(place).astype(int), 0, length - 1)] = True
    return flags


def _walk(line: Floats) -> tuple[Floats, Floats]:
    """A point a pixel along a line through some points, from a little before to a little behind, and its normals."""
    ends = [line[0] + 4 * _unit(line[0] - line[1]), line[-1] + 4 * _unit(line[-1] - line[-2])]
    line = np.concatenate([ends[:1], line, ends[1:]])
    place = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.arange(0, place[-1], 1.0)
    points = np.stack([np.interp(at, place, line[:, k]) for k in (0, 1)], axis=1)
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return points, np.stack([-along[:, 1], along[:, 0]], axis=1)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6))


def _centre(strip: Plane, reach: int) -> NDArray[np.intp]:
    """The row of a strip along which it is darkest, place by place, without leaps."""
    smooth = cv2.blur(strip, (25, 3)).astype(np.float32)
    distance = np.abs(np.arange(len(strip)) - len(strip) // 2)
    smooth -= (0.6 * distance)[:, None].astype(np.float32)
    smooth[distance > reach] = -1e3
    best = smooth.argmax(axis=0).astype(np.uint8)
    return np.asarray(cv2.medianBlur(best[None], 31)[0], np.intp)


def _run(dark: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many rows beyond the first stay dark without a break, column by column."""
    return np.asarray(np.maximum(np.logical_and.accumulate(dark, axis=0).sum(axis=0) - 1, 0), np.intp)


def _widened(flags: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    return np.asarray(np.convolve(flags, np.ones(2 * by + 1), mode="full")[by:-by] > 0, np.bool_)
