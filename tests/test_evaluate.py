"""A form is scored on labelled scans: what is compared, what is counted, and a report that is one safe file."""

import csv
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formlens.bounds import calibration_error, coverage, lower_bound, ranking, upper_bound
from formlens.compare import pair_characters, pair_rows, same
from formlens.evaluate import Checked, Evaluation, Lost, character_errors, confusions
from formlens.form import Column, Form
from formlens.kinds import Kind
from formlens.report import report
from forms import draw_form, write_labelled
from test_cli import run


def cell(read: str, typed: str, confidence: float = 0.5, **other: object) -> Checked:
    values = {"source": "a.jpg", "page": 1, "row": 0, "column": "dose", "flagged": confidence < 0.9} | other
    return Checked(read=read, typed=typed, confidence=confidence, right=same(read, typed), **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("form")
    assert run("learn", write_labelled(folder / "labelled", 2), "--out", folder / "intake.form") == 0
    return folder / "intake.form"


def test_a_form_is_scored_on_labelled_scans(form: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, page = write_labelled(tmp_path / "labelled", 2), tmp_path / "out" / "r.html"
    typed = folder / "page2.csv"
    typed.write_text(typed.read_text().replace("175", "975"))
    capsys.readouterr()
    assert run("evaluate", folder, "--form", form, "--report", page) == 0
    shown = capsys.readouterr().out
    assert "2 scans, 2 pages" in shown
    assert "90.0 %" in shown  # 9 of 10 cells
    html = page.read_text()
    assert "data:image/png;base64," in html
    assert 'read <span class="text bad">175</span>' in html
    assert 'typed <span class="text good">975</span>' in html


def test_a_page_of_another_form_is_named(form: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_labelled(tmp_path / "labelled", 2)
    cv2.imwrite(str(folder / "page2.png"), draw_form(5))
    assert run("evaluate", folder, "--form", form) == 1
    assert "page2.png, page 1: this page does not look like form" in capsys.readouterr().err


def test_csvs_of_another_form_are_refused(form: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_labelled(tmp_path / "labelled", 1)
    typed = folder / "page1.csv"
    typed.write_text(typed.read_text().replace("dose", "dosis"))
    assert run("evaluate", folder, "--form", form) == 2
    assert re.search(r"page1\.csv.*`dose`, `dosis`", capsys.readouterr().err)


class Resources(HTMLParser):
    """Everything that a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [tag] * (tag in ("script", "link", "iframe", "object"))
        self.found += [str(values[name]) for name in ("src", "href") if name in values]
        self.found += [name for name in values if name.startswith("on")]


def test_a_report_fetches_nothing_and_escapes_every_text() -> None:
    nasty = "<script>alert('&')</script>"
    form = Form(nasty, (Column(nasty, Kind("text"), None),), np.full((2200, 1700), 255, np.uint8))
    checked = (cell(nasty, f'"{nasty}', column=nasty, source=nasty, crop=b"png"), cell("1", "1", 0.99, column=nasty))
    lost = (Lost(nasty, nasty, 1),)
    html = report(Evaluation(form, nasty, 1, 1, checked, lost, lost, lost))
    assert "<script" not in html
    found = Resources()
    found.feed(html)
    assert found.found == ["data:image/png;base64,cG5n"]


def test_a_report_of_nothing_read_is_a_report() -> None:
    form = Form("f", (Column("c", Kind("text"), None),), np.full((2200, 1700), 255, np.uint8))
    assert "No cell was read" in report(Evaluation(form, "v", 1, 1, (), (Lost("a", "b", 1),), (), ()))


ROWS = st.lists(st.lists(st.text("ab1", max_size=3), min_size=2, max_size=2), max_size=5)


@given(ROWS, ROWS)
def test_every_row_is_paired_or_left_over_once_and_in_order(read: list[list[str]], typed: list[list[str]]) -> None:
    pairs = pair_rows(read, typed)
    assert [a for a, _ in pairs if a is not None] == list(range(len(read)))
    assert [b for _, b in pairs if b is not None] == list(range(len(typed)))


def test_a_missing_row_does_not_shift_the_others_and_a_misread_one_keeps_its_partner() -> None:
    typed = [["Adam", "1903"], ["Berthe", "1904"], ["Claude", "1905"], ["Denise", "1906"]]
    assert pair_rows([typed[0], typed[2], ["zzzz", "7777"]], typed) == [(0, 0), (None, 1), (1, 2), (2, 3)]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_paired_characters_spell_both_texts(read: str, typed: str) -> None:
    pairs = pair_characters(read, typed)
    assert ("".join(a for a, _ in pairs), "".join(b for _, b in pairs)) == (read, typed)
    assert sum(a != b for a, b in pairs) <= max(len(read), len(typed))


def test_what_is_taken_for_what_is_counted() -> None:
    cells = [cell("71", "77"), cell("7", "77"), cell("77", "77")]
    assert confusions(cells) == {("7", "1"): 1, ("7", ""): 1}
    assert character_errors(cells) == pytest.approx(2 / 6)


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert upper_bound(0, 299, 0.95) == pytest.approx(1 - 0.05 ** (1 / 299), abs=1e-9)
    assert upper_bound(2, 100, 0.95) == pytest.approx(0.0616, abs=1e-4)  # R: binom.test(2, 100)
    assert lower_bound(2, 100, 0.975) == pytest.approx(0.00243, abs=1e-4)
    assert upper_bound(3, 3, 0.95) == upper_bound(0, 0, 0.95) == 1.0


@given(st.integers(0, 20), st.integers(1, 400))
def test_a_bound_grows_with_what_is_wrong_and_with_the_confidence_asked_for(wrong: int, checked: int) -> None:
    steps = [upper_bound(min(wrong + more, checked), checked, 0.95) for more in range(3)]
    assert all(a <= b for a, b in pairwise(steps))
    assert upper_bound(wrong, checked, 0.9) <= upper_bound(wrong, checked, 0.99)


def test_ranking_and_coverage_are_what_they_say() -> None:
    sure = np.array([0.9, 0.8, 0.8, 0.3, 0.2])
    right = np.array([True, True, False, True, False])
    assert ranking(sure, right) == pytest.approx((1 + 1 + 0.5 + 1 + 0 + 1) / 6)
    assert coverage(sure, right, 0.0) == pytest.approx((0.2, 0.9))
    assert coverage(sure, right, 0.4) == pytest.approx((1.0, 0.2))
    assert ranking(sure, np.ones(5, np.bool_)) is None
    assert calibration_error(np.full(10, 0.7), np.arange(10) < 7, 1) == pytest.approx(0.0)


def test_the_terminal_s_summary_escapes_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, form = write_labelled(tmp_path / "labelled", 1), tmp_path / "intake.form"
    path = folder / "page1.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[0][0] = "[red]visit"
    path.write_text("\n".join(map(",".join, rows)))
    assert run("learn", folder, "--out", form) == 0
    assert run("evaluate", folder, "--form", form) == 0
    assert "[red]visit" in capsys.readouterr().out
