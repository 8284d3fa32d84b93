"""A page and the print above each part of a form's table go in; where the form lies on the page comes out, or None.

Registers are printed little and written much, and their halves, their margins and what an archive printed around them
shift from scan to scan: only the print above the columns is the same. Its corners (ORB, Rublee et al., ICCV 2011) are
matched among those of the page, similarities that many agree on are found (RANSAC), and under each of them the print of
every part is looked for around its place and compared, tile by tile: another register has other words there. Halves
that have the same heads are told apart by what lies beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.register import Registration, grid_of
from formlens.types import Box, Image

SIDE = 1800
"""Pixels of the longer side at which corners are looked for."""
FOUND = 0.5
"""Share of the print's tiles that must be found on a page that is this form."""

_OF_PRINT, _OF_PAGE = 1500, 9000
"""Corners at most."""
_LEAST = 6
"""Corners that must agree for a similarity to be tried."""
_VIEWS = 6
"""Similarities that are tried."""
_TILE, _REACH = 40, 8
"""Pixels of the frame: side of a tile, and how far off it may lie."""
_STRUCTURE = 3e-4
"""Of a tile that is worth looking for."""
_ALIKE = 0.65
"""Correlation of a tile that is found."""
_RULING = 41
"""Pixels of the frame from which on a straight line is a ruling."""
_OFF = 2.5
"""Pixels of the frame by which a tile may lie beside where the others say."""
_ASIDE, _ASKEW = 0.06, 0.06
"""How far a part may lie off its place across and down, in the frame's longer side."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Placed:
    """The print of one part: a view of the frame, shape (2, 3), in which it lies where it should; tiles found, and all
    of them."""

    view: Floats
    found: int
    tiles: int


def anchor(image: Image, blank: Gray, headers: Sequence[Box]) -> Registration | None:
    """Find a form on a page by the print in each of ``headers``, places on its ``blank``; each is a part of the page.

    The registration has one of its own for each part, in their order.
    """
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    best: tuple[float, Floats, list[_Placed]] | None = None
    for view in _similarities(gray, blank, headers):
        placed = [_place(gray, blank, header, view) for header in headers]
        score = sum(one.found for one in placed) / max(1, sum(one.tiles for one in placed))
        if best is None or score > best[0]:
            best = score, view, placed
        if score > 0.9:
            break
    if best is None or best[0] < FOUND:
        return None
    score, view, placed = best
    height, width = blank.shape
    middle = max(placed, key=lambda one: one.found).view
    parts = tuple(
        Registration(grid_of(one.view if one.found > 0 else middle, width, height), one.found / max(1, one.tiles))
        for one in placed
    )
    return Registration(grid_of(middle, width, height), score, parts)


def _similarities(gray: Gray, blank: Gray, headers: Sequence[Box]) -> Iterator[Floats]:
    """From the frame's pixels to the page's, shape (2, 3) each: what most corners agree on first, then what most of
    the others do."""
    scale, own = SIDE / max(gray.shape), SIDE / max(blank.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    page = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=how)
    print_ = cv2.resize(blank, None, fx=own, fy=own, interpolation=cv2.INTER_AREA)
    mask = np.zeros(print_.shape, np.uint8)
    for header in headers:
        x0, y0, x1, y1 = (round(edge * own) for edge in header)
        mask[y0:y1, x0:x1] = 255
    here, like = _corners(np.asarray(print_, np.uint8), _OF_PRINT, mask)
    there, alike = _corners(np.asarray(page, np.uint8), _OF_PAGE, np.full(page.shape, 255, np.uint8))
    if len(here) and len(there):
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(like, alike)
        a = here[[pair.queryIdx for pair in pairs]] / own
        b = there[[pair.trainIdx for pair in pairs]] / scale
        yield from _agreed(a, b, scale, own)
    size = gray.shape[1] / blank.shape[1]
    yield np.array([[size, 0.0, 0.0], [0.0, size, 0.0]])


def _agreed(a: Floats, b: Floats, scale: float, own: float) -> Iterator[Floats]:
    """Similarities by which points ``a`` of the frame, shape (n, 2), lie at ``b`` on the page, one after another."""
    for _ in range(_VIEWS):
        if len(a) < _LEAST:
            return
        found, inside = cv2.estimateAffinePartial2D(
            a, b, method=cv2.RANSAC, ransacReprojThreshold=6.0 / scale, maxIters=20000, confidence=0.9999
        )
        if found is None or inside.sum() < _LEAST:
            return
        grown = float(np.hypot(found[0, 0], found[1, 0])) * scale / own
        if 0.3 < grown < 3:
            yield np.asarray(found, np.float64)
        others = inside.ravel() == 0
        a, b = a[others], b[others]


def _corners(gray: Gray, most: int, mask: Gray) -> tuple[NDArray[np.float32], Gray]:
    orb = cv2.ORB.create(nfeatures=most, scaleFactor=1.2, nlevels=6, patchSize=41, fastThreshold=8)
    points, descriptors = orb.detectAndCompute(np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.0), np.uint8), mask)
    if descriptors is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8)


def _place(gray: Gray, blank: Gray, header: Box, view: Floats) -> _Placed:
    """Look for the print of one part around its place in a view, as a whole and then tile by tile.

    Where that fits badly it is looked for by its lower half, in case the scan cut the upper one off.
    """
    whole = _place_by(gray, blank, header, view, header[1])
    if whole.found > 0.9 * whole.tiles:
        return whole
    lower = _place_by(gray, blank, header, view, (header[1] + header[3]) // 2)
    return max(whole, lower, key=lambda one: one.found / max(1, one.tiles))


def _place_by(gray: Gray, blank: Gray, header: Box, view: Floats, top: int) -> _Placed:
    """The print of a part, first looked for by what lies below ``top``."""
    x0, y0, x1, y1 = header
    aside, askew = (round(share * max(blank.shape)) for share in (_ASIDE, _ASKEW))
    own = _ink(blank[y0:y1, x0:x1])
    window = _ink(_seen(gray, view, (x0 - aside, top - askew, x1 + aside, y1 + askew))[0])
    small = [cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for one in (window, own[top - y0 :])]
    _, _, _, (dx, dy) = cv2.minMaxLoc(cv2.matchTemplate(small[0], small[1], cv2.TM_CCOEFF_NORMED))
    view = _shifted(view, 2 * dx - aside, 2 * dy - askew)
    seen, on_page = _seen(gray, view, (x0 - _REACH, y0 - _REACH, x1 + _REACH, y1 + _REACH))
    here, there, tiles = _tiles(own, _ink(seen), on_page)
    if len(here) > 2:
        here, there = here + header[:2], there + header[:2]
        fine, _ = cv2.estimateAffinePartial2D(here, there, method=cv2.LMEDS)
        if fine is not None:
            off = np.hypot(*(here @ fine[:, :2].T + fine[:, 2] - there).T)
            return _Placed(view @ np.vstack([fine, [0, 0, 1]]), int((off < _OFF).sum()), tiles)
    return _Placed(view, 0, tiles)


def _shifted(view: Floats, across: float, down: float) -> Floats:
    return np.asarray(view @ np.array([[1, 0, across], [0, 1, down], [0, 0, 1]]), np.float64)


def _seen(gray: Gray, view: Floats, box: tuple[int, int, int, int]) -> tuple[Gray, NDArray[np.bool_]]:
    """What a page shows in a box of the frame, and where that is on the page at all."""
    x0, y0, x1, y1 = box
    move, size, how = _shifted(view, x0, y0), (x1 - x0, y1 - y0), cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(gray, move, size, flags=cv2.INTER_AREA | how, borderMode=cv2.BORDER_REPLICATE)
    on_page = cv2.warpAffine(np.full(gray.shape, 255, np.uint8), move, size, flags=cv2.INTER_NEAREST | how)
    return np.asarray(seen, np.uint8), np.asarray(on_page > 0, np.bool_)


def _ink(gray: Gray) -> Gray:
    """Ink as light on black, whatever the light on the paper; without rulings, which all registers have."""
    paper = cv2.blur(cv2.dilate(gray, np.ones((15, 15), np.uint8)), (41, 41))
    dark = cv2.divide(cv2.subtract(paper, gray), np.maximum(paper, 24), scale=255)
    for long in ((1, _RULING), (_RULING, 1)):
        ruled = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(long, np.uint8))
        dark = cv2.subtract(dark, cv2.dilate(ruled, np.ones((3, 3), np.uint8)))
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), 1.0), np.uint8)


def tiles_of(gray: Gray) -> list[tuple[int, int]]:
    """The left top corners of the tiles of some print that are worth looking for."""
    return _telling(_ink(gray))


def _telling(own: Gray) -> list[tuple[int, int]]:
    height, width = own.shape
    corner = cv2.blur(cv2.cornerMinEigenVal(own, 3), (_TILE, _TILE))
    down = np.linspace(0, height - _TILE, max(1, round((height - _TILE) / (_TILE / 2)) + 1)).astype(int)
    return [
        (x, y)
        for y in (down.tolist() if height >= _TILE else [])
        for x in range(0, width - _TILE + 1, _TILE // 2)
        if corner[y + _TILE // 2, x + _TILE // 2] > _STRUCTURE
    ]


def _tiles(own: Gray, seen: Gray, on_page: NDArray[np.bool_]) -> tuple[Floats, Floats, int]:
    """Where tiles of print lie in the blank and on the page, shape (n, 2) each, and how many could be found.

    ``seen`` reaches beyond the print on all sides. Tiles that the scan cut off say nothing, as long as half of them are
    on the page; those that something was laid over, above all that are found, neither.
    """
    size = _TILE + 2 * _REACH
    tiles = _telling(own)
    whole = len(tiles)
    tiles = [(x, y) for x, y in tiles if on_page[y : y + size, x : x + size].all()]
    here, there = [], []
    for x, y in tiles:
        window = seen[y : y + size, x : x + size]
        likeness = cv2.matchTemplate(window, own[y : y + _TILE, x : x + _TILE], cv2.TM_CCOEFF_NORMED)
        _, best, _, (dx, dy) = cv2.minMaxLoc(likeness)
        if best > _ALIKE:
            here.append((x, y))
            there.append((x + dx - _REACH, y + dy - _REACH))
    count = len(tiles) if len(tiles) >= max(4, whole / 2) else whole
    return np.array(here, np.float64).reshape(-1, 2), np.array(there, np.float64).reshape(-1, 2), count
