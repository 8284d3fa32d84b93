"""Real handwritten signs put together into fields: collections of digits and letters in, lines of their ink out.

Digits: MNIST (CC BY-SA 3.0) and boxed digits of photographed forms (ODK, Apache-2.0); letters: Omniglot (MIT). A share
of each is held out and never drawn for training. Every line gets one hand: slant, pen, size, spacing; MNIST's own look
(20-pixel boxes, blurred round pen, centred by mass) is taken away on the way.
"""

import functools
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from model.glyphs import CAP, Glyph, Ink, join, leaning, pen, scaled, stroke_width, trim
from model.pen import SIGNS, sign

Signs = Mapping[str, Sequence[Ink]]
"""Pictures of each character."""

MNIST_HELD_OUT = 5_000
"""The last so many MNIST training digits are for scoring."""


@functools.cache
def mnist(data: Path, held_out: bool) -> dict[str, list[Ink]]:
    """MNIST's training digits but the last 5,000, or those; each trimmed to its ink."""
    with np.load(data / "mnist_train.npz") as archive:
        x, y = archive["x"], archive["y"]
    part = slice(-MNIST_HELD_OUT, None) if held_out else slice(None, -MNIST_HELD_OUT)
    signs: dict[str, list[Ink]] = {str(digit): [] for digit in range(10)}
    for picture, digit in zip(x[part], y[part], strict=True):
        signs[str(digit)].append(trim(picture))
    return signs


@functools.cache
def boxed_digits(data: Path, held_out: bool) -> dict[str, list[Ink]]:
    """Digits out of the boxes of photographed forms, box taken away; every fifth by name is held out."""
    signs: dict[str, list[Ink]] = {}
    for path in sorted((data / "odk_marks" / "digits_boxed").glob("*.jpg")):
        if (zlib.crc32(path.stem.encode()) % 5 == 0) == held_out:
            ink = _unboxed(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
            if ink is not None:
                signs.setdefault(path.name[0], []).append(ink)
    return signs


@functools.cache
def letters(data: Path, held_out: bool) -> dict[str, list[Ink]]:
    """Lower-case letters of 20 people, of whom four are held out."""
    signs: dict[str, list[Ink]] = {}
    for path in sorted((data / "omniglot_latin").glob("character*.png")):
        letter, person = chr(ord("a") + int(path.stem[9:11]) - 1), int(path.stem.rsplit("_", 1)[1])
        if (person % 5 == 0) == held_out:
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            signs.setdefault(letter, []).append(
                trim(np.asarray(cv2.dilate(255 - picture, np.ones((2, 2), np.uint8)), np.uint8))
            )
    return signs


def draw(rng: Generator, text: str, signs: Signs, own_share: float = 0.12) -> Glyph:
    """A line of real signs, and drawn ones where the collection has none; `own_share` of digits are drawn as well.

    Raises KeyError where neither has a character.
    """
    slant, aspect = rng.normal(0.0, 0.16), rng.uniform(0.75, 1.3)
    width = float(np.clip(rng.lognormal(np.log(3.6), 0.4), 1.6, 8.0))
    gap, uneven = rng.normal(4, 3.5), rng.uniform(0.02, 0.1)
    european = rng.random() < 2 * own_share
    glyphs: list[Glyph] = []
    for character in text:
        if character == " ":
            # wider than any distance within a word, or the text would say what the picture does not
            glyphs.append(Glyph(np.zeros((1, int(max(gap, 0) + rng.uniform(13, 32))), np.uint8), 1))
            continue
        size = rng.normal(1.0, uneven)
        usual = 0.1 if character == "0" else 0.5  # a barred zero is rarer than a crossed seven
        own = character in SIGNS and (character not in signs or (european and rng.random() < usual))
        if own:
            glyph = sign(rng, character, width)
        else:
            glyph = _set(rng, signs[character], character, aspect, size)
            ink = pen(rng, glyph.ink, float(np.clip((width - stroke_width(glyph.ink)) / 2, -1.6, 2.5)))
            glyph = Glyph(ink, glyph.rise)
        lean = 0.0 if character in ".,:-'" else slant + rng.normal(0, 0.04)
        ink = leaning(glyph.ink, lean, rng.normal(0, 0.03))
        rise = glyph.rise + (ink.shape[0] - glyph.ink.shape[0]) // 2 + round(rng.normal(0, 0.03) * CAP)
        tight = trim_sides(ink)
        glyphs.append(Glyph(tight, rise, round(gap + rng.normal(0, 2.0))))
    return join(glyphs)


def trim_sides(ink: Ink) -> Ink:
    """Ink without the empty columns at its sides; the rows stay, for they carry the baseline."""
    columns = np.flatnonzero(ink.max(0) > 40)
    return ink[:, columns[0] : columns[-1] + 1] if len(columns) else ink[:, :1]


def _set(rng: Generator, pictures: Sequence[Ink], character: str, aspect: float, size: float) -> Glyph:
    """One of the pictures in the size that its character has beside others."""
    ink = pictures[int(rng.integers(len(pictures)))]
    low, high = _zone(character)
    tall = (high - low) * size * CAP
    factor = tall / ink.shape[0]
    glyph = scaled(Glyph(ink, ink.shape[0]), factor * aspect, factor)
    if factor > 1.2:  # enlarged pixels are blurred: give the strokes their edge back
        sharp = np.clip((cv2.GaussianBlur(glyph.ink, (0, 0), 0.35 * factor).astype(np.float32) - 90) * 3.2, 0, 255)
        glyph = Glyph(sharp.astype(np.uint8), glyph.rise)
    return Glyph(glyph.ink, round(glyph.ink.shape[0] + low * size * CAP))


def _zone(character: str) -> tuple[float, float]:
    """Bottom and top of a character in capital heights above the baseline."""
    if character in "gpqy":
        return -0.4, 0.58
    if character in "fj":
        return -0.35, 0.95
    if character in "bdhkl":
        return 0.0, 1.0
    if character in "it":
        return 0.0, 0.85
    return (0.0, 0.58) if character.islower() else (0.0, 1.0)


def _unboxed(picture: np.ndarray) -> Ink | None:
    """The pen's part of a boxed digit: what is darker than its surroundings and does not belong to the frame."""
    picture = cv2.resize(picture, (picture.shape[1] * 3, picture.shape[0] * 3), interpolation=cv2.INTER_CUBIC)
    ground = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    dark = cv2.subtract(ground, picture)
    height, width = dark.shape
    on = (dark > 0.4 * np.percentile(dark, 97)).astype(np.uint8)
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(on, connectivity=8)
    inner = [
        i
        for i in range(1, count)
        if boxes[i, cv2.CC_STAT_WIDTH] < 0.62 * width
        and 0.3 * height < boxes[i, cv2.CC_STAT_HEIGHT] < 0.72 * height
        and boxes[i, cv2.CC_STAT_LEFT] > 0.1 * width
    ]
    if not inner:
        return None
    whole = max(inner, key=lambda i: boxes[i, cv2.CC_STAT_AREA])
    keep = cv2.dilate((parts == whole).astype(np.uint8), np.ones((5, 5), np.uint8))
    ink = np.clip(dark.astype(np.float32) * keep * (255 / max(float(dark[keep > 0].max()), 1)) * 1.3, 0, 255)
    return trim(ink.astype(np.uint8))
