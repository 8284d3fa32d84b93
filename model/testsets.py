"""Sets of crops that nobody trained on, for the score: held-out writers, pages and fonts in, crops and texts out.

What is composed here is drawn from the held-out part of a collection by a seed, so a set is the same on every machine.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from formlens.decode import DIGITS, NUMBER, TEXT, Charset
from formlens.types import Image
from model import fields, fonts, numerals, strokes
from model.data import Sample, Sources, spellable
from model.glyphs import Ink
from model.heldout import held_out_sets
from model.paper import PENS, Sheet, picture

SEED = 11
DATE = re.compile(r"\d.*\d")
"""What a date starts and ends with, and no name does."""


@dataclass(frozen=True)
class TestSet:
    """Crops, what may stand in them, and what the reader should reach."""

    samples: list[Sample]
    charset: Charset = TEXT
    goal: str = ""


def test_sets(src: Sources, size: int) -> dict[str, TestSet]:
    """All sets of at most `size` crops; `src` is built with `held_out=True`.

    Clean sets are ink on paper as a good scanner gives it; "damaged" ones are drawn as the training stream draws.
    """
    held = held_out_sets(src, size)
    lyon = held.pop("lyon", [])
    sets = {
        "digit strings 1-6": TestSet(held["digits"], DIGITS, "≥ 99 %"),
        "dates, clean": TestSet(_drawn(src, size, _date), NUMBER, "≥ 97 %"),
        "decimals, clean": TestSet(_drawn(src, size, _decimal), NUMBER, "≥ 97 %"),
        "numbers, damaged": TestSet(held["numbers"], NUMBER),
        "single letters, clean": TestSet(_drawn(src, size, _letter)),
        "words of letters, clean": TestSet(_drawn(src, size, _word)),
        "words of letters, damaged": TestSet(held["letters"]),
        "unseen fonts, clean": TestSet(_drawn(src, size, _field), TEXT, "≥ 95 %"),
        "unseen fonts, damaged": TestSet(held["fonts"]),
        "fonts and digits, damaged": TestSet(held["mixed"]),
        "Lyon dates": TestSet([one for one in lyon if DATE.fullmatch(one.text)], TEXT, "≥ 90 %"),
        "Lyon names": TestSet([one for one in lyon if not DATE.fullmatch(one.text)], TEXT, "CER ≤ 10 %"),
        "Stanford lines": TestSet(held.get("stanford", [])),
        "Poilus lines": TestSet(held.get("poilus", [])),
        "printed, clean": TestSet(_drawn(src, size, _printed)),
        "printed, damaged": TestSet(held["printed"]),
        "long printed lines": TestSet(_drawn(src, size // 2, _long)),
    }
    return {name: one for name, one in sets.items() if one.samples}


Draw = Callable[[Generator, Sources], tuple[Ink, str, str]]
"""Ink, text, and the pen it is written with."""


def _drawn(src: Sources, size: int, draw: Draw) -> list[Sample]:
    samples = []
    for index in range(size):
        rng = np.random.default_rng((SEED, index))
        ink, text, pen = draw(rng, src)
        samples.append(Sample(scan(rng, ink, pen), text, draw.__name__))
    return samples


def scan(rng: Generator, ink: Ink, pen: str) -> Image:
    """Ink on paper with little around it, as an office scanner stores it: no shadow, tilt or noise of note."""
    image = picture(rng, Sheet(ink), pen, clutter=0.2)
    scale = rng.uniform(0.7, 1.1)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    stored = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(80, 96))])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)


def _pen(rng: Generator) -> str:
    return PENS[int(rng.choice(4, p=(0.5, 0.2, 0.15, 0.15)))]


def _numeral(rng: Generator, src: Sources, field: numerals.Field) -> tuple[Ink, str, str]:
    while not spellable(src, text := field(rng)):
        pass
    return strokes.draw(rng, text, src.digits).ink, text, _pen(rng)


def _date(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    return _numeral(rng, src, numerals.date)


def _decimal(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    return _numeral(rng, src, numerals.decimal)


def _letter(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    # alone, these are the same strokes in both cases: no reader can tell them, nor o from 0, l from 1
    text = str(rng.choice([c for c in src.letters if c not in "clopsuvwxzik"]))
    return strokes.draw(rng, text, src.letters).ink, text, _pen(rng)


def _word(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    while True:
        text = fields.word(rng).lower()
        if text.isascii() and text.isalpha():
            return strokes.draw(rng, text, src.letters).ink, text, _pen(rng)


def _field(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    font = src.hands[int(rng.choice(len(src.hands), p=src.hand_shares))]
    while True:
        text = fields.text(rng)
        text = text.upper() if font.capitals_only else text
        if spellable(src, text) and fonts.fits(font, text):
            return fonts.write(rng, font, text).ink, text, _pen(rng)


def _typeset(rng: Generator, src: Sources, write: numerals.Field) -> tuple[Ink, str, str]:
    font = src.printed[int(rng.integers(len(src.printed)))]
    while True:
        text = write(rng)
        if set(src.alphabet).issuperset(text) and fonts.fits(font, text):
            return fonts.typeset(font, text).ink, text, "print"


def _printed(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    return _typeset(rng, src, fields.text)


def _long(rng: Generator, src: Sources) -> tuple[Ink, str, str]:
    def several(rng: Generator) -> str:
        return " ".join(fields.remark(rng) for _ in range(3))[:90].strip()

    return _typeset(rng, src, several)
