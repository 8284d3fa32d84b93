"""Confidence is a calibrated probability, and what is promised of unflagged cells is kept."""

import csv
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formlens.calibrate import (
    FAMILIES,
    LEAST,
    MOST,
    General,
    Own,
    confidence,
    features,
    fit_line,
    fit_own,
    general_from_json,
    general_json,
    shipped,
)
from formlens.cells import page_from_json, page_json
from formlens.clues import written_clues
from formlens.form import Column, Form, load_form, save_form
from formlens.kinds import Kind
from formlens.promise import NEVER, cells_needed, certified, kept_by_forms, promise
from formlens.sheet import XlsxSheet
from formlens.trust import KEPT, Checked, Trust, judge, learn_trust, promised, rule
from formlens.types import CallError, Cell, Clues, PageResult, Reading
from forms import VALUES, draw_form, fill, scan, write_labelled
from test_cli import run

WRITTEN = Clues("written", 0.9, margin=2.0, weakest=0.9, length=4)
CHANCE = st.floats(0, 1)


@given(st.sampled_from(FAMILIES), CHANCE, CHANCE, st.floats(0, 20), CHANCE, CHANCE)
def test_a_surer_reading_is_never_less_probable_and_nothing_is_certain(
    family: str, one: float, other: float, margin: float, left: float, fit: float
) -> None:
    low, high = sorted((one, other))
    clues = replace(WRITTEN, family=family, likelihood=low, margin=margin, left=left, fit=fit)  # type: ignore[arg-type]
    a, b = (confidence(c, "dose", shipped()) for c in (clues, replace(clues, likelihood=high)))
    assert LEAST <= a <= b <= MOST


def test_a_crop_in_which_nothing_is_read_has_clues() -> None:
    seen = np.full((6, 4), 0.01, np.float32)
    seen[:, 0] = 0.97
    assert written_clues(Reading("", 0.8), seen, "abc", 0.0, 1.0).length == 0


def test_the_runner_up_is_the_text_with_the_least_sure_character_changed() -> None:
    seen = np.full((5, 4), 0.01, np.float32)
    for step, shares in enumerate(((0, 0.97), (1, 0.97), (0, 0.97), (2, 0.6), (0, 0.97))):
        seen[step, shares[0]] = shares[1]
    seen[3, 3] = 0.38
    clues = written_clues(Reading("ab", 0.5), seen, "abc", 0.0, 1.0)
    assert (clues.other, clues.length) == ("ac", 2)
    assert 0 < clues.margin < 1
    assert clues.weakest == pytest.approx(0.6)


def test_a_column_that_is_not_on_the_page_is_never_right() -> None:
    assert confidence(Clues("nowhere", 0.0), "key", shipped()) == 0


def draw_cells(count: int, seed: int, bias: float = 0.0) -> tuple[list[Clues], np.ndarray]:
    """Cells that are right as often as their likelihood says, moved by a bias of log odds."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(3, 2.5, count)
    right = rng.random(count) < 1 / (1 + np.exp(-odds - bias))
    return [replace(WRITTEN, likelihood=float(1 / (1 + np.exp(-o)))) for o in odds], right


def test_a_calibration_learns_what_it_is_shown_and_no_weight_turns_the_wrong_way() -> None:
    clues, right = draw_cells(4000, 0, bias=-1.0)
    rows = np.array([features(c) for c in clues])
    line = fit_line(rows, right)
    assert all(weight >= 0 for weight in line.weights[:4])
    found = 1 / (1 + np.exp(-(line.bias + rows @ np.array(line.weights))))
    assert abs(found.mean() - right.mean()) < 0.02
    upside_down = fit_line(rows, ~right)
    assert all(weight >= 0 for weight in upside_down.weights[:4])


def test_few_cells_move_a_form_s_calibration_little_and_many_move_it_to_the_truth() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(3, 2, 3000)
    right = rng.random(3000) < 1 / (1 + np.exp(-(odds - 2)))
    many = fit_own(odds, ["dose"] * 3000, right)
    assert many.shift + dict(many.columns)["dose"] == pytest.approx(-2, abs=0.4)
    few = fit_own(odds[:2], ["dose"] * 2, np.array([True, False]))
    assert abs(few.shift) < 0.8
    assert few.stretch == pytest.approx(1, abs=0.4)


def test_one_bad_column_does_not_pull_the_others_down() -> None:
    odds = np.full(80, 3.0)
    columns = ["good"] * 40 + ["bad"] * 40
    own = fit_own(odds, columns, np.array([True] * 40 + [False] * 40))
    assert own.stretch * 3 + own.shift + dict(own.columns)["bad"] < 0
    assert own.stretch * 3 + own.shift + dict(own.columns)["good"] > 1.5


def test_a_promise_from_the_form_s_own_cells_takes_enough_of_them() -> None:
    needed = cells_needed(0.01)
    assert needed == 368
    sure = np.linspace(0.9, 0.99, needed)
    assert certified(sure, np.ones(needed, np.bool_), 0.01) == pytest.approx(0.9)
    assert certified(sure[1:], np.ones(needed - 1, np.bool_), 0.01) is None
    one_wrong = np.arange(needed) > 0
    assert certified(sure, one_wrong, 0.01) is None


def test_what_is_promised_from_a_form_s_own_cells_is_kept_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    kept = made = 0
    for _ in range(100):
        odds = rng.normal(4, 2, 12_000)
        right = rng.random(12_000) < 1 / (1 + np.exp(-odds))
        sure = 1 / (1 + np.exp(-odds))
        threshold = certified(sure[:2000], right[:2000], 0.01)
        if threshold is not None:
            made += 1
            above = sure[2000:] >= threshold
            kept += bool((~right[2000:][above]).mean() <= 0.01)
    assert made > 40
    assert made - kept <= 5


def general(forms: Sequence[tuple[tuple[int, int], ...]], reader: str = "r1") -> General:
    return replace(shipped(), reader=reader, thresholds=(0.5, 0.9, 0.99), forms=tuple(forms))


def test_without_own_cells_the_threshold_is_one_that_other_forms_kept() -> None:
    good, fair = ((200, 1), (150, 0), (100, 0)), ((200, 9), (150, 1), (100, 0))
    bad = ((200, 50), (150, 40), (100, 30))
    assert kept_by_forms(general([good] * 30), 0.01) == 0.5
    assert kept_by_forms(general([good] * 20 + [fair] * 10), 0.01) == 0.9
    assert kept_by_forms(general([good] * 38 + [bad]), 0.01) == 0.5  # one form of forty may fail
    assert kept_by_forms(general([good] * 18 + [bad]), 0.01) == NEVER
    assert kept_by_forms(general([good] * 5), 0.01) == NEVER  # too few forms say nothing about a further one


def test_own_cells_that_contradict_the_others_raise_the_threshold() -> None:
    others = general([((200, 1), (150, 0), (100, 0))] * 30)
    sure, right = np.array([0.97, 0.96, 0.8]), np.array([True, False, True])
    assert promise(sure[[0, 2]], right[[0, 2]], 0.01, others).threshold == 0.5
    assert promise(sure, right, 0.01, others).threshold > 0.96


def held_out(count: int, seed: int = 0) -> list[Checked]:
    clues, right = draw_cells(count, seed)
    return [Checked(n % 4, "dose", c, bool(r)) for n, (c, r) in enumerate(zip(clues, right, strict=True))]


def test_another_reader_s_cells_are_judged_by_the_general_calibration_and_it_is_said() -> None:
    trust = learn_trust(held_out(200), "r1")
    assert rule(trust, "r1").own == trust.own
    assert rule(trust, "r2").own is None
    assert any("another reader (r1)" in said for said in promised(trust, "r2"))
    assert not any("another reader (r1)" in said for said in promised(trust, "r1"))


def test_a_form_remembers_no_more_cells_than_its_file_may_hold() -> None:
    assert len(learn_trust(held_out(KEPT + 5), "r1").cells) == KEPT


def test_thresholds_follow_the_error_rate_asked_for() -> None:
    trust = learn_trust(held_out(4000), "r1")
    assert rule(trust, "r1", 0.05).columns["dose"].threshold >= rule(trust, "r1", 0.1).columns["dose"].threshold
    assert "at most 5 % are wrong, with 95 % confidence, from 4000 checked cells" in " ".join(
        promised(trust, "r1", 0.05)
    )


def test_flagged_cells_say_why() -> None:
    cells = [
        Cell(
            0,
            "dose",
            "71.5",
            0.4,
            False,
            (0, 0, 9, 9),
            clues=replace(WRITTEN, likelihood=0.02, margin=0.1, other="77.5"),
        ),
        Cell(0, "key", "", 0.0, False, (0, 0, 0, 0), clues=Clues("nowhere", 0.0)),
    ]
    dose, key = judge(cells, rule(None, "r1"))
    assert dose.flagged
    assert "may also say “77.5”" in dose.why
    assert (key.flagged, key.why) == (True, "this column was not found on the form")
    page = PageResult("a.jpg", 1, "read", "intake", (dose, key))
    back = page_from_json(json.loads(json.dumps(page_json(page))))
    assert [cell.why for cell in back.cells] == [dose.why, key.why]


def test_a_flagged_cell_s_comment_says_why(tmp_path: Path) -> None:
    with (tmp_path / "a.xlsx").open("wb") as stream:
        sheet = XlsxSheet(stream, columns=["dose"])
        cell = Cell(0, "dose", "71.5", 0.62, True, (0, 0, 9, 9), "62 % sure; on the paper it may also say “77.5”")
        sheet.add(PageResult("a.jpg", 1, "read", "intake", (cell,)))
        sheet.close()
    comment = openpyxl.load_workbook(tmp_path / "a.xlsx")["Rows"]["A2"].comment
    assert comment is not None
    assert "may also say “77.5”" in comment.text


def a_form(trust: Trust | None) -> Form:
    return Form("f", (Column("dose", Kind("text"), None),), np.full((2200, 1700), 255, np.uint8), trust=trust)


def test_what_a_form_s_labelled_scans_said_is_in_its_file(tmp_path: Path) -> None:
    trust = learn_trust(held_out(60), "r1", 0.02)
    save_form(a_form(trust), tmp_path / "f.form")
    assert load_form(tmp_path / "f.form").trust == trust


@pytest.mark.parametrize(
    "change",
    [
        {"own": {"stretch": "1", "shift": 0, "columns": []}}, {"own": {"stretch": 1e9, "shift": 0, "columns": []}},
        {"cells": [["dose", 1.5, True]]}, {"cells": [["dose", 0.5]]}, {"cells": "all"}, {"error": True}, {"reader": 7},
    ],
)  # fmt: skip
def test_a_form_s_file_with_odd_numbers_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "f.form"
    save_form(a_form(Trust("r1", 0.01, Own(), (("dose", 0.5, True),))), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(parts["form.json"])
    content["trust"] |= change
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (parts | {"form.json": json.dumps(content).encode()}).items():
            archive.writestr(name, data)
    with pytest.raises(CallError, match=r"f\.form"):
        load_form(path)


def test_the_general_calibration_comes_back_from_its_file() -> None:
    found = shipped()
    assert general_from_json(json.loads(json.dumps(general_json(found)))) == found
    with pytest.raises((KeyError, ValueError)):
        general_from_json(general_json(found) | {"lines": {"written": {"bias": 0, "weights": [1]}}})


def test_learning_says_what_it_promises_and_reading_takes_another_error_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form, out = tmp_path / "intake.form", tmp_path / "rows.csv"
    assert run("learn", write_labelled(tmp_path / "labelled", 2), "--out", form, "--max-error", "0.02") == 0
    shown = capsys.readouterr().err
    assert "of 10 labelled cells would be flagged" in shown
    assert "2 %" in shown
    assert load_form(form).trust.error == 0.02  # type: ignore[union-attr]
    cv2.imwrite(str(tmp_path / "a.png"), scan(fill(draw_form(), VALUES[3]), 9).image)
    cells = tmp_path / "cells.json"
    assert run("read", tmp_path / "a.png", "--form", form, "--out", out, "--cells", cells, "--max-error", "0.3") == 0
    assert "30 %" in capsys.readouterr().err
    assert len(list(csv.reader(out.read_text().splitlines()))) == 2
    found = json.loads(cells.read_text())["pages"][0]["cells"]
    assert all(0 < cell["confidence"] < 1 for cell in found)
