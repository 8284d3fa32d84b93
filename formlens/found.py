"""Labelled scans of a table go in; in which strip and row of its scan each value of a column was found comes out.

On each scan the strips between upright rulings, or white space between columns, are read row by row. A column is what
people typed from the first part of the table to the last, top to bottom, so its values are aligned with the rows of all
strips, one after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.alignment import align
from formlens.automaton import likelihoods
from formlens.ditto import spelled
from formlens.grammar import settle, spell
from formlens.ink import Gray
from formlens.kinds import Kind, kind_of
from formlens.labelled import Labelled, only_page
from formlens.reader import Reader
from formlens.rectify import square
from formlens.rowed import cut_rows, lay_out, rows_of, usual_pitch
from formlens.rows import Rows
from formlens.strips import Edge, Strip, between, find_edges
from formlens.types import Image

_FOUND = 2.0
"""A value is found in a row where it is likelier there than by chance by so much (nats)."""
_COMMON = 0.3
"""Share of values that are found where a column is written the usual way."""
_SPELLINGS = 3
"""Ways to spell one value that are looked for, the commonest."""
_TELLING = 60
"""Crops from which it is told how a column is written."""

Floats = NDArray[np.float64]
Seen = NDArray[np.float32]


@dataclass(frozen=True)
class Scan:
    """One labelled page: its strips, their rows, and what the reader sees in each."""

    labelled: Labelled
    gray: Gray
    strips: tuple[Strip, ...]
    rows: tuple[Rows, ...]
    seen: tuple[tuple[Seen | None, ...], ...]


@dataclass(frozen=True)
class Fit:
    """How a column's values were found on one scan: for each value its strip and row there, and how well."""

    places: tuple[tuple[int, int] | None, ...]
    total: float

    @property
    def found(self) -> int:
        """How many values were found."""
        return sum(place is not None for place in self.places)


def look(labelled: Labelled, reader: Reader, find: Callable[[Image], list[Edge]] = find_edges) -> Scan:
    """One scan as the reader sees it, its columns parted by the edges that are found."""
    image = square(only_page(labelled)).image
    strips = between(find(image))
    laid = lay_out(image, strips, 40.0)
    pitch = usual_pitch(laid)
    wide = [one for one in laid if pitch and one.strip.width > 1.2 * pitch]
    wide = lay_out(image, [one.strip for one in wide], pitch)
    rows = [rows_of(one, pitch) for one in wide]
    crops = [cut_rows(one, there) for one, there in zip(wide, rows, strict=True)]
    read = iter(reader.probabilities([crop for strip in crops for crop in strip if crop is not None]))
    seen = tuple(tuple(None if crop is None else next(read) for crop in strip) for strip in crops)
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return Scan(labelled, gray, tuple(one.strip for one in wide), tuple(rows), seen)


def _fit_best_way(column: str, scans: Sequence[Scan], alphabet: str) -> tuple[Kind, list[Fit]]:
    """How a column was found on each scan, written the way that is found best; the kind knows how it is written."""
    kind = kind_of([row[column] for scan in scans for row in scan.labelled.rows])
    if kind.name == "mark":  # ticks in rows are not looked for
        kind = replace(kind_of([]), examples=kind.examples)
    values = [[row[column] for row in scan.labelled.rows] for scan in scans]
    usual = max(kind.ways, key=lambda one: one[1])[0] if kind.ways else ""
    fits = [_fit(kind, usual, typed, scan, alphabet) for typed, scan in zip(values, scans, strict=True)]
    if sum(fit.found for fit in fits) < _COMMON * sum(map(len, values)) and len(kind.ways) > 1:
        first = [_fit(kind, way, values[0], scans[0], alphabet).total for way, _ in kind.ways]
        best = kind.ways[int(np.argmax(first))][0]
        others = [_fit(kind, best, typed, scan, alphabet) for typed, scan in zip(values, scans, strict=True)]
        fits = max(fits, others, key=lambda some: sum(fit.total for fit in some))
    labelled = [
        (value, seen)
        for typed, scan, fit in zip(values, scans, fits, strict=True)
        for value, place in zip(typed, fit.places, strict=True)
        if place is not None and (seen := scan.seen[place[0]][place[1]]) is not None
    ]
    step = max(1, len(labelled) // _TELLING)
    return settle(kind, labelled[::step], alphabet), fits


def _fit(kind: Kind, way: str, values: Sequence[str], scan: Scan, alphabet: str) -> Fit:
    """The values in the rows of all strips, one strip after the other from left to right."""
    places = [(s, r) for s, strip in enumerate(scan.seen) for r, seen in enumerate(strip) if seen is not None]
    spellings: list[list[int]] = []
    owner: list[int] = []
    marks = spelled(alphabet)
    for number, value in enumerate(values):
        texts = spell(kind, value, way) if value else {}
        for text in sorted(texts, key=lambda one: -texts[one])[:_SPELLINGS]:
            signs = [alphabet.find(sign) + 1 for sign in text]
            if all(signs):
                spellings.append(signs)
                owner.append(number)
        if value and number and value == values[number - 1]:
            spellings += marks
            owner += [number] * len(marks)
    fit = np.full((len(values), len(places)), np.log(0.1))
    by_chance = np.exp(-2.3 * np.array([len(signs) for signs in spellings]))
    for number, (s, r) in enumerate(places):
        seen = scan.seen[s][r]
        if seen is not None and spellings:
            lift = likelihoods(seen, spellings) / by_chance
            np.maximum.at(fit[:, number], owner, np.log(0.9 * lift + 0.1))
    given = align(fit)
    found = tuple(None if j is None or fit[i, j] < _FOUND else places[j] for i, j in enumerate(given))
    return Fit(found, float(sum(fit[i, j] for i, j in enumerate(given) if j is not None and fit[i, j] >= _FOUND)))


def find_values(names: Sequence[str], scans: Sequence[Scan], alphabet: str) -> tuple[list[Kind], list[list[Fit]]]:
    """The kind of each column, and how it was found on each scan."""
    found = [_fit_best_way(column, scans, alphabet) for column in names]
    return [kind for kind, _ in found], [fit for _, fit in found]


def share_found(fits: Sequence[Sequence[Fit]]) -> float:
    """The share of its values that was found of the column of which most were."""
    return max(sum(f.found for f in column) / max(1, sum(len(f.places) for f in column)) for column in fits)
