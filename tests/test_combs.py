"""Combs, one box a character, are found in learned forms, and read without their bars."""

import cv2
import numpy as np
import pytest

from formlens.combs import Comb, find_rows, ticked
from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.places import overlap
from formlens.reader import Reader
from formlens.types import Page
from forms import FIELDS, SIZE, VALUES, Image, draw_form, fill, scan

BOXES = 60, 640, 40, 6
"""Left, top, pitch and number of a comb of closed boxes."""
TICKS = 560, 660, 42, 8
"""The same of a line with ticks."""
NUMBERS = ("730184", "259066", "481937", "605273")
CODES = ("19480312", "20010725", "19961130", "19730908")


def draw() -> Image:
    """The drawn form with two combs in place of its print below."""
    page = draw_form()
    page[582:700, 50:950] = 250
    x, y, pitch, count = BOXES
    cv2.putText(page, "member", (x, y - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    for number in range(count):
        cv2.rectangle(page, (x + pitch * number, y), (x + pitch * (number + 1), y + 46), (0, 0, 0), 2)
    x, y, pitch, count = TICKS
    cv2.putText(page, "born", (x - 80, y + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    cv2.line(page, (x, y + 30), (x + pitch * count, y + 30), (0, 0, 0), 2)
    for number in range(count + 1):
        cv2.line(page, (x + pitch * number, y + 14), (x + pitch * number, y + 30), (0, 0, 0), 2)
    return page


def write(page: Image, text: str, comb: tuple[int, int, int, int], foot: int, shift: int) -> None:
    x, y, pitch, _ = comb
    for number, digit in enumerate(text):
        at = x + pitch * number + 9 + (number * 5 + shift * 3) % 7, y + foot
        cv2.putText(page, digit, at, cv2.FONT_HERSHEY_SIMPLEX, 1.1, (120, 40, 20), 3, cv2.LINE_AA)


def filled(copy: int) -> Image:
    page = fill(draw(), VALUES[copy], indent=15 + 13 * copy)
    write(page, NUMBERS[copy], BOXES, 36, copy)
    write(page, CODES[copy], TICKS, 26, copy)
    return page


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.fixture(scope="module")
def form(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Form:
    folder = tmp_path_factory.mktemp("combs")
    cv2.imwrite(str(folder / "blank.png"), draw())
    for copy in range(3):
        cv2.imwrite(str(folder / f"{copy}.png"), scan(filled(copy), copy).image)
        row = {**VALUES[copy], "member": NUMBERS[copy], "born": CODES[copy]}
        (folder / f"{copy}.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    return learn_form(read_folder(folder), "combs", reader).form


def test_columns_find_their_combs(form: Form) -> None:
    columns = {column.name: column for column in form.columns}
    scale = form.blank.shape[0] / SIZE[1]
    for name, (x, y, pitch, count), tall in (("member", BOXES, 46), ("born", TICKS, 30)):
        place = columns[name].place
        assert place is not None
        top = y if name == "member" else y + 30 - round(40 / scale)
        true = tuple(round(edge * scale) for edge in (x, top, x + pitch * count, y + tall))
        assert overlap(place, (true[0], true[1], true[2], true[3])) > 0.5
        assert columns[name].cells == count
    assert all(columns[name].cells == 1 for name in FIELDS)


def test_a_comb_is_read_as_one_value_without_its_bars(form: Form, reader: Reader) -> None:
    result = read_page(Page(scan(filled(3), 9).image, "new.png", 1), reader, [form])
    assert {cell.column: cell.text for cell in result.cells} == {
        **VALUES[3], "member": NUMBERS[3], "born": CODES[3],
    }  # fmt: skip


def test_boxes_with_words_between_are_no_comb() -> None:
    boxes = [(100 + 60 * n, 50, 130 + 60 * n, 80) for n in range(4)]
    bare = np.zeros((120, 400), np.uint8)
    assert find_rows(boxes, bare) == []  # too far apart
    near = [(100 + 44 * n, 50, 130 + 44 * n, 80) for n in range(4)]
    assert find_rows(near, bare) == [near]
    words = bare.copy()
    words[60:70, 134:142] = words[60:70, 178:186] = words[60:70, 222:230] = 1
    assert find_rows(near, words) == []


@pytest.mark.parametrize(("steps", "cells"), [((40, 40, 40), 4), ((30, 70, 40), None), ((90, 90, 90), None)])
def test_ticks_make_a_comb_where_they_part_a_line_evenly(steps: tuple[int, ...], cells: int | None) -> None:
    at = 100 + np.cumsum(steps)
    box = 100, 20, int(at[-1]) + steps[0], 60
    found = ticked(box, [(int(x) - 1, 40, int(x) + 1, 61) for x in at])
    assert found == (None if cells is None else Comb(box, cells))
