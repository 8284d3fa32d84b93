"""A form is learned from its blank alone: what is to be filled is found, and named as its label is printed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from blanks import FONT, SIZE, Drawn, draw_blank, draw_cells, draw_dotted, draw_questions, draw_record, draw_unruled
from formlens.blank import columns_of
from formlens.form import Form, load_form, save_form
from formlens.labelled import read_folder
from formlens.learn import Learned, learn_form
from formlens.pipeline import read_page
from formlens.places import overlap
from formlens.reader import Reader
from formlens.ruled import levelled
from formlens.types import CallError, Page
from test_cli import run


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.fixture(scope="module")
def blank() -> Drawn:
    return draw_blank()


def learned_from(drawn: Drawn, folder: Path, reader: Reader) -> Learned:
    cv2.imwrite(str(folder / "blank.png"), drawn.image)
    return learn_form(read_folder(folder, blank_alone=True), "card", reader, read_print=lambda: drawn.read)


@pytest.fixture(scope="module")
def form(blank: Drawn, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Form:
    return learned_from(blank, tmp_path_factory.mktemp("blank"), reader).form


def test_every_place_is_found_and_nothing_else(form: Form, blank: Drawn) -> None:
    assert sorted(column.name for column in form.columns) == sorted(blank.places)


def test_places_are_where_they_are_printed(form: Form, blank: Drawn) -> None:
    far = [
        (column.name, column.place, blank.places[column.name])
        for column in form.columns
        if column.place is None or overlap(column.place, blank.places[column.name]) < 0.5
    ]
    assert far == []


def test_kinds_follow_labels_and_print(form: Form) -> None:
    columns = {column.name: column for column in form.columns}
    assert columns["Number of books"].kind.name == "decimal"
    assert columns["Surname"].kind.name == "text"
    assert (columns["Postcode"].kind.name, columns["Postcode"].cells) == ("text", 5)
    assert columns["Student"].kind.typed == "yes\nno"
    answer = columns["Do you own a card already?"].choice
    assert answer is not None
    assert [option.text for option in answer.options] == ["Yes", "No"]


def write(image: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(image, text, (x, y), FONT, 1.1, (120, 40, 20), 3, cv2.LINE_AA)


def test_a_filled_copy_is_read_with_it(form: Form, blank: Drawn, reader: Reader) -> None:
    page = blank.image.copy()
    write(page, "250", 1000, 560)
    for number, digit in enumerate("80331"):
        write(page, digit, 310 + 44 * number, 562)
    for x0, y0, side in ((400, 640, 28), (860, 720, 28)):
        cv2.line(page, (x0 + 3, y0 + 3), (x0 + side - 3, y0 + side - 3), (120, 40, 20), 4, cv2.LINE_AA)
        cv2.line(page, (x0 + 3, y0 + side - 3), (x0 + side - 3, y0 + 3), (120, 40, 20), 4, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), 0.7, 0.97)
    scan = cv2.warpAffine(page, turn, SIZE, borderValue=(255, 255, 255))
    result = read_page(Page(np.asarray(scan, np.uint8), "new.png", 1), reader, [form])
    texts = {cell.column: cell.text for cell in result.cells if cell.text}
    assert texts == {
        "Postcode": "80331", "Number of books": "250", "Student": "no", "Pensioner": "yes", "Teacher": "no",
        "Do you own a card already?": "No",
    }  # fmt: skip


def test_its_file_is_loaded_as_it_was_saved(form: Form, tmp_path: Path) -> None:
    save_form(form, tmp_path / "card.form")
    assert load_form(tmp_path / "card.form").columns == form.columns


@pytest.mark.parametrize("draw", [draw_cells, draw_dotted, draw_record])
def test_forms_of_other_makings_are_found_and_named(draw: Callable[[], Drawn]) -> None:
    drawn = draw()
    columns = columns_of(np.asarray(cv2.cvtColor(drawn.image, cv2.COLOR_BGR2GRAY), np.uint8), drawn.read)
    assert sorted(column.name for column in columns) == sorted(drawn.places)
    assert all(c.place and overlap(c.place, drawn.places[c.name]) > 0.5 for c in columns)


def test_columns_headed_by_yes_and_no_are_questions(reader: Reader, tmp_path: Path) -> None:
    drawn = draw_questions()
    form = learned_from(drawn, tmp_path, reader).form
    assert [column.name for column in form.columns] == list(drawn.places)
    assert [column.kind.typed for column in form.columns] == ["Yes\nNo"] * 3
    assert all(c.place and overlap(c.place, drawn.places[c.name]) > 0.5 for c in form.columns)


def test_white_space_after_labels_is_a_place_where_nothing_is_ruled(reader: Reader, tmp_path: Path) -> None:
    drawn = draw_unruled()
    form = learned_from(drawn, tmp_path, reader).form
    assert [column.name for column in form.columns] == list(drawn.places)
    assert [column.kind.name for column in form.columns] == ["text", "text", "decimal", "text"]
    assert all(column.place and overlap(column.place, drawn.places[column.name]) > 0.5 for column in form.columns)


def test_places_of_one_label_get_names_of_their_own(reader: Reader, tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.text("Witnesses", 600, 120, 1.4)
    for y in (400, 600, 800):
        end = drawn.text("Signed:", 150, y)
        drawn.rule(end + 14, y + 4, 1200, y + 4)
    form = learned_from(drawn, tmp_path, reader).form
    assert [column.name for column in form.columns] == ["Signed", "Signed 2", "Signed 3"]


def test_a_place_without_a_label_is_said(reader: Reader, tmp_path: Path) -> None:
    drawn = draw_blank()
    drawn.box(1300, 1500, 1560, 1560)
    learned = learned_from(drawn, tmp_path, reader)
    assert learned.doubts == ("column `field`: no label was found beside its place",)


@pytest.mark.parametrize("angle", [-1.1, 0.3])
def test_a_blank_that_was_scanned_askew_has_the_same_places(blank: Drawn, angle: float) -> None:
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), angle, 1.0)
    scan = cv2.warpAffine(blank.image, turn, SIZE, borderValue=(255, 255, 255)).astype(np.int16)
    noisy = np.clip(scan - 6 + np.random.default_rng(1).normal(0, 4, scan.shape), 0, 255)
    gray = cv2.cvtColor(levelled(np.asarray(noisy, np.uint8)), cv2.COLOR_BGR2GRAY)
    columns = columns_of(np.asarray(gray, np.uint8), blank.read)
    assert sorted(column.name for column in columns) == sorted(blank.places)
    assert all(c.place and overlap(c.place, blank.places[c.name]) > 0.5 for c in columns if c.kind.name != "mark")


def test_a_blank_without_places_is_refused_by_name(reader: Reader, tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.text("To whom it may concern", 500, 500, 1.4)
    with pytest.raises(CallError, match=r"blank\.png: no place to fill"):
        learned_from(drawn, tmp_path, reader)


def test_without_rapidocr_the_cure_is_named(
    tmp_path: Path, blank: Drawn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    cv2.imwrite(str(tmp_path / "blank.png"), blank.image)
    assert run("learn", tmp_path, "--out", tmp_path / "card.form") == 2
    assert "pip install rapidocr" in capsys.readouterr().err


def test_nothing_else_imports_rapidocr() -> None:
    code = "import formlens.cli, sys; sys.exit('rapidocr' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_print_is_read_where_rapidocr_is_installed(blank: Drawn, reader: Reader, tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="the optional dependency formlens[blank] is not installed")
    cv2.imwrite(str(tmp_path / "blank.png"), blank.image)
    form = learn_form(read_folder(tmp_path, blank_alone=True), "card", reader).form
    assert {"Surname", "First name", "Town", "Postcode"} <= {column.name for column in form.columns}
