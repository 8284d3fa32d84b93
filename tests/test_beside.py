"""Forms that hold a table and fields beside it: what stands once on a page comes out in each of its rows."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import default_rng

from formlens.form import Form, load_form, save_form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.types import Page
from forms import Copy, scan
from tables_drawn import Image, Layout, draw, fill, rows_for

LAYOUT = Layout(parts=((90, 420, 760),), room=9)
ONCE = {"day": (850, 300, 1180, 350), "lot": (300, 760, 560, 810)}
"""Right of the table, and below it."""
NAMES = ["day", "parcel", "posted", "lot"]


def sheet(once: dict[str, str], rows: list[list[str]], seed: int) -> Image:
    """A filled page before it is scanned."""
    page = draw(LAYOUT)
    for name, (x0, y0, x1, y1) in ONCE.items():
        cv2.putText(page, name.upper(), (x0, y0 - 10), cv2.FONT_HERSHEY_DUPLEX, 0.8, (30, 30, 30), 1, cv2.LINE_AA)
        cv2.rectangle(page, (x0, y0), (x1, y1), (30, 30, 30), 2)
    page = fill(page, LAYOUT, rows, seed)
    for name, text in once.items():
        x0, _, _, y1 = ONCE[name]
        place = x0 + 10 + 17 * (seed % 4), y1 - 13
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.95, (110, 50, 30), 2, cv2.LINE_AA)
    return page


def filled(count: int, seed: int) -> tuple[Copy, dict[str, str], list[list[str]]]:
    """A scan of a page with so many rows, what stands on it once, and what its rows say."""
    rng = default_rng(100 + seed)
    once = {
        "day": f"{rng.integers(1, 29):02}/{rng.integers(1, 13):02}/{rng.integers(1990, 2020)}",
        "lot": str(rng.integers(10000, 99999)),
    }
    rows = rows_for(count, seed)
    return scan(sheet(once, rows, seed), seed), once, rows


def learned(folder: Path, counts: list[int], reader: Reader, *, blank: bool = False) -> tuple[Form, tuple[str, ...]]:
    """A form learned from scans with so many rows, by its file."""
    for number, count in enumerate(counts):
        copy, once, rows = filled(count, 10 + number)
        cv2.imwrite(str(folder / f"page{number}.png"), copy.image)
        with (folder / f"page{number}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([NAMES, *([once["day"], *row, once["lot"]] for row in rows)])
    if blank:
        cv2.imwrite(str(folder / "blank.png"), sheet({}, [], 0))
    found = learn_form(read_folder(folder), "deliveries", reader, trusted=False)
    save_form(found.form, folder / "kept.form")
    return load_form(folder / "kept.form"), found.doubts


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.mark.parametrize(("counts", "blank"), [([9, 7, 8], False), ([9], True), ([9], False)])
def test_what_stands_once_on_a_page_comes_out_in_each_of_its_rows(
    counts: list[int], blank: bool, reader: Reader, tmp_path: Path
) -> None:
    form, doubts = learned(tmp_path, counts, reader, blank=blank)
    assert form.located == 4
    assert not any("not found" in doubt for doubt in doubts)
    copy, once, rows = filled(7, 77)
    result = read_page(Page(copy.image, "new.png", 1), reader, [form])
    assert result.status == "read"
    read = [{cell.column: cell for cell in result.cells if cell.row == row} for row in range(len(rows))]
    assert len(result.cells) == 4 * len(rows)
    for cells in read:
        assert list(cells) == NAMES
        assert {name: cells[name].text for name in ONCE} == once
        assert cells["lot"].box == read[0]["lot"].box
    right = sum(cells[name].text == value for cells, row in zip(read, rows, strict=True)
                for name, value in zip(("parcel", "posted"), row, strict=True))  # fmt: skip
    assert right >= 0.85 * 2 * len(rows)
    x0, y0, x1, y1 = ONCE["lot"]
    corners = np.array([[x0, y0, 1], [x1, y1, 1]]) @ copy.view.T
    (true0, true1), box = corners[:, :2] / corners[:, 2:], read[0]["lot"].box
    assert min(true1[0], box[2]) - max(true0[0], box[0]) > 0.5 * (x1 - x0)
    assert min(true1[1], box[3]) - max(true0[1], box[1]) > 0.5 * (y1 - y0)


def test_a_value_of_every_row_that_stands_nowhere_is_said_to_be_lost(reader: Reader, tmp_path: Path) -> None:
    for number in range(2):
        copy, _, rows = filled(8, 30 + number)
        cv2.imwrite(str(tmp_path / f"page{number}.png"), copy.image)
        with (tmp_path / f"page{number}.csv").open("w", newline="") as file:
            table = [["typist", "parcel", "posted"], *([f"Wilhelmina K{number}", *row] for row in rows)]
            csv.writer(file).writerows(table)
    found = learn_form(read_folder(tmp_path), "deliveries", reader, trusted=False)
    assert found.form.located == 2
    assert "column `typist`: not found on the page; it comes out empty" in found.doubts
