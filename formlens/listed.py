"""Scans of a table and what people typed for its rows go in; where its columns stand, and what is not sure, come out.

The strips that a column's values are found in (`formlens.found`) are its own. The scan on which most is found is the
form's frame, and the others are put on it by the print above the table.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.abreast import abreast
from formlens.anchor import FOUND, anchor, tiles_of
from formlens.automaton import likelihoods
from formlens.ditto import learn_dittos
from formlens.form import SIDE, Column, Form
from formlens.found import Fit, Scan, Seen, find_values, look, share_found
from formlens.grammar import spell
from formlens.gutters import find_gutters
from formlens.hand import Lesson, learn_hand
from formlens.ink import Gray
from formlens.labelled import Folder, Labelled
from formlens.listing import Listing, Part
from formlens.reader import Reader
from formlens.strips import Edge
from formlens.types import CallError

_SHARE = 0.15
"""Share of a column's values that are to be found for it to be on the page, and of a strip's rows to be its own."""
_ENOUGH = 0.5
"""Share of a column's values that are found where the upright lines are those of its table."""
_TELLING_SIGNS = 4
"""Characters from which on a value is seldom found where it does not stand."""
_LEVEL = 0.4
"""Pitches by which rows of two strips may be off and still be one."""
_HEADER = 5.0
"""Rows above the first in which print is looked at where that between the upright lines is too little to tell."""
_TELLS = 12
"""Tiles of print by which a part can be told."""

Floats = NDArray[np.float64]


def learn_listing(
    folder: Folder, name: str, reader: Reader, watch: Callable[[Sequence[Labelled]], Iterable[Labelled]] = iter
) -> tuple[Form, tuple[str, ...], list[list[Lesson]]]:
    """Learn a form that holds a table of many rows; which scans are not sure, and the crops of each that taught its
    hand. Raises CallError, which names the file that does not fit.
    """
    names = folder.columns
    scans = list(abreast(partial(look, reader=reader), watch(folder.labelled), reader.threads))
    kinds, fits = find_values(names, scans, reader.alphabet)
    if share_found(fits) < _ENOUGH:
        parted = list(abreast(partial(look, reader=reader, find=find_gutters), folder.labelled, reader.threads))
        others = find_values(names, parted, reader.alphabet)
        if share_found(others[1]) > share_found(fits):
            scans, (kinds, fits) = parted, others
    totals = [sum(fits[c][s].total for c in range(len(names))) for s in range(len(scans))]
    best = int(np.argmax(totals))
    dittos = [_dittos(number, scans, fits, reader) for number in range(len(names))]
    once = [folder.repeats(column) and not dittos[n] for n, column in enumerate(names)]
    listing = _listing(scans[best], [found[best] for found in fits], once)
    if listing is None:
        raise CallError(
            f"{scans[best].labelled.scan.path}: its rows were not found where a table's columns could be; "
            "upright lines or white space between the columns are needed, and CSVs in the order of the rows"
        )
    blank, listing = _blank(scans, best, listing)
    columns = tuple(Column(column, kinds[n], None, dittos=dittos[n]) for n, column in enumerate(names))
    lessons = [_lessons(scan, columns, [fit[s] for fit in fits], reader) for s, scan in enumerate(scans)]
    hand = learn_hand([lesson for own in lessons for lesson in own], reader.version)
    return Form(name, columns, blank, listing, hand=hand), tuple(_unlike(scans, fits)), lessons


def _dittos(column: int, scans: Sequence[Scan], fits: Sequence[Sequence[Fit]], reader: Reader) -> tuple[str, ...]:
    """The marks of a column that stand for the value above, told in rows that another column says are there."""
    rows: list[tuple[str, str, bool]] = []
    name = list(scans[0].labelled.rows[0])[column]
    for number, scan in enumerate(scans):
        lead = max((fit[number] for fit in fits), key=lambda fit: fit.found)
        own = {place[0] for place in fits[column][number].places if place is not None}
        typed = [row[name] for row in scan.labelled.rows]
        for at, place in enumerate(lead.places):
            seen = None if place is None or not own else _beside(scan, place, own)
            if seen is not None and typed[at]:
                rows.append((reader.decode(seen).text, typed[at], at > 0 and typed[at] == typed[at - 1]))
    return learn_dittos(rows) if any(repeats for *_, repeats in rows) else ()


def _beside(scan: Scan, place: tuple[int, int], strips: set[int]) -> Seen | None:
    """What the reader saw at the height of a row in the nearest of some strips."""
    strip, row = place
    other = min(strips, key=lambda one: (abs(one - strip), one))
    here, there = scan.rows[strip], scan.rows[other]
    apart = scan.strips[other].left.middle - scan.strips[strip].left.middle
    down = scan.strips[strip].top + here.middles[row] + here.slope * apart - scan.strips[other].top
    if not len(there.middles):
        return None
    near = int(np.abs(there.middles - down).argmin())
    return scan.seen[other][near] if abs(there.middles[near] - down) < _LEVEL * there.pitch else None


def _lessons(scan: Scan, columns: Sequence[Column], fits: Sequence[Fit], reader: Reader) -> list[Lesson]:
    """The crops of a scan in which values were found, each with the way to write its value that it looks most like."""
    lessons = []
    alphabet = reader.alphabet
    for column, fit in zip(columns, fits, strict=True):
        kind = column.kind
        for row, place in zip(scan.labelled.rows, fit.places, strict=True):
            seen = None if place is None else scan.seen[place[0]][place[1]]
            if seen is None or (column.dittos and reader.decode(seen).text in column.dittos):
                continue
            texts = sorted({text for way, _ in kind.ways for text in spell(kind, row[column.name], way)})
            spellings = [[alphabet.find(sign) + 1 for sign in text] for text in texts]
            spellings = [spelling for spelling in spellings if spelling and all(spelling)]
            if spellings:
                best = spellings[int(likelihoods(seen, spellings).argmax())]
                lessons.append(Lesson(tuple(best), seen))
    return lessons


def _unlike(scans: Sequence[Scan], fits: Sequence[Sequence[Fit]]) -> list[str]:
    """The scans whose rows are not those of their CSV, a sentence each."""
    said = []
    for number, scan in enumerate(scans):
        found = max(sum(place is not None for place in column[number].places) for column in fits)
        if found < 0.5 * len(scan.labelled.rows):
            csv = scan.labelled.scan.path.with_suffix(".csv").name
            said.append(f"{csv}: of its {len(scan.labelled.rows)} rows {found} were found on the scan; is it its own?")
    return said


def _listing(scan: Scan, fits: Sequence[Fit], once: Sequence[bool]) -> Listing | None:
    """The table as one scan shows it, in that scan's pixels; ``once``: columns that may stand beside the table instead.

    A value that all rows have is one that stands in many of them, or it is found in some by chance.
    """
    held: dict[int, int] = {}
    for strip in range(len(scan.strips)):
        counts = [
            0 if repeats and fit.found < _by_chance(scan, number) * len(fit.places)
            else sum(place is not None and place[0] == strip for place in fit.places)
            for number, (fit, repeats) in enumerate(zip(fits, once, strict=True))
        ]  # fmt: skip
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


def _by_chance(scan: Scan, column: int) -> float:
    """The share of rows in which a value that all rows have may be found although it is not in the table."""
    value = list(scan.labelled.values.values())[column]
    return 0.5 if len(value) < _TELLING_SIGNS else 0.25


def _part(scan: Scan, fits: Sequence[Fit], group: list[int], held: dict[int, int], pitch: float) -> Part:
    """One part, in the scan's pixels: from the first of its rows that was found to the last."""
    middles = [
        scan.strips[place[0]].top + scan.rows[place[0]].middles[place[1]]
        for fit in fits for place in fit.places if place is not None and place[0] in group
    ]  # fmt: skip
    top, bottom = max(0, round(min(middles) - 0.7 * pitch)), round(max(middles) + 0.7 * pitch)
    edges: list[Edge] = []
    columns: list[int | None] = []
    for strip in range(group[0], group[-1] + 1):
        one = scan.strips[strip]
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


def _blank(scans: Sequence[Scan], best: int, listing: Listing) -> tuple[Gray, Listing]:
    """The print above the table's parts as most scans have it, on white, in a form's frame; and the table there."""
    reference = scans[best].gray
    scale = SIDE / max(reference.shape)
    height, width = (round(side * scale) for side in reference.shape)
    gray = np.asarray(cv2.resize(reference, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    framed = _scaled(listing, scale, width, height)
    framed = replace(framed, parts=tuple(_headed(part, gray, framed.pitch) for part in framed.parts))
    copies: list[list[Gray]] = [[gray] for _ in framed.parts]
    for scan in (*scans[:best], *scans[best + 1 :]):
        where = anchor(np.asarray(cv2.cvtColor(scan.gray, cv2.COLOR_GRAY2BGR), np.uint8), gray, framed.headers)
        if where is None:
            raise CallError(f"{scan.labelled.scan.path}: this page does not look like the other scans")
        for place, own in zip(where.parts, copies, strict=True):
            if place.score > FOUND:
                own.append(place.warp(scan.gray, width, height))
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
