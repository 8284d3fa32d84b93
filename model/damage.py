"""What scanners and cameras do to a crop: a picture in, a worse picture of the same size or smaller out."""

import cv2
import numpy as np
from numpy.random import Generator

from formlens.types import Image


def damage(rng: Generator, image: Image) -> Image:
    """Take the picture again, with a scanner, a camera, or a copier, none of them at its best."""
    image = _resolution(rng, image)
    if rng.random() < 0.2:  # most scans of a clean form need no help
        return image
    device = rng.random()
    if device < 0.35:
        image = _camera(rng, image)
    image = _tone(rng, image)
    if device > 0.92:
        image = _copier(rng, image)
    elif device > 0.84:
        image = _streaks(rng, image)
    if rng.random() < 0.35:
        image = _blur(rng, image)
    if rng.random() < 0.5:
        image = _noise(rng, image)
    if rng.random() < 0.5:
        image = _jpeg(image, int(rng.integers(25, 95)))
    if rng.random() < 0.45:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    return image


def _camera(rng: Generator, image: Image) -> Image:
    """A view from the side, and light that falls from one side or is kept off by a hand."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.normal(0, 0.035 * height, (4, 2)).astype(np.float32)
    view = cv2.getPerspectiveTransform(moved, corners)
    out = cv2.warpPerspective(image, view, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = rng.uniform(0.55, 1.0, (2, 3)).astype(np.float32)
    if rng.random() < 0.25:
        light[:, int(rng.integers(3))] *= 0.6
    shade = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(out * shade[..., None], 0, 255), np.uint8)


def _resolution(rng: Generator, image: Image) -> Image:
    """Fewer pixels: crops come 24 to 64 pixels high."""
    height = int(np.clip(rng.normal(46, 12), 22, 72))
    scale = height / image.shape[0]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(4, round(image.shape[1] * scale)), height
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def _tone(rng: Generator, image: Image) -> Image:
    """Contrast, brightness and gamma; at times the writing is barely darker than the paper."""
    contrast = rng.uniform(0.3, 0.55) if rng.random() < 0.08 else rng.uniform(0.6, 1.15)
    centre = float(np.median(image))
    level = centre + rng.normal(0, 12) if rng.random() < 0.6 else 250.0
    table = np.clip((np.arange(256) - centre) * contrast + level, 0, 255) / 255
    table = table ** rng.uniform(0.75, 1.35) * 255
    return np.asarray(cv2.LUT(image, table.astype(np.uint8)), np.uint8)


def _copier(rng: Generator, image: Image) -> Image:
    """Black and white only, with the copier's specks."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    ground, deep = float(np.median(gray)), float(gray.min())
    edge = ground - (ground - deep) * rng.uniform(0.3, 0.55)
    out = 255 / (1 + np.exp(-(gray - edge) / rng.uniform(2, 12)))
    out[rng.random(out.shape) < rng.uniform(0, 0.004)] = 0
    return np.asarray(cv2.cvtColor(out.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def _streaks(rng: Generator, image: Image) -> Image:
    """A speck on the scanner's glass draws a line, a dirty lamp a band."""
    out = image.astype(np.float32)
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.5:
            at = int(rng.integers(image.shape[0]))
            out[at : at + 1] *= rng.uniform(0.5, 0.95)
        else:
            at = int(rng.integers(image.shape[1]))
            out[:, at : at + int(rng.integers(1, 3))] *= rng.uniform(0.55, 0.95)
    return np.asarray(out, np.uint8)


def _blur(rng: Generator, image: Image) -> Image:
    """Out of focus, or moved."""
    if rng.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.2)), np.uint8)
    length = int(rng.integers(2, 5))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def _noise(rng: Generator, image: Image) -> Image:
    """The sensor's noise, the same in all channels or in each its own."""
    channels = 3 if rng.random() < 0.4 else 1
    noise = rng.standard_normal((*image.shape[:2], channels), np.float32) * rng.uniform(1, 9)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


def _jpeg(image: Image, quality: int) -> Image:
    done, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8) if done else image
