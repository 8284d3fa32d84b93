"""Answers of yes and no: written as words, or never anything but no; and choices read as if new."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.choices import Choice, Option
from formlens.form import Column, Form
from formlens.heldout import _as_taught
from formlens.kinds import Kind, kind_of, may_be_written, silent_kind_of, written_kind_of
from formlens.labelled import read_folder
from formlens.learn import Learned, learn_form
from formlens.pipeline import read_page
from formlens.places import overlap
from formlens.reader import Reader
from formlens.types import Page
from forms import BOX, SIZE, VALUES, Image, draw_form, fill, scan

SECOND = 60, 700, 86, 726
"""Another box to tick, with `insured` beside it."""


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def draw() -> Image:
    """The drawn form with a second box in place of some print."""
    page = draw_form()
    page[670:760, 50:540] = 250
    cv2.rectangle(page, SECOND[:2], SECOND[2:], (0, 0, 0), 2)
    cv2.putText(page, "insured", (100, 724), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2, cv2.LINE_AA)
    return page


def learned_from(folder: Path, reader: Reader, extra: list[dict[str, str]], written: list[dict[str, str]]) -> Learned:
    """Learn from scans that have further columns, and further writing in the fields."""
    cv2.imwrite(str(folder / "blank.png"), draw())
    for number, (more, words) in enumerate(zip(extra, written, strict=True)):
        values = {**VALUES[number], **words}
        page = fill(draw(), values, ticked=number % 2 == 0, indent=15 + 13 * number)
        cv2.imwrite(str(folder / f"{number}.png"), scan(page, number).image)
        row = {**{name: value for name, value in values.items() if name not in words}, **more}
        (folder / f"{number}.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    return learn_form(read_folder(folder), "intake", reader)


def test_yes_and_no_in_words_are_read_as_words(reader: Reader, tmp_path: Path) -> None:
    answers = ["yes", "no", "no", "yes"]
    learned = learned_from(tmp_path, reader, [{"smoker": a} for a in answers], [{"age": a} for a in answers])
    column = next(column for column in learned.form.columns if column.name == "smoker")
    assert (column.kind.name, column.choice) == ("text", None)
    page = fill(draw(), {**VALUES[0], "age": "no"}, indent=40)
    result = read_page(Page(scan(page, 9).image, "new.png", 1), reader, [learned.form])
    assert {cell.column: cell.text for cell in result.cells}["smoker"] == "no"


def test_a_tick_is_still_a_tick(reader: Reader, tmp_path: Path) -> None:
    answers = [{"smoker": "yes" if n % 2 == 0 else "no"} for n in range(3)]
    learned = learned_from(tmp_path, reader, answers, [{}] * 3)
    column = next(column for column in learned.form.columns if column.name == "smoker")
    assert column.kind.name == "mark"
    assert column.choice is not None


def test_a_column_that_is_always_no_is_put_beside_its_name_and_reported(reader: Reader, tmp_path: Path) -> None:
    extra = [{"smoker": "yes" if n % 2 == 0 else "no", "insured": "no"} for n in range(3)]
    learned = learned_from(tmp_path, reader, extra, [{}] * 3)
    column = next(column for column in learned.form.columns if column.name == "insured")
    scale = learned.form.blank.shape[0] / SIZE[1]
    true = tuple(round(edge * scale) for edge in SECOND)
    assert column.place is not None
    assert overlap(column.place, (true[0], true[1], true[2], true[3])) > 0.5
    assert [doubt for doubt in learned.doubts if "insured" in doubt] == [
        "column `insured`: `no` on every labelled scan, so its box is the one with its name beside it; "
        "add a labelled scan with another answer"
    ]
    page = fill(draw(), VALUES[3])
    cv2.line(page, SECOND[:2], SECOND[2:], (120, 40, 20), 3, cv2.LINE_AA)
    cv2.line(page, (SECOND[0], SECOND[3]), (SECOND[2], SECOND[1]), (120, 40, 20), 3, cv2.LINE_AA)
    cells = read_page(Page(scan(page, 8).image, "new.png", 1), reader, [learned.form]).cells
    (cell,) = [cell for cell in cells if cell.column == "insured"]
    assert (cell.text, cell.flagged) == ("yes", True)  # never seen, so a person looks


def test_a_column_that_is_always_no_and_named_nowhere_is_reported(reader: Reader, tmp_path: Path) -> None:
    extra = [{"smoker": "yes" if n % 2 == 0 else "no", "pregnant": "No"} for n in range(3)]
    learned = learned_from(tmp_path, reader, extra, [{}] * 3)
    assert [doubt for doubt in learned.doubts if "pregnant" in doubt] == [
        "column `pregnant`: `No` on every labelled scan, so its place is not known; "
        "add a labelled scan with another answer"
    ]


def test_what_may_be_words_and_what_says_nothing_but_no() -> None:
    assert may_be_written(["yes", "", "NO"])
    assert not may_be_written(["x", ""])
    assert not may_be_written(["1", "0", "yes"])
    assert not may_be_written(["", ""])
    assert silent_kind_of(["Non", "", "Non"]) == Kind("mark", "", "Oui\nNon")
    assert silent_kind_of(["no", "yes"]) is None
    assert silent_kind_of(["", ""]) is None
    assert silent_kind_of(["Nowak", "Nowak"]) is None


def test_a_choice_that_only_the_held_out_scan_has_is_not_known() -> None:
    options = tuple(Option(text, (10, 10 * n, 18, 10 * n + 8)) for n, text in enumerate(("red", "green", "blue"), 1))
    kind = written_kind_of(["red", "green", "red", "blue", "red", "green"])
    column = Column("colour", kind, (10, 10, 18, 38), Choice(options))
    taught = _as_taught(column, ["red", "green", "red"]).choice
    assert taught is not None
    assert [option.sure for option in taught.options] == [True, True, False]
    several = Column("colours", kind, (10, 10, 18, 38), Choice(options, "", "several", "; "))
    taught = _as_taught(several, ["red; blue", "red"]).choice
    assert taught is not None
    assert [option.sure for option in taught.options] == [True, False, True]


def test_a_written_column_forgets_the_value_of_the_held_out_scan() -> None:
    values = ["red", "green", "red", "green", "red", "green", "red", "green", "blue"]
    column = Column("colour", written_kind_of(values), (10, 10, 90, 40))
    assert column.kind.name == "choice"
    taught = _as_taught(column, values[:5])
    assert (taught.kind.name, dict(taught.kind.examples)) == ("choice", {"red": 3, "green": 2})
    assert taught.kind.ways == column.kind.ways


def test_marks_and_grids_are_as_all_scans_taught_them() -> None:
    mark = Column("smoker", kind_of(["yes", "no"]), BOX, Choice((Option("yes", BOX),), "no"))
    grid = Column("code", written_kind_of(["12", "34"]), BOX, Choice((Option("1", BOX, slot=0),), "", "grid"))
    assert _as_taught(mark, ["no"]) == mark
    assert _as_taught(grid, ["77"]) == grid


def test_a_form_of_choices_is_evaluated(reader: Reader, tmp_path: Path) -> None:
    """Columns answered by marks are compared like all others, and their held-out cells are counted."""
    from formlens.evaluate import evaluate

    extra = [{"smoker": "yes" if n % 2 == 0 else "no"} for n in range(4)]
    form: Form = learned_from(tmp_path, reader, extra, [{}] * 4).form
    assert form.trust is not None
    assert sum(name == "smoker" for name, _, _ in form.trust.cells) == 4
    found = evaluate(read_folder(tmp_path), form, reader)
    assert [one.right for one in found.of("smoker")] == [True] * 4
    assert np.isfinite([one.confidence for one in found.of("smoker")]).all()
