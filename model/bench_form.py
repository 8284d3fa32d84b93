"""Digits in, a filled page of a printed form and the form that reads it out; and what many of its pages take in one
call.

The page has 32 fields for numbers, dates and codes, two columns of 16, on A4 at 200 dpi. Its form is put together here,
not learned: what is timed is reading.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from formlens.form import SIDE, Column, Form, save_form
from formlens.kinds import kind_of
from formlens.types import Box, Image
from model.score_digits import compose

ROWS = 16
PAGE = (2339, 1654)
"""A4 at 200 dpi, height and width in pixels."""
GOALS = "goals: 0.6 s, 600 MB"
_KNOWN = 40
"""Values of each column that the form has seen."""

Glyphs = Mapping[str, list[NDArray[np.uint8]]]


def write_form(glyphs: Glyphs, folder: Path, seed: int = 0) -> tuple[Path, Path, dict[str, str]]:
    """A filled page and its form, as files of a folder, and what stands on the page."""
    rng = np.random.default_rng(seed)
    blank = np.full((*PAGE, 3), 245, np.uint8)
    _print(blank, "Survey of households, form 4", 130, 150, 1.6)
    columns, values = [], {}
    for number in range(2 * ROWS):
        x, y = 130 + 740 * (number // ROWS), 260 + 124 * (number % ROWS)
        box = x + 240, y, x + 660, y + 76
        _print(blank, f"item {chr(97 + number % 26)}{number + 1}", x, y + 50, 0.9)
        cv2.rectangle(blank, box[:2], box[2:], (60, 60, 60), 2)
        known = [_invent(number, rng) for _ in range(_KNOWN)]
        columns.append(Column(f"item_{number + 1}", kind_of(known), _framed(box)))
        values[columns[-1].name] = _invent(number, rng)
    page = blank.copy()
    for column, value in zip(columns, values.values(), strict=True):
        _write(page, column, value, glyphs, rng)
    scale = SIDE / max(PAGE)
    size = round(PAGE[1] * scale), round(PAGE[0] * scale)
    gray = cv2.cvtColor(cv2.resize(blank, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    save_form(Form("survey", tuple(columns), np.asarray(gray, np.uint8)), folder / "survey.form")
    cv2.imwrite(str(folder / "page.png"), page)
    return folder / "page.png", folder / "survey.form", values


def compare_many(glyphs: Glyphs, pages: int, console: Console) -> None:
    """Print the peak memory of `formlens read` for few and for many pages in one call, and what a page takes then."""
    table = Table("pages in one call", "peak MB", "s a page, with start", "processor s a page", "rows")
    with tempfile.TemporaryDirectory() as place:
        page, form, _ = write_form(glyphs, Path(place))
        for count in (max(1, pages // 10), pages):
            folder = Path(place) / str(count)
            folder.mkdir()
            for number in range(count):
                (folder / f"page{number:05}.png").hardlink_to(page)
            command = [sys.executable, "-c", _CHILD, "read", str(folder), "--form", str(form), "--out", f"{folder}.csv"]
            run = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            spent = json.loads(run.stdout.splitlines()[-1])
            with Path(f"{folder}.csv").open(encoding="utf-8", newline="") as stream:
                rows = sum(1 for _ in csv.reader(stream)) - 1
            per_page = [f"{spent[of] / count:.2f}" for of in ("wall", "work")]
            table.add_row(str(count), f"{spent['peak']:.0f}", *per_page, str(rows))
    console.print("pages of a form of 32 fields in one call of `formlens read` (goal: the same memory for any number):")
    console.print(table)


_CHILD = """
import json, sys, time
from pathlib import Path
from formlens.cli import main
wall, work = time.perf_counter(), time.process_time()
try:
    main()
except SystemExit as end:
    if end.code:
        raise
lines = Path("/proc/self/status").read_text().splitlines()
peak = int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
print(json.dumps({"peak": peak, "wall": time.perf_counter() - wall, "work": time.process_time() - work}))
"""


def _invent(number: int, rng: Generator) -> str:
    """What may stand in a field: numbers, dates and codes take turns."""
    if number % 4 == 1:
        return f"{rng.integers(1, 29):02}-{rng.integers(1, 13):02}-{rng.integers(1950, 2026)}"
    if number % 4 == 3:
        return f"{rng.integers(100, 1000)}-{rng.integers(10, 100)}"
    return str(rng.integers(1, 10 ** (2 + number % 5)))


def _framed(box: Box) -> Box:
    x0, y0, x1, y1 = (round(edge * SIDE / max(PAGE)) for edge in box)
    return x0, y0, x1, y1


def _print(page: Image, text: str, x: int, y: int, size: float) -> None:
    cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, size, (40, 40, 40), 2, cv2.LINE_AA)


def _write(page: Image, column: Column, value: str, glyphs: Glyphs, rng: Generator) -> None:
    dash = np.zeros((28, 28), np.uint8)
    cv2.line(dash, (8, 14), (20, 14), (255,), 3, cv2.LINE_AA)
    pictures = [dash if sign == "-" else glyphs[sign][int(rng.integers(len(glyphs[sign])))] for sign in value]
    crop = compose(pictures, rng)
    x0, y0, x1, y1 = (round(edge * max(PAGE) / SIDE) for edge in column.place or (0, 0, 0, 0))
    scale = min(1.0, (x1 - x0 - 12) / crop.shape[1], (y1 - y0 - 8) / crop.shape[0])
    crop = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = crop.shape[:2]
    x, y = x0 + 6, (y0 + y1 - height) // 2
    ink = crop.astype(np.float32) / np.median(crop.reshape(-1, 3), axis=0)
    page[y : y + height, x : x + width] = np.clip(245 * ink, 0, 245).astype(np.uint8)
