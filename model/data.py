"""The training stream: a seed in, endless batches of crops and texts out, drawn as they are needed.

Sample `i` of a seed is the same on every machine, whatever the number of workers, and no picture is stored.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.reader import Reader
from formlens.types import Image
from model import fields, fonts, lines, numerals, strokes, words
from model.damage import damage
from model.fonts import Font
from model.glyphs import Glyph, Ink, join, scaled
from model.lines import Line
from model.paper import PENS, Sheet, picture

LINES = ("lyon", "stanford", "poilus")


@dataclass(frozen=True)
class Sources:
    """Everything that samples are made from; built by `sources`."""

    alphabet: str
    digits: strokes.Signs
    boxed: strokes.Signs
    letters: strokes.Signs
    hands: tuple[Font, ...]
    hand_shares: NDArray[np.float64]
    printed: tuple[Font, ...]
    lines: tuple[tuple[Line, ...], ...]
    pages: Mapping[str, Sequence[Line]]
    """The lines of each page: what one hand wrote."""


@dataclass(frozen=True)
class Sample:
    """One crop and the text in it; `kind` is one of `KINDS`."""

    image: Image
    text: str
    kind: str


def sources(
    data: Path,
    alphabet: str,
    *,
    held_out: bool = False,
    without: Sequence[str] = (),
    printed: Path = fonts.SYSTEM_FONTS,
    reader: Reader | None = None,
) -> Sources:
    """Open the collections under `data`, for training or the part held out; `without` leaves out sets of lines.

    Where there is a `reader`, it parts the lines into words, which takes a minute.
    """
    paths = fonts.families(data / "fonts", held_out)
    series = [path.stem.split("-")[0] for path in paths]
    # many families are one teacher's script for one country each: alone they would be half of all hands
    shares = np.array([series.count(name) ** -0.5 for name in series])
    found = [lines.lines(data / f"lines_{name}", held_out, alphabet) for name in LINES if name not in without]
    groups = [tuple(words.parted(group, reader) if reader else group) for group in found]
    pages: dict[str, list[Line]] = {}
    for line in itertools.chain(*groups):
        pages.setdefault(line.page, []).append(line)
    return Sources(
        alphabet,
        strokes.mnist(data, held_out),
        strokes.boxed_digits(data, held_out),
        strokes.letters(data, held_out),
        tuple(map(fonts.load, paths)),
        shares / shares.sum(),
        tuple(map(fonts.load, fonts.printed(printed))),
        tuple(groups),
        pages,
    )


def sample(src: Sources, seed: int, index: int, kind: str | None = None) -> Sample:
    """Sample `index` of the stream with that seed, of one kind or of any."""
    rng = np.random.default_rng((seed, index))
    shares = np.array(list(KINDS.values())) / sum(KINDS.values())
    drawn = str(rng.choice(list(KINDS), p=shares))
    return _DRAW[kind or drawn](rng, src)


def spellable(src: Sources, text: str) -> bool:
    """Whether the alphabet has all of the text, and the text is a field and not a page."""
    return 0 < len(text) <= 60 and set(src.alphabet).issuperset(text)


def _digits(rng: Generator, src: Sources) -> Sample:
    while True:
        text = numerals.number_like(rng)
        if spellable(src, text):
            break
    signs = src.boxed if src.boxed and rng.random() < 0.12 else src.digits
    return _finish(rng, src, strokes.draw(rng, text, signs).ink, text, "digits")


def _letters(rng: Generator, src: Sources) -> Sample:
    while True:
        text = (fields.word(rng) if rng.random() < 0.6 else fields.name(rng)).lower()
        if text.isascii() and text.replace(" ", "").isalpha():
            return _finish(rng, src, strokes.draw(rng, text, src.letters).ink, text, "letters")


def _hand(rng: Generator, src: Sources) -> Sample:
    font, text = _fitting(rng, src, fields.text)
    other = src.hands[int(rng.choice(len(src.hands), p=src.hand_shares))] if rng.random() < 0.4 else None
    return _finish(rng, src, fonts.write(rng, font, text, other).ink, text, "fonts")


def _mixed(rng: Generator, src: Sources) -> Sample:
    """Real digits among the letters of a font, as in dates with words, measures and codes."""
    kinds: tuple[numerals.Field, ...] = (fields.date_in_words, fields.measure, fields.code, fields.address)
    font, text = _fitting(rng, src, kinds[int(rng.integers(len(kinds)))])
    runs = [text[0]]
    for character in text[1:]:
        if character.isdigit() == runs[-1][-1].isdigit():
            runs[-1] += character
        else:
            runs.append(character)
    size = rng.uniform(0.8, 1.1)
    glyphs = [
        scaled(strokes.draw(rng, run, src.digits), size, size) if run[0].isdigit() else fonts.write(rng, font, run)
        for run in runs
    ]
    spaced = [Glyph(glyph.ink, glyph.rise, int(rng.uniform(1, 7))) for glyph in glyphs]
    return _finish(rng, src, join(spaced).ink, text, "mixed")


def _line(rng: Generator, src: Sources) -> Sample:
    filled = [group for group in src.lines if group]
    if not filled:
        return _hand(rng, src)
    group = filled[int(rng.integers(len(filled)))]
    line = group[int(rng.integers(len(group)))]
    image, text = lines.phrase(rng, line, src.pages[line.page])
    image = lines.alter(rng, image)
    return Sample(damage(rng, image) if rng.random() < 0.6 else image, text, "lines")


def _printed(rng: Generator, src: Sources) -> Sample:
    font = src.printed[int(rng.integers(len(src.printed)))]
    while True:
        text = fields.text(rng) if rng.random() < 0.5 else fields.remark(rng)
        if spellable(src, text) and fonts.fits(font, text):
            break
    sheet = Sheet(fonts.typeset(font, text).ink)
    return Sample(damage(rng, picture(rng, sheet, "print", clutter=0.5)), text, "printed")


KINDS = {"digits": 27.0, "fonts": 30.0, "mixed": 8.0, "letters": 5.0, "lines": 19.0, "printed": 11.0}
"""Shares of the stream."""

_DRAW: dict[str, Callable[[Generator, Sources], Sample]] = {
    "digits": _digits,
    "fonts": _hand,
    "mixed": _mixed,
    "letters": _letters,
    "lines": _line,
    "printed": _printed,
}


def _fitting(rng: Generator, src: Sources, field: numerals.Field) -> tuple[Font, str]:
    """A font and a text that it has the characters for."""
    font = src.hands[int(rng.choice(len(src.hands), p=src.hand_shares))]
    while True:
        text = field(rng)
        text = text.upper() if font.capitals_only else text
        if spellable(src, text) and fonts.fits(font, text):
            return font, text


def _finish(rng: Generator, src: Sources, ink: Ink, text: str, kind: str) -> Sample:
    """Put ink on paper, with something from a neighbour in reach, and take its picture."""
    pen = PENS[int(rng.choice(4, p=(0.45, 0.2, 0.15, 0.2)))]
    neighbours: tuple[Ink, ...] = ()
    labels: tuple[Ink, ...] = ()
    if rng.random() < 0.25:
        neighbours = (fonts.write(rng, *_fitting(rng, src, fields.word)).ink,)
    if rng.random() < 0.1:
        labels = (
            fonts.typeset(
                src.printed[int(rng.integers(len(src.printed)))], ("Name", "Date", "No.", "Total")[int(rng.integers(4))]
            ).ink,
        )
    return Sample(damage(rng, picture(rng, Sheet(ink, neighbours, labels), pen)), text, kind)
