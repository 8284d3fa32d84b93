"""The journey of a page: the bytes of a scan go in, one result for each of its pages comes out."""

import logging
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.columns import Crops, read_cells
from formlens.crops import cut_cells
from formlens.pages import read_pages
from formlens.reader import Reader
from formlens.rectify import square
from formlens.tables import Table, find_tables
from formlens.types import Box, Cell, Image, Page, PageResult, Points, UnreadableError
from formlens.upright import quarter_turns, turn, turn_back

FLAG_BELOW = 0.9
"""A cell whose text is less likely right than this is shown to a person."""

log = logging.getLogger(__name__)


def read_forms(data: bytes, source: str, reader: Reader) -> Iterator[PageResult]:
    """Read every page of one scan; a page that cannot be read is a result too.

    ``data`` is the file as it is (JPEG, PNG, TIFF, WebP, PDF), ``source`` the name under which its pages are reported.
    """
    for page in read_pages(data, source):
        yield page if isinstance(page, PageResult) else read_page(page, reader)


def read_page(page: Page, reader: Reader) -> PageResult:
    """Read the ruled tables of one page, from top to bottom; never raises for what is on the page."""
    try:
        cells = tuple(read_tables(page.image, reader))
    except UnreadableError as error:
        return PageResult(page.source, page.number, "unreadable", reason=str(error))
    except Exception:  # one odd page must not lose the pages after it
        log.exception("page %d could not be read", page.number)
        reason = "FormLens failed on this page: a fault of the program, not of the scan; please report it"
        return PageResult(page.source, page.number, "unreadable", reason=reason)
    return PageResult(page.source, page.number, "read", cells=cells)


def read_tables(image: Image, reader: Reader) -> Iterator[Cell]:
    """Read every ruled table on a page; rows count on from one table to the next. Raises UnreadableError for none."""
    squared = square(image)
    sheet, to_page = squared.image, squared.to_page
    tables, grids = _cut(sheet)
    turns = quarter_turns([crop for grid in grids for cells in grid for crop in cells if crop is not None], reader)
    if turns:
        to_page = to_page @ turn_back(sheet.shape, turns)
        sheet = turn(sheet, turns)
        tables, grids = _cut(sheet)
    first = 0
    for table, crops in zip(tables, grids, strict=True):
        for row, readings in enumerate(read_cells(crops, reader)):
            for column, reading in enumerate(readings):
                box = _box(table.quad(row, column), to_page, image.shape)
                flagged = reading.confidence < FLAG_BELOW
                yield Cell(first + row, str(column), reading.text, reading.confidence, flagged, box)
        first += table.rows


def _cut(sheet: Image) -> tuple[list[Table], list[Crops]]:
    tables = find_tables(sheet)
    if not tables:
        raise UnreadableError("no ruled table was found on this page; scan it whole, flat and in good light")
    return tables, [cut_cells(sheet, table) for table in tables]


def _box(quad: Points, to_page: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """The smallest upright box around a cell, in whole pixels of the page as given."""
    corners = cv2.perspectiveTransform(quad.reshape(1, 4, 2).astype(np.float64), to_page)[0]
    height, width = shape[:2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
