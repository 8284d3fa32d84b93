"""Several forms of different columns are read in one call: a sheet, or a CSV, for each."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from formlens.form import SIDE, Column, Form, save_form
from formlens.kinds import written_kind_of
from formlens.output import csv_files
from formlens.sheet import sheet_titles
from formlens.types import CallError
from forms import FIELDS, SIZE, VALUES, draw_form, fill, scan
from test_cli import run


def form_of(name: str, columns: tuple[str, ...], seed: int) -> Form:
    """A form of the drawn fields, as if it had been learned."""
    scale = SIDE / SIZE[1]
    blank = cv2.resize(cv2.cvtColor(draw_form(seed), cv2.COLOR_BGR2GRAY), (round(SIZE[0] * scale), SIDE))
    kind = written_kind_of([])
    places = {column: tuple(round(edge * scale) for edge in FIELDS[column]) for column in columns}
    found = tuple(Column(column, kind, (p[0], p[1], p[2], p[3])) for column, p in places.items())
    return Form(name, found, np.asarray(blank, np.uint8))


@pytest.fixture
def call(tmp_path: Path) -> list[object]:
    """Two forms, and a scan of each and of none."""
    save_form(form_of("intake", ("visit", "dose"), 0), tmp_path / "intake.form")
    save_form(form_of("follow up", ("age",), 5), tmp_path / "later.form")
    scans = tmp_path / "scans"
    scans.mkdir()
    cv2.imwrite(str(scans / "a.png"), scan(fill(draw_form(), VALUES[0]), 1).image)
    cv2.imwrite(str(scans / "b.png"), scan(fill(draw_form(5), {"age": "58"}), 2).image)
    cv2.imwrite(str(scans / "c.png"), draw_form(3))
    cv2.imwrite(str(scans / "d.png"), scan(fill(draw_form(), VALUES[1]), 3).image)
    return ["read", scans, "--form", tmp_path / "intake.form", "--form", tmp_path / "later.form", "--with-source"]


def rows_in(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


def test_each_form_has_a_csv_of_its_own(call: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*call, "--out", tmp_path / "rows.csv", "--cells", tmp_path / "cells.json") == 1
    assert rows_in(tmp_path / "rows.intake.csv") == [
        ["source", "page", "visit", "dose"],
        ["a.png", "1", VALUES[0]["visit"], VALUES[0]["dose"]],
        ["d.png", "1", VALUES[1]["visit"], VALUES[1]["dose"]],
    ]
    assert rows_in(tmp_path / "rows.follow up.csv") == [["source", "page", "age"], ["b.png", "1", "58"]]
    assert not (tmp_path / "rows.csv").exists()
    assert [row[0] for row in rows_in(tmp_path / "rows.unreadable.csv")] == ["source", "c.png"]
    pages = json.loads((tmp_path / "cells.json").read_text())["pages"]
    assert [page["form"] for page in pages] == ["intake", "follow up", None, "intake"]
    assert "rows.intake.csv" in capsys.readouterr().err


def test_each_form_has_a_sheet_of_its_own(call: list[object], tmp_path: Path) -> None:
    assert run(*call, "--out", tmp_path / "rows.xlsx") == 1
    book = openpyxl.load_workbook(tmp_path / "rows.xlsx")
    assert book.sheetnames == ["intake", "follow up", "Not read"]
    assert [[cell.value for cell in row] for row in book["follow up"]] == [["source", "page", "age"], ["b.png", 1, 58]]
    assert [row[0].value for row in book["intake"]] == ["source", "a.png", "d.png"]
    assert all(book[name].freeze_panes == "A2" for name in book.sheetnames)


def test_a_form_without_a_page_has_its_header(call: list[object], tmp_path: Path) -> None:
    for path in (tmp_path / "scans").glob("[bc].png"):
        path.unlink()
    assert run(*call, "--out", tmp_path / "rows.csv") == 0
    assert rows_in(tmp_path / "rows.follow up.csv") == [["source", "page", "age"]]


def test_forms_of_the_same_columns_share_one_spreadsheet(tmp_path: Path) -> None:
    for name, seed in (("old", 0), ("new", 5)):
        save_form(form_of(name, ("age",), seed), tmp_path / f"{name}.form")
        cv2.imwrite(str(tmp_path / f"{name}.png"), fill(draw_form(seed), {"age": "34"}))
    forms = ["--form", tmp_path / "old.form", "--form", tmp_path / "new.form"]
    assert run("read", tmp_path / "old.png", tmp_path / "new.png", *forms, "--out", tmp_path / "rows.csv") == 0
    assert rows_in(tmp_path / "rows.csv") == [["age"], ["34"], ["34"]]


def test_a_name_out_of_a_file_stays_beside_the_others() -> None:
    files = csv_files(Path("out/rows.csv"), ["../../etc/x", "a:b"])
    assert [str(path) for path in files.values()] == ["out/rows..._.._etc_x.csv", "out/rows.a_b.csv"]


@pytest.mark.parametrize("names", [["unreadable"], ["A", "a"], ["x/y", "x:y"]])
def test_a_csv_that_would_be_anothers_is_refused(names: list[str]) -> None:
    with pytest.raises(CallError, match=names[-1]):
        csv_files(Path("rows.csv"), names)


def test_titles_of_sheets_are_what_a_workbook_allows() -> None:
    names = ["a" * 40, "a" * 41, "x/y", "X:Y", "not read", "'", "intake"]
    titles = sheet_titles(names)
    assert list(titles) == names
    assert len({title.casefold() for title in titles.values()}) == len(names)
    assert all(0 < len(title) <= 31 and not set(title) & set("[]:*?/\\") for title in titles.values())
    assert titles["intake"] == "intake"
    assert titles["not read"] != "not read"
