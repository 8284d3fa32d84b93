"""Tables whose columns white space alone parts, and columns in which a mark stands for the value above."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.ditto import as_above, learn_dittos
from formlens.form import load_form, save_form
from formlens.gutters import find_gutters
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.types import Clues, Page, Reading
from forms import scan
from tables_drawn import DITTO, Layout, draw, fill, filled, rows_for, write_labelled

PLAIN = Layout(parts=((90, 420, 760),), room=10, upright=False)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.mark.parametrize("seed", [3, 4, 5])
@pytest.mark.parametrize("layout", [PLAIN, Layout(upright=False)])
def test_white_space_parts_the_columns_of_a_page_that_lies_askew(layout: Layout, seed: int) -> None:
    rows = rows_for(layout.room * len(layout.parts) - 3, seed)
    copy = scan(fill(draw(layout), layout, rows, seed), seed)
    edges = find_gutters(copy.image)
    assert len(edges) == 1 + 2 * len(layout.parts)
    for y in (320.0, 620.0):  # between the end of a code and the beginning of a date
        px, py, _ = copy.view @ [layout.parts[0][1], y, 1]
        assert px - 130 < edges[1].at(py) < px + 12


def test_a_table_without_upright_lines_is_learned_and_read(reader: Reader, tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, PLAIN, [10, 9])
    learned = learn_form(read_folder(folder), "register", reader, trusted=False)
    assert learned.doubts == ()
    copy, rows = filled(PLAIN, 8, 77)
    result = read_page(Page(copy.image, "new.png", 1), reader, [learned.form])
    assert result.status == "read"
    assert len(result.cells) == 2 * len(rows)
    read = [[cell.text for cell in result.cells if cell.row == row] for row in range(len(rows))]
    right = sum(a == b for got, true in zip(read, rows, strict=True) for a, b in zip(got, true, strict=True))
    assert right >= 0.85 * 2 * len(rows)


def test_ticks_below_a_value_say_it_once_more(reader: Reader, tmp_path: Path) -> None:
    layout = Layout(parts=((90, 420, 760),), room=11)
    for number in range(2):
        typed, written = _with_dittos(layout.room - number, 20 + number)
        cv2.imwrite(
            str(tmp_path / f"page{number}.png"), scan(fill(draw(layout), layout, written, number), number).image
        )
        with (tmp_path / f"page{number}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["parcel", "posted"], *typed])
    save_form(learn_form(read_folder(tmp_path), "register", reader, trusted=False).form, tmp_path / "kept.form")
    form = load_form(tmp_path / "kept.form")
    assert form.columns[1].dittos
    assert not form.columns[0].dittos
    typed, written = _with_dittos(9, 55)
    result = read_page(Page(scan(fill(draw(layout), layout, written, 5), 5).image, "new.png", 1), reader, [form])
    dates = [cell.text for cell in result.cells if cell.column == "posted"]
    assert len(dates) == 9
    for number, row in enumerate(written):
        if row[1] == DITTO:
            assert dates[number] == dates[number - 1]
    assert sum(a == row[1] for a, row in zip(dates, typed, strict=True)) >= 7


def test_only_what_is_read_where_a_value_repeats_is_a_mark() -> None:
    rows = [("u", "1910", True), ("u", "1911", True), ("1910", "1910", False), ("1910", "1910", True), ("7", "7", True)]
    assert learn_dittos(rows) == ("u",)
    assert learn_dittos([*rows, ("u", "4", False)]) == ()
    assert learn_dittos([('"', "Lyon", True), ("Lyon", "Lyon", False)]) == ('"',)
    page = [("Lyon", "Lyon", False), *[("11", "Lyon", True)] * 9]
    assert learn_dittos(page) == ("11",)
    counts = [(str(number % 5), "Lyon", number > 0) for number in range(20)]  # another column, read by mistake
    assert learn_dittos(counts) == ()


def test_a_mark_is_as_sure_as_it_and_the_value_above_are() -> None:
    seen = np.full((3, 4), 0.02, np.float32)
    seen[:, 0], seen[1] = 0.94, (0.05, 0.8, 0.1, 0.05)
    above = Reading("Lyon", 0.9), Clues("written", 0.9, margin=5.0, length=4)
    repeated = as_above(seen, "uvw", ("u",), above)
    assert repeated is not None
    reading, clues = repeated
    assert (reading.text, clues.length) == ("Lyon", 4)
    assert 0.5 < reading.confidence < 0.9
    assert as_above(seen, "uvw", ("w",), above) is None
    assert as_above(seen, "uvw", ("〃",), above) is None
    first = as_above(seen, "uvw", ("u",), None)
    assert first is not None
    assert first[0].confidence < 0.1


def _with_dittos(count: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Rows as they are typed and as they are written, every second or third date as the one above."""
    typed = rows_for(count, seed)
    written = [list(row) for row in typed]
    for number in range(1, count):
        if number % 5 in (2, 3):
            typed[number][1] = typed[number - 1][1]
            written[number][1] = DITTO
    return typed, written
