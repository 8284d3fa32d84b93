"""A form's name goes in; all rows that were ever read of it come out as one CSV, XLSX or Parquet file.

Results are immutable, a JSON object a page, and their keys sort by arrival. They are fetched once, many at a time, to
a file beside the output: the columns are known only when the last page is.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from formlens.account.parquet import ParquetSheet
from formlens.account.session import Account
from formlens.aligned import columns_of, under
from formlens.cells import page_from_json
from formlens.output import Output
from formlens.sheet import rows_of
from formlens.types import CallError, PageResult

KINDS = (".csv", ".xlsx", ".parquet")
MOST_ROWS = 1_048_575
"""Rows below the header of a worksheet."""
_AT_ONCE = 32


@dataclass(frozen=True)
class Exported:
    """What was written."""

    pages: int
    rows: int
    unread: int
    """Pages that are in the results but could not be read."""


def export_form(
    form: str, out: Path, account: Account, *, with_source: bool = False, fetched: Callable[[], None] = lambda: None
) -> Exported:
    """Write all rows of a form, in the order in which its pages arrived; ``fetched`` is told of each page.

    Nothing is left behind half: the file appears when it is whole. Raises CallError where there is nothing to write.
    """
    if out.suffix.lower() not in KINDS:
        raise CallError(f"--out {out}: its name must end with {', '.join(KINDS)}")
    if not out.absolute().parent.is_dir():
        raise CallError(f"--out {out}: there is no folder {out.absolute().parent}")
    s3, bucket = account.client("s3"), account.bucket()
    with tempfile.TemporaryFile("w+", dir=out.absolute().parent, encoding="utf-8") as lines:
        counts: Counter[str] = Counter()
        columns: tuple[str, ...] | None = None
        tables: dict[str, None] = {}
        for text in _results(s3, bucket, f"results/{form}/"):
            page = page_from_json(json.loads(text))
            counts.update(pages=1, rows=sum(1 for _ in rows_of(page)), unread=page.status == "unreadable")
            columns = _joined(columns, columns_of([page]))
            tables |= {cell.column: None for cell in page.cells}
            lines.write(text + "\n")
            fetched()
        if not counts["pages"]:
            raise CallError(f"no page of form {form} has been read in {bucket}: there is nothing under results/{form}/")
        if out.suffix.lower() == ".xlsx" and counts["rows"] > MOST_ROWS:
            raise CallError(
                f"--out {out}: a worksheet takes {MOST_ROWS:,} rows, there are {counts['rows']:,}; take .csv"
            )
        lines.seek(0)
        pages = (page_from_json(json.loads(line)) for line in lines)
        if out.suffix.lower() == ".parquet":
            _write_parquet(out, pages, columns or sorted(tables, key=_by_number))
        else:
            with Output(out, columns=columns, with_source=with_source) as output:
                for page in pages:
                    output.add(under(columns, page))
    return Exported(counts["pages"], counts["rows"], counts["unread"])


def _joined(columns: tuple[str, ...] | None, newer: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The columns as `columns_of` has them of all pages: those of the latest first."""
    return columns if newer is None else tuple(dict.fromkeys([*newer, *(columns or ())]))


def _by_number(column: str) -> tuple[int, str]:
    return (int(column), "") if column.isdecimal() else (1 << 30, column)


def _results(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The pages under a prefix in the order of their keys, each as the text of its JSON on one line."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = (item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".json"))

    def fetch(key: str) -> list[str]:
        found = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return [json.dumps(page, ensure_ascii=False) for page in found["pages"]]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := list(islice(keys, 8 * _AT_ONCE)):
            for texts in pool.map(fetch, some):
                yield from texts


def _write_parquet(out: Path, pages: Iterable[PageResult], columns: Sequence[str]) -> None:
    part = out.with_name(f".{out.name}.unfinished")
    try:
        with part.open("wb") as stream:
            sheet = ParquetSheet(stream, columns=columns)
            for page in pages:
                sheet.add(under(columns, page))
            sheet.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
