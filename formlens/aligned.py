"""Pages of one form go in; the columns that a sheet of them has, and each page under these columns, come out.

A form that was learned again may have other columns than the pages that were read before: they share a sheet all the
same, with nothing lost and nothing under a wrong heading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from formlens.sheet import rows_of
from formlens.types import Cell, PageResult


def columns_of(pages: Iterable[PageResult]) -> tuple[str, ...] | None:
    """The columns of the form, as the latest page that was read with one has them, then those that only others have.

    None where no page was read with a form: tables have no header.
    """
    newest: dict[str, None] = {}
    with_form = False
    for page in pages:
        if page.status == "read":
            with_form = with_form or page.form is not None
            newest = {cell.column: None for cell in page.cells} | newest
    return tuple(newest) if with_form else None


def under(columns: Sequence[str] | None, page: PageResult) -> PageResult:
    """The page with a cell for each of the columns in each of its rows; as it is where there are none."""
    if columns is None:
        return page
    cells: list[Cell] = []
    for row in rows_of(page):
        there = {cell.column: cell for cell in row}
        empty = (Cell(row[0].row, column, "", 1.0, False, (0, 0, 0, 0)) for column in columns)
        cells += [there.get(cell.column, cell) for cell in empty]
    return replace(page, cells=tuple(cells))
