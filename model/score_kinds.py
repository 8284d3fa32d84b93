"""What a column may hold, beside reading without it: Lyon's names and dates, and fields of unseen digits.

Each page of the Lyon register is read with a kind learned from the other pages alone. The fields (days, decimals, whole
numbers) are composed of unseen MNIST digits with drawn strokes between, damaged as scans are; their kind is learned
from 30 other values, and how they are written from 6 labelled crops.
"""

import csv
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np

from formlens.bounds import ranking
from formlens.decode import decode
from formlens.grammar import read_kind, settle
from formlens.kinds import kind_of
from formlens.reader import Reader
from formlens.types import Image, Reading
from model import strokes
from model.damage import damage
from model.heldout import edits
from model.paper import PENS, Sheet, picture
from model.section import OURS, Miss, Row, Setup, folder

LABELLED = 30
"""Crops of other pages from which the way of writing is learned."""
KNOWN = 36
"""Values that a kind of composed fields is learned from; the first 6 with their crops. They are not scored."""


@dataclass(frozen=True)
class Cell:
    """One crop, its page, what stands there and what was typed for it."""

    page: str
    image: Image
    written: str
    typed: str


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Exact values, character errors, AUROC and milliseconds, with the kind and without."""
    cells = list(_lyon(folder(setup, "lines_lyon")))
    dates = [cell for cell in cells if re.search(r"\d", cell.written)]
    names = [cell for cell in cells if not re.search(r"\d", cell.written)]
    for name, all_ in (("Lyon dates", dates), ("Lyon names", names)):
        yield from _compare(setup, name, all_[:: -(-len(all_) // setup.size)], all_)
    digits = strokes.mnist(folder(setup, "mnist_train.npz").parent, True)
    for name, pairs in _fields(min(setup.size, 200)).items():
        rng = np.random.default_rng(11)
        drawn = [
            Cell("" if i >= KNOWN else "known", _photograph(rng, written, digits), written, typed)
            for i, (typed, written) in enumerate(pairs)
        ]
        yield from _compare(setup, name, drawn, drawn)


def _compare(setup: Setup, name: str, cells: Sequence[Cell], every: Sequence[Cell]) -> Iterator[Row | Miss]:
    exact: dict[str, str] = {}
    errors: dict[str, str] = {}
    worth: dict[str, str] = {}
    pace: dict[str, str] = {}
    scored: list[Cell] = []
    for system, reader in (("", setup.reader), ("base", setup.base)):
        if reader is None:
            continue
        seen = reader.probabilities([cell.image for cell in cells])
        by_cell, took = _with_kind(reader, cells, seen, every)
        scored = [cells[i] for i in by_cell]
        plain = [decode(seen[i], reader.alphabet) for i in by_cell]
        kind = list(by_cell.values())
        for label, readings, truths in (
            (system or OURS, kind, [cell.typed for cell in scored]),
            (f"{system or OURS} without", plain, [cell.written for cell in scored]),
        ):
            right = [one.text == true for one, true in zip(readings, truths, strict=True)]
            wrong = sum(edits(one.text, true) for one, true in zip(readings, truths, strict=True))
            exact[label] = f"{100 * np.mean(right):.1f} %"
            errors[label] = f"{wrong / sum(map(len, truths)):.3f}"
            worth[label] = f"{ranking(np.array([one.confidence for one in readings]), np.array(right, bool)) or 0:.3f}"
        pace[system or OURS] = f"{took:.1f}"
        if not system:
            for cell, one in zip(scored, kind, strict=True):
                if one.text != cell.typed:
                    yield Miss(name, cell.image, cell.typed, one.text, one.confidence)
    yield Row(name, "exact", len(scored), exact, {"Lyon dates": "≥ 90 %"}.get(name, ""))
    yield Row(name, "character errors", len(scored), errors, {"Lyon names": "≤ .10"}.get(name, ""))
    yield Row(name, "AUROC of confidence", len(scored), worth, "≥ .90")
    yield Row(name, "processor ms a crop, beside the network", len(scored), pace, "≤ 2 (dates)")


def _with_kind(
    reader: Reader, cells: Sequence[Cell], seen: Sequence[np.ndarray], every: Sequence[Cell]
) -> tuple[dict[int, Reading], float]:
    """Readings of the cells to score, each by a kind learned from what was typed for every cell of other pages."""
    readings: dict[int, Reading] = {}
    took = 0.0
    for page in sorted({cell.page for cell in cells} - {"known"}):
        others = [i for i, cell in enumerate(cells) if cell.page != page]
        kind = kind_of([cell.typed for cell in every if cell.page != page])
        labelled = others[:: len(others) // LABELLED] if page else others[:6]
        kind = settle(kind, [(cells[i].typed, seen[i]) for i in labelled], reader.alphabet)
        own = [i for i, cell in enumerate(cells) if cell.page == page]
        read_kind(seen[own[0]], reader.alphabet, kind)  # a kind's automaton is made once, not for each crop
        began = time.process_time()
        readings |= {i: read_kind(seen[i], reader.alphabet, kind) for i in own}
        took += time.process_time() - began
    return readings, 1000 * took / len(readings)


def _lyon(place: Path) -> Iterator[Cell]:
    with (place / "lines.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            image = cv2.imread(str(place / "lines" / row["file"]), cv2.IMREAD_COLOR)
            if image is not None and row["text"]:
                yield Cell(row["page"], np.asarray(image, np.uint8), row["text"], row["text"])


def _fields(count: int) -> dict[str, list[tuple[str, str]]]:
    """Typed values and what stands on paper for each."""
    rng = np.random.default_rng(5)
    days = [date(2010, 1, 1) + timedelta(int(d)) for d in rng.integers(0, 5000, count + KNOWN)]
    parts = [(int(rng.integers(1, 2000)), int(rng.integers(0, 100))) for _ in range(count + KNOWN)]
    whole = [str(int(10 ** rng.uniform(0, 6))) for _ in range(count + KNOWN)]
    return {
        "days d/m/Y typed Y-M-D": [(day.isoformat(), f"{day.day}/{day.month}/{day.year}") for day in days],
        "decimals with a comma typed with a point": [(f"{a}.{b:02}", f"{a},{b:02}") for a, b in parts],
        "whole numbers of 1 to 6 digits": [(one, one) for one in whole],
    }


def _photograph(rng: np.random.Generator, text: str, digits: strokes.Signs) -> Image:
    ink = strokes.draw(rng, text, digits).ink
    return damage(rng, picture(rng, Sheet(ink), PENS[int(rng.integers(len(PENS)))]))
