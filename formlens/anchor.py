"""A page and the print above a form's table go in; where the form lies on the page comes out, or None.

Registers are printed little and written much, and their halves, their margins and what an archive printed around them
shift from scan to scan: only the print above the table is the same. Its corners (ORB, Rublee et al., ICCV 2011) are
matched among those of the page, a similarity that most agree on is found (RANSAC), and then the print itself is
compared, tile by tile: another register has other words there.
"""

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
_LEAST = 14
"""Corners that must agree."""
_TILE, _REACH = 40, 8
"""Pixels of the frame: side of a tile, and how far off it may lie."""

Floats = NDArray[np.float64]


def anchor(image: Image, blank: Gray, header: Box) -> Registration | None:
    """Find a form on a page by the print in ``header``, a place on its ``blank``."""
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    view = _similarity(gray, blank, header)
    if view is None:
        return None
    height, width = blank.shape
    x0, y0, x1, y1 = header
    move, size, how = view @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]]), (x1 - x0, y1 - y0), cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(gray, move, size, flags=cv2.INTER_AREA | how, borderMode=cv2.BORDER_REPLICATE)
    on_page = cv2.warpAffine(np.full(gray.shape, 255, np.uint8), move, size, flags=cv2.INTER_NEAREST | how)
    here, there, score = _tiles(_ink(blank[y0:y1, x0:x1]), _ink(np.asarray(seen, np.uint8)), on_page > 0)
    if score < FOUND:
        return None
    first = np.array([x0, y0], np.float64)
    fine, _ = cv2.estimateAffinePartial2D(here + first, there + first, method=cv2.LMEDS)
    if fine is not None:
        view = view @ np.vstack([fine, [0, 0, 1]])
    return Registration(grid_of(view, width, height), score)


def _similarity(gray: Gray, blank: Gray, header: Box) -> Floats | None:
    """From the frame's pixels to the page's, shape (2, 3)."""
    scale, own = SIDE / max(gray.shape), SIDE / max(blank.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    page = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=how)
    print_ = cv2.resize(blank, None, fx=own, fy=own, interpolation=cv2.INTER_AREA)
    mask = np.zeros(print_.shape, np.uint8)
    x0, y0, x1, y1 = (round(edge * own) for edge in header)
    mask[y0:y1, x0:x1] = 255
    here, like = _corners(np.asarray(print_, np.uint8), _OF_PRINT, mask)
    there, alike = _corners(np.asarray(page, np.uint8), _OF_PAGE, np.full(page.shape, 255, np.uint8))
    if len(here) < _LEAST or len(there) < _LEAST:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(like, alike)
    a = here[[pair.queryIdx for pair in pairs]] / own
    b = there[[pair.trainIdx for pair in pairs]] / scale
    if len(pairs) < _LEAST:
        return None
    found, inside = cv2.estimateAffinePartial2D(
        a, b, method=cv2.RANSAC, ransacReprojThreshold=6.0 / scale, maxIters=20000, confidence=0.9999
    )
    if found is None or inside.sum() < _LEAST:
        return None
    grown = float(np.hypot(found[0, 0], found[1, 0])) * scale / own
    return np.asarray(found, np.float64) if 0.3 < grown < 3 else None


def _corners(gray: Gray, most: int, mask: Gray) -> tuple[NDArray[np.float32], Gray]:
    orb = cv2.ORB.create(nfeatures=most, scaleFactor=1.2, nlevels=6, patchSize=41, fastThreshold=8)
    points, descriptors = orb.detectAndCompute(np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.0), np.uint8), mask)
    if descriptors is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8)


def _ink(gray: Gray) -> Gray:
    """Ink as light on black, whatever the light on the paper."""
    paper = cv2.blur(cv2.dilate(gray, np.ones((15, 15), np.uint8)), (41, 41))
    dark = cv2.divide(cv2.subtract(paper, gray), np.maximum(paper, 24), scale=255)
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), 1.0), np.uint8)


def _tiles(own: Gray, seen: Gray, on_page: NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
    """Where tiles of print lie in the blank and on the page, shape (n, 2) each, and the share of them that is found.

    Tiles that the scan cut off say nothing, as long as half of them are on the page.
    """
    corner = cv2.blur(cv2.cornerMinEigenVal(own, 3), (_TILE, _TILE))
    height, width = own.shape
    tiles = [
        (x, y)
        for y in range(_REACH, height - _TILE - _REACH + 1, _TILE // 2)
        for x in range(_REACH, width - _TILE - _REACH + 1, _TILE // 2)
        if corner[y + _TILE // 2, x + _TILE // 2] > 3e-4
    ]
    whole = len(tiles)
    tiles = [(x, y) for x, y in tiles if on_page[y : y + _TILE, x : x + _TILE].all()]
    here, there = [], []
    for x, y in tiles:
        window = seen[y - _REACH : y + _TILE + _REACH, x - _REACH : x + _TILE + _REACH]
        likeness = cv2.matchTemplate(window, own[y : y + _TILE, x : x + _TILE], cv2.TM_CCOEFF_NORMED)
        _, best, _, (dx, dy) = cv2.minMaxLoc(likeness)
        if best > 0.5:
            here.append((x, y))
            there.append((x + dx - _REACH, y + dy - _REACH))
    share = len(here) / len(tiles) if len(tiles) >= max(4, whole / 2) else 0.0
    return np.array(here, np.float64).reshape(-1, 2), np.array(there, np.float64).reshape(-1, 2), share
