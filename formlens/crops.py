"""A page and one of its tables go in; a picture of the writing in each cell comes out, or None where there is none."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray, contrast_to, noise_of, paper_of
from formlens.tables import Table
from formlens.types import Image
from formlens.unruled import ruling_ink

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Scene:
    """A table's part of the page, dark on light, with its paper, and each pixel's ink component (0: none)."""

    image: Image
    paper: Image
    corners: Floats
    ruled: Gray
    components: NDArray[np.int32]
    boxes: NDArray[np.int32]
    owner: NDArray[np.intp]
    """Row-major number of the cell that holds most of each component; -1 where it is no writing."""


def cut_cells(image: Image, table: Table) -> list[list[Image | None]]:
    """Cut every cell out, put square, without rulings and neighbours' strokes, trimmed to its ink; rows of columns.

    Crops are BGR, dark on light, in the page's resolution, ink with a margin of a sixth of its height all round.
    """
    scene = _scene(image, table)
    own = {cell: np.flatnonzero(scene.owner == cell) for cell in set(scene.owner.tolist()) - {-1}}
    usual = _usual_height(scene, own)
    return [
        [_crop(scene, own.get(i * table.columns + j), table, i, j, usual) for j in range(table.columns)]
        for i in range(table.rows)
    ]


def _scene(image: Image, table: Table) -> _Scene:
    corners = table.corners.astype(np.float64)
    tall = float(np.median(np.linalg.norm(np.diff(corners, axis=0), axis=2)))
    height, width = image.shape[:2]
    x0, y0 = np.maximum(np.floor(corners.min(axis=(0, 1)) - 0.5 * tall), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=(0, 1)) + 0.5 * tall), [width, height]).astype(int)
    part = image[y0:y1, x0:x1]
    part = np.asarray(cv2.bitwise_not(part), np.uint8) if table.light else part
    corners = corners - [x0, y0]
    paper = paper_of(part, min(tall, 60.0))
    contrast = contrast_to(paper, part)
    noise = noise_of(contrast)
    floor = max(4.0 * noise, 12.0)
    rulings = ruling_ink(contrast, corners, floor)
    weak = max(floor, 0.2 * rulings.contrast, 0.3 * _darkest(contrast[rulings.mask == 0], floor))
    ink = ((contrast > weak) & (rulings.mask == 0)).astype(np.uint8)
    count, components, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    owner = _owners(components, count, corners, part.shape[:2])
    owner[~_is_writing(components, boxes, contrast, rulings.mask, rulings.width, weak, tall)] = -1
    owner[_is_faint(components, boxes, contrast, owner)] = -1
    owner[_is_stray(boxes, owner)] = -1
    return _Scene(part, paper, corners, rulings.mask, components, boxes, owner)


def _darkest(contrast: Gray, floor: float) -> float:
    """The contrast of the pen's full strokes, beside which the paper's own lines are faint; 0 where there is no ink."""
    ink = contrast[contrast > floor]
    return float(np.percentile(ink, 97)) if len(ink) > 50 else 0.0


def _owners(components: NDArray[np.int32], count: int, corners: Floats, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """For each component the cell with most of its pixels, -1 for those mostly outside and for the ground."""
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    cells = np.zeros(shape[:2], np.int32)
    for i in range(rows):
        for j in range(columns):
            quad = corners[[i, i, i + 1, i + 1], [j, j + 1, j + 1, j]]
            cv2.fillConvexPoly(cells, np.round(quad).astype(np.int32), i * columns + j + 1)
    inked = components > 0
    votes = np.bincount(components[inked] * (rows * columns + 1) + cells[inked], minlength=count * (rows * columns + 1))
    owner = votes.reshape(count, rows * columns + 1).argmax(axis=1) - 1
    owner[0] = -1
    return np.asarray(owner, np.intp)


def _is_writing(
    components: NDArray[np.int32],
    boxes: NDArray[np.int32],
    contrast: Gray,
    ruled: Gray,
    pen: float,
    weak: float,
    tall: float,
) -> NDArray[np.bool_]:
    """Which components are ink of a pen: large and dark enough, and not a remnant at a ruling's edge."""
    count = len(boxes)
    inked = components > 0
    names, dark = components[inked], contrast[inked]
    strong = np.bincount(names[dark > 1.5 * weak], minlength=count)
    edge = round(max(2.0, 0.6 * pen))
    beside = cv2.dilate(ruled, np.ones((2 * edge + 1, 2 * edge + 1), np.uint8))[inked] > 0
    free = np.bincount(names[~beside], minlength=count)
    area = boxes[:, cv2.CC_STAT_AREA]
    smallest = max(5.0, 0.5 * min(pen, 0.08 * tall) ** 2)
    return np.asarray((area >= smallest) & (strong >= 0.2 * smallest) & (free >= 0.25 * area) & (free >= 3), np.bool_)


def _is_faint(
    components: NDArray[np.int32], boxes: NDArray[np.int32], contrast: Gray, owner: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which components are much fainter than the writing of the table: print of the other side, erased strokes."""
    inked = components > 0
    count = len(boxes)
    area = np.maximum(boxes[:, cv2.CC_STAT_AREA], 1)
    mean = np.bincount(components[inked], weights=contrast[inked], minlength=count) / area
    writing = owner >= 0
    if not writing.any():
        return ~writing
    order = np.argsort(mean[writing])
    heavy = np.cumsum(area[writing][order])
    usual = float(mean[writing][order][np.searchsorted(heavy, 0.6 * heavy[-1])])
    return np.asarray(mean < 0.4 * usual, np.bool_)


def _is_stray(boxes: NDArray[np.int32], owner: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which components are specks: far smaller than their cell's largest, and well away from the large ones."""
    stray = np.zeros(len(boxes), np.bool_)
    for cell in set(owner.tolist()) - {-1}:
        names = np.flatnonzero(owner == cell)
        x, y, wide, tall, area = boxes[names, :5].T
        main = area >= 0.25 * area.max()
        reach = 0.6 * (y + tall)[main].max() - 0.6 * y[main].min()
        apart_x = np.maximum(x[main].min() - (x + wide), x - (x + wide)[main].max())
        apart_y = np.maximum(y[main].min() - (y + tall), y - (y + tall)[main].max())
        stray[names] = (area < 0.12 * area.max()) & (np.maximum(apart_x, apart_y) > reach)
    return stray


def _usual_height(scene: _Scene, own: dict[int, NDArray[np.intp]]) -> float:
    """The usual height of what stands in a cell, in pixels; 0 where nothing does."""
    top, tall = cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT
    heights = []
    for names in own.values():
        boxes = scene.boxes[names]
        heights.append(float((boxes[:, top] + boxes[:, tall]).max() - boxes[:, top].min()))
    return float(np.median(heights)) if heights else 0.0


def _crop(
    scene: _Scene, names: NDArray[np.intp] | None, table: Table, row: int, column: int, usual: float
) -> Image | None:
    if names is None or not len(names):
        return None
    quad = scene.corners[[row, row, row + 1, row + 1], [column, column + 1, column + 1, column]]
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    wide, tall = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    square = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    view = cv2.getPerspectiveTransform(quad.astype(np.float32), square)
    x0, y0, x1, y1 = _extent(scene, names)
    written = np.isin(scene.components[y0:y1, x0:x1], names)
    ys, xs = np.nonzero(written)
    points = cv2.perspectiveTransform(np.stack([xs + x0, ys + y0], axis=1)[None].astype(np.float64), view)[0]
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0) + 1
    lacking = max(0.0, 0.8 * usual - (bottom - top)) / 2
    margin = max(3.0, (bottom - top + 2 * lacking) / 6)
    size = int(np.ceil(right - left + 2 * margin)), int(np.ceil(bottom - top + 2 * (margin + lacking)))
    move = np.array([[1, 0, margin - left], [0, 1, margin + lacking - top], [0, 0, 1]], np.float64)
    return _cleaned(scene, names, move @ view, size)


def _extent(scene: _Scene, names: NDArray[np.intp]) -> tuple[int, int, int, int]:
    boxes = scene.boxes[names]
    x0, y0 = boxes[:, cv2.CC_STAT_LEFT].min(), boxes[:, cv2.CC_STAT_TOP].min()
    x1 = (boxes[:, cv2.CC_STAT_LEFT] + boxes[:, cv2.CC_STAT_WIDTH]).max()
    y1 = (boxes[:, cv2.CC_STAT_TOP] + boxes[:, cv2.CC_STAT_HEIGHT]).max()
    return int(x0), int(y0), int(x1), int(y1)


def _cleaned(scene: _Scene, names: NDArray[np.intp], view: Floats, size: tuple[int, int]) -> Image:
    """The place in a view, rulings and all ink but the cell's own painted over with the paper."""
    patch = cv2.warpPerspective(scene.image, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    paper = cv2.warpPerspective(scene.paper, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inverse = cv2.perspectiveTransform(
        np.array([[[0, 0], [size[0], 0], size, [0, size[1]]]], np.float64), np.linalg.inv(view)
    )[0]
    x0, y0 = np.maximum(np.floor(inverse.min(axis=0)).astype(int) - 3, 0)
    x1, y1 = np.ceil(inverse.max(axis=0)).astype(int) + 4
    components = scene.components[y0:y1, x0:x1]
    own = np.isin(components, names)
    other = ((components > 0) & ~own) | (scene.ruled[y0:y1, x0:x1] > 0)
    near = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))
    paint = (cv2.dilate(other.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & (near == 0)
    move = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)
    share = cv2.warpPerspective(paint.astype(np.float32), view @ move, size, flags=cv2.INTER_LINEAR)[..., None]
    return np.asarray(np.round(patch * (1 - share) + paper * share), np.uint8)
