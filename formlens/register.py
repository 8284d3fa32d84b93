"""A page and what is printed on a form go in; where every point of the form lies on the page comes out, or None.

Corners of the print are matched wherever they lie and however the page is turned (ORB, Rublee et al., ICCV 2011); a
homography that most of them agree on (MAGSAC++, Barath et al., CVPR 2020) puts the page roughly on the form; then small
patches of print are looked for near their places, and a smooth field through what they say follows curl and paper that
a scanner pulled. The share of patches that are found where that field says is the score: another form has other print.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.types import Image

SIDE = 1000
"""Pixels of a form's longer side at which it is looked for."""

FOUND = 0.45
"""Share of a form's patches that must be found on a page that is this form."""

Gray = NDArray[np.uint8]
Floats = NDArray[np.float64]

_FEATURES = 1500
_PATCH = 28
_STIFF = 3.0
"""How many patches it takes to bend a registration that is already about right, so that few do not where there are
none."""
_NODES = 24
"""Nodes along each side of the grid that carries a registration."""


@dataclass(frozen=True)
class Print:
    """What is printed on a form, as it is looked for on a page."""

    gray: Gray
    """Shape (height, width), the longer of them `SIDE`."""
    corners: NDArray[np.float32]
    """Shape (n, 2), in pixels of `gray`."""
    descriptors: Gray
    """Shape (n, 32)."""
    patches: NDArray[np.intp]
    """Shape (m, 2), x and y of the left top of each patch that is worth looking for."""
    ink: Gray
    """The ink of `gray` as light on black."""


@dataclass(frozen=True)
class Registration:
    """Where a form lies on a page."""

    nodes: NDArray[np.float32]
    """Shape (_NODES, _NODES, 2): the point of the page for each node of a regular grid that spans the form."""
    score: float
    """Share of the form's patches that were found, 0 to 1."""
    parts: tuple["Registration", ...] = ()
    """Of a table in parts that lie on the page each for itself, where each of them lies."""

    def warp(self, image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
        """The page as the form sees it, in the size given; what lies beyond the page is filled with its border."""
        field = self._at(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32), width, height)
        warped = cv2.remap(image, field[..., 0], field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)

    def to_page(self, points: Floats, width: int, height: int) -> Floats:
        """Points on a form of the size given, shape (n, 2), as points on the page."""
        xs, ys = np.asarray(points, np.float32).T
        down, across = _shares(_along(ys, height)), _shares(_along(xs, width))
        return np.asarray(np.einsum("ni,ijk,nj->nk", down, self.nodes, across), np.float64)

    def _at(self, xs: NDArray[np.float32], ys: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        down, across = _shares(_along(ys, height)), _shares(_along(xs, width))
        field = np.stack([down @ self.nodes[..., axis] @ across.T for axis in (0, 1)], axis=-1)
        return np.asarray(field, np.float32)


def find_print(image: NDArray[np.uint8]) -> Print:
    """What is printed on a blank form, or on a filled one where there is no blank; grey or in colour."""
    gray = _reduced(image)[0]
    corners, descriptors = _features(gray)
    ink = _contrast(gray)
    return Print(gray, corners, descriptors, _patches(ink), ink)


def register(image: Image, form: Print) -> Registration | None:
    """Find a form on a page, whichever way up, flat or in perspective; None where the page cannot be this form."""
    gray, scale = _reduced(image)
    found = _registered(gray, gray, form)
    if found is None:  # in uneven light corners crowd where it is bright: once more as if the light were even
        found = _registered(_evened(gray), gray, form)
    return None if found is None else replace(found, nodes=(found.nodes + np.float32(0.5)) / scale - np.float32(0.5))


def _registered(lit: Gray, gray: Gray, form: Print) -> Registration | None:
    """Where a form lies on a reduced page, whose corners are looked for in ``lit``."""
    view = _homography(lit, form)
    if view is None:
        return None
    field = Registration(_grid(np.asarray(cv2.perspectiveTransform(_nodes(form)[None], view)[0], np.float64)), 0.0)
    for reach, degree in ((10, 2), (4, 4)):
        field = _followed(field, gray, form, reach, degree)
        if field.score < FOUND / 2:
            return None
    return field if field.score >= FOUND else None


def put_right(image: Image, form: Print, where: Registration) -> Registration:
    """A registration put right by all that is printed on the form; it stays as it is where that is not found."""
    gray, scale = _reduced(image)
    field = Registration((where.nodes + np.float32(0.5)) * np.float32(scale) - np.float32(0.5), where.score)
    for reach, degree in ((14, 1), (8, 2), (4, 2)):
        followed = _followed(field, gray, form, reach, degree, _STIFF)
        if followed.score < FOUND:
            break
        field = followed
    return Registration((field.nodes + np.float32(0.5)) / np.float32(scale) - np.float32(0.5), where.score)


def _followed(
    field: Registration, gray: Gray, form: Print, reach: int, degree: int, stiff: float = 1.0
) -> Registration:
    """A registration moved to where the patches of the print are found on a reduced page."""
    height, width = form.gray.shape
    nodes, places = _nodes(form), np.asarray(form.patches + _PATCH / 2, np.float64)
    found = _look(_contrast(field.warp(gray, width, height)), form, reach)
    shift, score = _smooth(found, places, nodes, (width, height), degree, stiff)
    return Registration(_grid(field.to_page(nodes + shift, width, height)), score)


def _nodes(form: Print) -> Floats:
    """The nodes of a registration on the form itself, shape (_NODES ** 2, 2)."""
    height, width = form.gray.shape
    across, down = np.meshgrid(np.linspace(0, width, _NODES), np.linspace(0, height, _NODES))
    return np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float64) - 0.5


def _evened(gray: Gray) -> Gray:
    """A page as if its paper were equally light everywhere."""
    return np.asarray(cv2.divide(gray, np.maximum(_paper(gray), 24), scale=250), np.uint8)


def _paper(gray: Gray) -> Gray:
    return np.asarray(cv2.blur(cv2.dilate(gray, np.ones((9, 9), np.uint8)), (25, 25)), np.uint8)


def grid_of(view: Floats, width: int, height: int) -> NDArray[np.float32]:
    """The nodes of a registration of a form of the size given, by an affine view, shape (2, 3), from form to page."""
    across, down = np.meshgrid(np.linspace(0, width, _NODES) - 0.5, np.linspace(0, height, _NODES) - 0.5)
    points = np.stack([across.ravel(), down.ravel(), np.ones(across.size)], axis=1)
    return _grid(np.asarray(points @ view.T, np.float64))


def _grid(points: Floats) -> NDArray[np.float32]:
    return points.reshape(_NODES, _NODES, 2).astype(np.float32)


def _along(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return np.asarray((values + 0.5) * ((_NODES - 1) / size), np.float32)


def _shares(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of each node is in each place between nodes, shape (n, _NODES).

    Not by OpenCV's remap: it knows 32 steps from one node to the next, which shows as blocks of three pixels.
    """
    steps = np.clip(places, 0, _NODES - 1)[:, None] - np.arange(_NODES, dtype=np.float32)
    return np.asarray(np.maximum(0, 1 - np.abs(steps)), np.float32)


def _reduced(image: NDArray[np.uint8]) -> tuple[Gray, float]:
    scale = SIDE / max(image.shape[:2])
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=how), np.uint8), scale


def _features(gray: Gray) -> tuple[NDArray[np.float32], Gray]:
    """Corners of the print, shape (n, 2), and what they look like, shape (n, 32)."""
    orb = cv2.ORB.create(nfeatures=_FEATURES, scaleFactor=1.25, nlevels=5, patchSize=41, fastThreshold=12)
    smooth = np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.2), np.uint8)
    points, descriptors = orb.detectAndCompute(smooth, np.full(gray.shape, 255, np.uint8))
    if descriptors is None:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8)


def _homography(gray: Gray, form: Print) -> Floats | None:
    """From the form's pixels to the page's, shape (3, 3)."""
    corners, descriptors = _features(gray)
    if len(corners) < 12 or len(form.corners) < 12:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(form.descriptors, descriptors)
    pairs = sorted(pairs, key=lambda pair: pair.distance)[:800]
    if len(pairs) < 12:
        return None
    here = form.corners[[pair.queryIdx for pair in pairs]]
    there = corners[[pair.trainIdx for pair in pairs]]
    view, _ = cv2.findHomography(here, there, cv2.USAC_MAGSAC, 3.0, maxIters=3000, confidence=0.999)
    if view is None:
        return None
    height, width = form.gray.shape
    outline = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    placed = cv2.perspectiveTransform(outline, view).astype(np.float32)
    area = cv2.contourArea(placed, oriented=True)
    if not cv2.isContourConvex(placed) or area < 0.08 * gray.size:
        return None
    return np.asarray(view, np.float64)


def _contrast(gray: Gray) -> Gray:
    """Ink as light on black, whatever the light on the paper."""
    paper = _paper(gray)
    dark = cv2.subtract(paper, gray)
    return np.asarray(cv2.GaussianBlur(cv2.divide(dark, np.maximum(paper, 24), scale=255), (0, 0), 0.8), np.uint8)


def _patches(ink: Gray) -> NDArray[np.intp]:
    """Where the print has structure in both directions, one patch for each place of a grid at most."""
    weak = cv2.blur(cv2.cornerMinEigenVal(ink, 3), (_PATCH, _PATCH))
    step = _PATCH
    height, width = ink.shape
    places = [
        (x, y)
        for y in range(12, height - step - 12, step)
        for x in range(12, width - step - 12, step)
        if weak[y + step // 2, x + step // 2] > 1e-3
    ]
    return np.array(places, np.intp).reshape(-1, 2)


def _look(seen: Gray, form: Print, reach: int) -> Floats:
    """How well and how far off each patch is found: shape (m, 3), correlation, x, y."""
    padded = cv2.copyMakeBorder(seen, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    found = np.zeros((len(form.patches), 3))
    for number, (x, y) in enumerate(form.patches):
        window = padded[y : y + _PATCH + 2 * reach, x : x + _PATCH + 2 * reach]
        likeness = cv2.matchTemplate(window, form.ink[y : y + _PATCH, x : x + _PATCH], cv2.TM_CCOEFF_NORMED)
        _, best, _, (dx, dy) = cv2.minMaxLoc(likeness)
        found[number] = best, dx - reach, dy - reach
    return found


def _smooth(
    found: Floats, places: Floats, nodes: Floats, size: tuple[int, int], degree: int, stiff: float = 1.0
) -> tuple[Floats, float]:
    """A polynomial field through what the patches say, at the nodes, and the share of patches that agree with it."""
    if not len(places):
        return np.zeros_like(nodes), 0.0
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]

    def terms(points: Floats) -> Floats:
        unit = points / np.array(size) * 2 - 1
        return np.stack([unit[..., 0] ** i * unit[..., 1] ** j for i, j in powers], axis=-1)

    basis, shifts = terms(places), found[:, 1:]
    sure = found[:, 0] > 0.5
    weight = sure * found[:, 0] ** 2
    factors = np.zeros((len(powers), 2))
    off = np.zeros(len(places))
    for _ in range(5):
        damp = np.diag([stiff * float(i + j > 1) * (i + j) ** 2 for i, j in powers])
        heavy = basis * weight[:, None]
        factors = np.asarray(np.linalg.lstsq(basis.T @ heavy + damp, heavy.T @ shifts)[0], np.float64)
        off = np.hypot(*(shifts - basis @ factors).T)
        weight = sure * found[:, 0] ** 2 / (1 + (off / 1.5) ** 4)
    return np.asarray(terms(nodes) @ factors, np.float64), float((sure & (off < 2.0)).mean())
