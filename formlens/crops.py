"""A page and one of its tables go in; a picture of the writing in each cell comes out, or None where there is none."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.bands import find_bands
from formlens.ink import Gray, contrast_to, noise_of, paper_of
from formlens.tables import Table
from formlens.types import Image
from formlens.unruled import add_printed, without_rulings
from formlens.writing import Pieces, find_writing

Floats = NDArray[np.float64]

_ROW = 90.0
_AREA = 500_000.0
"""Ink is told from rulings in a copy with rows of this height or of this many pixels, whichever is larger, for speed:
the crops themselves are cut from the page as it is."""


@dataclass(frozen=True)
class _Scene:
    """A table's part of the page, dark on light, and what was found in a smaller copy of it."""

    image: Image
    paper: Image
    corners: Floats
    pieces: Pieces
    writer: NDArray[np.intp]
    """For each pixel the number of the cell whose writing it is, -1 for none."""
    foreign: Gray
    """Where there is ink of any kind or a ruling (0, 1)."""
    times: int
    """So many times smaller the copy is."""


def cut_cells(image: Image, table: Table) -> list[list[Image | None]]:
    """Cut every cell out, put square, without rulings and neighbours' strokes, trimmed to its ink; rows of columns.

    Crops are BGR, dark on light, in the page's resolution, ink with a margin of a sixth of its height all round.
    """
    scene = _scene(image, table)
    cell = scene.pieces.cell
    own = {one: np.flatnonzero(cell == one) for one in set(cell.tolist()) - {-1}}
    usual = _usual_height(scene.pieces, own)
    return [
        [
            _crop(scene, own.get(i * table.columns + j), divmod(i * table.columns + j, table.columns), usual)
            for j in range(table.columns)
        ]
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
    smaller = max(1, int(min(tall / _ROW, (part.shape[0] * part.shape[1] / _AREA) ** 0.5)))
    small = _reduced(part, smaller)
    corners = (corners - [x0, y0] + 0.5) / smaller - 0.5
    paper = paper_of(small, min(tall / smaller, 60.0))
    contrast = contrast_to(paper, small)
    floor = max(4.0 * noise_of(contrast), 12.0)
    rulings = find_bands(contrast, corners, floor)
    pen = _darkest(contrast[rulings.bands == 0], floor)
    lines = add_printed(rulings, contrast, corners, floor, pen)
    weak = max(floor, 0.2 * rulings.contrast, 0.3 * pen)
    inked = np.asarray(contrast > weak, np.uint8)
    pieces = find_writing(without_rulings(inked, lines), contrast, rulings, corners, weak)
    writer = pieces.cell[pieces.names]
    return _Scene(part, paper, corners, pieces, writer, inked | lines.bands, smaller)


def _reduced(image: Image, times: int) -> Image:
    """A copy so many times smaller; whole times only, because such means are quick."""
    if times == 1:
        return image
    height, width = (max(1, length // times) for length in image.shape[:2])
    part = image[: height * times, : width * times]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _darkest(contrast: Gray, floor: float) -> float:
    """The contrast of the pen's full strokes, beside which the paper's own lines are faint; 0 where there is no ink."""
    ink = contrast[contrast > floor]
    return float(np.percentile(ink, 97)) if len(ink) > 50 else 0.0


def _usual_height(pieces: Pieces, own: dict[int, NDArray[np.intp]]) -> float:
    """The usual height of what stands in a cell, in pixels of the copy; 0 where nothing does."""
    heights = [y1 - y0 for _, y0, _, y1 in (_extent(pieces, names) for names in own.values())]
    return float(np.median(heights)) if heights else 0.0


def _extent(pieces: Pieces, names: NDArray[np.intp]) -> tuple[int, int, int, int]:
    x, y, wide, tall = pieces.boxes[names, :4].T
    return int(x.min()), int(y.min()), int((x + wide).max()), int((y + tall).max())


def _crop(scene: _Scene, names: NDArray[np.intp] | None, place: tuple[int, int], usual: float) -> Image | None:
    if names is None:
        return None
    (row, column), columns = place, scene.corners.shape[1] - 1
    cell = row * columns + column
    view = _view(scene.corners[row : row + 2, column : column + 2], scene.times)
    x0, y0, x1, y1 = _extent(scene.pieces, names)
    ys, xs = np.nonzero(scene.writer[y0:y1, x0:x1] == cell)
    points = view @ [xs + x0, ys + y0]
    left, top = points.min(axis=1) - scene.times / 2
    right, bottom = points.max(axis=1) + scene.times / 2
    lacking = max(0.0, 0.8 * usual * scene.times - (bottom - top)) / 2
    margin = max(3.0, (bottom - top + 2 * lacking) / 6)
    size = int(np.ceil(right - left + 2 * margin)), int(np.ceil(bottom - top + 2 * (margin + lacking)))
    return _cleaned(scene, cell, np.column_stack([view, [margin - left, margin + lacking - top]]), size)


def _view(corners: Floats, times: int) -> Floats:
    """What turns the copy's pixels into those of a square cell in the page's resolution, up to a shift, shape (2, 2).

    A shear and two lengths: what perspective is left within one cell is not worth its time.
    """
    right = (corners[:, 1] - corners[:, 0]).mean(axis=0)
    down = (corners[1] - corners[0]).mean(axis=0)
    lengths = np.linalg.norm(right) * times, np.linalg.norm(down) * times
    return np.asarray(np.diag(lengths) @ np.linalg.inv(np.column_stack([right, down])), np.float64)


def _cleaned(scene: _Scene, cell: int, view: Floats, size: tuple[int, int]) -> Image:
    """The place in a view of the copy (2, 3), rulings and all ink but the cell's own painted over with the paper."""
    turn, shift = view[:, :2], view[:, 2:]
    seen = np.linalg.solve(turn, np.array([[0, size[0], size[0], 0], [0, 0, size[1], size[1]]]) - shift)
    x0, y0 = np.maximum(np.floor(seen.min(axis=1)).astype(int) - 3, 0)
    x1, y1 = np.ceil(seen.max(axis=1)).astype(int) + 4
    own = (scene.writer[y0:y1, x0:x1] == cell).astype(np.uint8)
    other = scene.foreign[y0:y1, x0:x1] & (1 - own)
    near = np.asarray(cv2.dilate(own, np.ones((3, 3), np.uint8)), np.uint8)
    paint = np.asarray(cv2.dilate(other, np.ones((5, 5), np.uint8)), np.uint8) & (1 - near)
    middle = (1 / scene.times - 1) / 2
    patch = _seen(scene.image, np.hstack([turn / scene.times, turn @ [[middle], [middle]] + shift]), size)
    if not paint.any():
        return patch
    local = np.hstack([turn, turn @ [[x0], [y0]] + shift])
    share = np.asarray(cv2.warpAffine(paint.astype(np.float32), local, size), np.float32)
    paper = _seen(scene.paper[y0:y1, x0:x1], local, size)
    return np.asarray(cv2.blendLinear(patch, paper, 1 - share, share), np.uint8)


def _seen(image: Image, view: Floats, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.warpAffine(image, view, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
