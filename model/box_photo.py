"""Print and pen of a box go in as layers of ink; what a scanner, camera or copier makes of them comes out."""

import cv2
import numpy as np
from numpy.random import Generator

from formlens.ink import Gray
from model.box_layers import FINE, SIZE, Layer, curve, empty, line


def photograph(rng: Generator, printed: Layer, pen: Layer) -> Gray:
    """As a device gives it: light, view, blur, noise, compression."""
    paper = float(rng.uniform(0.75, 1.0) if rng.random() < 0.75 else rng.uniform(0.35, 0.75))
    strength = float(rng.uniform(0.45, 1.0) if rng.random() < 0.75 else rng.uniform(0.2, 0.45))
    page = (1 - printed * rng.uniform(0.8, 1.0)) * (1 - pen * strength) * (1 - _faint(rng))
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), float(rng.normal(0, 2.5)), 1.0)
    turn[:, :2] = turn[:, :2] + rng.normal(0, 0.015, (2, 2))
    moved = cv2.warpAffine(page, turn, page.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    page = _small(rng, np.asarray(moved, np.float32))
    page = page * _light(rng) * paper + rng.uniform(0, 0.12)
    seen = page + rng.normal(0, rng.uniform(0.002, 0.035) * paper, page.shape)
    if strength > 0.45 and rng.random() < 0.08:  # a copier: black and white, pale pens lost
        edge = float(np.median(seen)) * rng.uniform(0.6, 0.85)
        seen = 1 / (1 + np.exp(np.clip((edge - seen) / rng.uniform(0.01, 0.05), -50, 50)))
    gray = np.clip(seen * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])[1]
        gray = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return gray


def register(rng: Generator, printed: Layer) -> Gray:
    """The blank of the same box, as far beside its place as registration may leave it."""
    shift = np.hstack([np.eye(2), rng.normal(0, 0.55 * FINE, (2, 1))])
    page = cv2.warpAffine(1 - printed, shift, printed.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(_small(rng, np.asarray(page, np.float32)) * 255, 0, 255), np.uint8)


def _faint(rng: Generator) -> Layer:
    """What is on the page and is no ink of it: the other side showing through, a streak of the scanner, a fold."""
    layer = empty()
    if rng.random() < 0.08:
        points = rng.uniform(0, len(layer), (int(rng.integers(3, 7)), 2))
        line(layer, curve(rng, points, 0.05), float(rng.uniform(4, 14)))
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), 3) * rng.uniform(0.02, 0.1), np.float32)
    if rng.random() < 0.04:
        at, wide = int(rng.integers(len(layer))), int(rng.integers(1, 4))
        streaked = layer if rng.random() < 0.7 else layer.T
        streaked[:, at : at + wide] = rng.uniform(0.05, 0.25)
    return layer


def _light(rng: Generator) -> Layer:
    """Light on each pixel of the picture: falling off, at times with the edge of a shadow."""
    light = np.ones((SIZE, SIZE), np.float32)
    if rng.random() < 0.6:
        light = np.asarray(cv2.resize(rng.uniform(0.75, 1.0, (2, 2)).astype(np.float32), (SIZE, SIZE)), np.float32)
    if rng.random() < 0.06:
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
        side = (x * np.cos(angle) + y * np.sin(angle) - away) / rng.uniform(0.1, 0.5)
        light *= (1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-side * 4))).astype(np.float32)
    return light


def _small(rng: Generator, page: Layer) -> Layer:
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.3, 1.3)) * FINE), np.float32)
    if rng.random() < 0.05:  # a hand that shook
        way = np.zeros((9, 9), np.float32)
        angle = rng.uniform(0, np.pi)
        ends = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(1, 4)
        first, last = ((round(4 - s * ends[0]), round(4 - s * ends[1])) for s in (-1, 1))
        cv2.line(way, first, last, (1.0,))
        page = np.asarray(cv2.filter2D(page, -1, way / way.sum()), np.float32)
    if rng.random() < 0.3:  # fewer pixels than the picture has
        fewer = int(rng.integers(14, 36))
        coarse = cv2.resize(page, (fewer, fewer), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(cv2.resize(page, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.float32)
