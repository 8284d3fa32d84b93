"""Rows in CSV and XLSX, and the cells JSON."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formlens.cells import CellsFile, page_from_json, page_json
from formlens.output import Output
from formlens.sheet import CsvSheet, XlsxSheet
from formlens.types import Cell, PageResult
from formlens.values import guard_formula

FAILED = PageResult("bad.pdf", 3, "unreadable", reason="the page is cut off")


def page(*rows: list[str], flagged: frozenset[str] = frozenset(), source: str = "a.jpg") -> PageResult:
    cells = tuple(
        Cell(
            r, str(c), text, 0.4 if text in flagged else 0.99, text in flagged, (c * 10, r * 10, c * 10 + 9, r * 10 + 9)
        )
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    return PageResult(source, 1, "read", cells=cells)


def as_csv(*results: PageResult, **options: object) -> str:
    stream = io.StringIO(newline="")
    sheet = CsvSheet(stream, **options)  # type: ignore[arg-type]
    for result in results:
        sheet.add(result)
    sheet.close()
    return stream.getvalue()


def as_xlsx(*results: PageResult, **options: object) -> bytes:
    stream = io.BytesIO()
    sheet = XlsxSheet(stream, **options)  # type: ignore[arg-type]
    for result in results:
        sheet.add(result)
    sheet.close()
    return stream.getvalue()


def test_rows_of_several_pages_follow_each_other() -> None:
    assert as_csv(page(["1", "", "12"], ["", "3", ""]), FAILED, page(["x"])) == "1,,12\n,3,\nx\n"


def test_source_and_page_stand_in_front_when_asked_for() -> None:
    assert as_csv(page(["1"]), columns=["n"], with_source=True) == "source,page,n\na.jpg,1,1\n"


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=4))
def test_any_text_survives_csv(rows: list[list[str]]) -> None:
    back = list(csv.reader(io.StringIO(as_csv(page(*rows)), newline="")))
    assert back == [[guard_formula(text) for text in row] for row in rows]


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=3))
def test_any_text_survives_xlsx_and_none_becomes_a_formula(rows: list[list[str]]) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(page(*rows))))["Rows"]
    for r, row in enumerate(rows, 1):
        for c, text in enumerate(row, 1):
            cell = sheet.cell(r, c)
            assert cell.data_type != "f"
            if cell.data_type == "s":
                assert cell.value == text


def test_a_workbook_holds_numbers_dates_and_texts_as_such() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(page(["-12.50", "71,5", "007", "2024-12-31", "=1+1", "n° 5"]))))[
        "Rows"
    ]
    row = sheet[1]
    assert [cell.value for cell in row] == [-12.5, 71.5, "007", datetime(2024, 12, 31), "=1+1", "n° 5"]
    assert [cell.data_type for cell in row] == ["n", "n", "s", "d", "s", "s"]
    assert row[0].number_format == "0.00"


def test_doubtful_cells_are_filled_and_say_why() -> None:
    data = as_xlsx(page(["7", "8", ""], flagged=frozenset({"7", ""})), columns=["a", "b", "c"])
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Rows"]
    sure, doubtful, empty = sheet["B2"], sheet["A2"], sheet["C2"]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    for cell in (doubtful, empty):
        assert cell.fill.fgColor.rgb == "FFFFE699"
        assert cell.comment is not None
        assert "40%" in cell.comment.text
        assert "a.jpg, page 1" in cell.comment.text
    assert sure.comment is None
    assert sure.fill.fill_type is None


def test_pages_that_were_not_read_are_listed_in_the_workbook() -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(page(["1"]), FAILED)))
    assert [cell.value for cell in book["Not read"][2]] == ["bad.pdf", 3, "the page is cut off"]
    assert openpyxl.load_workbook(io.BytesIO(as_xlsx(page(["1"])))).sheetnames == ["Rows"]


def test_the_same_results_give_the_same_workbook() -> None:
    assert as_xlsx(page(["1"]), FAILED) == as_xlsx(page(["1"]), FAILED)


def test_a_page_survives_json() -> None:
    for result in (page(["1", "é"], flagged=frozenset({"é"})), FAILED):
        assert page_from_json(json.loads(json.dumps(page_json(result)))) == result


def test_the_cells_file_is_json_with_one_object_a_page() -> None:
    stream = io.StringIO()
    sheet = CellsFile(stream)
    sheet.add(page(["1"]))
    sheet.add(FAILED)
    sheet.close()
    pages = json.loads(stream.getvalue())["pages"]
    assert [p["status"] for p in pages] == ["read", "unreadable"]
    assert pages[0]["cells"] == [
        {"row": 0, "column": "0", "text": "1", "confidence": 0.99, "flagged": False, "box": [0, 0, 9, 9]}
    ]
    assert pages[1]["reason"] == "the page is cut off"


def test_pages_that_were_not_read_are_listed_beside_the_csv(tmp_path: Path) -> None:
    out, beside = tmp_path / "rows.csv", tmp_path / "rows.unreadable.csv"
    with Output(out) as output:
        output.add(FAILED)
    assert beside.read_text() == "source,page,reason\nbad.pdf,3,the page is cut off\n"
    with Output(out) as output:
        output.add(page(["1"]))
    assert not beside.exists()


def test_a_call_that_dies_leaves_the_old_files_and_no_others(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("old")

    def die_halfway() -> None:
        with Output(out, tmp_path / "cells.json") as output:
            output.add(page(["1"]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die_halfway()
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]
