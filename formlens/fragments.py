"""Crests of dark bands go in; the lines that they are pieces of come out, each followed from end to end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Plane = NDArray[np.integer[Any] | np.floating[Any]]
"""What OpenCV says that it returns."""


@dataclass(frozen=True)
class Ruling:
    """A line followed from `start` to `end` along one axis; `along` grows, `across` is its place at each of them.

    For a level ruling `along` is x and `across` is y; for an upright one the other way round.
    """

    along: Floats
    across: Floats
    start: float
    end: float
    ink: float
    """How much ink a pixel of its length carries: contrast to the paper (0 to 255) times width in pixels."""
    printed: bool = False
    """Whether it is a line that the paper was sold with."""

    def at(self, along: Floats | float) -> Floats:
        """Its place across at these places along it; straight on beyond its ends."""
        return np.asarray(np.interp(along, self.along, self.across), dtype=np.float64)

    @property
    def length(self) -> float:
        """Its length in pixels."""
        return self.end - self.start


def find_fragments(peak: NDArray[np.bool_], crest: Plane, raw: Callable[[Whole, Whole], Plane]) -> list[Ruling]:
    """The connected runs of crest pixels that are inked almost all along, each as a line from left to right.

    `raw` gives the ink at places (x, y) before it was smoothed along the line.
    """
    linked = cv2.dilate(peak.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(linked, connectivity=8)
    ys, xs = np.nonzero(peak)
    names = labels[ys, xs]
    size = np.maximum(np.bincount(names, minlength=count), 1)
    inked = raw(xs, ys) > 0.8 * crest[ys, xs]
    kept = ((size >= 15) & (np.bincount(names[inked], minlength=count) > 0.7 * size))[names]
    ys, xs, names = ys[kept], xs[kept], names[kept]
    if not len(names):
        return []
    place = names.astype(np.int64) * peak.shape[1] + xs
    order = np.argsort(place, kind="stable")
    place, first, here = np.unique(place[order], return_index=True, return_counts=True)
    across = np.add.reduceat(ys[order], first) / here
    ink = np.add.reduceat(np.asarray(crest[ys, xs], np.float64)[order], first) / here
    names, along = np.divmod(place, peak.shape[1])
    bounds = np.flatnonzero(np.diff(names)) + 1
    lines = zip(*(np.split(values, bounds) for values in (along.astype(np.float64), across, ink)), strict=True)
    return [part for line in lines for part in _parted(*line)]


def _parted(along: Floats, across: Floats, ink: Floats) -> list[Ruling]:
    """One ruling, or several where a pen followed a printed line for a while: cut where the ink changes for good."""
    cuts = np.array([], np.intp)
    if len(ink) > 80:
        low, high = np.percentile(ink, [10, 90])
        if high > 2.2 * low:
            usual = cv2.blur(ink.astype(np.float32)[None], (41, 1), borderType=cv2.BORDER_REPLICATE)[0]
            cuts = np.flatnonzero(np.diff(usual > np.sqrt(low * high))) + 1
    parts = zip(np.split(along, cuts), np.split(across, cuts), np.split(ink, cuts), strict=True)
    return [
        Ruling(x, y, float(x[0]), float(x[-1]), float(np.sort(v)[len(v) // 2])) for x, y, v in parts if len(x) >= 15
    ]


def _end_slopes(along: Floats, across: Floats) -> tuple[float, float]:
    """Slope at the start and at the end; that of a short line is drawn towards level, which the family is."""
    head = int(np.searchsorted(along, along[0] + 80, "right"))
    tail = int(np.searchsorted(along, along[-1] - 80))
    return _slope(along[:head], across[:head]), _slope(along[tail:], across[tail:])


def _slope(x: Floats, y: Floats) -> float:
    x = x - x.sum() / len(x)
    spread = float(x @ x)
    return float(x @ y) / spread * len(x) / (len(x) + 30.0) if spread else 0.0


def join(fragments: list[Ruling], width: int) -> list[Ruling]:
    """Join fragments that continue each other, the nearest first, until none does."""
    for _ in range(4):
        joined = _join_once(fragments, width)
        if len(joined) == len(fragments):
            break
        fragments = joined
    return fragments


def _join_once(fragments: list[Ruling], width: int) -> list[Ruling]:
    if len(fragments) < 2:
        return fragments
    slopes = np.array([_end_slopes(f.along, f.across) for f in fragments])
    start = np.array([(f.start, f.across[:5].mean()) for f in fragments])
    end = np.array([(f.end, f.across[-5:].mean()) for f in fragments])
    length = np.array([f.length for f in fragments])
    gap = start[None, :, 0] - end[:, None, 0]
    half = np.maximum(gap, 0) / 2
    off = np.abs((end[:, None, 1] + slopes[:, None, 1] * half) - (start[None, :, 1] - slopes[None, :, 0] * half))
    bridge = np.clip(0.8 * np.minimum(length[:, None], length[None, :]), 24, 0.2 * width)
    ink = np.array([f.ink for f in fragments])
    alike = np.maximum(ink[:, None], ink[None, :]) < 2.0 * np.minimum(ink[:, None], ink[None, :])
    fits = (gap > -12) & (gap < bridge) & (off < 3 + 0.05 * half) & alike
    np.fill_diagonal(fits, False)
    cost = np.where(fits, off + 0.1 * half, np.inf)
    after: dict[int, int] = {}
    taken: set[int] = set()
    for index in np.argsort(cost, axis=None)[: int(fits.sum())]:
        a, b = divmod(int(index), len(fragments))
        if a not in after and b not in taken:
            after[a] = b
            taken.add(b)
    heads = [i for i in range(len(fragments)) if i not in taken]
    return [_chained(fragments, i, after) for i in heads]


def _chained(fragments: list[Ruling], head: int, after: dict[int, int]) -> Ruling:
    chain = [fragments[head]]
    while head in after:
        head = after[head]
        chain.append(fragments[head])
    if len(chain) == 1:
        return chain[0]
    along = np.concatenate([c.along for c in chain])
    across = np.concatenate([c.across for c in chain])
    order = np.argsort(along, kind="stable")
    ink = float(np.average([c.ink for c in chain], weights=[c.length + 1 for c in chain]))
    return Ruling(along[order], across[order], along.min(), along.max(), ink)


def finished(ruling: Ruling, slope: float, shift: float) -> Ruling:
    """Put back upright, smoothed, thinned out, and led straight on beyond both ends."""
    grid = np.append(np.arange(ruling.start, ruling.end, 6.0), ruling.end)
    across = np.interp(grid, ruling.along, ruling.across)
    if len(across) >= 5:
        padded = np.concatenate([2 * across[0] - across[2:0:-1], across, 2 * across[-1] - across[-2:-4:-1]])
        across = np.convolve(padded, np.ones(5) / 5, mode="valid")
    first, last = _end_slopes(grid, across)
    far = 4000.0
    grid = np.concatenate([[grid[0] - far], grid, [grid[-1] + far]])
    across = np.concatenate([[across[0] - far * first], across, [across[-1] + far * last]])
    return replace(ruling, along=grid, across=across + slope * grid - shift)
