"""Rulings: a grey image goes in, the lines drawn across it come out, level ones and upright ones.

A ruling is followed, not fitted: the image is sheared so that the family of lines lies level, thin dark bands that
go on for a while are kept (a black-hat across the line, then an opening along it), their crests become fragments,
and fragments that continue each other become one ruling. So a wobbly, faint or broken line is still one line, and
a line of writing, which does not go on, is none.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.fragments import Plane, Ruling, Whole, find_fragments, finished, join

Gray = NDArray[np.uint8]

STEEPEST = 0.27
"""Largest slope of a family of lines that is looked for: 15 degrees off level or upright."""


@dataclass(frozen=True)
class Trace:
    """The rulings of one direction, and how much darker each pixel is than the paper on both sides (0 to 255)."""

    rulings: list[Ruling]
    hat: Gray


def trace_level(gray: Gray) -> Trace:
    """Follow the roughly level dark lines of an image, shape (height, width)."""
    height, width = gray.shape
    reach = _reach(gray)
    fine = _black_hat(cv2.blur(gray, (3, 1)), reach)
    slope, _ = _slope(fine)
    drop = abs(slope) * width
    shift = drop if slope > 0 else 0.0
    shear = np.array([[1, 0, 0], [-slope, 1, shift]], np.float64)
    size = (width, height + int(drop) + 1)
    level = cv2.warpAffine(gray, shear, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    hat = _black_hat(cv2.blur(level, (7, 1)), reach)
    band = _bands(hat, max(21, round(width / 60)))
    crest = cv2.blur(hat.astype(np.float32), (11, 3))
    peak = band & (crest >= cv2.dilate(crest, np.ones((5, 1), np.uint8)))

    def raw(x: Whole, y: Whole) -> Plane:
        back = np.round(y + slope * x - shift).astype(np.intp)
        near = [fine[np.clip(back + k, 0, height - 1), x] for k in (-2, -1, 0, 1, 2)]
        return np.asarray(np.max(near, axis=0), np.uint8)

    fragments = join(find_fragments(peak, crest, raw), width)
    rulings = [finished(f, slope, shift) for f in fragments if f.length >= max(30.0, 0.02 * width)]
    return Trace(rulings, fine)


def trace_upright(gray: Gray) -> Trace:
    """Follow the roughly upright dark lines of an image, shape (height, width)."""
    turned = trace_level(np.ascontiguousarray(gray.T))
    return Trace(turned.rulings, np.ascontiguousarray(turned.hat.T))


def _black_hat(gray: Plane, reach: int) -> Gray:
    """How far each pixel is darker than the paper above and below it, as a share of the paper, 0 to 255."""
    paper = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8))
    return np.asarray(cv2.divide(cv2.subtract(paper, gray), np.maximum(paper, 24), scale=255), np.uint8)


def family_slope(gray: Gray) -> tuple[float, float]:
    """The slope at which the level lines of an image add up to the sharpest profile, and how far it outdoes the others.

    Strips keep it sharp under perspective. A grid search, as in Postl's skew detection by projection profiles (1986).
    """
    return _slope(_black_hat(gray, _reach(gray)))


def _reach(gray: Gray) -> int:
    """Height in pixels of a closing that takes any ruling away."""
    longest: int = max(gray.shape)
    return max(9, round(longest / 60)) | 1


def _slope(hat: Gray) -> tuple[float, float]:
    scale = min(1.0, 360 / max(hat.shape))
    small = cv2.resize(hat, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    strong = cv2.subtract(small, cv2.blur(small, (1, 25))).astype(np.float32)
    columns = np.stack([part.sum(axis=1) for part in np.array_split(strong, 48, axis=1)], axis=1)
    places = (np.arange(48) - 23.5) * strong.shape[1] / 48
    levels = np.arange(len(columns))[:, None]

    def sharpness(slope: float) -> float:
        rows = np.clip(levels + np.round(slope * places).astype(np.intp), 0, len(columns) - 1)
        level = np.take_along_axis(columns, rows, axis=0)
        return float((level.reshape(len(columns), 4, 12).sum(axis=2) ** 2).sum())

    slopes = np.linspace(-STEEPEST, STEEPEST, 27)
    scores = [sharpness(s) for s in slopes]
    usual = float(np.median(scores)) + 1e-6
    near = float(slopes[int(np.argmax(scores))])
    fine = near + np.linspace(-0.012, 0.012, 13)
    sharp = np.array([sharpness(s) for s in fine])
    return float(fine[sharp >= 0.999 * sharp.max()].mean()), float(sharp.max()) / usual


def _bands(hat: Gray, run: int) -> NDArray[np.bool_]:
    """Pixels of dark bands that go on for at least `run` pixels and stand out from the texture around them."""
    thick = cv2.dilate(hat, np.ones((3, 1), np.uint8))
    whole = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    along = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    return np.asarray(along > np.maximum(_texture(along), 6), np.bool_)


def _texture(response: Plane) -> Gray:
    """The level below which a response is the paper's own texture, by block; shape as given."""
    block = 32
    height, width = response.shape
    rows, columns = max(1, height // block), max(1, width // block)
    blocks = response[: rows * block, : columns * block]
    if min(height, width) < block:
        return np.zeros(response.shape, np.uint8)
    tiles = blocks.reshape(rows, block, columns, block)[:, ::2, :, ::2]
    median = np.median(tiles.transpose(0, 2, 1, 3).reshape(rows, columns, -1), axis=2)
    level = cv2.blur((2.5 * median).astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(np.clip(level, 0, 255).astype(np.uint8), (width, height)), np.uint8)
