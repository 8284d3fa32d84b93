"""An image goes in; the four corners of the one sheet of paper on it come out, or None when in doubt.

Many outlines are tried, and one is believed only if all of its four sides are a step from light paper to what lies
around it. A drawn frame is no such step, the paper goes on behind it. `search` does it in short pieces, for who has
other things to see to between them.
"""

from collections.abc import Generator, Iterator
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.types import Image

Floats = NDArray[np.float64]


_PIECE = 6
"""Outlines whose sides are looked at in one piece of a search."""


def find_sheet(image: Image) -> Floats | None:
    """The corners of the one sheet on an image, shape (4, 2), clockwise from top left, or None when in doubt."""
    pieces = search(image)
    while True:
        try:
            next(pieces)
        except StopIteration as done:
            found: Floats | None = done.value
            return found


def search(image: Image) -> Generator[None, None, Floats | None]:
    """As `find_sheet`, in pieces of about the same length: a generator that yields between them and returns it."""
    scale = min(1.0, 640 / max(image.shape[:2]))
    reduced = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = np.asarray(cv2.medianBlur(reduced, 5), np.uint8)
    yield
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    yield
    closed = np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((13, 13), np.uint8)), np.uint8)
    yield
    best, best_quad, looked = 0.0, None, 0
    for quads in _candidates(closed):
        for quad in map(_clockwise, quads):
            if _share(quad, small) ** 0.5 <= best:  # an outline is never surer than its size allows
                continue
            looked += 1
            if looked % _PIECE == 0:
                yield
            sure = _sheet_evidence(lab, quad)
            if sure > best:
                best, best_quad = sure, quad
        yield
    if best_quad is None:
        return None
    return _clockwise((best_quad + 0.5) / scale - 0.5)


def _candidates(closed: Image) -> Iterator[list[Floats]]:
    """Four-sided outlines that a sheet might have: of light regions, and between long straight edges; ink is closed.

    What takes longer is parted by an empty list.
    """
    lab = cv2.cvtColor(closed, cv2.COLOR_BGR2LAB)
    smallest = 0.12 * closed.shape[0] * closed.shape[1]
    for channel, inverted in ((0, False), (0, True), (1, False), (2, True), (2, False)):
        plane = lab[..., channel]
        level, _ = cv2.threshold(plane, 0, 255, cv2.THRESH_OTSU)
        for shift in (0,) if channel else (-18, 0, 18):
            mask = (plane < level + shift) if inverted else (plane >= level + shift)
            yield _outlines(mask.astype(np.uint8), smallest)
    edges = np.zeros(closed.shape[:2], np.uint8)
    for plane in cv2.split(closed):
        edges = np.maximum(edges, np.asarray(cv2.Canny(plane, 30, 90), np.uint8))
        yield []
    # regions that edges enclose
    walls = cv2.dilate(edges, np.ones((5, 5), np.uint8))
    yield _outlines(np.asarray(1 - walls // 255, np.uint8), smallest)
    gray = cv2.cvtColor(closed, cv2.COLOR_BGR2GRAY)
    edges = np.asarray(cv2.Canny(cv2.GaussianBlur(gray, (0, 0), 1.5), 20, 60), np.uint8)
    yield []
    lines = _lines(edges)
    yield []
    yield _between(lines, closed.shape)


def _outlines(mask: NDArray[np.uint8], smallest: float) -> list[Floats]:
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        if cv2.contourArea(contour) < smallest:
            continue
        hull = cv2.convexHull(contour)
        for share in (0.02, 0.035, 0.05):
            corners = cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True)
            if len(corners) == 4:
                found.append(corners[:, 0].astype(np.float64))
                break
    return found


def _lines(edges: NDArray[np.uint8]) -> Floats:
    """The longest straight edges, shape (n, 4): both ends of each."""
    least = 0.25 * min(edges.shape)
    segments = cv2.HoughLinesP(edges, 1, np.pi / 360, 50, minLineLength=least, maxLineGap=12)
    if segments is None:
        return np.zeros((0, 4))
    lines = segments[:, 0].astype(np.float64)
    length = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
    return np.asarray(lines[np.argsort(-length)][:40])


def _between(lines: Floats, shape: tuple[int, ...]) -> list[Floats]:
    """Quads between level and upright lines."""
    flat = np.abs(lines[:, 2] - lines[:, 0]) > np.abs(lines[:, 3] - lines[:, 1])
    level, upright = _outermost(lines[flat], 1, shape[0]), _outermost(lines[~flat], 0, shape[1])
    quads = []
    for a, b in combinations(level, 2):
        for c, d in combinations(upright, 2):
            corners = [_meet(a, c), _meet(a, d), _meet(b, d), _meet(b, c)]
            if all(p is not None for p in corners):
                quads.append(np.array(corners, np.float64))
    return quads


def _outermost(lines: Floats, axis: int, size: int) -> list[Floats]:
    """Up to six lines, no two nearly the same."""
    kept: list[Floats] = []
    for line in lines:
        place = np.array([line[axis], line[axis + 2]]).mean()
        if all(abs(place - np.array([k[axis], k[axis + 2]]).mean()) > 0.03 * size for k in kept):
            kept.append(line)
    return kept[:6]


def _meet(a: Floats, b: Floats) -> Floats | None:
    p, r = a[:2], a[2:] - a[:2]
    q, s = b[:2], b[2:] - b[:2]
    turn = r[0] * s[1] - r[1] * s[0]
    if abs(turn) < 1e-6:
        return None
    t = ((q - p)[0] * s[1] - (q - p)[1] * s[0]) / turn
    return np.asarray(p + t * r)


def _clockwise(quad: Floats) -> Floats:
    centre = quad.mean(axis=0)
    order = np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))
    quad = quad[order]
    return np.asarray(np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0))


def _share(quad: Floats, image: NDArray[Any]) -> float:
    """How much of an image lies within a quad."""
    return float(cv2.contourArea(quad.astype(np.float32)) / (image.shape[0] * image.shape[1]))


def _sheet_evidence(lab: NDArray[np.float32], quad: Floats) -> float:
    """How surely a quad, clockwise, is a sheet, 0 if it is none: its size times what of its outline is a step."""
    height, width = lab.shape[:2]
    area = _share(quad, lab)
    if not 0.15 < area < 0.98 or not _plausible(quad):
        return 0.0
    if (quad < -0.02 * width).any() or (quad > [1.02 * width, 1.02 * height]).any():
        return 0.0
    shares, steps, free = [], [], []
    for k in range(4):
        inner, outer, inside = _sides(lab, quad[k], quad[(k + 1) % 4], quad.mean(axis=0))
        if inside.mean() < 0.5:
            return 0.0
        step = inner[inside] - outer[inside]
        distance = np.linalg.norm(step, axis=1)
        sign = np.sign(np.median(step[:, 0]))
        shares.append(float(((distance > 10) & (np.sign(step[:, 0]) == sign)).mean()))
        steps.append(float(np.median(step[:, 0])))
        free.append(float(inside.mean()))
        if shares[-1] < 0.7 or steps[-1] < 4:
            return 0.0
    if np.mean(shares) < 0.82:
        return 0.0
    return float(area**0.5 * np.mean(shares) * np.mean(free))


def _plausible(quad: Floats) -> bool:
    if not cv2.isContourConvex(quad.astype(np.float32)):
        return False
    sides = np.roll(quad, -1, axis=0) - quad
    length = np.linalg.norm(sides, axis=1)
    back = -np.roll(sides, 1, axis=0)
    cosine = (sides * back).sum(axis=1) / np.maximum(length * np.roll(length, 1), 1e-6)
    ratio = np.array([length[0] / length[2], length[1] / length[3]])
    return bool(np.abs(cosine).max() < 0.5 and ratio.max() < 2.2 and ratio.min() > 0.45 and length.min() > 60)


def _sides(lab: NDArray[np.float32], a: Floats, b: Floats, centre: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Colours a little inside and a little outside of an edge, at places along it, and where both are on the image."""
    along = (b - a) / np.linalg.norm(b - a)
    normal = np.array([-along[1], along[0]])
    if normal @ (centre - a) < 0:
        normal = -normal
    points = a + (b - a) * np.linspace(0.04, 0.96, 48)[:, None]
    height, width = lab.shape[:2]

    def colour(distances: tuple[int, ...]) -> tuple[Floats, NDArray[np.bool_]]:
        values, there = [], np.ones(len(points), np.bool_)
        for distance in distances:
            x, y = (points + distance * normal).T
            there &= (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
            values.append(
                lab[np.clip(np.round(y), 0, height - 1).astype(int), np.clip(np.round(x), 0, width - 1).astype(int)]
            )
        return np.median(values, axis=0), there

    inner, a_there = colour((4, 7, 10))
    outer, b_there = colour((-4, -7, -10))
    return inner, outer, a_there & b_there
