"""A form is learned from scans and their CSVs, and other scans are read with it."""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.assign import assign
from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.places import overlap
from formlens.reader import Reader
from formlens.types import CallError, Page
from forms import BOX, FIELDS, SIZE, VALUES, draw_form, fill, photograph, scan, write_labelled
from test_cli import run


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.fixture(scope="module")
def form(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Form:
    folder = write_labelled(tmp_path_factory.mktemp("labelled"), 3)
    return learn_form(read_folder(folder), "intake", reader).form


def overlaps(form: Form) -> Iterator[float]:
    scale = form.blank.shape[0] / SIZE[1]
    for column in form.columns:
        true = FIELDS.get(column.name, BOX)
        x0, y0, x1, y1 = (round(edge * scale) for edge in true)
        yield overlap(column.place, (x0, y0, x1, y1)) if column.place else 0.0


def test_each_column_is_found_where_it_stands(form: Form) -> None:
    assert all(found > 0.5 for found in overlaps(form))


def test_one_labelled_scan_and_the_blank_are_enough(reader: Reader, tmp_path: Path) -> None:
    learned = learn_form(read_folder(write_labelled(tmp_path, 1)), "intake", reader)
    assert all(found > 0.5 for found in overlaps(learned.form))


def test_a_blank_is_rebuilt_from_filled_copies(reader: Reader, tmp_path: Path) -> None:
    learned = learn_form(read_folder(write_labelled(tmp_path, 4, blank=False)), "intake", reader)
    assert all(column.place for column in learned.form.columns)


def test_one_labelled_scan_without_a_blank_gives_a_usable_form(reader: Reader, tmp_path: Path) -> None:
    learned = learn_form(read_folder(write_labelled(tmp_path, 1, blank=False)), "intake", reader)
    result = read_page(Page(scan(fill(draw_form(), VALUES[3]), 8).image, "new.png", 1), reader, [learned.form])
    assert {cell.column: cell.text for cell in result.cells if cell.column in FIELDS} == VALUES[3]


def test_a_value_that_fits_two_places_asks_for_more_scans(reader: Reader, tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, 1)
    same = {**VALUES[0], "age": "250"}
    cv2.imwrite(str(folder / "page1.png"), scan(fill(draw_form(), same), 1).image)
    (folder / "page1.csv").write_text("dose\n250\n")
    assert learn_form(read_folder(folder), "intake", reader).doubts == (
        "column `dose`: two places fit; add 1 labelled scan",
    )


@pytest.mark.parametrize("take", [scan, photograph])
def test_a_new_copy_is_read_into_the_columns_of_the_csv(form: Form, reader: Reader, take: type) -> None:
    copy = take(fill(draw_form(), VALUES[3], ticked=True), 8)
    result = read_page(Page(copy.image, "new.png", 1), reader, [form])
    assert (result.status, result.form) == ("read", "intake")
    assert {cell.column: cell.text for cell in result.cells} == {**VALUES[3], "smoker": "yes"}
    for cell in result.cells:
        x0, y0, x1, y1 = FIELDS.get(cell.column, BOX)
        corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
        seen = cv2.perspectiveTransform(corners, copy.view)[0]
        low, high = seen.min(axis=0).astype(int), seen.max(axis=0).astype(int)
        assert overlap(cell.box, (low[0], low[1], high[0], high[1])) > 0.4


def test_empty_fields_come_out_empty(form: Form, reader: Reader) -> None:
    result = read_page(Page(scan(draw_form(), 2).image, "new.png", 1), reader, [form])
    assert [cell.text for cell in result.cells] == ["", "", "", "", "no"]


def test_another_form_is_named_as_such(form: Form, reader: Reader) -> None:
    result = read_page(Page(draw_form(5), "other.png", 1), reader, [form])
    assert (result.status, result.reason) == ("unreadable", 'this page does not look like form "intake"')


def test_a_column_that_is_not_on_the_page_is_reported_and_comes_out_flagged(reader: Reader, tmp_path: Path) -> None:
    for key, path in enumerate(sorted(write_labelled(tmp_path, 3).glob("*.csv"))):
        header, row = path.read_text().splitlines()
        path.write_text(f"key,{header}\nQX-{91_737 * (key + 3)},{row}\n")
    learned = learn_form(read_folder(tmp_path), "intake", reader)
    assert learned.doubts == ("column `key`: not found on the page; it comes out empty",)
    result = read_page(Page(scan(draw_form(), 2).image, "new.png", 1), reader, [learned.form])
    assert (result.cells[0].text, result.cells[0].flagged) == ("", True)


def test_the_command_learns_a_form_and_reads_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, form, rows = write_labelled(tmp_path / "labelled", 3), tmp_path / "intake.form", tmp_path / "rows.csv"
    assert run("learn", folder, "--out", form) == 0
    assert "5 of 5 columns found" in capsys.readouterr().err
    scans = tmp_path / "new"
    scans.mkdir()
    cv2.imwrite(str(scans / "a.png"), scan(fill(draw_form(), VALUES[3]), 9).image)
    cv2.imwrite(str(scans / "b.png"), draw_form(4))
    assert run("read", scans, "--form", form, "--out", rows) == 1
    assert 'b.png, page 1: this page does not look like form "intake"' in capsys.readouterr().err
    assert list(csv.reader(rows.read_text().splitlines())) == [[*VALUES[3], "smoker"], [*VALUES[3].values(), "no"]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: (f / "page1.csv").unlink(), "page1.png"),
        (lambda f: (f / "page2.png").unlink(), "page2.csv"),
        (lambda f: (f / "page2.csv").write_text("visit,other\n1,2\n"), "page2.csv"),
        (lambda f: (f / "page1.csv").write_text("visit\n"), "page1.csv"),
        (lambda f: (f / "page1.csv").write_text("visit,visit\n1,2\n"), "page1.csv"),
        (lambda f: (f / "page1.csv").write_text("visit,dose\n1\n"), "page1.csv"),
        (lambda f: (f / "page1.csv").write_text("visit\n1\n2\n"), "page1.csv"),
        (lambda f: (f / "page1.csv").write_bytes(b"\xff\xfe\x00"), "page1.csv"),
        (lambda f: (f / "page1.jpg").write_bytes((f / "page1.png").read_bytes()), "page1"),
        (lambda f: (f / "blank.jpg").write_bytes((f / "page1.png").read_bytes()), "blank"),
        (lambda f: (f / "page1.png").write_bytes(b"no picture"), "page1.png"),
        (lambda f: cv2.imwrite(str(f / "page2.png"), draw_form(3)), "page2.png"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_by_file_name(
    reader: Reader, tmp_path: Path, change: object, named: str
) -> None:
    folder = write_labelled(tmp_path, 2)
    assert callable(change)
    change(folder)
    with pytest.raises(CallError, match=named):
        learn_form(read_folder(folder), "intake", reader)


def test_no_assignment_is_better() -> None:
    from itertools import permutations

    rng = np.random.default_rng(0)
    for rows, columns in ((1, 1), (3, 2), (4, 4), (3, 5)):
        fit = rng.normal(0, 1, (rows, columns))
        given_ = assign(fit)
        taken = [place for place in given_ if place is not None]
        assert len(set(taken)) == len(taken)
        padded = np.hstack([fit, np.zeros((rows, rows))])
        best = max(sum(padded[i, j] for i, j in enumerate(p)) for p in permutations(range(columns + rows), rows))
        assert sum(fit[i, j] for i, j in enumerate(given_) if j is not None) == pytest.approx(best)
