"""Strings of one to six unseen digits, composed as a clean handwriting field: exact texts and time, with peers."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.decode import DIGITS
from formlens.types import Image
from model.peers import rapidocr_lines, tesseract_lines
from model.section import OURS, Miss, Row, Setup, folder

HELD_OUT = 5000
"""The last digits of the MNIST training file, on which nothing is trained or chosen."""
COUNT = 2000
ROUND = 50
"""Crops that each reader gets at a time, in turn, so that all see the same load of the machine."""
TESSERACT_CROPS = 400
"""Tesseract starts a process a crop: it reads only the first so many."""

Glyphs = Sequence[NDArray[np.uint8]]
ReadCrops = Callable[[Sequence[Image]], Sequence[str]]


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Exact digit strings with a digit mask, and without other characters for the peers, and milliseconds a crop."""
    strings = held_out_strings(folder(setup, "mnist_train.npz"), COUNT)
    reader, base = setup.reader, setup.base
    readers: dict[str, ReadCrops] = {OURS: lambda crops: [one.text for one in reader.read(crops, DIGITS)]}
    if base is not None:
        readers["base"] = lambda crops: [one.text for one in base.read(crops, DIGITS)]
    if setup.rapid is not None:
        readers["RapidOCR"] = lambda crops: [text for text, _ in rapidocr_lines(setup.rapid, crops)]
    if setup.tesseract:
        readers["Tesseract"] = lambda crops: tesseract_lines(crops, "-c", "tessedit_char_whitelist=0123456789")
    right: dict[str, list[bool]] = {name: [] for name in readers}
    pace: dict[str, list[float]] = {name: [] for name in readers}
    for start in range(0, COUNT, ROUND):
        crops, truths = zip(*strings[start : start + ROUND], strict=True)
        for name, read in readers.items():
            if name == "Tesseract" and start >= TESSERACT_CROPS:
                continue
            began = time.perf_counter()
            texts = read(crops)
            pace[name].append(1000 * (time.perf_counter() - began) / len(crops))
            kept = ["".join(c for c in text if c in "0123456789") for text in texts]
            right[name] += [text == truth for text, truth in zip(kept, truths, strict=True)]
            if name == OURS:
                yield from (
                    Miss("strings", crop, truth, text)
                    for crop, truth, text in zip(crops, truths, kept, strict=True)
                    if text != truth
                )
    shares = {name: f"{100 * np.mean(one):.1f} %" for name, one in right.items()}
    yield Row("strings", "exact, other characters dropped", COUNT, shares, "≥ 99 %")
    yield Row("strings", "ms a crop", COUNT, {name: f"{median(one):.1f}" for name, one in pace.items()})
    ratios = {name: median(a / b for a, b in zip(one, pace[OURS], strict=False)) for name, one in pace.items()}
    yield Row("strings", f"ms, times {OURS}", COUNT, {name: f"{ratio:.1f}" for name, ratio in ratios.items()})


def held_out_strings(mnist: Path, count: int, seed: int = 0) -> list[tuple[Image, str]]:
    """Digit strings as crops of a handwriting field, composed of the held out digits, and what they say."""
    with np.load(mnist) as data:
        glyphs, labels = data["x"][-HELD_OUT:], data["y"][-HELD_OUT:]
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(0, HELD_OUT, rng.integers(1, 7)) for _ in range(count)]
    return [(compose(glyphs[ids], rng), "".join(str(labels[i]) for i in ids)) for ids in chosen]


def compose(glyphs: Glyphs, rng: Generator) -> Image:
    """White-on-black characters (height, width) written side by side, dark on a light paper, a little unevenly."""
    size = rng.uniform(22, 34)
    pieces = [_scaled(glyph, size / 20 * rng.uniform(0.9, 1.1)) for glyph in glyphs]
    gaps = [max(1, round(size * rng.normal(0.22, 0.08))) for _ in pieces]
    beside, above = (round(size * rng.uniform(0.2, 0.6)) for _ in range(2))
    width = sum(piece.shape[1] for piece in pieces) + sum(gaps[:-1]) + 2 * beside
    ink = np.zeros((round(1.35 * size) + 2 * above, width), np.float32)
    x = beside
    for piece, gap in zip(pieces, gaps, strict=True):
        height, wide = piece.shape
        y = int(np.clip(round((len(ink) - height) / 2 + size * rng.normal(0, 0.06)), 0, len(ink) - height))
        ink[y : y + height, x : x + wide] = np.maximum(ink[y : y + height, x : x + wide], piece)
        x += wide + gap
    paper = rng.uniform(215, 250) + rng.uniform(-8, 8, 3)
    pen = rng.uniform(20, 110) + rng.uniform(-15, 15, 3)
    image = paper + (pen - paper) * ink[..., None] + rng.normal(0, 3, (*ink.shape, 1))
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def _scaled(glyph: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    ys, xs = np.nonzero(glyph > 50)
    tight = glyph[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32) / 255
    size = max(3, round(tight.shape[1] * scale)), max(4, round(tight.shape[0] * scale))
    return np.asarray(np.clip(cv2.resize(tight, size, interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)
