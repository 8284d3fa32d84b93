"""A real register, learned and read through the shipped code: four-fold by page, beside RapidOCR given the true boxes.

    python -m model.score --only register [--reader READER.onnx]

Each quarter of the pages is read with a form that was learned from the other three; so score a reader that was trained
without these pages. `--only register/unseen` is for the shipped one: of the pages that no reader is trained on, read
with a form from all others. The true boxes say which row is which and are never shown to the code that is scored.
Takes some minutes.
"""

import csv
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from formlens.alignment import align
from formlens.bounds import coverage
from formlens.compare import plain
from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.types import Box, Cell, Image, Page
from model import lines
from model.heldout import edits
from model.peers import rapidocr_lines
from model.section import OURS, Miss, Row, Setup, folder

FOLDS = 4
NEAR = 0.6
"""Share of a row's usual height by which the middle of the cell that is read may lie beside that of the true one."""


@dataclass(frozen=True)
class _Read:
    """One true row and what was read for it."""

    true: dict[str, str]
    cells: dict[str, Cell] | None
    rapid: dict[str, str] | None


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Rows found, dates exact, and errors of names, over all pages; each read by a form that never saw it."""
    pages = sorted(folder(setup, "lyon_register").glob("*.jpg"))
    rows: list[_Read] = []
    spurious = unread = 0
    folds = (
        [_unseen(setup)]
        if "register/unseen" in setup.only
        else [{p.stem for p in pages[n::FOLDS]} for n in range(FOLDS)]
    )
    for fold in folds:
        form = _learn([page for page in pages if page.stem not in fold], setup)
        for page in (page for page in pages if page.stem in fold):
            image = np.asarray(cv2.imread(str(page)), np.uint8)
            result = read_page(Page(image, page.name, 1), setup.reader, [form])
            unread += result.status != "read"
            truth = _truth(folder(setup, "lyon_register_boxes") / f"{page.stem}.csv")
            entries = [
                {cell.column: cell for cell in result.cells if cell.row == row}
                for row in sorted({cell.row for cell in result.cells})
            ]
            matched = _match(truth, entries)
            spurious += len(entries) - sum(number is not None for number in matched)
            for true, number in zip(truth, matched, strict=True):
                peer = None
                if setup.rapid is not None:
                    crops = {name: _crop(image, true[f"{name}_bbox"]) for name in ("name", "date")}
                    peer = {
                        name: "" if crop is None else rapidocr_lines(setup.rapid, [crop])[0][0]
                        for name, crop in crops.items()
                    }
                got = None if number is None else entries[number]
                rows.append(_Read(true, got, peer))
                if got is not None and plain(got["date"].text) != plain(true["date"]):
                    crop = _crop(image, true["date_bbox"])
                    if crop is not None:
                        yield Miss("register", crop, true["date"], got["date"].text, got["date"].confidence)
    yield from _table(rows, sum(map(len, folds)), spurious, unread)


def _table(rows: Sequence[_Read], pages: int, spurious: int, unread: int) -> Iterator[Row]:
    found = [row for row in rows if row.cells]
    yield Row("register", "pages refused", pages, {OURS: str(unread)}, "0")
    yield Row("register", "rows found", len(rows), {OURS: _share(len(found), len(rows))}, "99 %")
    yield Row("register", "rows that are none", len(rows), {OURS: str(spurious)}, "0")
    for measure, same in (("dates exact", plain), ("dates exact, whatever the case", _folded)):
        right = [row.cells is not None and same(row.cells["date"].text) == same(row.true["date"]) for row in rows]
        values = {OURS: _share(sum(right), len(rows))}
        if rows[0].rapid is not None:
            peers = [same((row.rapid or {}).get("date", "")) == same(row.true["date"]) for row in rows]
            values["RapidOCR, true boxes"] = _share(sum(peers), len(rows))
        yield Row("register", measure, len(rows), values, "90 %")
    exact = np.array([row.cells is not None and row.cells["date"].text == row.true["date"] for row in rows])
    sure = np.array([row.cells["date"].confidence if row.cells else 0.0 for row in rows])
    yield Row("register", "dates read at 1 % error", len(rows), {OURS: f"{100 * coverage(sure, exact, 0.01)[0]:.0f} %"})
    named = [row for row in rows if row.true["name"]]
    signs = sum(len(plain(row.true["name"])) for row in named)
    wrong = sum(edits(plain(row.cells["name"].text) if row.cells else "", plain(row.true["name"])) for row in named)
    values = {OURS: f"{wrong / signs:.3f}"}
    if rows[0].rapid is not None:
        others = sum(edits(plain((row.rapid or {}).get("name", "")), plain(row.true["name"])) for row in named)
        values["RapidOCR, true boxes"] = f"{others / signs:.3f}"
    yield Row("register", "names, character errors", len(named), values, "0.10")


def _unseen(setup: Setup) -> set[str]:
    """The pages that `model.data` holds out of every training."""
    return {line.page for line in lines.lines(folder(setup, "lines_lyon"), True, setup.reader.alphabet)}


def _learn(pages: Sequence[Path], setup: Setup) -> Form:
    with tempfile.TemporaryDirectory() as place:
        for page in pages:
            shutil.copy(page, place)
            shutil.copy(page.with_suffix(".csv"), place)
        return learn_form(read_folder(Path(place)), "register", setup.reader).form


def _truth(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _match(true: Sequence[dict[str, str]], read: Sequence[dict[str, Cell]]) -> list[int | None]:
    """For each true row the one that was read for it, in the order of the rows of each half and near enough.

    The boxes of the last rows of some pages reach down to the edge of the page: of each box the usual height counts.
    """
    boxes = [[_box(row[place]) for place in ("name_bbox", "date_bbox") if row[place]] for row in true]
    usual = float(np.median([y1 - y0 for row in boxes for _, y0, _, y1 in row]))
    fit = np.full((len(true), len(read)), -1.0)
    for i, own in enumerate(boxes):
        left, right = min(box[0] for box in own), max(box[2] for box in own)
        middle = np.mean([y0 + min(y1 - y0, usual) / 2 for _, y0, _, y1 in own[-1:]])
        for j, entry in enumerate(read):
            places = [cell.box for cell in entry.values() if cell.box[2] > cell.box[0]]
            if places:
                beside = min(right, max(box[2] for box in places)) - max(left, min(box[0] for box in places))
                off = abs(middle - (places[-1][1] + places[-1][3]) / 2)
                if beside > (right - left) / 2 and off < NEAR * usual:
                    fit[i, j] = 1 - off / (NEAR * usual)
    return align(fit)


def _box(text: str) -> Box:
    x0, y0, x1, y1 = map(int, text.split())
    return x0, y0, x1, y1


def _crop(image: Image, text: str) -> Image | None:
    if not text:
        return None
    x0, y0, x1, y1 = _box(text)
    return image[y0:y1, x0:x1]


def _folded(text: str) -> str:
    return plain(text).casefold()


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
