"""Forms that hold a table of many rows are learned from scans and their CSVs, and other scans are read with them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.alignment import align
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.rows import find_rows, pitch_of
from formlens.types import Page
from tables_drawn import PITCH, TOP, Layout, draw, fill, filled, rows_for, write_labelled


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=2)


@pytest.mark.parametrize("layout", [Layout(), Layout(ruled=True), Layout(parts=((90, 420, 760),), room=18)])
@pytest.mark.parametrize("scans", [1, 3])
def test_rows_of_a_new_page_come_out_in_the_columns_of_the_csv(
    layout: Layout, scans: int, reader: Reader, tmp_path: Path
) -> None:
    most = layout.room * len(layout.parts)
    folder = write_labelled(tmp_path, layout, [most, most - 5, most - 2][:scans])
    learned = learn_form(read_folder(folder), "register", reader)
    assert learned.doubts == ()
    copy, rows = filled(layout, most - 3, 77)
    result = read_page(Page(copy.image, "new.png", 1), reader, [learned.form])
    assert result.status == "read"
    read = [[cell.text for cell in result.cells if cell.row == row] for row in range(len(rows))]
    assert len(result.cells) == 2 * len(rows)
    right = sum(a == b for got, true in zip(read, rows, strict=True) for a, b in zip(got, true, strict=True))
    assert right >= 0.85 * 2 * len(rows)


def test_another_table_is_refused(reader: Reader, tmp_path: Path) -> None:
    learned = learn_form(read_folder(write_labelled(tmp_path, Layout(), [32])), "register", reader)
    other = Layout(title="LIST OF MEMBERS", heads=("NUMBER", "JOINED ON"), parts=((80, 500, 900),))
    for page in (draw(other), filled(other, 12, 3)[0].image):
        result = read_page(Page(page, "other.png", 1), reader, [learned.form])
        assert result.reason == 'this page does not look like form "register"'


def test_halves_that_lie_apart_and_another_heading_are_found(reader: Reader, tmp_path: Path) -> None:
    layout = Layout()
    learned = learn_form(read_folder(write_labelled(tmp_path, layout, [32, 30])), "register", reader, trusted=False)
    rows = rows_for(30, 5)
    page = fill(draw(layout), layout, rows, 5)
    page[40:110] = 248
    cv2.putText(page, "ANOTHER HEADING 2024", (60, 90), cv2.FONT_HERSHEY_DUPLEX, 1.6, (30, 30, 30), 3, cv2.LINE_AA)
    page[:, 640:1226] = page[:, 614:1200].copy()  # the right half lies 26 pixels farther right
    result = read_page(Page(page, "shifted.png", 1), reader, [learned.form])
    read = [[cell.text for cell in result.cells if cell.row == row] for row in range(len(rows))]
    assert len(result.cells) == 2 * len(rows)
    assert sum(a == b for got, true in zip(read, rows, strict=True) for a, b in zip(got, true, strict=True)) >= 51


def test_a_row_squeezed_in_between_two_is_a_row(reader: Reader, tmp_path: Path) -> None:
    layout = Layout(parts=((90, 420, 760),), room=18)
    learned = learn_form(read_folder(write_labelled(tmp_path, layout, [18, 16])), "register", reader, trusted=False)
    rows = rows_for(15, 9)
    page = fill(draw(layout), layout, rows, 9)
    y = TOP + 8 * PITCH + 2
    for x, text in ((110, "KM-4821"), (440, "14/06/1999")):
        cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (60, 30, 20), 2, cv2.LINE_AA)
    result = read_page(Page(page, "squeezed.png", 1), reader, [learned.form])
    dates = [cell.text for cell in result.cells if cell.column == "posted"]
    assert len(dates) == 16
    assert dates[8] == "14/06/1999"


def test_rows_are_found_where_writing_stands() -> None:
    profile = np.zeros(600)
    places = [40, 92, 141, 195, 244, 300, 402, 450]  # one row is empty
    for place in places:
        profile[place - 9 : place + 9] = 80
    pitch = pitch_of([profile], 15, 150)
    assert pitch == pytest.approx(50, abs=4)
    found = find_rows(profile, pitch).middles
    assert len(found) <= len(places) + 1
    assert all(np.abs(found - place).min() < 8 for place in places)


def test_a_table_of_few_rows_has_a_pitch_too() -> None:
    profile = np.zeros(330)
    for place in range(30, 330, 44):
        profile[place - 8 : place + 8] = 80
    assert pitch_of([profile], 14, 220) == pytest.approx(44, abs=2)
    assert pitch_of([np.zeros(30)], 14, 220) == 0


def test_pairs_keep_their_order_and_strays_are_left_out() -> None:
    fit = np.full((4, 6), -2.0)
    for text, crop in ((0, 1), (1, 2), (2, 4), (3, 5)):
        fit[text, crop] = 5.0
    fit[0, 5] = 7.0
    assert align(fit) == [1, 2, 4, 5]
