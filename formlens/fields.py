"""A page and the forms that it may be go in; the form that it is, and what stands in its fields, come out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from formlens.anchor import anchor
from formlens.choices import Choice, Option, Seen, answer
from formlens.circled import circled
from formlens.clues import ink_left, written_clues
from formlens.combs import cut_place
from formlens.entries import read_entries
from formlens.form import Column, Form
from formlens.grammar import read_kind
from formlens.ink import Gray
from formlens.marks import marked_on, weight
from formlens.pen import Sheet, find_strokes
from formlens.reader import Reader
from formlens.register import Registration, put_right, register
from formlens.types import Box, Cell, Clues, Image, Reading, UnreadableError, box_around

_EMPTY = Reading("", 0.995)
"""A field without ink, and how often such a field is empty."""

_NOWHERE = Reading("", 0.0)
"""A column that is not on the page."""


def find_form(image: Image, forms: Sequence[Form]) -> tuple[Form, Registration]:
    """The form that a page is, and where it lies on the page. Raises UnreadableError where it is none."""
    found = [(form, where) for form in forms if (where := _lies(image, form)) is not None]
    if not found:
        names = " or ".join(f'"{form.name}"' for form in forms)
        raise UnreadableError(f"this page does not look like form {names}")
    return max(found, key=lambda match: match[1].score)


def _lies(image: Image, form: Form) -> Registration | None:
    if form.listing is None:
        return register(image, form.print)
    return anchor(image, form.blank, form.listing.headers)


def lay_on(image: Image, form: Form, where: Registration) -> Sheet:
    """A page as its form sees it, and the pen's strokes on it."""
    height, width = form.blank.shape
    return find_strokes(where.warp(image, width, height), form.printed)


def lay_beside(image: Image, form: Form, where: Registration) -> tuple[Sheet, Registration]:
    """A page of a form with a table, and the pen's strokes beside that table; and how that part of it lies."""
    whole = put_right(image, form.print, where)
    sheet = lay_on(image, form, whole)
    for x0, y0, x1, y1 in form.listing.bodies if form.listing else ():
        sheet.components[y0:y1, x0:x1] = 0
    return sheet, whole


def read_fields(image: Image, form: Form, where: Registration, reader: Reader, flag_below: float) -> Iterator[Cell]:
    """Read a page that is this form, in the order of the form's columns: its fields as one row, or its table's rows.

    What stands once beside a table comes out in each of its rows.
    """
    if form.listing is None:
        yield from _read_placed(lay_on(image, form, where), form, where, image.shape, reader, flag_below)
        return
    once: dict[str, Cell] = {}
    if beside := tuple(column for column in form.columns if column.place is not None):
        sheet, whole = lay_beside(image, form, where)
        placed = replace(form, columns=beside)
        once = {cell.column: cell for cell in _read_placed(sheet, placed, whole, image.shape, reader, flag_below)}
    for cell in read_entries(image, form, where, reader, flag_below):
        yield replace(once[cell.column], row=cell.row) if cell.column in once else cell


def _read_placed(
    sheet: Sheet, form: Form, where: Registration, shape: tuple[int, ...], reader: Reader, flag_below: float
) -> Iterator[Cell]:
    """The columns of a form as one row, from a page that lies on it; ``shape`` is that of the page as given."""
    crops = {
        column.name: cut_place(sheet, column.place, column.cells)
        for column in form.columns
        if _is_written(column) and column.place
    }
    written = {name: crop for name, crop in crops.items() if crop is not None}
    seen = dict(zip(written, reader.probabilities(list(written.values())), strict=True))
    for column in form.columns:
        clues = None
        if column.place is None:
            reading = _NOWHERE
            clues = Clues("nowhere", 0.0)
        elif (choice := _choice(column)) is not None:
            reading = answer(choice, see(sheet, form.blank, choice.options))
        elif column.name in seen:
            reading = read_kind(seen[column.name], reader.alphabet, column.kind)
            clues = written_clues(
                reading, seen[column.name], reader.alphabet, ink_left(sheet, column.place), where.score
            )
        else:
            reading = _EMPTY
            clues = Clues("empty", reading.confidence, left=ink_left(sheet, column.place), fit=where.score)
        clues = clues or Clues("mark", reading.confidence, fit=where.score)
        box = _on_page(column.place, form, where, shape) if column.place else (0, 0, 0, 0)
        flagged = reading.confidence < flag_below
        yield Cell(0, column.name, reading.text, reading.confidence, flagged, box, clues=clues)


def see(sheet: Sheet, blank: Gray, options: Sequence[Option]) -> dict[Option, Seen]:
    """How likely each option is marked on a page that lies on its form, and with how much ink."""
    boxes = [option for option in options if option.way == "box"]
    words = [option for option in options if option.way == "word"]
    chances = marked_on(sheet, blank, [option.box for option in boxes])
    chances += circled(sheet, [option.box for option in words])
    return {o: Seen(chance, weight(sheet, o.box)) for o, chance in zip(boxes + words, chances, strict=True)}


def _is_written(column: Column) -> bool:
    return _choice(column) is None


def _choice(column: Column) -> Choice | None:
    """The marks that answer a column; a lone box to tick may be given by its place alone."""
    if column.choice is not None or column.kind.name != "mark" or column.place is None:
        return column.choice
    yes, no = column.kind.typed.split("\n")
    return Choice((Option(yes, column.place),), no)


def _on_page(place: Box, form: Form, where: Registration, shape: tuple[int, ...]) -> Box:
    """The smallest upright box around a place, in whole pixels of the page as given."""
    x0, y0, x1, y1 = place
    height, width = form.blank.shape
    corners = where.to_page(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64), width, height)
    return box_around(corners, shape)
