"""Fonts as hands: TTF files and a text in, a line of ink out.

Handwriting families come with `fonts.json` (file → npm package and licence); about a fifth of the families is held
out whole, by a hash of their name, so that families that are added later change nothing for those that are there.
Fonts that join their letters are set as the font says and bent as a whole; in the others every letter gets its own
size, height, turn and distance.
"""

import functools
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import ImageFont

from model.glyphs import CAP, Glyph, join, leaning, pen, scaled, trim, wobble

HELD_OUT_SHARE = 0.22
PRINTED = ("dejavu", "liberation")
"""Debian's fonts-dejavu and fonts-liberation, for printed text."""

SYSTEM_FONTS = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True)
class Font:
    """One font at the size where its capitals are `CAP` pixels high."""

    path: str
    size: int
    characters: frozenset[str]
    joined: bool
    capitals_only: bool
    """Small letters look like capitals: only capitals can be drawn without lying about their case."""


def families(folder: Path, held_out: bool) -> list[Path]:
    """Handwriting fonts of the families held out, or of all others; ValueError where there is no fonts.json."""
    index = folder / "fonts.json"
    if not index.is_file():
        raise ValueError(f"{folder} holds no fonts.json; it lists which fonts may be used and under which licence")
    listed = json.loads(index.read_text())
    kept_apart = {
        name: zlib.crc32(source["package"].rsplit("@", 1)[0].encode()) < HELD_OUT_SHARE * 2**32
        for name, source in listed.items()
    }
    return sorted(folder / name for name, apart in kept_apart.items() if apart == held_out)


def printed(folder: Path = SYSTEM_FONTS) -> list[Path]:
    """Ordinary fonts for printed text, symbols left out; ValueError where there are none."""
    paths = (path for kind in PRINTED for path in folder.glob(f"**/{kind}*/*.ttf"))
    chosen = sorted(path for path in paths if "MathTeX" not in path.name and "ExtraLight" not in path.name)
    if not chosen:
        raise ValueError(f"no ordinary fonts under {folder}: install Debian's fonts-dejavu and fonts-liberation")
    return chosen


@functools.cache
def load(path: Path) -> Font:
    """Measure a font: its size, characters, and whether it joins letters or has capitals only."""
    from fontTools.ttLib import TTFont  # only what draws letters needs it, not what lists families

    with TTFont(path, lazy=True) as file:
        known = file.getBestCmap()
    characters = frozenset(map(chr, known))
    probe = ImageFont.truetype(str(path), 100)
    size = max(12, round(100 * CAP / max(_extent(probe, "H"), 1)))
    face = _face(str(path), size)
    parts, _ = cv2.connectedComponents((_mask(face, "nnmmnn")[0] > 127).astype(np.uint8))
    alike = [_likeness(face, c) > 0.8 for c in "abdeghnqrt" if {c, c.upper()} <= characters]
    return Font(str(path), size, characters, parts - 1 <= 3, sum(alike) > len(alike) / 2)


def fits(font: Font, text: str) -> bool:
    """Whether the font has every character of the text, and a case for it."""
    plain = text.replace(" ", "")
    return font.characters.issuperset(plain) and not (font.capitals_only and plain != plain.upper())


def write(rng: Generator, font: Font, text: str, lender: Font | None = None) -> Glyph:
    """A text in a font as a hand would write it, pen and slant drawn at random.

    A hand that nobody's font shows: some of the letters come from another font, `lender`, where neither joins them.
    """
    face = _face(font.path, font.size)
    mixed = lender is not None and not (font.joined or lender.joined or font.capitals_only or lender.capitals_only)
    whole = font.joined or (not mixed and rng.random() < 0.4)
    faces = dict.fromkeys(text, face)
    if mixed and lender is not None:
        lent = [c for c in sorted(faces) if c in lender.characters and c != " " and rng.random() < 0.5]
        faces |= dict.fromkeys(lent, _face(lender.path, lender.size))
    line = Glyph(*_mask(face, text)) if whole else _letter_by_letter(rng, faces, text)
    ink = pen(rng, line.ink, float(np.clip(rng.normal(0.2, 0.8), -1.3, 2.2)))
    slant = rng.normal(0, 0.13)
    bent = leaning(wobble(rng, np.pad(ink, 4), rng.uniform(0.15, 0.75)), slant, rng.normal(0, 0.012))
    squeeze = rng.uniform(0.72, 1.25)
    rise = line.rise + (bent.shape[0] - line.ink.shape[0]) // 2
    return scaled(Glyph(bent, rise), squeeze, 1.0)


def typeset(font: Font, text: str) -> Glyph:
    """A text as a printer sets it."""
    return Glyph(*_mask(_face(font.path, font.size), text))


def _letter_by_letter(rng: Generator, faces: dict[str, ImageFont.FreeTypeFont], text: str) -> Glyph:
    glyphs = []
    uneven, loose = rng.uniform(0.0, 0.07), rng.normal(0.0, 1.6)
    for character, following in zip(text, [*text[1:], ""], strict=True):
        face = faces[character]
        advance = face.getlength(character + following) - (face.getlength(following) if following else 0)
        if character == " ":
            glyphs.append(Glyph(np.zeros((1, 1), np.uint8), 1, round(advance * rng.uniform(0.8, 1.5))))
            continue
        ink, rise = _mask(face, character)
        size = rng.normal(1, uneven)
        height, width = ink.shape
        new = max(2, round(width * size * rng.normal(1, uneven))), max(2, round(height * size))
        grown = leaning(
            np.asarray(cv2.resize(ink, new), np.uint8), rng.normal(0, uneven / 2), rng.normal(0, uneven / 2)
        )
        lift = round(rng.normal(0, 0.6 * uneven) * CAP)
        pad = (grown.shape[0] - new[1]) // 2
        gap = round(advance - grown.shape[1] + loose + rng.normal(0, 14 * uneven))
        glyphs.append(Glyph(grown, round(rise * size) + pad + lift, max(gap, -grown.shape[1] // 2)))
    return join(glyphs)


@functools.lru_cache(maxsize=256)
def _face(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _mask(face: ImageFont.FreeTypeFont, text: str) -> tuple[np.ndarray, int]:
    """Ink of a text with its side bearings, and its rows above the baseline."""
    mask, (left, top) = face.getmask2(text, mode="L", anchor="ls")
    width, height = mask.size
    if not width or not height:
        return np.zeros((1, max(1, round(face.getlength(text)))), np.uint8), 1
    ink = np.array(mask, np.uint8).reshape(height, width)
    before = max(0, int(left))
    behind = max(0, round(face.getlength(text)) - before - width)
    return np.pad(ink, ((0, 0), (before, behind))), -int(top)


def _extent(face: ImageFont.FreeTypeFont, text: str) -> int:
    return int(face.getmask2(text, mode="L")[0].size[1])


def _likeness(face: ImageFont.FreeTypeFont, letter: str) -> float:
    """How far a small letter has the shape of its capital: overlap over union, both in one size."""
    small, large = (cv2.resize(trim(_mask(face, c)[0]), (32, 32)) > 127 for c in (letter, letter.upper()))
    return float((small & large).sum()) / max(float((small | large).sum()), 1.0)
