"""Real lines of handwriting: a folder of crops with their transcription in, altered pictures out.

A folder holds `lines.tsv` (columns file, page, text; quoting off) and `lines/`. Pages are split, never lines: every
fifth group of pages, in the order of a hash, is held out. A group is a page, or all pages of one writer where their
names say so.
"""

import csv
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator

from formlens.types import Image

HELD_OUT_SHARE = 0.2
STANDARD = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "\u00a0": " "}
)


@dataclass(frozen=True)
class Line:
    """One crop and what stands in it."""

    path: Path
    text: str
    page: str
    cuts: tuple[int, ...] | None = None
    """Columns at which its spaces are crossed, where they were found (`model.words`)."""


def lines(folder: Path, held_out: bool, alphabet: str) -> list[Line]:
    """The lines of the pages held out, or of all others, whose text the alphabet can spell."""
    with (folder / "lines.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    groups = sorted({writing(row["page"]) for row in rows}, key=lambda group: zlib.crc32(group.encode()))
    kept = set(groups[: max(1, round(HELD_OUT_SHARE * len(groups)))])
    chosen = [row for row in rows if (writing(row["page"]) in kept) == held_out]
    known = set(alphabet)
    found = (Line(folder / "lines" / row["file"], standard(row["text"]), row["page"]) for row in chosen)
    return [line for line in found if line.text and known.issuperset(line.text)]


def writing(page: str) -> str:
    """The group that a page is split with: pages numbered within one document (…_0002-0, …_0002-1) stay together."""
    return re.sub(r"-\d+$", "", page)


def standard(text: str) -> str:
    """A transcription in the reader's spelling: composed accents, straight quotes, plain dashes, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).translate(STANDARD).split())


def photograph(line: Line) -> Image:
    """The crop as it is; FileNotFoundError where it is missing."""
    image = cv2.imread(str(line.path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(line.path)
    return np.asarray(image, np.uint8)


def phrase(rng: Generator, line: Line, page: Sequence[Line]) -> tuple[Image, str]:
    """A line of `page` whole, a few of its words, or words of several lines of that hand put together anew."""
    chance = rng.random()
    if line.cuts is None or chance < 0.4:
        return photograph(line), line.text
    words = line.text.split(" ")
    if chance < 0.75:
        first = int(rng.integers(len(words)))
        last = min(len(words), first + int(rng.choice([1, 1, 2, 2, 3, 4])))
        return _part(line, first, last), " ".join(words[first:last])
    parted = [other for other in page if other.cuts is not None]
    pieces: list[Image] = []
    texts = []
    for _ in range(int(rng.choice([2, 2, 3, 3, 4]))):
        other = parted[int(rng.integers(len(parted)))]
        words = other.text.split(" ")
        at = int(rng.integers(len(words)))
        piece = _part(other, at, at + 1)
        pieces.append(piece if not pieces else _as_tall(piece, pieces[0].shape[0]))
        texts.append(words[at])
    return np.concatenate(pieces, axis=1), " ".join(texts)


def _part(line: Line, first: int, last: int) -> Image:
    """The picture of words `first` to `last` - 1 of a line."""
    image = photograph(line)
    edges = (0, *(line.cuts or ()), image.shape[1])
    return image[:, edges[first] : edges[last]]


def _as_tall(image: Image, height: int) -> Image:
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def alter(rng: Generator, image: Image) -> Image:
    """The same writing by a slightly different hand: leaning, narrower or wider, thicker or thinner, cut elsewhere."""
    height, width = image.shape[:2]
    slant, turn = rng.normal(0, 0.12), rng.normal(0, 0.008)
    fx, fy = rng.uniform(0.75, 1.2), rng.uniform(0.88, 1.12)
    move = np.array([[fx, -slant, 0], [turn, fy, 0]], np.float32)
    size = max(8, round(width * fx)), height
    move[:, 2] = np.array([size[0], height]) / 2 - move[:, :2] @ [width / 2, height / 2]
    out = cv2.warpAffine(image, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = rng.random()
    if change < 0.15:
        out = cv2.erode(out, np.ones((2, 2), np.uint8))
    elif change < 0.25:
        out = cv2.dilate(out, np.ones((2, 2), np.uint8))
    top, bottom = (int(v) for v in rng.uniform(0, 0.06, 2) * height)
    out = out[top : height - bottom]
    if rng.random() < 0.3:
        tint = rng.uniform(0.82, 1.0, 3)
        out = np.clip(out * tint, 0, 255)
    return np.asarray(out, np.uint8)
