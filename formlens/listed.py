"""Scans of a table and what people typed for its rows go in; where its columns stand, and what is not sure, come out.

On each scan the strips between upright rulings are read row by row. A column is what people typed from the first part
of the table to the last, top to bottom, so its values are aligned with the rows of all strips, one after the other: the
strips that its values are found in are its own. The scan on which most is found is the form's frame, and the others
are put on it by the print above the table.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.alignment import align
from formlens.anchor import FOUND, anchor, tiles_of
from formlens.automaton import likelihoods
from formlens.form import SIDE, Column, Form
from formlens.grammar import settle, spell
from formlens.hand import Lesson, learn_hand
from formlens.ink import Gray
from formlens.kinds import Kind, kind_of
from formlens.labelled import Folder, Labelled, only_page
from formlens.listing import Listing, Part
from formlens.reader import Reader
from formlens.rectify import square
from formlens.rowed import Inked, cut_rows, lay_out, rows_of, usual_pitch
from formlens.rows import Rows
from formlens.strips import Edge, between, find_edges
from formlens.types import CallError, Image

_FOUND = 2.0
"""A value is found in a row where it is likelier there than by chance by so much (nats)."""
_SHARE = 0.15
"""Share of a column's values that are to be found for it to be on the page, and of a strip's rows to be its own."""
_COMMON = 0.3
"""Share of values that are found where a column is written the usual way."""
_SPELLINGS = 3
"""Ways to spell one value that are looked for, the commonest."""
_TELLING = 60
"""Crops from which it is told how a column is written."""
_HEADER = 5.0
"""Rows above the first in which print is looked at where that between the upright lines is too little to tell."""
_TELLS = 12
"""Tiles of print by which a part can be told."""

Floats = NDArray[np.float64]
Seen = NDArray[np.float32]


@dataclass(frozen=True)
class _Scan:
    """One labelled page: its strips, their rows, and what the reader sees in each."""

    labelled: Labelled
    image: Image
    laid: tuple[Inked, ...]
    rows: tuple[Rows, ...]
    seen: tuple[tuple[Seen | None, ...], ...]


@dataclass(frozen=True)
class _Fit:
    """How a column's values were found on one scan: for each value its strip and row there, and how well."""

    places: tuple[tuple[int, int] | None, ...]
    total: float

    @property
    def found(self) -> int:
        """How many values were found."""
        return sum(place is not None for place in self.places)


def learn_listing(
    folder: Folder, name: str, reader: Reader, watch: Callable[[Sequence[Labelled]], Iterable[Labelled]] = iter
) -> tuple[Form, tuple[str, ...], list[list[Lesson]]]:
    """Learn a form that holds a table of many rows; which scans are not sure, and the crops of each that taught its
    hand. Raises CallError, which names the file that does not fit.
    """
    scans = [_look(labelled, reader) for labelled in watch(folder.labelled)]
    names = folder.columns
    kinds, fits = [], []
    for column in names:
        kind, found = _fit_best_way(column, scans, reader.alphabet)
        kinds.append(kind)
        fits.append(found)
    totals = [sum(fits[c][s].total for c in range(len(names))) for s in range(len(scans))]
    best = int(np.argmax(totals))
    once = [folder.repeats(column) for column in names]
    listing = _listing(scans[best], [found[best] for found in fits], once)
    if listing is None:
        raise CallError(
            f"{scans[best].labelled.scan.path}: its rows were not found where a table's columns could be; "
            "upright lines between the columns are needed, and CSVs in the order of the rows"
        )
    blank, listing = _blank(scans, best, listing)
    columns = tuple(Column(column, kinds[number], None) for number, column in enumerate(names))
    lessons = [_lessons(scan, kinds, [fit[s] for fit in fits], reader.alphabet) for s, scan in enumerate(scans)]
    hand = learn_hand([lesson for own in lessons for lesson in own], reader.version)
    return Form(name, columns, blank, listing, hand=hand), tuple(_unlike(scans, fits)), lessons


def _lessons(scan: _Scan, kinds: Sequence[Kind], fits: Sequence[_Fit], alphabet: str) -> list[Lesson]:
    """The crops of a scan in which values were found, each with the way to write its value that it looks most like."""
    lessons = []
    for column, kind, fit in zip(scan.labelled.rows[0], kinds, fits, strict=True):
        for row, place in zip(scan.labelled.rows, fit.places, strict=True):
            seen = None if place is None else scan.seen[place[0]][place[1]]
            texts = sorted({text for way, _ in kind.ways for text in spell(kind, row[column], way)})
            spellings = [[alphabet.find(sign) + 1 for sign in text] for text in texts]
            spellings = [spelling for spelling in spellings if spelling and all(spelling)]
            if seen is not None and spellings:
                best = spellings[int(likelihoods(seen, spellings).argmax())]
                lessons.append(Lesson(tuple(best), seen))
    return lessons


def _unlike(scans: Sequence[_Scan], fits: Sequence[Sequence[_Fit]]) -> list[str]:
    """The scans whose rows are not those of their CSV, a sentence each."""
    said = []
    for number, scan in enumerate(scans):
        found = max(sum(place is not None for place in column[number].places) for column in fits)
        if found < 0.5 * len(scan.labelled.rows):
            csv = scan.labelled.scan.path.with_suffix(".csv").name
            said.append(f"{csv}: of its {len(scan.labelled.rows)} rows {found} were found on the scan; is it its own?")
    return said


def _look(labelled: Labelled, reader: Reader) -> _Scan:
    image = square(only_page(labelled)).image
    strips = between(find_edges(image))
    laid = lay_out(image, strips, 40.0)
    pitch = usual_pitch(laid)
    wide = [one for one in laid if pitch and one.strip.width > 1.2 * pitch]
    wide = lay_out(image, [one.strip for one in wide], pitch)
    rows = [rows_of(one, pitch) for one in wide]
    crops = [cut_rows(one, there) for one, there in zip(wide, rows, strict=True)]
    read = iter(reader.probabilities([crop for strip in crops for crop in strip if crop is not None]))
    seen = tuple(tuple(None if crop is None else next(read) for crop in strip) for strip in crops)
    return _Scan(labelled, image, tuple(wide), tuple(rows), seen)


def _fit_best_way(column: str, scans: Sequence[_Scan], alphabet: str) -> tuple[Kind, list[_Fit]]:
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


def _fit(kind: Kind, way: str, values: Sequence[str], scan: _Scan, alphabet: str) -> _Fit:
    """The values in the rows of all strips, one strip after the other from left to right."""
    places = [(s, r) for s, strip in enumerate(scan.seen) for r, seen in enumerate(strip) if seen is not None]
    spellings: list[list[int]] = []
    owner: list[int] = []
    for number, value in enumerate(values):
        texts = spell(kind, value, way) if value else {}
        for text in sorted(texts, key=lambda one: -texts[one])[:_SPELLINGS]:
            signs = [alphabet.find(sign) + 1 for sign in text]
            if all(signs):
                spellings.append(signs)
                owner.append(number)
    fit = np.full((len(values), len(places)), np.log(0.1))
    by_chance = np.exp(-2.3 * np.array([len(signs) for signs in spellings]))
    for number, (s, r) in enumerate(places):
        seen = scan.seen[s][r]
        if seen is not None and spellings:
            lift = likelihoods(seen, spellings) / by_chance
            np.maximum.at(fit[:, number], owner, np.log(0.9 * lift + 0.1))
    given = align(fit)
    found = tuple(None if j is None or fit[i, j] < _FOUND else places[j] for i, j in enumerate(given))
    return _Fit(found, float(sum(fit[i, j] for i, j in enumerate(given) if j is not None and fit[i, j] >= _FOUND)))


def _listing(scan: _Scan, fits: Sequence[_Fit], once: Sequence[bool]) -> Listing | None:
    """The table as one scan shows it, in that scan's pixels; ``once``: columns that may stand beside the table instead.

    A value that all rows have is one that stands in many of them, or it is found in some by chance.
    """
    held: dict[int, int] = {}
    for strip in range(len(scan.laid)):
        counts = [
            0
            if repeats and fit.found < 0.5 * len(fit.places)
            else sum(p is not None and p[0] == strip for p in fit.places)
            for fit, repeats in zip(fits, once, strict=True)
        ]
        column = int(np.argmax(counts))
        if counts[column] >= max(1, _SHARE * sum(place is not None for place in fits[column].places)):
            held[strip] = column
    groups: list[list[int]] = []
    for strip, column in sorted(held.items()):
        if not groups or column in [held[other] for other in groups[-1]]:
            groups.append([])
        groups[-1].append(strip)
    if not groups:
        return None
    pitch = float(np.median([rows.pitch for rows in scan.rows]))
    return Listing(tuple(_part(scan, fits, group, held, pitch) for group in groups), pitch)


def _part(scan: _Scan, fits: Sequence[_Fit], group: list[int], held: dict[int, int], pitch: float) -> Part:
    """One part, in the scan's pixels: from the first of its rows that was found to the last."""
    middles = [
        scan.laid[place[0]].strip.top + scan.rows[place[0]].middles[place[1]]
        for fit in fits for place in fit.places if place is not None and place[0] in group
    ]  # fmt: skip
    top, bottom = max(0, round(min(middles) - 0.7 * pitch)), round(max(middles) + 0.7 * pitch)
    edges: list[Edge] = []
    columns: list[int | None] = []
    for strip in range(group[0], group[-1] + 1):
        one = scan.laid[strip].strip
        if not edges:
            edges.append(one.left)
        elif one.left is not edges[-1]:
            columns.append(None)
            edges.append(one.left)
        columns.append(held.get(strip))
        edges.append(one.right)
    places = tuple((round(float(edge.at(top))), round(float(edge.at(bottom)))) for edge in edges)
    # what is printed over the columns begins where the lines between them do
    begin = min(top - 0.5 * pitch, float(np.median([edge.y[0] for edge in edges])))
    header = max(0, places[0][0] - round(pitch)), max(0, round(begin)), places[-1][0] + round(pitch), max(1, top)
    return Part(top, bottom, places, tuple(columns), header)


def _blank(scans: Sequence[_Scan], best: int, listing: Listing) -> tuple[Gray, Listing]:
    """The print above the table's parts as most scans have it, on white, in a form's frame; and the table there."""
    reference = scans[best].image
    scale = SIDE / max(reference.shape[:2])
    height, width = (round(side * scale) for side in reference.shape[:2])
    gray = np.asarray(
        cv2.cvtColor(cv2.resize(reference, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY), np.uint8
    )
    framed = _scaled(listing, scale, width, height)
    framed = replace(framed, parts=tuple(_headed(part, gray, framed.pitch) for part in framed.parts))
    copies: list[list[Gray]] = [[gray] for _ in framed.parts]
    for scan in (*scans[:best], *scans[best + 1 :]):
        where = anchor(scan.image, gray, framed.headers)
        if where is None:
            raise CallError(f"{scan.labelled.scan.path}: this page does not look like the other scans")
        page = np.asarray(cv2.cvtColor(scan.image, cv2.COLOR_BGR2GRAY), np.uint8)
        for place, own in zip(where.parts, copies, strict=True):
            if place.score > FOUND:
                own.append(place.warp(page, width, height))
    blank = np.full(gray.shape, 255, np.uint8)
    for part, own in zip(framed.parts, copies, strict=True):
        x0, y0, x1, y1 = part.header
        usual = (
            np.median(np.stack([copy[y0:y1, x0:x1] for copy in own]), axis=0) if len(own) > 2 else own[0][y0:y1, x0:x1]
        )
        blank[y0:y1, x0:x1] = usual.astype(np.uint8)
    return blank, framed


def _headed(part: Part, gray: Gray, pitch: float) -> Part:
    """The part, told by print from farther above it where that between its upright lines is too little."""
    x0, y0, x1, y1 = part.header
    for top in (y0, max(0, round(part.top - _HEADER * pitch)), 0):
        if len(tiles_of(gray[top:y1, x0:x1])) >= _TELLS:
            break
    return replace(part, header=(x0, min(top, y0), x1, y1))


def _scaled(listing: Listing, scale: float, width: int, height: int) -> Listing:
    def at(value: float, most: int) -> int:
        return int(np.clip(round(value * scale), 0, most))

    parts = tuple(
        Part(
            at(part.top, height), at(part.bottom, height),
            tuple((at(above, width), at(below, width)) for above, below in part.edges), part.columns,
            (at(part.header[0], width), at(part.header[1], height),
             at(part.header[2], width), at(part.header[3], height)),
        )
        for part in listing.parts
    )  # fmt: skip
    return Listing(parts, listing.pitch * scale)
