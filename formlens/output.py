"""Results go in, the files of one call come out: the spreadsheet, the cells JSON, the list of pages not read."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from formlens.cells import CellsFile
from formlens.sheet import CsvSheet, Sheet, XlsxSheet
from formlens.types import CallError, PageResult
from formlens.values import guard_formula

_UNREAD = "unreadable"


def csv_files(out: Path, forms: Iterable[str]) -> dict[str, Path]:
    """The CSV file of each form beside each other, for forms of different columns: `rows.csv` → `rows.intake.csv`.

    A form's name comes from its file, perhaps a stranger's: what is no part of a file's name becomes `_`. Raises
    CallError for a form whose CSV would be another's, or the list of pages not read.
    """
    files: dict[str, Path] = {}
    taken = {_UNREAD: "the list of pages that were not read"}
    for name in forms:
        plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name)[:100]
        if plain.casefold() in taken:
            there = taken[plain.casefold()]
            raise CallError(f"--form: the CSV of form {name} would be that of {there}; learn it under another name")
        taken[plain.casefold()] = f"form {name}"
        files[name] = out.with_name(f"{out.stem}.{plain}{out.suffix}")
    return files


class Output:
    """The files of one call. They appear, complete, when all pages are in; a call that dies leaves the old ones."""

    def __init__(
        self,
        out: Path,
        cells: Path | None = None,
        *,
        columns: Sequence[str] | None = None,
        with_source: bool = False,
        forms: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """``forms``: the header of each form by its name, where they differ; a sheet or CSV file for each then."""
        self._out = out
        self._files = ExitStack()
        self._renames: list[tuple[Path, Path]] = []
        self._unread: list[PageResult] = []
        self._of_form: dict[str, Sheet] = {}
        self._sheets: list[Sheet] = []
        if out.suffix.lower() == ".xlsx":
            book = self._files.enter_context(self._beside(out).open("wb"))
            self._sheets = [XlsxSheet(book, columns=columns, with_source=with_source, forms=forms)]
        elif forms is None:
            self._sheets = [self._csv(out, columns, with_source)]
        else:
            self._of_form = {
                name: self._csv(file, forms[name], with_source) for name, file in csv_files(out, forms).items()
            }
        if cells is not None:
            self._sheets.append(CellsFile(self._files.enter_context(self._beside(cells).open("w", encoding="utf-8"))))

    def _csv(self, path: Path, columns: Sequence[str] | None, with_source: bool) -> CsvSheet:
        stream = self._files.enter_context(self._beside(path).open("w", encoding="utf-8", newline=""))
        return CsvSheet(stream, columns=columns, with_source=with_source)

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
        if result.form in self._of_form:
            self._of_form[result.form].add(result)

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
        for sheet in [*self._sheets, *self._of_form.values()]:
            sheet.close()
        self._files.close()
        for unfinished, final in self._renames:
            unfinished.replace(final)
        self._list_unread()

    def _list_unread(self) -> None:
        """A CSV has the form's columns and no others, so the pages that were not read get a file beside it."""
        beside = self._out.with_name(f"{self._out.stem}.{_UNREAD}.csv")
        if self._unread and self._out.suffix.lower() != ".xlsx":
            with beside.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(["source", "page", "reason"])
                for result in self._unread:
                    writer.writerow([guard_formula(result.source), result.page, result.reason])
        else:
            beside.unlink(missing_ok=True)
