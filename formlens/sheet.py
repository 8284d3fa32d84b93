"""Results go in, spreadsheets come out: CSV and XLSX, each written page by page in flat memory."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO, Protocol, TextIO

import xlsxwriter

from formlens.types import Cell, PageResult
from formlens.values import as_date, as_number, guard_formula


class Sheet(Protocol):
    """Anything that takes results one by one and is complete when closed."""

    def add(self, result: PageResult) -> None:
        """Append one page."""

    def close(self) -> None:
        """Finish the file; the stream stays open."""


def rows_of(result: PageResult) -> Iterator[list[Cell]]:
    """The cells of a page, a list per row, rows in order; an unreadable page has none."""
    row: list[Cell] = []
    for cell in result.cells:
        if row and cell.row != row[0].row:
            yield row
            row = []
        row.append(cell)
    if row:
        yield row


def sheet_titles(names: Sequence[str]) -> dict[str, str]:
    """A title for the sheet of each form: its name as far as a workbook allows it, and no two the same."""
    titles: dict[str, str] = {}
    taken = {"not read", "history"}  # ours, and one that Excel keeps for itself
    for name in names:
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip("' ")[:31] or "form"
        title, number = plain, 1
        while title.casefold() in taken:
            number += 1
            title = f"{plain[: 28 - len(str(number))]} ({number})"
        taken.add(title.casefold())
        titles[name] = title
    return titles


class CsvSheet:
    """Rows as CSV (UTF-8, one line feed a row); ``columns`` is the header of a form, None reads tables as they are."""

    def __init__(self, stream: TextIO, *, columns: Sequence[str] | None = None, with_source: bool = False) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._with_source = with_source
        if columns is not None:
            self._write([*(["source", "page"] if with_source else []), *columns])

    def add(self, result: PageResult) -> None:
        """Append the rows of one page."""
        front = [result.source, str(result.page)] if self._with_source else []
        for row in rows_of(result):
            self._write([*front, *(cell.text for cell in row)])

    def close(self) -> None:
        """Nothing is left to write."""

    def _write(self, texts: Iterable[str]) -> None:
        self._writer.writerow([guard_formula(text) for text in texts])


@dataclass
class _Table:
    """One sheet of a workbook that is being written: the next row, and how wide each column has become."""

    sheet: Any
    next: int = 0
    widths: dict[int, int] = field(default_factory=dict)


class XlsxSheet:
    """Rows as a workbook: doubtful cells filled and commented, first row frozen, pages not read listed apart.

    Numbers and unmistakable dates are written as such, everything else as text; a formula is never written. With
    ``forms`` (the header of each by its name) the rows of each form are a sheet of their own, called after it.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        columns: Sequence[str] | None = None,
        with_source: bool = False,
        forms: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._book = xlsxwriter.Workbook(stream, {"constant_memory": True, "strings_to_formulas": False})
        # the same results give the same bytes, whenever they are written
        self._book.set_properties({"created": date(2000, 1, 1)})
        self._formats: dict[tuple[str, bool], Any] = {}
        self._unread: list[PageResult] = []
        self._with_source = with_source
        if forms is None:
            self._tables: dict[str | None, _Table] = {None: self._table("Rows", columns)}
        else:
            titles = sheet_titles(list(forms))
            self._tables = {form: self._table(titles[form], header) for form, header in forms.items()}

    def _table(self, title: str, columns: Sequence[str] | None) -> _Table:
        table = _Table(self._book.add_worksheet(title))
        table.sheet.freeze_panes(1, 0)
        if columns is not None:
            bold = self._book.add_format({"bold": True})
            for place, name in enumerate([*(["source", "page"] if self._with_source else []), *columns]):
                self._text(table, place, name, bold)
            table.next = 1
        return table

    def add(self, result: PageResult) -> None:
        """Append the rows of one page."""
        if result.status == "unreadable":
            self._unread.append(result)
            return
        table = self._tables[None if None in self._tables else result.form]
        for row in rows_of(result):
            place = 0
            if self._with_source:
                self._text(table, 0, result.source, self._format("", False))
                table.sheet.write_number(table.next, 1, result.page)
                place = 2
            for cell in row:
                self._cell(table, place, cell, f"{result.source}, page {result.page}")
                place += 1
            table.next += 1

    def close(self) -> None:
        """Set the column widths, list the pages that were not read, and write the workbook."""
        for table in self._tables.values():
            for place, width in table.widths.items():
                table.sheet.set_column(place, place, min(max(width + 2, 8), 60))
        if self._unread:
            self._list_unread()
        self._book.close()

    def _cell(self, table: _Table, place: int, cell: Cell, where: str) -> None:
        number, day = as_number(cell.text), as_date(cell.text)
        if number is not None:
            value, decimals = number
            style = "0." + "0" * decimals if decimals else "0"
            table.sheet.write_number(table.next, place, value, self._format(style, cell.flagged))
            self._widen(table, place, cell.text)
        elif day is not None:
            table.sheet.write_datetime(table.next, place, day, self._format("yyyy-mm-dd", cell.flagged))
            self._widen(table, place, "yyyy-mm-dd")
        else:
            self._text(table, place, cell.text, self._format("", cell.flagged))
        if cell.flagged:
            why = cell.why or f"{cell.confidence:.0%} sure"
            note = f"Please check: {why}.\nRead: {cell.text or '(nothing)'}\n{where}"
            table.sheet.write_comment(table.next, place, note)

    def _text(self, table: _Table, place: int, text: str, style: Any) -> None:
        if text:
            table.sheet.write_string(table.next, place, text, style)
        else:
            table.sheet.write_blank(table.next, place, None, style)
        self._widen(table, place, text)

    def _widen(self, table: _Table, place: int, text: str) -> None:
        table.widths[place] = max(table.widths.get(place, 0), len(text))

    def _format(self, number_format: str, flagged: bool) -> Any:
        key = (number_format, flagged)
        if key not in self._formats:
            look = {"num_format": number_format} if number_format else {}
            fill = {"bg_color": "#FFE699"} if flagged else {}
            self._formats[key] = self._book.add_format(look | fill)
        return self._formats[key]

    def _list_unread(self) -> None:
        sheet = self._book.add_worksheet("Not read")
        sheet.freeze_panes(1, 0)
        for place, (name, width) in enumerate((("source", 40), ("page", 8), ("reason", 80))):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, name, self._book.add_format({"bold": True}))
        for row, result in enumerate(self._unread, 1):
            sheet.write_string(row, 0, result.source)
            sheet.write_number(row, 1, result.page)
            sheet.write_string(row, 2, result.reason or "")
