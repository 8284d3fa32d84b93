"""A page and the table of the form that it is go in; what stands in each row and column comes out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from formlens.clues import written_clues
from formlens.ditto import as_above
from formlens.form import Form
from formlens.grammar import is_of, lifts, read_kind
from formlens.hand import suited
from formlens.listing import Part
from formlens.reader import Reader
from formlens.register import Registration
from formlens.rowed import Inked, cut_row, cut_rows, lay_out, moved, rows_of
from formlens.rows import Rows, profile_of
from formlens.squeezed import find_squeezed
from formlens.strips import Edge, Strip, find_edges
from formlens.types import Cell, Clues, Image, Reading, box_around

Entry = dict[int, tuple[Reading, Clues, NDArray[np.float64]]]
"""By the number of the column what stands in a row, what it is judged by, and the corners of its place on the sheet."""

Above = dict[int, tuple[Reading, Clues]]
"""By the number of the column what was read last in it, and what that is judged by."""

Floats = NDArray[np.float64]

Hear = Callable[[int, Image, NDArray[np.float32]], None]

_EMPTY = Reading("", 0.995)
_NOWHERE = Reading("", 0.0)
_ASTRAY, _ASIDE = 0.018, 0.006
"""How far an edge may lie from its place, and from where the other edges of its part say, in widths of the page."""
_ALONG = 0.25
"""Share of a part's height that an edge runs along."""
_SAYS, _ALTOGETHER = 6.0, 20.0
"""Nats by which each column of a row that is squeezed in says more than chance, and all of them together."""
_SIGN = 2.3
"""Nats that a sign by chance costs."""
_BELOW = 2.0
"""Rows below the last that was seen while learning in which some may follow."""


def read_entries(
    image: Image, form: Form, where: Registration, reader: Reader, flag_below: float, hear: Hear = lambda *_: None
) -> Iterator[Cell]:
    """Read the rows of a page that is this form, part by part from top to bottom, in the order of its columns.

    ``hear`` is told of each crop that is read: the number of its column, the crop, and what the reader saw in it.
    """
    listing = form.listing
    if listing is None:
        return
    height, width = form.blank.shape
    scale = max(1.0, min(max(image.shape[:2]), 3508) / max(height, width))
    size = round(width * scale), round(height * scale)
    row = 0
    above: Above = {}
    for part, there in zip(listing.parts, where.parts, strict=True):
        sheet = there.warp(image, *size)
        edges = _edges(part, find_edges(sheet), scale, size[0])
        rows, whole = _rows(sheet, part, edges, listing.pitch * scale, scale)
        strips = [Strip(left, right, whole.top, whole.bottom) for left, right in pairwise(edges)]
        for entry in _entries(sheet, form, part, rows, whole, strips, reader, hear, above):
            for number, column in enumerate(form.columns):
                reading, clues, corners = entry.get(number, (_NOWHERE, Clues("nowhere", 0.0), None))
                box = (0, 0, 0, 0) if corners is None else box_around(there.to_page(corners, *size), image.shape)
                sure, clues = reading.confidence, replace(clues, fit=there.score)
                yield Cell(row, column.name, reading.text, sure, sure < flag_below, box, clues=clues)
            row += 1


def _edges(part: Part, found: Sequence[Edge], scale: float, width: int) -> list[Edge]:
    """The edges of a part as they run on this page; straight lines beside the others where none is drawn."""
    y = np.array([part.top, part.bottom]) * scale
    usual = [Edge(y, np.array(places) * scale) for places in part.edges]
    # what is led on from far away lies anywhere
    found = [edge for edge in found if min(edge.y[-1], y[1]) - max(edge.y[0], y[0]) > _ALONG * (y[1] - y[0])]
    near = [min(found, key=lambda edge: abs(_apart(edge, own)), default=own) for own in usual]
    off = [_apart(edge, own) for edge, own in zip(near, usual, strict=True)]
    drawn = [edge is not own and abs(o) < _ASTRAY * width for edge, own, o in zip(near, usual, off, strict=True)]
    common = float(np.median([o for o, there in zip(off, drawn, strict=True) if there])) if any(drawn) else 0.0
    drawn = [there and abs(o - common) < _ASIDE * width for o, there in zip(off, drawn, strict=True)]
    moves = [edge.at(y) - own.x for edge, own, there in zip(near, usual, drawn, strict=True) if there]
    shift = np.median(moves, axis=0) if moves else np.zeros(2)
    return [
        edge if there else Edge(y, own.x + shift) for edge, own, there in zip(near, usual, drawn, strict=True)
    ]  # fmt: skip


def _apart(edge: Edge, usual: Edge) -> float:
    """How far right of its usual place an edge lies, halfway down."""
    return float(edge.at(usual.y.mean())) - usual.middle


def _rows(sheet: Image, part: Part, edges: Sequence[Edge], pitch: float, scale: float) -> tuple[Rows, Strip]:
    """The rows of a part, found over all of its columns at once, as its whole strip sees them."""
    above = part.top * scale - pitch
    bottom = min(float(len(sheet)), part.bottom * scale + _BELOW * pitch)
    whole = Strip(edges[0], edges[-1], max(0.0, above), bottom)
    rows = rows_of(lay_out(sheet, [whole], pitch)[0], pitch)
    inside = rows.middles > pitch + min(0.0, above)
    return Rows(rows.middles[inside], pitch, rows.slope), whole


def _entries(
    sheet: Image,
    form: Form,
    part: Part,
    rows: Rows,
    whole: Strip,
    strips: Sequence[Strip],
    reader: Reader,
    hear: Hear,
    above: Above,
) -> list[Entry]:
    """The rows that are written in, each with what stands in its columns; ``above`` goes on from part to part."""
    laid = lay_out(sheet, strips, rows.pitch)
    rows = _with_squeezed(form, part, rows, whole, laid, reader)
    entries: list[Entry] = [{} for _ in rows.middles]
    for one, column in zip(laid, part.columns, strict=True):
        if column is None:
            continue
        own = moved(rows, _centre(one.strip) - _centre(whole))
        crops = cut_rows(one, own)
        kind = form.columns[column].kind
        seen = iter(reader.probabilities([crop for crop in crops if crop is not None]))
        for number, crop in enumerate(crops):
            reading, clues = _EMPTY, Clues("empty", _EMPTY.confidence)
            if crop is not None:
                bare = next(seen)
                hear(column, crop, bare)
                saw = suited(bare, form.hand, reader.version)
                reading = read_kind(saw, reader.alphabet, kind)
                clues = written_clues(reading, saw, reader.alphabet, 0.0, 1.0)
                if (marks := form.columns[column].dittos) and (
                    repeated := as_above(saw, reader.alphabet, marks, above.get(column))
                ):
                    reading, clues = repeated
                if reading.text:
                    above[column] = reading, clues
            box = one.strip.box(own.middles[number], rows.pitch, rows.slope, 0, one.strip.width)
            entries[number][column] = reading, clues, box
    return [entry for entry in entries if any(reading.text for reading, *_ in entry.values())]


def _with_squeezed(
    form: Form, part: Part, rows: Rows, whole: Strip, laid: Sequence[Inked], reader: Reader
) -> Rows:  # fmt: skip
    """The rows, and those squeezed in between two of them that every column says something in.

    Where one is squeezed in, the row beside it may have been found between the two lines that really are there: then
    both of its sides seem to hold one, and it is tried without it.
    """
    held = [(one, column) for one, column in zip(laid, part.columns, strict=True) if column is not None]
    if len(rows.middles) < 2 or not held:
        return rows
    held.sort(key=lambda own: own[0].strip.width)  # what is short is read sooner
    across = [_centre(one.strip) - _centre(whole) for one, _ in held]
    profiles = [profile_of(one.inside, rows.slope) for one, _ in held]

    def worth(middles: Floats, at: float) -> float:
        """What a row says, if these are the rows; less than nothing where it says too little in some column."""
        number = int(np.searchsorted(middles, at))
        total = 0.0
        for (one, column), aside in zip(held, across, strict=True):
            crop = cut_row(one, moved(Rows(middles, rows.pitch, rows.slope), aside), number)
            said = 0.0 if crop is None else _says(reader.probabilities([crop])[0], form, column, reader)
            if said <= _SAYS:
                return -_ALTOGETHER
            total += said
        return total if total > _ALTOGETHER else -_ALTOGETHER

    found = rows.middles
    places = {row: found[row] + down for row, down in find_squeezed(profiles, [moved(rows, a) for a in across])}
    for row, place in places.items():
        above, own = places.get(row - 1), rows.middles[row]
        ways = [found]
        if worth(among := np.sort(np.append(found, place)), place) > 0:
            ways.append(among)
        if above is not None:
            ways.append(np.sort(np.append(found[(found != own) & (found != above)], [above, place])))
        if len(ways) > 1:
            near = [one for one in (above, own, place) if one is not None]
            worths = [sum(worth(way, one) for one in near if one in way) for way in ways]
            found = ways[int(np.argmax(worths))]
    return Rows(found, rows.pitch, rows.slope)


def _says(seen: NDArray[np.float32], form: Form, column: int, reader: Reader) -> float:
    """How much likelier (nats) a crop says what is read in it than strokes without meaning would.

    What is not of its column's kind says nothing.
    """
    saw, kind = suited(seen, form.hand, reader.version), form.columns[column].kind
    if kind.name in ("text", "mark"):
        free = reader.decode(saw)
        return log(max(free.confidence, 1e-30)) + _SIGN * len(free.text)
    text = read_kind(saw, reader.alphabet, kind).text
    if not text or not is_of(kind, text):
        return -_SAYS
    return log(max([*lifts(text, saw, reader.alphabet, kind), 1e-30]))


def _centre(strip: Strip) -> float:
    middle = (strip.top + strip.bottom) / 2
    return float(strip.left.at(middle) + strip.right.at(middle)) / 2
