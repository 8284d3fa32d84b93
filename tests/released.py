"""What a training leaves behind for a release, drawn and read; for the tests."""

import copy
from pathlib import Path
from typing import Any

import cv2

from formlens.cells import page_json
from formlens.form import save_form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pages import read_pages
from formlens.pipeline import read_page
from formlens.reader import SHIPPED, Reader
from formlens.types import Page
from forms import VALUES, draw_form, fill, scan, write_labelled
from model.package import Golden, choose_golden, write_package


def make(folder: Path) -> dict[str, Any]:
    """What the evaluation puts into a package: a form, and a golden page as the shipped reader reads it."""
    form = learn_form(read_folder(write_labelled(folder / "intake", 1)), "intake", Reader(threads=1)).form
    save_form(form, folder / "intake.form")
    data = cv2.imencode(".png", scan(fill(draw_form(), VALUES[3]), 8).image)[1].tobytes()
    (page,) = read_pages(data, "new.png")
    assert isinstance(page, Page)
    read = page_json(read_page(page, Reader(threads=1), [form]))
    assert any(not cell["flagged"] and cell["text"] for cell in read["cells"])
    return {"form": (folder / "intake.form").read_bytes(), "golden": choose_golden([Golden("new.png", data, read)])}


def otherwise(golden: list[Golden]) -> list[Golden]:
    """The same pages, and a cell that was surely read as something else."""
    changed = copy.deepcopy(golden)
    cell = next(cell for cell in changed[0].page["cells"] if not cell["flagged"] and cell["text"])
    cell["text"] += "9"
    return changed


def archive(folder: Path, made: dict[str, Any], number: int, golden: list[Golden]) -> bytes:
    """A package with the shipped reader, as the pipeline writes it."""
    path = folder / "package" / f"{number}.tar.gz"
    write_package(path, SHIPPED, {"intake": made["form"]}, golden, {"run": number})
    return path.read_bytes()
