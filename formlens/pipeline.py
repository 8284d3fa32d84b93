"""The journey of a page: the bytes of a scan go in, one result for each of its pages comes out."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.columns import Place, Probabilities, read_cells
from formlens.crops import cut_cells
from formlens.fields import find_form, read_fields
from formlens.form import Form
from formlens.pages import read_pages
from formlens.reader import Reader
from formlens.rectify import square
from formlens.tables import Table, find_tables
from formlens.trust import judge, rule
from formlens.types import Box, Cell, Image, Page, PageResult, Points, Reading, UnreadableError, box_around
from formlens.upright import quarter_turns, turn, turn_back

FLAG_BELOW = 0.9
"""A cell whose text is less likely right than this is shown to a person."""

EMPTY = Reading("", 0.995)
"""A cell without ink, and how often such a cell is empty."""

log = logging.getLogger(__name__)


def read_forms(
    data: bytes, source: str, reader: Reader, forms: Sequence[Form] = (), error: float | None = None
) -> Iterator[PageResult]:
    """Read every page of one scan; a page that cannot be read is a result too.

    ``data`` is the file as it is (JPEG, PNG, TIFF, WebP, PDF), ``source`` the name under which its pages are reported,
    ``error`` the share of wrong cells among the unflagged (default: what each form was learned for).
    """
    for page in read_pages(data, source):
        yield page if isinstance(page, PageResult) else read_page(page, reader, forms, error)


def read_page(page: Page, reader: Reader, forms: Sequence[Form] = (), error: float | None = None) -> PageResult:
    """Read the fields of one page that is one of these forms; with no form its ruled tables, from top to bottom.

    ``error`` as in `read_forms`. Never raises for what is on the page.
    """
    form = None
    try:
        if forms:
            form, where = find_form(page.image, forms)
            found = read_fields(page.image, form, where, reader, FLAG_BELOW)
            cells = tuple(judge(found, rule(form.trust, reader.version, error)))
        else:
            cells = tuple(read_tables(page.image, reader))
    except UnreadableError as error:
        return PageResult(page.source, page.number, "unreadable", reason=str(error))
    except Exception:  # one odd page must not lose the pages after it
        log.exception("page %d could not be read", page.number)
        reason = "FormLens failed on this page: a fault of the program, not of the scan; please report it"
        return PageResult(page.source, page.number, "unreadable", reason=reason)
    return PageResult(page.source, page.number, "read", form.name if form else None, cells)


def read_tables(image: Image, reader: Reader) -> Iterator[Cell]:
    """Read every ruled table on a page; rows count on from one table to the next. Raises UnreadableError for none."""
    squared = square(image)
    to_page, grids = squared.to_page, _grids(squared.image, reader)
    crops = [crop for grid in grids for crop in grid.crops.values()]
    confidences = [reader.decode(found).confidence for grid in grids for found in grid.seen.values()]
    if turns := quarter_turns(crops, confidences, reader):
        to_page = to_page @ turn_back(squared.image.shape, turns)
        grids = _grids(turn(squared.image, turns), reader)
    first = 0
    for grid in grids:
        readings = read_cells(grid.seen, reader)
        for row, column in product(range(grid.table.rows), range(grid.table.columns)):
            reading = readings.get((row, column), EMPTY)
            box = _box(grid.table.quad(row, column), to_page, image.shape)
            flagged = reading.confidence < FLAG_BELOW
            yield Cell(first + row, str(column), reading.text, reading.confidence, flagged, box)
        first += grid.table.rows


@dataclass(frozen=True)
class _Grid:
    """A table, the crops of its cells that are written in, and what the reader saw in each."""

    table: Table
    crops: dict[Place, Image]
    seen: dict[Place, Probabilities]


def _grids(sheet: Image, reader: Reader) -> list[_Grid]:
    tables = find_tables(sheet)
    if not tables:
        raise UnreadableError("no ruled table was found on this page; scan it whole, flat and in good light")
    grids = []
    for table in tables:
        cut = cut_cells(sheet, table)
        crops = {(r, c): crop for r, cells in enumerate(cut) for c, crop in enumerate(cells) if crop is not None}
        seen = reader.probabilities(list(crops.values()))
        grids.append(_Grid(table, crops, dict(zip(crops, seen, strict=True))))
    return grids


def _box(quad: Points, to_page: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """The smallest upright box around a cell, in whole pixels of the page as given."""
    corners = cv2.perspectiveTransform(quad.reshape(1, 4, 2).astype(np.float64), to_page)[0]
    return box_around(corners, shape)
