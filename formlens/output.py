"""Results go in, the files of one call come out: the spreadsheet, the cells JSON, the list of pages not read."""

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from formlens.cells import CellsFile
from formlens.sheet import CsvSheet, Sheet, XlsxSheet
from formlens.types import PageResult
from formlens.values import guard_formula


class Output:
    """The files of one call. They appear, complete, when all pages are in; a call that dies leaves the old ones."""

    def __init__(
        self,
        out: Path,
        cells: Path | None = None,
        *,
        columns: Sequence[str] | None = None,
        with_source: bool = False,
    ) -> None:
        self._out = out
        self._files = ExitStack()
        self._renames: list[tuple[Path, Path]] = []
        self._unread: list[PageResult] = []
        if out.suffix.lower() == ".xlsx":
            book = self._files.enter_context(self._beside(out).open("wb"))
            self._sheets: list[Sheet] = [XlsxSheet(book, columns=columns, with_source=with_source)]
        else:
            stream = self._files.enter_context(self._beside(out).open("w", encoding="utf-8", newline=""))
            self._sheets = [CsvSheet(stream, columns=columns, with_source=with_source)]
        if cells is not None:
            self._sheets.append(CellsFile(self._files.enter_context(self._beside(cells).open("w", encoding="utf-8"))))

    def _beside(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.unfinished")
        self._renames.append((unfinished, path))
        return unfinished

    def add(self, result: PageResult) -> None:
        """Append one page to every file."""
        if result.status == "unreadable":
            self._unread.append(result)
        for sheet in self._sheets:
            sheet.add(result)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._files.close()
            for unfinished, _ in self._renames:
                unfinished.unlink(missing_ok=True)
            return
        for sheet in self._sheets:
            sheet.close()
        self._files.close()
        for unfinished, final in self._renames:
            unfinished.replace(final)
        self._list_unread()

    def _list_unread(self) -> None:
        """A CSV has the form's columns and no others, so the pages that were not read get a file beside it."""
        beside = self._out.with_name(f"{self._out.stem}.unreadable.csv")
        if self._unread and self._out.suffix.lower() != ".xlsx":
            with beside.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(["source", "page", "reason"])
                for result in self._unread:
                    writer.writerow([guard_formula(result.source), result.page, result.reason])
        else:
            beside.unlink(missing_ok=True)
