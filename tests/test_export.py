"""All rows of a form in one file, in the order in which they arrived, whole or not at all."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws import Aws, account
from formlens.account.export import Exported, export_form
from formlens.account.parquet import ROWS, ParquetSheet
from formlens.types import CallError, Cell, PageResult

BUCKET = "deeplens-sagemaker-dev-123456789012-eu-central-1"


def page(source: str, *rows: dict[str, str], form: str | None = "intake", flagged: str = "") -> dict[str, Any]:
    cells = [
        {"row": at, "column": name, "text": text, "confidence": 0.9, "flagged": name == flagged, "box": [0, 0, 1, 1]}
        for at, row in enumerate(rows)
        for name, text in row.items()
    ]
    return {"source": source, "page": 1, "form": form, "status": "read", "cells": cells}


def bucket(**pages: dict[str, Any]) -> Aws:
    """A bucket with these results, a name each, and things beside them."""
    objects = {f"results/intake/2026/11/25/{name}.json": one for name, one in pages.items()}
    aside = ["results/intake/2026/11/25/", "results/intake/note.txt"]

    def listed(asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["Bucket"] == BUCKET
        keys = [key for key in sorted([*objects, *aside]) if key.startswith(asked["Prefix"])]
        return {"Contents": [{"Key": key} for key in keys], "IsTruncated": False}

    def got(asked: dict[str, Any]) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps({"pages": [objects[asked["Key"]]]}).encode())}

    return Aws(s3__ListObjectsV2=listed, s3__GetObject=got)


def test_rows_come_in_the_order_of_arrival_under_the_columns_that_the_newest_page_has(tmp_path: Path) -> None:
    aws = bucket(
        b=page("second.pdf", {"visit": "2", "weight": "71.5"}),
        a=page("first.pdf", {"visit": "1", "height": "1.7"}),
    )
    out = tmp_path / "rows.csv"
    assert export_form("intake", out, account(aws)) == Exported(pages=2, rows=2, unread=0)
    assert out.read_text() == "visit,weight,height\n1,,1.7\n2,71.5,\n"
    export_form("intake", out, account(aws), with_source=True)
    assert out.read_text().splitlines()[1] == "first.pdf,1,1,,1.7"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_the_workbook_marks_what_is_doubtful_and_lists_what_was_not_read(tmp_path: Path) -> None:
    unread = page("torn.pdf") | {"status": "unreadable", "reason": "the page is torn"}
    aws = bucket(a=page("a.pdf", {"visit": "1"}, flagged="visit"), b=unread)
    done = export_form("intake", tmp_path / "rows.xlsx", account(aws))
    assert done == Exported(pages=2, rows=1, unread=1)
    book = openpyxl.load_workbook(tmp_path / "rows.xlsx")
    assert book["Rows"]["A2"].comment
    assert book["Not read"]["C2"].value == "the page is torn"


def test_a_parquet_file_is_read_by_others_as_it_was_written(tmp_path: Path) -> None:
    rows = ({"visit": "1", "weight": "71,5 kg"}, {"visit": "é🙂", "weight": ""})
    aws = bucket(a=page("a.pdf", *rows, flagged="weight"), b=page("b.pdf", {"visit": "3", "page": "own"}))
    export_form("intake", tmp_path / "rows.parquet", account(aws))
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.to_pylist() == [
        {"source": "a.pdf", "page": 1, "visit": "1", "page 2": "", "weight": "71,5 kg", "doubtful": "weight"},
        {"source": "a.pdf", "page": 1, "visit": "é🙂", "page 2": "", "weight": "", "doubtful": "weight"},
        {"source": "b.pdf", "page": 1, "visit": "3", "page 2": "own", "weight": "", "doubtful": ""},
    ]
    assert str(table.schema.field("page").type) == "int32"


def test_tables_without_a_form_go_into_parquet_with_as_many_columns_as_the_widest(tmp_path: Path) -> None:
    wide = {str(n): f"c{n}" for n in range(12)}
    aws = bucket(a=page("a", {"0": "x"}, form=None), b=page("b", wide, form=None))
    export_form("intake", tmp_path / "rows.parquet", account(aws))
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.column_names == ["source", "page", *map(str, range(12)), "doubtful"]
    assert table.column("11").to_pylist() == ["", "c11"]
    export_form("intake", tmp_path / "rows.csv", account(aws))
    text = (tmp_path / "rows.csv").read_text()
    assert [len(row) for row in csv.reader(text.splitlines())] == [1, 12]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3), max_size=40))
def test_any_texts_survive_parquet(texts: list[list[str]]) -> None:
    stream = io.BytesIO()
    sheet = ParquetSheet(stream, columns=("a", "b", "c"))
    for at, row in enumerate(texts):
        cells = tuple(Cell(0, name, text, 1.0, False, (0, 0, 1, 1)) for name, text in zip("abc", row, strict=True))
        sheet.add(PageResult(f"s{at}", at, "read", "f", cells))
    sheet.close()
    table = pq.read_table(io.BytesIO(stream.getvalue()))
    assert [list(row) for row in zip(*(table.column(name).to_pylist() for name in "abc"), strict=True)] == texts


def test_many_rows_go_in_groups_and_all_arrive() -> None:
    stream = io.BytesIO()
    sheet = ParquetSheet(stream, columns=("a",))
    cells = tuple(Cell(row, "a", str(row), 1.0, False, (0, 0, 1, 1)) for row in range(2 * ROWS + 5))
    sheet.add(PageResult("s", 1, "read", "f", cells))
    sheet.close()
    file = pq.ParquetFile(io.BytesIO(stream.getvalue()))
    assert file.num_row_groups == 3
    assert file.read().column("a").to_pylist() == [str(row) for row in range(2 * ROWS + 5)]


def test_more_results_than_are_fetched_at_once_keep_their_order(tmp_path: Path) -> None:
    aws = bucket(**{f"{n:04}": page("s", {"n": str(n)}) for n in range(600)})
    seen: list[int] = []
    export_form("intake", tmp_path / "rows.csv", account(aws), fetched=lambda: seen.append(1))
    assert (tmp_path / "rows.csv").read_text().split() == ["n", *map(str, range(600))]
    assert len(seen) == 600


@pytest.mark.parametrize(
    ("form", "out", "words"),
    [
        ("intake", "rows.ods", r"must end with \.csv, \.xlsx, \.parquet"),
        ("intake", "nowhere/rows.csv", "there is no folder"),
        ("other", "rows.csv", "no page of form other"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is(tmp_path: Path, form: str, out: str, words: str) -> None:
    with pytest.raises(CallError, match=words):
        export_form(form, tmp_path / out, account(bucket(a=page("a", {"x": "1"}))))
    assert not list(tmp_path.iterdir())


def test_a_line_that_breaks_leaves_the_old_file(tmp_path: Path) -> None:
    aws = bucket(a=page("a", {"x": "1"}), b=page("b", {"x": "2"}))
    out = tmp_path / "rows.csv"
    out.write_text("old")
    answer: Any = aws.answers["s3.GetObject"]
    aws.answers["s3.GetObject"] = lambda asked: "SlowDown" if "/b.json" in asked["Key"] else answer(asked)
    with pytest.raises(Exception, match="SlowDown"):
        export_form("intake", out, account(aws))
    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
