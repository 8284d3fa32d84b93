"""Whatever is wrong with a folder to learn from is said by the name of its file, and no form is written."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from forms import VALUES, draw_form, write_labelled
from hostile import encoded, locked_pdf, tiff_file, tiff_page
from test_cli import run

Change = Callable[[Path], object]

ROW = ",".join([*VALUES[0].values(), "yes"])
HEADER = ",".join([*VALUES[0], "smoker"])


def instead(old: Path, new: Path, content: bytes) -> None:
    """Another file in the place of one."""
    old.unlink()
    new.write_bytes(content)


def two_pages() -> bytes:
    return tiff_file([tiff_page(draw_form()), tiff_page(draw_form())])


CHANGES: dict[str, tuple[Change, str]] = {
    # pairs
    "a scan without a CSV": (lambda f: (f / "page1.csv").unlink(), "page1.png: no CSV beside it"),
    "a CSV without a scan": (lambda f: (f / "page2.png").unlink(), "page2.csv: no scan beside it"),
    "one CSV for two scans": (
        lambda f: (f / "page1.jpg").write_bytes((f / "page1.png").read_bytes()), "another scan has the same name",
    ),
    "two blanks": (
        lambda f: (f / "blank.jpg").write_bytes((f / "page1.png").read_bytes()), "a form has one blank",
    ),
    "a CSV for the blank": (lambda f: (f / "blank.csv").write_text("a\n1\n"), "blank.csv: the blank is the empty form"),
    # CSVs
    "another header": (lambda f: (f / "page2.csv").write_text("visit,other\n1,2\n"), "page2.csv: its header differs"),
    "another order of the header": (
        lambda f: (f / "page2.csv").write_text(
            f"smoker,{','.join(VALUES[1])}\nno,{','.join(VALUES[1].values())}\n"
        ), "page2.csv: its header differs",
    ),
    "no row": (lambda f: (f / "page1.csv").write_text(HEADER + "\n"), "page1.csv: a header and a row"),
    "nothing": (lambda f: (f / "page1.csv").write_bytes(b""), "page1.csv: a header and a row"),
    "a column twice": (lambda f: (f / "page1.csv").write_text("visit,visit\n1,2\n"), "page1.csv: two columns"),
    "a column without a name": (lambda f: (f / "page1.csv").write_text("visit,\n1,2\n"), "page1.csv: two columns"),
    "a value missing": (lambda f: (f / "page1.csv").write_text(f"{HEADER}\n1\n"), "page1.csv: 5 columns but 1 values"),
    "a value too many": (
        lambda f: (f / "page1.csv").write_text(f"{HEADER}\n{ROW},1\n"), "page1.csv: 5 columns but 6 values in row 1",
    ),
    "semicolons": (
        lambda f: (f / "page1.csv").write_text(f"{HEADER}\n{ROW}\n".replace(",", ";")), "page1.csv: its columns are",
    ),
    "tabs": (
        lambda f: (f / "page1.csv").write_text(f"{HEADER}\n{ROW}\n".replace(",", "\t")), "page1.csv: its columns are",
    ),
    "UTF-16": (lambda f: (f / "page1.csv").write_bytes(f"{HEADER}\n{ROW}\n".encode("utf-16")), "page1.csv: not a CSV"),
    "Latin-1": (lambda f: (f / "page1.csv").write_bytes("né\nà\n".encode("latin-1")), "page1.csv: not a CSV in UTF-8"),
    "a workbook": (lambda f: (f / "page1.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00"), "page1.csv: not a CSV in UTF-8"),
    # scans
    "no picture": (lambda f: (f / "page1.png").write_bytes(b"no picture"), "page1.png, page 1: "),
    "an empty file": (lambda f: (f / "page1.png").write_bytes(b""), "page1.png, page 1: "),
    "a picture that is cut off": (
        lambda f: (f / "page1.png").write_bytes((f / "page1.png").read_bytes()[:5000]), "page1.png, page 1: ",
    ),
    "two pages": (
        lambda f: instead(f / "page1.png", f / "page1.tiff", two_pages()), "page1.tiff: 2 pages",
    ),
    "another form": (lambda f: cv2.imwrite(str(f / "page2.png"), draw_form(3)), "page2.png: this page does not look"),
    "an empty sheet": (
        lambda f: cv2.imwrite(str(f / "page2.png"), np.full((700, 500, 3), 255, np.uint8)), "page2.png: this page",
    ),
    "no two alike, and no blank": (
        lambda f: instead(f / "blank.png", f / "page2.png", encoded(draw_form(3), ".png")),
        "page1.png: no other scan looks like it",
    ),
    # the blank
    "a blank that is none": (lambda f: (f / "blank.png").write_bytes(b"no picture"), "blank.png, page 1: "),
    "a locked blank": (
        lambda f: instead(f / "blank.png", f / "blank.pdf", locked_pdf()), "blank.pdf, page 1: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str) -> None:
    folder, form = write_labelled(tmp_path / "intake", 2), tmp_path / "intake.form"
    apply, said = CHANGES[change]
    apply(folder)
    assert run("learn", folder, "--out", form) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
    assert not form.exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: None, "no such folder"),
        (lambda f: f.mkdir(), "no scan in"),
        (lambda f: f.write_text("a file"), "no such folder"),
        (lambda f: (f.mkdir(), (f / "a.csv").write_text("a\n1\n")), "no scan in"),
    ],
)
def test_a_folder_without_scans_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Change, said: str
) -> None:
    make(tmp_path / "intake")
    assert run("learn", tmp_path / "intake", "--out", tmp_path / "intake.form") == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "intake" in shown


def test_a_form_is_not_written_over_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_labelled(tmp_path / "intake", 1)
    assert run("learn", folder, "--out", folder) == 2
    assert "name a file" in capsys.readouterr().err


def test_a_blank_alone_is_learned_from_by_learn_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who evaluates, uploads or trains needs what people typed."""
    cv2.imwrite(str(tmp_path / "blank.png"), draw_form())
    (tmp_path / "intake.form").write_bytes(b"")
    for command in (["evaluate", tmp_path, "--form", tmp_path / "intake.form"],):
        assert run(*command) == 2
        assert "no scan with its CSV" in capsys.readouterr().err
