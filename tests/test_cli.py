"""The command line, called as a person calls it."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest

from formlens.cli import app, main

COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return int(exit_.value.code or 0)


def draw_table(path: Path, rows: list[list[str]]) -> Path:
    """A printed table: every text in its cell, black on white."""
    image = np.full((len(rows) * 120 + 81, len(rows[0]) * 200 + 81, 3), 255, np.uint8)
    for r in range(len(rows) + 1):
        cv2.line(image, (40, 40 + 120 * r), (40 + 200 * len(rows[0]), 40 + 120 * r), (0, 0, 0), 3)
    for c in range(len(rows[0]) + 1):
        cv2.line(image, (40 + 200 * c, 40), (40 + 200 * c, 40 + 120 * len(rows)), (0, 0, 0), 3)
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            spot = (80 + 200 * c, 120 + 120 * r)
            cv2.putText(image, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 20, 20), 3, cv2.LINE_AA)
    cv2.imwrite(str(path), image)
    return path


def rows_in(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines()))


ROWS = [["12", "", "305"], ["", "-7", "48"], ["9", "61", ""]]


def test_every_command_explains_itself_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        assert run(command, "--help") == 0
        shown = capsys.readouterr().out
        assert f"formlens {command}" in shown
        assert "Example" in shown


def test_only_commands_that_work_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS)
    assert COMMANDS == ["evaluate", "learn", "read", "recognize", "train"]


def test_a_table_becomes_a_csv(tmp_path: Path) -> None:
    scan = draw_table(tmp_path / "table.png", ROWS)
    out, cells = tmp_path / "out.csv", tmp_path / "cells.json"
    assert run("read", scan, "--out", out, "--cells", cells) == 0
    assert rows_in(out) == ROWS
    (page,) = json.loads(cells.read_text())["pages"]
    assert (page["source"], page["page"], page["status"], page["form"]) == ("table.png", 1, "read", None)
    assert [(c["row"], c["column"]) for c in page["cells"]] == [(r, str(c)) for r in range(3) for c in range(3)]
    x0, y0, x1, y1 = page["cells"][4]["box"]
    assert np.allclose((x0, y0, x1, y1), (240, 160, 440, 280), atol=8)


def test_a_table_becomes_a_workbook(tmp_path: Path) -> None:
    scan = draw_table(tmp_path / "table.png", ROWS)
    assert run("read", scan, "--out", tmp_path / "out.xlsx", "--with-source") == 0
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Rows"]
    assert [cell.value for cell in sheet[1]] == ["table.png", 1, 12, None, 305]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_page_that_was_scanned_the_wrong_way_up_is_put_upright(tmp_path: Path, turns: int) -> None:
    rows = [["2745", "3576"], ["4253", "7354"], ["5437", "2374"]]
    image = cv2.imread(str(draw_table(tmp_path / "table.png", rows)))
    cv2.imwrite(str(tmp_path / "turned.png"), np.rot90(image, turns))
    assert run("read", tmp_path / "turned.png", "--out", tmp_path / "out.csv") == 0
    assert rows_in(tmp_path / "out.csv") == rows


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_table(tmp_path / "a.png", ROWS)
    (tmp_path / "b.jpg").write_text("not a picture")
    cv2.imwrite(str(tmp_path / "c.png"), np.full((300, 300, 3), 255, np.uint8))
    out = tmp_path / "out.csv"
    assert run("read", tmp_path, "--out", out) == 1
    assert rows_in(out) == ROWS
    shown = capsys.readouterr().err
    assert "b.jpg, page 1" in shown
    assert "c.png, page 1: no ruled table" in shown
    unread = list(csv.DictReader((tmp_path / "out.unreadable.csv").read_text().splitlines()))
    assert [(row["source"], row["page"]) for row in unread] == [("b.jpg", "1"), ("c.png", "1")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["read", "{}/none.jpg", "--out", "{}/o.csv"], "none.jpg"),
        (["read", "{}", "--out", "{}/o.csv"], "no scan in"),
        (["read", "{}/a.png", "--out", "{}/o.ods"], "o.ods"),
        (["read", "{}/a.png", "--out", "{}/o.csv", "--cells", "{}/c.csv"], "c.csv"),
        (["read", "{}/a.png", "--out", "{}/folder.csv"], "this is a folder"),
        (["read", "{}/a.png"], "--out"),
        (["recognize", "{}/a.png", "--out", "{}/o.csv", "--charset", "runes"], "runes"),
        (["levitate"], "levitate"),
    ],
)
def test_a_wrong_call_is_told_apart_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert run(*(argument.format(tmp_path) for argument in arguments)) == 2
    assert named in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_lines_are_recognized_one_by_one(tmp_path: Path) -> None:
    for name, text in (("1.png", "4071"), ("2.png", "365")):
        image = np.full((64, 200, 3), 255, np.uint8)
        cv2.putText(image, text, (20, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (30, 20, 20), 3, cv2.LINE_AA)
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "3.png").write_bytes(b"")
    out = tmp_path / "out.csv"
    assert run("recognize", *(tmp_path / f"{n}.png" for n in (1, 2, 3)), "--charset", "digits", "--out", out) == 1
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["text"] for row in rows] == ["4071", "365", ""]
    assert [row["file"] for row in rows] == [str(tmp_path / f"{n}.png") for n in (1, 2, 3)]
    assert all(float(row["confidence"]) > 0.5 for row in rows[:2])
