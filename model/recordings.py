"""Films of sheets under a camera, frame by frame: a desk, hands that bring and take them, shadows, a hunting lens.

In: pictures of pages. Out: the frames that a camera on a stand would give, BGR, the same for the same seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

SIZE = 1600, 1200


@dataclass(frozen=True)
class Moment:
    """One frame: what lies where, and what the lens makes of it."""

    corners: Floats | None = None
    """Of the sheet, shape (4, 2), clockwise from its top left, in shares of the frame's width; None for a bare desk."""
    hand: tuple[float, float] | None = None
    """The tip of the fingers, in shares of the frame's width."""
    blur: float = 0.0
    """Sigma of the lens, pixels of a frame 1600 wide."""
    smear: float = 0.0
    """How far things move while the shutter is open, in the same pixels."""
    shadow: float | None = None
    """How far from the left a shadow's edge falls, in shares of the frame's width."""
    light: float = 1.0


def lying(page: Image, *, tall: float = 0.66, at: tuple[float, float] = (0.5, 0.375), turned: float = 0.0) -> Floats:
    """The corners of a page that lies on the desk, seen a little from one side; ``tall`` in shares of the width."""
    height, width = page.shape[:2]
    wide = tall * width / height
    flat = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]]) / 2
    angle = np.radians(turned)
    flat = flat @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    away = 1 + 0.06 * flat[:, 1:]  # what is nearer looks larger
    return np.asarray(flat * away + np.array(at), np.float64)


def placed(where: Floats, *, still: int = 24, hunts: bool = True, shadow: float | None = None) -> list[Moment]:
    """A hand brings a sheet, lets go, the lens finds its focus, the sheet lies there, a hand takes it away."""
    grip = np.array([0.02, 0.1])
    came = [where + np.array([step**2 * 1.1, 0.1 * step]) for step in np.linspace(1, 0, 7)]
    brought = [Moment(c, hand=_tip(c, grip), blur=1.5, smear=25.0 if n < 6 else 3.0) for n, c in enumerate(came)]
    leaves = [Moment(where, hand=_tip(where, grip + np.array([step, 0.1])), blur=1.5) for step in (0.05, 0.15, 0.35)]
    hunt = [Moment(where, blur=blur) for blur in ((4.0, 6.0, 3.0, 1.2, 2.6, 1.4) if hunts else ())]
    lies = (
        [Moment(where)] * still if shadow is None else [Moment(where, shadow=shadow + 0.004 * n) for n in range(still)]
    )
    comes = [Moment(where, hand=_tip(where, grip + np.array([step, 0.1]))) for step in (0.35, 0.15, 0.02)]
    taken = [Moment(c, hand=_tip(c, grip), smear=25.0) for c in came[::-1]]
    return [*brought, *leaves, *hunt, *lies, *comes, *taken, *[Moment()] * 4]


def film(page: Image, moments: Sequence[Moment], *, seed: int = 0, size: tuple[int, int] = SIZE) -> Iterator[Image]:
    """The frames of a scene with one sheet."""
    rng = np.random.default_rng(seed)
    before, picture = None, np.empty(0, np.uint8)
    for moment in moments:
        if moment is not before:
            before, picture = moment, _picture(page, moment, size)
        down, right = rng.integers(64, size=2)
        noise = _noise(size)[down : down + size[1], right : right + size[0]]
        yield np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)


def _tip(corners: Floats, grip: Floats) -> tuple[float, float]:
    x, y = corners[1:3].mean(axis=0) + grip
    return float(x), float(y)


def _picture(page: Image, moment: Moment, size: tuple[int, int]) -> Image:
    """One frame without its noise."""
    width, height = size
    scene = _desk(size).copy()
    if moment.corners is not None:
        corners = (moment.corners * width).astype(np.float32)
        here = np.array([[0, 0], [page.shape[1], 0], page.shape[1::-1], [0, page.shape[0]]], np.float32)
        view = cv2.getPerspectiveTransform(here, corners)
        sheet = cv2.warpPerspective(_fitted(page, float(np.ptp(corners[:, 1]))), view @ _shrunk(page, corners), size)
        covers = _covers(corners, size)
        rim = cv2.blur(np.roll(covers, (8, 8), (0, 1)), (15, 15))
        shadow = cv2.merge([cv2.convertScaleAbs(rim, alpha=-0.4, beta=255)] * 3)
        scene = np.asarray(cv2.multiply(scene, shadow, scale=1 / 255), np.uint8)
        cv2.copyTo(sheet, covers, scene)
    if moment.hand is not None:
        scene = _with_hand(scene, np.array(moment.hand) * width, width)
    lit = cv2.multiply(scene, _lamp(size), scale=moment.light / 200)
    if moment.shadow is not None:
        shade = np.ones((height, width), np.float32)
        shade[:, max(0, int(moment.shadow * width)) :] = 0.62
        lit = (lit * cv2.GaussianBlur(shade, (0, 0), 0.012 * width)[..., None]).astype(np.uint8)
    if moment.smear:
        lit = cv2.blur(lit, (max(1, round(moment.smear * width / 1600)), 1))
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), (0.6 + moment.blur) * width / 1600), np.uint8)


@cache
def _noise(size: tuple[int, int]) -> NDArray[np.int8]:
    return np.random.default_rng(5).normal(0, 3, (size[1] + 64, size[0] + 64, 3)).astype(np.int8)


def _fitted(page: Image, tall: float) -> Image:
    """The page no larger than twice what is seen of it, so that small print is averaged, not skipped."""
    scale = min(1.0, 1.2 * tall / page.shape[0])
    return np.asarray(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk(page: Image, corners: NDArray[np.float32]) -> NDArray[Any]:
    scale = min(1.0, 1.2 * float(np.ptp(corners[:, 1])) / page.shape[0])
    return np.diag([1 / scale, 1 / scale, 1.0])


def _covers(corners: NDArray[np.float32], size: tuple[int, int]) -> Image:
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), (255,), cv2.LINE_AA, 4)
    return mask


def _with_hand(scene: Image, tip: Floats, width: int) -> Image:
    """Four fingers and a palm that come from the right."""
    mask = np.zeros(scene.shape[:2], np.uint8)
    thick = round(0.028 * width)
    for finger in range(4):
        top = tip + np.array([0.008 * width * abs(finger - 1), (finger - 1.5) * 0.031 * width])
        end = tip + np.array([0.16 * width, (finger - 1.5) * 0.034 * width])
        cv2.line(mask, top.astype(int).tolist(), end.astype(int).tolist(), (255,), thick, cv2.LINE_AA)
    palm = tip + np.array([0.25 * width, 0.02 * width])
    axes = (round(0.13 * width), round(0.075 * width))
    cv2.ellipse(mask, palm.astype(int).tolist(), axes, 10, 0, 360, (255,), -1, cv2.LINE_AA)
    cv2.line(
        mask, palm.astype(int).tolist(), (palm + np.array([width, 0.3 * width])).astype(int).tolist(), (255,), 4 * thick
    )
    quarter = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(np.roll(quarter, (3, 1), (0, 1)), (0, 0), 2.2)
    round_ = cv2.GaussianBlur(quarter, (0, 0), 0.003 * width)
    light = [cv2.resize(cv2.convertScaleAbs(x, alpha=a, beta=b), (width, len(mask))) for x, a, b in
             ((soft, -0.45, 255), (round_, 0.45, 140))]  # fmt: skip
    shaded = cv2.multiply(scene, cv2.merge([light[0]] * 3), scale=1 / 255)
    skin = cv2.multiply(np.full_like(scene, (128, 156, 214)), cv2.merge([light[1]] * 3), scale=1 / 255)
    return np.asarray(cv2.copyTo(skin, mask, shaded), np.uint8)


@cache
def _desk(size: tuple[int, int]) -> Image:
    """Brown boards with a grain along x."""
    width, height = size
    rng = np.random.default_rng(17)
    coarse = rng.normal(0, 1, (2, height // 4, width // 16))  # smooth along the boards
    fine, broad = (
        cv2.resize(cv2.GaussianBlur(grain, (0, 0), sigmaX=4 * long, sigmaY=wide), size)
        for grain, long, wide in zip(coarse, (1, 3), (0.5, 2.5), strict=True)
    )
    y = np.arange(height)[:, None]
    grain = 9 * np.sin(y / 13 + 6 * broad / broad.std()) + 7 * fine / fine.std()
    boards = np.array((52, 88, 132)) + (grain + np.where(y % 390 < 4, -35, 0))[..., None]
    return np.asarray(np.clip(boards, 0, 255), np.uint8)


@cache
def _lamp(size: tuple[int, int]) -> Image:
    """How much light falls on each pixel, 200 where it is full: brighter at the upper left."""
    width, height = size
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / width)
    light = 205 / (1 + 0.5 * ((x - 0.25) ** 2 + (y - 0.15) ** 2))
    return np.asarray(np.repeat(light[..., None], 3, axis=2), np.uint8)
