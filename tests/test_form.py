"""A form's file: what was learned comes back, and nothing else gets in."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.form import Column, Form, load_form, save_form
from formlens.kinds import Kind
from formlens.listing import Listing, Part
from formlens.types import CallError
from forms import draw_form


def make_form() -> Form:
    blank = cv2.cvtColor(cv2.resize(draw_form(), None, fx=2200 / 1400, fy=2200 / 1400), cv2.COLOR_BGR2GRAY)
    date = Kind("date", None, "Y-M-D", (("d/m/Y", 0.75), ("d B Y|fr", 0.25)), (("1910-03-07", 2),))
    columns = Column("née le", date, (10, 20, 300, 60)), Column("id", Kind("text"), None)
    return Form("intake", columns, np.asarray(blank, np.uint8))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_form(make_form(), tmp_path / "intake.form")
    return tmp_path / "intake.form"


def test_a_form_comes_back_as_it_was(file: Path) -> None:
    form = load_form(file)
    assert (form.name, form.columns) == ("intake", make_form().columns)
    assert np.abs(form.blank.astype(int) - make_form().blank).max() <= 8
    assert file.stat().st_size < 3_000_000


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    table = Listing((Part(100, 900, ((10, 12), (300, 305), (500, 500)), (0, None), (5, 20, 600, 100)),), 41.5)
    save_form(replace(make_form(), listing=table), tmp_path / "table.form")
    assert load_form(tmp_path / "table.form").listing == table


def test_the_same_form_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    save_form(make_form(), tmp_path / "again.form")
    assert (tmp_path / "again.form").read_bytes() == file.read_bytes()


def rewritten(file: Path, **parts: bytes) -> bytes:
    with zipfile.ZipFile(file) as archive:
        old = {name: archive.read(name) for name in archive.namelist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in (old | {name.replace("_", "."): data for name, data in parts.items()}).items():
            archive.writestr(name, data)
    return stream.getvalue()


def altered(file: Path, change: str, value: object) -> bytes:
    with zipfile.ZipFile(file) as archive:
        content = json.loads(archive.read("form.json"))
    column = content["columns"][0]
    {"name": content, "version": content, "columns": content, "listing": content}.get(change, column)[change] = value
    return rewritten(file, form_json=json.dumps(content).encode())


def part(**changes: object) -> dict[str, object]:
    return {
        "top": 100,
        "bottom": 900,
        "edges": [[10, 10], [400, 410]],
        "columns": [0],
        "header": [0, 0, 500, 100],
        **changes,
    }


def listing(**changes: object) -> dict[str, object]:
    return {"parts": [part()], "pitch": 40.5, **changes}


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("version", 99), ("name", 7), ("columns", []), ("columns", {}), ("columns", [3]), ("place", [0, 0, 5]),
        ("place", [5, 5, 1, 1]), ("place", [0, 0, 9_999_999, 9]), ("place", "here"), ("place", [0.5, 1, 7, 9]),
        ("listing", 3), ("listing", {}), ("listing", listing(pitch=0)), ("listing", listing(pitch="1")),
        ("listing", listing(parts=[])), ("listing", listing(parts=[part(header=[5, 5, 1, 1])])),
        ("listing", listing(parts=[part(columns=[7])])), ("listing", listing(parts=[part(edges=[[9, 9], [5, 5]])])),
        ("listing", listing(parts=[part(columns=[0, 1])])), ("listing", listing(parts=[part(top=900)])),
        ("kind", None), ("kind", {"name": "os.system", "characters": None, "typed": "", "ways": [], "examples": []}),
        ("kind", {"name": "mark", "characters": "", "typed": "yes", "ways": [], "examples": []}),
        ("kind", {"name": "text", "characters": None, "typed": "", "ways": [["same", 7]], "examples": []}),
        ("kind", {"name": "text", "characters": None, "typed": "", "ways": [], "examples": [["a", "b"]]}),
        ("kind", {"name": "text", "characters": None, "typed": "", "ways": [], "examples": [["a" * 900, 1]] * 90}),
        ("kind", {"name": "text", "characters": 3, "typed": "", "ways": [], "examples": []}),
    ],
)  # fmt: skip
def test_a_form_that_was_tampered_with_is_refused_by_name(file: Path, change: str, value: object) -> None:
    file.write_bytes(altered(file, change, value))
    with pytest.raises(CallError, match=r"intake\.form"):
        load_form(file)


def test_whatever_is_no_form_is_refused_by_name(file: Path) -> None:
    whole = file.read_bytes()
    huge = cv2.imencode(".png", np.zeros((2200, 20_000), np.uint8))[1].tobytes()
    bomb = rewritten(file, blank_png=bytes(9_000_000))
    for data in (b"", b"PK\x03\x04", whole[: len(whole) // 2], whole[100:], bomb, rewritten(file, more_txt=b""),
                 rewritten(file, blank_png=huge), rewritten(file, form_json=b"[1]"), rewritten(file, form_json=b"\xff"),
                 rewritten(file, form_json=b"[" * 100_000)):  # fmt: skip
        file.write_bytes(data)
        with pytest.raises(CallError, match=r"intake\.form"):
            load_form(file)
    with pytest.raises(CallError, match="formlens learn"):
        load_form(file.with_name("absent.form"))
    with pytest.raises(CallError, match="folder"):
        load_form(file.parent)
