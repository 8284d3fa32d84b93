import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from model import report, score
from model.section import OURS, Absent, Miss, Row, Section, Setup

CROP = np.full((40, 120, 3), 255, np.uint8)


def run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sections: dict[str, Section],
    *arguments: str,
) -> tuple[str, str]:
    """Run the command with sections of our own; what it printed, and the page."""
    for name, section in sections.items():
        module = ModuleType(f"model.score_{name}")
        module.score = section  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(score, "SECTIONS", tuple(sections))
    monkeypatch.setattr(sys, "argv", ["score", "--data", str(tmp_path), "--out", str(tmp_path / "s.html"), *arguments])
    score.main()
    return capsys.readouterr().out, (tmp_path / "s.html").read_text()


def pages(setup: Setup) -> Iterator[Row | Miss]:
    yield Row("two pages", "rows found", 20, {OURS: "95.0 %", "RapidOCR": "90.0 %"}, "≥ 99 %")
    yield Miss("two pages", CROP, "Müller <&>", "Muller", 0.75)


def nothing(setup: Setup) -> Iterator[Row | Miss]:
    yield Row("before", "shown", 1, {OURS: "1"})
    raise Absent("no such_folder here")


def test_sections_become_one_table_and_one_page_of_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, page = run(monkeypatch, tmp_path, capsys, {"pages": pages})
    for shown in ("two pages", "rows found", "95.0 %", "90.0 %", "≥ 99 %"):
        assert shown in printed
        assert shown in page.replace("&gt;", ">")
    assert "Müller &lt;&amp;&gt;" in page
    assert "data:image/jpeg;base64," in page


def test_a_section_without_data_is_named_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, _ = run(monkeypatch, tmp_path, capsys, {"nothing": nothing, "pages": pages})
    assert "nothing skipped: no such_folder here" in printed
    assert "95.0 %" in printed


def test_only_the_sections_asked_for_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed, _ = run(monkeypatch, tmp_path, capsys, {"nothing": nothing, "pages": pages}, "--only", "nothing")
    assert "95.0 %" not in printed


def test_an_unknown_section_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path, capsys, {"pages": pages}, "--only", "pagers")
    assert "pagers" in capsys.readouterr().err


def test_a_page_shows_the_surest_errors_first() -> None:
    misses = [Miss("one", CROP, str(i), "x", i / 100) for i in range(40)]
    shown = report.page("v", {}, {"s": misses})
    assert shown.count("<img") == report.PICTURES
    assert "<ins>39</ins>" in shown
    assert "<ins>0</ins>" not in shown
