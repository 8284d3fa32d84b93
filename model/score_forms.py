"""Blank fillable PDFs go in; how well forms are learned from filled copies of them, and then read, comes out.

    python -m model.score --only forms            (half an hour; forms/tuning or forms/f8995 is a part of it)

Copies are filled with digits and handwriting fonts that nothing was trained on (`filled`). The layouts are in two
halves by a hash of their names: methods were chosen on `tuning` alone, `unseen` says what they are worth. Fields count
as found from half an overlap (IoU) with the field of the PDF, which no form was learned with.
"""

import csv
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.places import overlap
from formlens.reader import Reader
from formlens.register import register
from formlens.types import CallError, Image, Page
from model.filled import Blank, Column, Pens, camera, choose_columns, fill, flatbed, invent, read_blank, read_pens
from model.section import OURS, Absent, Miss, Row, Setup

SEED = 11
LEAST_FIELDS = 12
WAYS = ((8, True), (8, False), (3, True), (3, False), (1, True), (1, False))
"""Labelled scans, and whether the blank is given."""
READ = 4
"""Copies of each layout that are read with the form learned, on the flatbed and as photos."""
NUMBERS = frozenset({"integer", "decimal", "date", "code"})

PEER = "RapidOCR: "
"""In front of what is counted for the peer."""
GOALS = {
    "located": ">= 98 %", "numbers, scan": ">= 97 %", "numbers, photo": "2 points less",
    "mark, scan": ">= 99.5 %",
    "own copies read": ">= 99.5 %", "other forms refused": ">= 99 %",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """One form: its blank and the columns that are filled in."""

    name: str
    blank: Blank
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Copy:
    """One filled copy as a scanner or camera gives it; `view` (3 x 3) takes pixels of the blank to it."""

    image: Image
    view: NDArray[np.float64]
    values: dict[str, str]


@dataclass
class Tally:
    """What was counted over several layouts."""

    right: dict[str, int] = field(default_factory=dict)
    all: dict[str, int] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)

    def count(self, what: str, right: bool, miss: Callable[[], Miss] | None = None) -> None:
        """Count one case of something, right or not; of one that is not, the picture."""
        self.all[what] = self.all.get(what, 0) + 1
        self.right[what] = self.right.get(what, 0) + right
        if not right and miss is not None:
            self.misses.append(replace(miss(), set=what))

    def share(self, what: str) -> str:
        """In per cent, with the number of cases."""
        n = self.all.get(what, 0)
        return f"{100 * self.right[what] / n:.1f} % of {n}" if n else "-"


def is_tuning(path: Path) -> bool:
    """Whether a blank may be looked at while methods are chosen."""
    return zlib.crc32(path.stem.encode()) % 2 == 0


def layouts(data: Path, *, tuning: bool, marks: int = 0) -> Iterator[Layout]:
    """The first page of each blank that has room for a dozen columns."""
    for path in sorted((data / "blank_forms").glob("*.pdf")):
        if is_tuning(path) != tuning:
            continue
        blank = read_blank(path)
        columns = choose_columns(blank, np.random.default_rng([SEED, zlib.crc32(path.stem.encode())]), marks)
        if len(columns) >= LEAST_FIELDS:
            yield Layout(path.stem, blank, tuple(columns))


def copy_of(layout: Layout, pens: Pens, number: int, take: Callable[..., Any]) -> Copy:
    """A filled copy; the same number gives the same copy."""
    rng = np.random.default_rng([SEED, zlib.crc32(layout.name.encode()), number])
    values = {column: invent(column, rng) for column in layout.columns}
    image, view = take(fill(layout.blank, values, pens, rng), rng)
    return Copy(image, view, {column.name: value for column, value in values.items()})


def learned(layout: Layout, copies: Sequence[Copy], reader: Reader, *, blank: bool) -> tuple[Form, tuple[str, ...]]:
    """The form that these copies teach, by files as a person has them. Raises CallError as `learn` does."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        for number, copy in enumerate(copies):
            cv2.imwrite(str(folder / f"scan{number}.png"), copy.image)
            with (folder / f"scan{number}.csv").open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([list(copy.values), list(copy.values.values())])
        if blank:
            cv2.imwrite(str(folder / "blank.png"), layout.blank.image)
        found = learn_form(read_folder(folder), layout.name, reader)
    return found.form, found.doubts


def places_on_blank(form: Form, layout: Layout) -> dict[str, tuple[int, int, int, int]]:
    """Where a form has its columns, in pixels of the layout's blank."""
    where = register(layout.blank.image, form.print)
    if where is None:
        return {}
    height, width = form.blank.shape
    found = {}
    for column in form.columns:
        if column.place:
            x0, y0, x1, y1 = column.place
            corners = where.to_page(np.array([[x0, y0], [x1, y1]], np.float64), width, height)
            found[column.name] = tuple(int(v) for v in np.round(corners).ravel())
    return found  # type: ignore[return-value]


def score_layout(layout: Layout, pens: Pens, reader: Reader, rapid: Any, tallies: dict[str, Tally]) -> Form | None:
    """Learn one layout in every way and read its copies; the form from most scans is handed back."""
    teachers = [copy_of(layout, pens, number, flatbed) for number in range(max(many for many, _ in WAYS))]
    first: Form | None = None
    for many, blank in WAYS:
        way = f"{many} scan{'s' * (many > 1)}, {'the blank' if blank else 'no blank'}"
        tally = tallies.setdefault(way, Tally())
        began = time.perf_counter()
        try:
            form, doubts = learned(layout, teachers[:many], reader, blank=blank)
        except CallError as error:
            for column in layout.columns:
                tally.count("located", False, partial(_missed, layout, column, str(error)))
            continue
        tally.count("seconds", time.perf_counter() - began < 90)
        places = places_on_blank(form, layout)
        for column in layout.columns:
            place = places.get(column.name)
            hit = place is not None and overlap(place, column.field.box) >= 0.5
            tally.count("located", hit, partial(_missed, layout, column, f"{place}, not {column.field.box}"))
            doubted = any(f"`{column.name}`" in doubt for doubt in doubts)
            tally.count("doubted, of those right" if hit else "doubted, of those wrong", doubted)
        read_copies(layout, form, pens, reader, rapid if first is None else None, tally)
        first = first or form
    return first


def read_copies(layout: Layout, form: Form, pens: Pens, reader: Reader, rapid: Any, tally: Tally) -> None:
    """Read copies that the form was not learned from, and count cells that are exactly right."""
    for number in range(2 * READ):
        photo = number % 2 == 1
        light = "photo" if photo else "scan"
        copy = copy_of(layout, pens, 1000 + number, camera if photo else flatbed)
        result = read_page(Page(copy.image, f"{layout.name}-{number}", 1), reader, [form])
        tally.count("own copies read", result.status == "read")
        cells = {cell.column: cell.text for cell in result.cells}
        for column in layout.columns:
            kind = "numbers" if column.kind in NUMBERS else column.kind
            true, text = copy.values[column.name], cells.get(column.name, "")
            tally.count(f"{kind}, {light}", text == true, partial(_misread, copy, column, true, text))
        if rapid is not None:
            crops = [true_crop(copy, column) for column in layout.columns]
            for column, text in zip(layout.columns, rapid.recognize_txt(crops).txts, strict=True):
                kind = "numbers" if column.kind in NUMBERS else column.kind
                tally.count(PEER + f"{kind}, {light}", text.strip() == copy.values[column.name])


def _missed(layout: Layout, column: Column, why: str) -> Miss:
    x0, y0, x1, y1 = column.field.box
    around = layout.blank.image[max(0, y0 - 40) : y1 + 40, max(0, x0 - 80) : x1 + 80]
    return Miss("", around, f"{layout.name} {column.name}", why)


def _misread(copy: Copy, column: Column, true: str, text: str) -> Miss:
    return Miss("", true_crop(copy, column), true, text)


def true_crop(copy: Copy, column: Column) -> Image:
    """A column's true field, put square, for those who do not find it."""
    x0, y0, x1, y1 = column.field.box
    shift = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64)
    crop = cv2.warpPerspective(copy.image, shift @ np.linalg.inv(copy.view), (x1 - x0, y1 - y0))
    return np.asarray(crop, np.uint8)


def score_refusals(forms: Sequence[tuple[Layout, Form]], pens: Pens, tally: Tally) -> None:
    """Show each form the copies of all others."""
    copies = [(layout, copy_of(layout, pens, 2000 + n, (flatbed, camera)[n])) for layout, _ in forms for n in range(2)]
    for layout, form in forms:
        for other, copy in copies:
            if other.name != layout.name:
                refused = register(copy.image, form.print) is None
                tally.count("other forms refused", refused)


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Rows for both halves; `--only forms/tuning` or `forms/f8995` takes a part."""
    if not (setup.data / "blank_forms").is_dir() or not (setup.data / "fonts").is_dir():
        raise Absent(f"no blank_forms and fonts in {setup.data}")
    parts = {name.partition("/")[2] for name in setup.only if name.startswith("forms/")}
    pens = read_pens(setup.data, held_out=True)
    for half in ("tuning", "unseen"):
        tallies: dict[str, Tally] = {}
        forms = []
        for layout in layouts(setup.data, tuning=half == "tuning", marks=3):
            if not parts or parts & {half, layout.name}:
                form = score_layout(layout, pens, setup.reader, setup.rapid, tallies)
                forms += [] if form is None else [(layout, form)]
        if forms:
            score_refusals(forms, pens, tallies[next(iter(tallies))])
        for way, tally in tallies.items():
            yield from _rows(f"{half}: {way}", tally)
            for miss in tally.misses:
                yield replace(miss, set=f"{half}: {way}, {miss.set}")


def _rows(name: str, tally: Tally) -> Iterator[Row]:
    for what, n in tally.all.items():
        if not what.startswith(PEER):
            values = {OURS: tally.share(what)}
            if PEER + what in tally.all:
                values["RapidOCR"] = tally.share(PEER + what)
            yield Row(name, what, n, values, GOALS.get(what, ""))
