"""Ink without rulings goes in; which pieces of it are writing, and the cell that each belongs to, come out."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.bands import Rulings
from formlens.ink import Gray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """The connected pieces of some ink, numbered from 1; shapes (height, width), (pieces+1, 5) and (pieces+1,)."""

    names: NDArray[np.int32]
    boxes: NDArray[np.int32]
    """Left, top, width, height and area, as OpenCV has them."""
    cell: NDArray[np.intp]
    """Row-major number of the cell that holds most of each piece; -1 where it is no writing."""


def find_writing(ink: Gray, contrast: Gray, rulings: Rulings, corners: Floats, weak: float) -> Pieces:
    """Number the pieces of ink (0, 1), say whose they are, and drop what is no writing."""
    tall = float(np.median(np.linalg.norm(np.diff(corners, axis=0), axis=2)))
    names, boxes, cell = _owned(ink, corners)
    cell[~_is_pen(names, boxes, contrast, rulings, weak, tall)] = -1
    cell[_is_remnant(names, boxes, rulings, cell, tall)] = -1
    cell[_is_faint(names, boxes, contrast, cell)] = -1
    cell[_is_stray(boxes, cell)] = -1
    return Pieces(names, boxes, cell)


def _owned(ink: Gray, corners: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.intp]]:
    """Pieces, their boxes and their cells; -1 for those mostly outside the table and for the ground."""
    cells = _cell_map(corners, ink.shape[:2])
    count = int(cells.max()) + 1
    labels, named, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    names, boxes = np.asarray(named, np.int32), np.asarray(stats, np.int32)
    votes = _votes(names, cells, labels, count)
    # writing of two cells that touches is parted at their border; a digit that only reaches over stays whole
    second = np.partition(votes[:, 1:], -2, axis=1)[:, -2] if count > 2 else np.zeros(labels)
    shared = second > 0.3 * votes.sum(axis=1)
    shared[0] = False
    if shared.any():
        torn = shared[names]
        for value in np.unique(cells[torn]):
            part = torn & (cells == value)
            ink_part = part.astype(np.uint8)
            more, fresh = cv2.connectedComponents(ink_part, connectivity=8)
            names[part] = fresh[part] + labels - 1
            labels += more - 1
        boxes = _boxes(names, labels)
        votes = _votes(names, cells, labels, count)
    cell = votes.argmax(axis=1) - 1
    cell[0] = -1
    return names, boxes, np.asarray(cell, np.intp)


def _cell_map(corners: Floats, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """The row-major number, from 1, of the cell in which each pixel lies; 0 outside."""
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    cells = np.zeros(shape, np.int32)
    for i in range(rows):
        for j in range(columns):
            quad = corners[[i, i, i + 1, i + 1], [j, j + 1, j + 1, j]]
            cv2.fillConvexPoly(cells, np.round(quad).astype(np.int32), i * columns + j + 1)
    return cells


def _votes(names: NDArray[np.int32], cells: NDArray[np.int32], labels: int, count: int) -> NDArray[np.intp]:
    inked = names > 0
    votes = np.bincount(names[inked] * count + cells[inked], minlength=labels * count)
    return votes.reshape(labels, count)


def _boxes(names: NDArray[np.int32], labels: int) -> NDArray[np.int32]:
    ys, xs = np.nonzero(names)
    name = names[ys, xs]
    low = np.full((labels, 2), np.iinfo(np.int32).max)
    high = np.full((labels, 2), -1)
    np.minimum.at(low, name, np.stack([xs, ys], axis=1))
    np.maximum.at(high, name, np.stack([xs, ys], axis=1))
    area = np.bincount(name, minlength=labels)
    return np.concatenate([low, high - low + 1, area[:, None]], axis=1).astype(np.int32)


def _is_pen(
    names: NDArray[np.int32], boxes: NDArray[np.int32], contrast: Gray, rulings: Rulings, weak: float, tall: float
) -> Flags:
    """Which pieces are ink of a pen: large and dark enough, and not a remnant at a ruling's edge."""
    inked = names > 0
    name = names[inked]
    strong = np.bincount(name[contrast[inked] > 1.5 * weak], minlength=len(boxes))
    edge = round(max(1.0, 0.3 * rulings.width))
    beside = cv2.dilate(rulings.bands, np.ones((2 * edge + 1, 2 * edge + 1), np.uint8))[inked] > 0
    free = np.bincount(name[~beside], minlength=len(boxes))
    area = boxes[:, cv2.CC_STAT_AREA]
    smallest = max(5.0, 0.5 * min(rulings.width, 0.08 * tall) ** 2)
    return np.asarray((area >= smallest) & (strong >= 0.2 * smallest) & (free >= 0.25 * area) & (free >= 3), np.bool_)


def _is_remnant(
    names: NDArray[np.int32], boxes: NDArray[np.int32], rulings: Rulings, cell: NDArray[np.intp], tall: float
) -> Flags:
    """Which pieces are a bulge of a ruling or a neighbour's reach: small, at a ruling, and alone in the cell."""
    edge = cv2.dilate(rulings.bands, np.ones((3, 3), np.uint8)) > 0
    touching = np.bincount(names[edge], minlength=len(boxes)) > 0
    wide, high = boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]
    digits = high[(cell >= 0) & (high > 0.2 * tall)]
    usual = float(np.median(digits)) if len(digits) else 0.4 * tall
    small = touching & ((np.maximum(wide, high) < 0.4 * usual) | ((high < 0.25 * usual) & (wide < usual)))
    return np.asarray(small & ~np.isin(cell, cell[~small & (cell >= 0)]), np.bool_)


def _is_faint(names: NDArray[np.int32], boxes: NDArray[np.int32], contrast: Gray, cell: NDArray[np.intp]) -> Flags:
    """Which pieces are much fainter than the writing of the table: print of the other side, erased strokes."""
    inked = names > 0
    area = np.maximum(boxes[:, cv2.CC_STAT_AREA], 1)
    mean = np.bincount(names[inked], weights=contrast[inked], minlength=len(boxes)) / area
    writing = cell >= 0
    if not writing.any():
        return ~writing
    order = np.argsort(mean[writing])
    heavy = np.cumsum(area[writing][order])
    usual = float(mean[writing][order][np.searchsorted(heavy, 0.6 * heavy[-1])])
    return np.asarray(mean < 0.4 * usual, np.bool_)


def _is_stray(boxes: NDArray[np.int32], cell: NDArray[np.intp]) -> Flags:
    """Which pieces are specks: far smaller than their cell's largest, and well away from the large ones."""
    stray = np.zeros(len(boxes), np.bool_)
    for one in set(cell.tolist()) - {-1}:
        pieces = np.flatnonzero(cell == one)
        x, y, wide, tall, area = boxes[pieces, :5].T
        main = area >= 0.25 * area.max()
        reach = 0.6 * (y + tall)[main].max() - 0.6 * y[main].min()
        apart_x = np.maximum(x[main].min() - (x + wide), x - (x + wide)[main].max())
        apart_y = np.maximum(y[main].min() - (y + tall), y - (y + tall)[main].max())
        stray[pieces] = (area < 0.12 * area.max()) & (np.maximum(apart_x, apart_y) > reach)
    return stray
