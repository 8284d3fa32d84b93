"""Blank fillable PDFs go in; filled copies of them, what they say, and where each field lies come out.

    python -m model.filled ../shared/data/blank_forms/f8889.pdf --data ../shared/data --out out/f8889 --copies 8

The fields of the PDF (AcroForm) are the truth about places. Numbers are written with the digits of real people (MNIST,
its training part), words in handwriting fonts; a copy is a flatbed scan or a photo. The same seed gives the same files.
"""

import argparse
import csv
import ctypes
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image as Drawing
from PIL import ImageDraw, ImageFont

from formlens.types import Box, Image
from model.fonts import families

DPI = 200
HELD_OUT = 5000
"""The last digits of the MNIST training file, on which nothing is trained or chosen."""

Ink = NDArray[np.uint8]
"""How much of the light a pen takes, shape (height, width), 0 to 255."""

_FIRST = "Ada Bruno Chloe David Elena Farid Grace Hugo Ines Jonas Karin Liam Maria Nadia Oscar Paula Ravi Tom Vera"
_LAST = "Adams Brown Costa Dubois Evans Fischer Garcia Hansen Ito Jones Keller Lopez Meyer Novak Olsen Park Quinn Rossi"


@dataclass(frozen=True)
class Field:
    """One fillable field of a blank."""

    name: str
    kind: str
    """`text` or `check`."""
    box: Box
    """In pixels of the blank at `DPI`."""


@dataclass(frozen=True)
class Blank:
    """One page of a blank form, drawn at `DPI`, and its fields."""

    image: Image
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Column:
    """One column of the spreadsheet: the field it stands in and what is written there."""

    name: str
    kind: str
    """`integer`, `decimal`, `date`, `code`, `name` or `mark`."""
    field: Field


@dataclass(frozen=True)
class Pens:
    """What writing is made of: digits of real people (n, 28, 28) with their labels, and handwriting fonts."""

    digits: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    fonts: tuple[Path, ...]


def read_blank(path: Path, page: int = 0) -> Blank:
    """Draw one page of a fillable PDF, its widgets left out, and list its fields in their order in the file."""
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    sheet = document[page]
    height = sheet.get_height()
    drawn = sheet.render(scale=DPI / 72, may_draw_forms=False).to_numpy()
    image = np.ascontiguousarray(drawn[..., :3])
    fields = []
    for number in range(pdfium.FPDFPage_GetAnnotCount(sheet)):
        widget = pdfium.FPDFPage_GetAnnot(sheet, number)
        kind = {
            pdfium.FPDF_FORMFIELD_TEXTFIELD: "text",
            pdfium.FPDF_FORMFIELD_CHECKBOX: "check",
        }.get(pdfium.FPDFAnnot_GetFormFieldType(document.formenv, widget))
        rectangle = pdfium.FS_RECTF()
        if kind and pdfium.FPDFAnnot_GetRect(widget, ctypes.byref(rectangle)):
            edges = rectangle.left, height - rectangle.top, rectangle.right, height - rectangle.bottom
            x0, y0, x1, y1 = (round(edge * DPI / 72) for edge in edges)
            fields.append(Field(f"{kind}{number}", kind, (x0, y0, x1, y1)))
    return Blank(image, tuple(fields))


def read_pens(data: Path, *, held_out: bool = False) -> Pens:
    """The pens in a data folder, `mnist_train.npz` and `fonts`: those to train with, or those held out for scoring.

    Held out are the last 5,000 digits and the families that `families` holds out.
    """
    part = slice(-HELD_OUT, None) if held_out else slice(-HELD_OUT)
    with np.load(data / "mnist_train.npz") as digits:
        return Pens(digits["x"][part], digits["y"][part], tuple(families(data / "fonts", held_out)))


def choose_columns(blank: Blank, rng: Generator, marks: int = 0) -> list[Column]:
    """12 to 20 of the fields of a blank as columns of a spreadsheet, among them at most ``marks`` boxes to tick."""
    wide = [f for f in blank.fields if f.kind == "text" and _size(f)[0] >= 80 and 20 <= _size(f)[1] <= 90]
    count = min(len(wide), int(rng.integers(12, 21)))
    chosen = sorted(rng.choice(len(wide), count, replace=False).tolist())
    columns: list[Column] = []
    for place in chosen:
        width, height = _size(wide[place])
        room = width / min(height, 40)
        kinds = ["integer", "integer", "decimal"]
        if room > 5:
            kinds += ["date", "code"]
        if room > 9:
            kinds = ["name", "name", "date", "code"]
        kind = str(rng.choice(kinds))
        columns.append(Column(f"{kind}_{len(columns) + 1}", kind, wide[place]))
    boxes = [f for f in blank.fields if f.kind == "check"]
    for place in sorted(rng.choice(len(boxes), min(marks, len(boxes)), replace=False).tolist()):
        columns.append(Column(f"mark_{len(columns) + 1}", "mark", boxes[place]))
    return columns


def invent(column: Column, rng: Generator) -> str:
    """What somebody might write in a column."""
    room = _size(column.field)[0] / min(_size(column.field)[1], 40)
    if column.kind == "integer":
        length = int(rng.integers(1, max(2, min(7, int(1.4 * room)))))
        return str(int(rng.integers(10 ** (length - 1), 10**length)))
    if column.kind == "decimal":
        return f"{rng.integers(0, 10 ** max(1, min(4, int(1.4 * room) - 3)))}.{rng.integers(10)}{rng.integers(10)}"
    if column.kind == "date":
        return f"{rng.integers(1980, 2026)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
    if column.kind == "code":
        return f"{rng.integers(100, 1000)}-{rng.integers(10, 100)}"
    if column.kind == "mark":
        return str(rng.choice(["yes", "no"]))
    return f"{rng.choice(_FIRST.split())} {rng.choice(_LAST.split())}"


def fill(blank: Blank, values: dict[Column, str], pens: Pens, rng: Generator) -> Image:
    """Write values into a blank with one pen."""
    layer = np.zeros(blank.image.shape[:2], np.uint8)
    font = pens.fonts[int(rng.integers(len(pens.fonts)))]
    for column, value in values.items():
        if column.kind == "mark":
            if value == "yes":
                _place(layer, _cross(rng), column.field, rng)
        elif column.kind == "name":
            _place(layer, _word(value, font), column.field, rng)
        else:
            _place(layer, _number(value, pens, rng), column.field, rng)
    colour = np.array([[150, 40, 30], [40, 35, 30], [110, 20, 20], [60, 60, 60]][int(rng.integers(4))], np.float32)
    strength = float(rng.uniform(0.75, 1.0)) / 255 * layer[..., None]
    return np.asarray(blank.image * (1 - strength) + colour * strength, np.uint8)


def flatbed(image: Image, rng: Generator) -> tuple[Image, NDArray[np.float64]]:
    """A scan a little askew, with other margins, noise and JPEG; and the 3 x 3 matrix from the blank to it."""
    height, width = image.shape[:2]
    scale = float(rng.uniform(0.9, 1.1))
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 0.8)), scale), [0, 0, 1]])
    turn[:2, 2] += rng.uniform(-25, 25, 2) + (scale - 1) / 2 * np.array([width, height])
    size = round(width * scale), round(height * scale)
    return _taken(image, turn, size, (250, 250, 250), rng), turn


def camera(image: Image, rng: Generator) -> tuple[Image, NDArray[np.float64]]:
    """A photo on a desk: perspective, a little curl, uneven light; and the 3 x 3 matrix from the blank to it."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners * 0.86 + 0.07 * np.array([width, height]) + rng.normal(0, 0.022, (4, 2)) * [width, width]
    flat = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    size = round(width * 1.15), round(height * 1.15)
    view = np.asarray(np.diag([1.15, 1.15, 1.0]) @ flat, np.float64)
    desk = tuple(int(v) for v in rng.integers(40, 150, 3))
    photo = _taken(image, view, size, (desk[0], desk[1], desk[2]), rng)
    lamp = rng.uniform(0.62, 1.0, (3, 3)).astype(np.float32)
    light = cv2.resize(lamp, size, interpolation=cv2.INTER_CUBIC)[..., None]
    return _jpeg(np.asarray(np.clip(photo * light, 0, 255), np.uint8), 85), view


def write_copies(
    path: Path, pens: Pens, out: Path, *, copies: int, photos: bool, seed: int = 0, first: int = 0, marks: int = 0
) -> None:
    """Write `copy_NNN.jpg` and `.csv` for a blank's first page, and `truth.json` with boxes and views of all copies.

    The columns depend on the blank and the seed only, so that folders written at different times fit together.
    """
    blank = read_blank(path)
    layout = zlib.crc32(path.stem.encode())
    columns = choose_columns(blank, np.random.default_rng([seed, layout]), marks)
    truth: dict[str, object] = {"boxes": {c.name: c.field.box for c in columns}, "dpi": DPI}
    views = {}
    out.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + copies):
        rng = np.random.default_rng([seed, layout, number])
        values = {column: invent(column, rng) for column in columns}
        filled = fill(blank, values, pens, rng)
        image, view = (camera if photos else flatbed)(filled, rng)
        name = f"copy_{number:03}"
        views[name] = view.tolist()
        cv2.imwrite(str(out / f"{name}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 88])
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([[c.name for c in columns], list(values.values())])
    (out / "truth.json").write_text(json.dumps(truth | {"views": views}))


def _size(field: Field) -> tuple[int, int]:
    x0, y0, x1, y1 = field.box
    return x1 - x0, y1 - y0


def _number(text: str, pens: Pens, rng: Generator) -> Ink:
    """Digits of real people side by side, all in one line; other characters as strokes."""
    parts = []
    for character in text:
        if character.isdigit():
            digit = pens.digits[int(rng.choice(np.flatnonzero(pens.labels == int(character))))]
            columns = np.flatnonzero(digit.max(axis=0) > 40)
            parts.append(cv2.resize(digit[2:26, columns[0] : columns[-1] + 1], None, fx=2, fy=2))
        else:
            stroke = np.zeros((48, 18), np.uint8)
            start, end = {".": ((8, 40), (9, 41)), "-": ((3, 25), (15, 24)), "/": ((3, 44), (15, 4))}[character]
            parts.append(cv2.line(stroke, start, end, (255,), 5, cv2.LINE_AA))
        parts.append(np.zeros((48, int(rng.integers(4, 9))), np.uint8))
    return np.asarray(np.hstack(parts[:-1]), np.uint8)


def _word(text: str, font: Path) -> Ink:
    face = ImageFont.truetype(str(font), 44)
    x0, y0, x1, y1 = (int(edge) for edge in face.getbbox(text))
    sheet = Drawing.new("L", (x1 - x0 + 8, y1 - y0 + 8), 0)
    ImageDraw.Draw(sheet).text((4 - x0, 4 - y0), text, 255, face)
    return np.asarray(sheet, np.uint8)


def _cross(rng: Generator) -> Ink:
    ink = np.zeros((48, 48), np.uint8)
    jitter = rng.integers(-5, 6, (4, 2)) + np.array([[8, 8], [40, 40], [40, 8], [8, 40]])
    a, b, c, d = ((int(x), int(y)) for x, y in jitter)
    if rng.random() < 0.3:  # a tick
        cv2.line(ink, (6, 26), (20, 42), (255,), 5, cv2.LINE_AA)
        cv2.line(ink, (20, 42), c, (255,), 5, cv2.LINE_AA)
        return ink
    cv2.line(ink, a, b, (255,), 5, cv2.LINE_AA)
    cv2.line(ink, c, d, (255,), 5, cv2.LINE_AA)
    return ink


def _place(layer: Ink, ink: Ink, field: Field, rng: Generator) -> None:
    """Write ink into a field, as large as there is room, a little off its middle."""
    x0, y0, x1, y1 = field.box
    wide, tall = x1 - x0, min(y1 - y0, 44)
    scale = min(tall * float(rng.uniform(0.72, 0.92)) / ink.shape[0], wide * 0.94 / ink.shape[1])
    ink = np.asarray(cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = ink.shape
    slack = max(0, wide - width)
    x = x0 + round(slack * float(rng.uniform(0.05, 0.5) if slack > 20 else 0.5))
    y = y1 - 2 - height + round(float(rng.normal(0, 1.2))) if y1 - y0 > 44 else (y0 + y1 - height) // 2
    part = layer[y : y + height, x : x + width]
    np.maximum(part, ink[: part.shape[0], : part.shape[1]], out=part)


def _taken(
    image: Image, view: NDArray[np.float64], size: tuple[int, int], ground: tuple[int, int, int], rng: Generator
) -> Image:
    seen = cv2.warpPerspective(image, view, size, flags=cv2.INTER_AREA, borderValue=ground)
    seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.4, 0.9)))
    noise = rng.normal(0, float(rng.uniform(1, 5)), seen.shape[:2])[..., None]
    tone = float(rng.uniform(0.92, 1.0))
    return _jpeg(np.asarray(np.clip(seen * tone + noise, 0, 255), np.uint8), int(rng.integers(60, 92)))


def _jpeg(image: Image, quality: int) -> Image:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write filled copies of the blanks named on the command line, each into a folder of its own under ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blanks", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--photos", action="store_true")
    parser.add_argument("--marks", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    pens = read_pens(given.data)
    for path in given.blanks:
        write_copies(
            path, pens, given.out / path.stem, copies=given.copies, photos=given.photos, seed=given.seed,
            first=given.first, marks=given.marks,
        )  # fmt: skip


if __name__ == "__main__":
    main()
