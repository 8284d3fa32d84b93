"""The reader and labelled data go in; the general calibration that ships with it comes out.

    python -m model.calibration --data ../shared/data

Writes `formlens/calibration.json`; to be run again whenever `formlens/reader.onnx` or the way that cells are read
changes (minutes on two cores). Forms are learned from filled copies of blanks and read on other copies, on the flatbed
and as photos, written with digits and fonts that the reader was not trained on; the blanks are those of `is_tuning`
alone, so that `model.score_confidence` can score on the others. Real lines from pages that were not trained on, and
boxed digits, are read beside them; they tell how clues become probabilities, and are no forms.
"""

import argparse
import csv
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from formlens.calibrate import (
    FAMILIES,
    FEATURES,
    SHIPPED,
    General,
    Line,
    confidence,
    features,
    fit_line,
    general_json,
    shipped,
)
from formlens.clues import written_clues
from formlens.compare import same
from formlens.decode import TEXT
from formlens.fields import find_form, read_fields
from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.reader import Reader
from formlens.trust import Checked
from formlens.types import CallError, Clues, Image, UnreadableError
from model import lines
from model.filled import Blank, Column, Pens, camera, choose_columns, fill, flatbed, invent, read_blank
from model.fonts import families

SEED = 23
LEARNED = 4
"""Labelled scans that each form is learned from."""
LINES = "lyon", "stanford", "poilus"
THRESHOLDS = tuple(np.round(1 / (1 + np.exp(-np.arange(0.0, 7.61, 0.1))), 6).tolist())


@dataclass(frozen=True)
class Layout:
    """One form: its blank and the columns that are filled in."""

    name: str
    blank: Blank
    columns: tuple[Column, ...]


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description="Fit the general calibration of the shipped reader.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--reader", type=Path, help="another reader's file (default: the shipped one)")
    parser.add_argument("--copies", type=int, default=10, help="copies of a form that are read (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--cells", type=Path, default=Path("out/calibration.jsonl"), help="the cells that were read")
    parser.add_argument("--again", action="store_true", help="fit to the cells of the last run, and read nothing")
    given = parser.parse_args()
    reader = Reader(given.reader)
    if not given.again:
        read_all(given, reader)
    groups = kept(given.cells)
    forms = [cells for name, cells in groups.items() if not name.startswith("lines ")]
    crops = [cells for name, cells in groups.items() if name.startswith("lines ")]
    general = fit_general(forms, crops, reader.version)
    given.out.write_text(json.dumps(general_json(general)) + "\n", encoding="utf-8")
    print(f"reader {reader.version} -> {given.out}")


def read_all(given: argparse.Namespace, reader: Reader) -> None:
    """Read forms and lines, and keep every cell."""
    start_with_nothing(given.out, reader.version)
    pens = half(held_out_pens(given.data), 0)
    given.cells.unlink(missing_ok=True)
    given.cells.parent.mkdir(parents=True, exist_ok=True)
    for name in LINES:
        keep(given.cells, f"lines {name}", list(read_lines(given.data / f"lines_{name}", reader)))
    for layout in layouts(given.data, tuning=True):
        try:
            form = learned_form(layout, pens, reader, flatbed, LEARNED)
        except CallError as error:
            print(f"{layout.name}: {error}")
            continue
        for take in (flatbed, camera):
            cells = list(read_with(form, layout, pens, reader, take, range(100, 100 + given.copies)))
            keep(given.cells, f"{layout.name} {take.__name__}", cells)
            wrong = sum(not cell.right for cell in cells)
            print(f"{layout.name} {take.__name__}: {len(cells)} cells, {wrong} wrong", flush=True)


def keep(path: Path, group: str, cells: Sequence[Checked]) -> None:
    """Append the cells of one form, or of one set of lines, to a file."""
    with path.open("a", encoding="utf-8") as stream:
        for cell in cells:
            stream.write(json.dumps({"group": group} | asdict(cell), ensure_ascii=False) + "\n")


def kept(path: Path) -> dict[str, list[Checked]]:
    """The cells in a file, group by group."""
    groups: dict[str, list[Checked]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        cell = Checked(one["scan"], one["column"], Clues(**one["clues"]), one["right"])
        groups.setdefault(one["group"], []).append(cell)
    return groups


def start_with_nothing(path: Path, reader: str) -> None:
    """Learning needs a calibration: where none can be loaded, one that knows nothing but the reader's confidence."""
    try:
        shipped()
    except (OSError, KeyError, TypeError, ValueError):
        plain = Line(0.0, (1.0, 1.0, *[0.0] * (FEATURES - 2)))
        nothing = General(reader, dict.fromkeys(FAMILIES, plain), (), ())
        path.write_text(json.dumps(general_json(nothing)), encoding="utf-8")


def layouts(data: Path, *, tuning: bool, seed: int = SEED) -> Iterator[Layout]:
    """The first page of each blank that has room for a dozen columns; half of the blanks are for tuning."""
    for path in sorted((data / "blank_forms").glob("*.pdf")):
        if (zlib.crc32(path.stem.encode()) % 2 == 0) == tuning:
            blank = read_blank(path)
            columns = choose_columns(blank, np.random.default_rng([seed, zlib.crc32(path.stem.encode())]), 3)
            if len(columns) >= 12:
                yield Layout(path.stem, blank, tuple(columns))


def held_out_pens(data: Path) -> Pens:
    """Digits and fonts that no reader was trained on."""
    with np.load(data / "mnist_train.npz") as digits:
        return Pens(digits["x"][-5000:], digits["y"][-5000:], tuple(families(data / "fonts", True)))


def half(pens: Pens, part: int) -> Pens:
    """Every second of the digits and fonts: one half to calibrate with, the other to score with."""
    return Pens(pens.digits[part::2], pens.labels[part::2], pens.fonts[part::2])


def copy_of(layout: Layout, pens: Pens, number: int, take: Callable[..., Any]) -> tuple[Image, dict[str, str]]:
    """A filled copy and what it says; the same number gives the same copy."""
    rng = np.random.default_rng([SEED, zlib.crc32(layout.name.encode()), number])
    values = {column: invent(column, rng) for column in layout.columns}
    image, _ = take(fill(layout.blank, values, pens, rng), rng)
    return image, {column.name: value for column, value in values.items()}


def learned_form(layout: Layout, pens: Pens, reader: Reader, take: Callable[..., Any], count: int) -> Form:
    """The form that so many copies and the blank teach."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(count):
            image, values = copy_of(layout, pens, number, take)
            cv2.imwrite(str(folder / f"scan{number}.png"), image)
            with (folder / f"scan{number}.csv").open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows([list(values), list(values.values())])
        cv2.imwrite(str(folder / "blank.png"), layout.blank.image)
        return learn_form(read_folder(folder), layout.name, reader).form


def read_with(
    form: Form, layout: Layout, pens: Pens, reader: Reader, take: Callable[..., Any], numbers: Sequence[int]
) -> Iterator[Checked]:
    """The cells of copies, by number, read with a form."""
    for number in numbers:
        image, values = copy_of(layout, pens, number, take)
        try:
            found, where = find_form(image, [form])
        except UnreadableError:
            continue
        for cell in read_fields(image, found, where, reader, 0.0):
            if cell.clues is not None:
                yield Checked(number, cell.column, cell.clues, same(cell.text, values[cell.column]))


def read_lines(folder: Path, reader: Reader, most: int = 250) -> Iterator[Checked]:
    """Real lines of the pages held out from training."""
    for number, line in enumerate(lines.lines(folder, True, reader.alphabet)[:most]):
        (seen,) = reader.probabilities([lines.photograph(line)])
        reading = reader.decode(seen, TEXT)
        clues = written_clues(reading, seen, reader.alphabet, 0.0, 1.0)
        yield Checked(number, folder.name, clues, same(reading.text, line.text))


def fit_general(forms: Sequence[Sequence[Checked]], crops: Sequence[Sequence[Checked]], reader: str) -> General:
    """The calibration, and how each form would have fared with one that was fitted without it."""
    made = f"{len(forms)} synthetic forms with {sum(map(len, forms))} cells, {sum(map(len, crops))} real lines"
    lines_ = _fit([*forms, *crops])
    counts = []
    for number in range(len(forms)):
        # layouts come twice, on the flatbed and as photos: both are left out
        left_out = {number - number % 2, number - number % 2 + 1}
        others = [form for n, form in enumerate(forms) if n not in left_out]
        without = General(reader, _fit([*others, *crops]), (), ())
        known = [cell for cell in forms[number] if cell.clues.family != "nowhere"]
        sure = np.array([confidence(cell.clues, cell.column, without) for cell in known])
        right = np.array([cell.right for cell in known], np.bool_)
        if len(known):
            counts.append(tuple((int((sure >= t).sum()), int((~right[sure >= t]).sum())) for t in THRESHOLDS))
    return General(reader, lines_, THRESHOLDS, tuple(counts), made)


def _fit(groups: Sequence[Sequence[Checked]]) -> dict[str, Any]:
    cells = [cell for group in groups for cell in group]
    found = {}
    for family in FAMILIES:
        own = [cell for cell in cells if cell.clues.family == family]
        rows = np.array([features(cell.clues) for cell in own], np.float64)
        if len(own):
            found[family] = fit_line(rows, np.array([cell.right for cell in own], np.bool_))
    return found


if __name__ == "__main__":
    main()
