"""Pages put under a camera, filmed, and read by the loop of a camera, beside the flatbed scan of the same page.

    python -m model.score --only camera          (ten minutes; camera/tables, camera/forms, camera/register is a part)

The desk, the hands, the lens and the light are rendered (`recordings`), the pages are real: pen-drawn tables, a
register, and forms filled with digits and fonts that nothing was trained on (`filled`). A camera of 4 megapixels, each
page upright and turned so that it fills the picture. Where the reader was trained on a page, both were read by it: what
counts is the difference.
"""

import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from formlens.cells import page_json
from formlens.compare import pair_rows, same
from formlens.desk import function_of
from formlens.form import Form
from formlens.frames import Frame
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.spool import Spool
from formlens.types import Image, Page
from formlens.watching import Look
from model.filled import flatbed, read_pens
from model.recordings import Moment, film, lying, placed
from model.score_forms import copy_of, layouts, learned
from model.section import OURS, Row, Setup, folder

SIZE = 2688, 1520
"""Of the camera: 4 megapixels."""
QUALITY = 85
"""Of the JPEGs that it sends."""
FILLS = 0.88
"""Share of the picture's height, or width, that a page takes."""
TURNS = {"upright": 0.0, "filling the picture": 90.0}
LEAVES_AND_HUNTS = 8
"""Frames before the sheet lies alone and in focus."""
DIFFERENT, LIES = 4, 120
"""Frames, each with its own noise, that come again and again while it lies there: enough for three tries."""
LAYOUTS, COPIES = 3, 2
REGISTER = 2
"""Pages of the register that are read, and pages that its form is learned from."""

SCAN = "the flatbed scan"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sheet:
    """One page: its paper, a flatbed scan of it, what people typed for it, and the form that it is."""

    paper: Image
    scan: Image
    typed: list[dict[str, str]]
    forms: tuple[Form, ...] = ()


@dataclass
class Tally:
    """What was counted over the pages of a set, under the camera or on the flatbed."""

    pages: int = 0
    first: int = 0
    """Pages read at the first try."""
    refused: int = 0
    cells: int = 0
    right: int = 0
    unflagged: int = 0
    """Cells that are wrong and not flagged."""
    misread: int = 0
    """Pages with such a cell."""

    def count(self, page: dict[str, Any] | None, sheet: Sheet, tries: int) -> None:
        """Count what was read of one sheet; None where nothing was."""
        self.pages += 1
        self.cells += sum(len(row) for row in sheet.typed)
        if page is None or page["status"] != "read":
            self.refused += 1
            return
        self.first += tries == 1
        wrong = 0
        for cell, true in beside(page, sheet.typed):
            right = same(cell["text"], true)
            self.right += right
            wrong += not right and not cell["flagged"]
        self.unflagged += wrong
        self.misread += wrong > 0


def score(setup: Setup) -> Iterator[Row]:
    """Rows for each set of pages, the camera beside the flatbed."""
    parts = {name.partition("/")[2] for name in setup.only if name.startswith("camera/")}
    for name, sheets in (("tables", tables), ("forms", forms), ("register", register)):
        if parts and name not in parts:
            continue
        scans, seen = Tally(), {turn: Tally() for turn in TURNS}
        for number, sheet in enumerate(sheets(setup)):
            scanned = read_page(Page(sheet.scan, "scan", 1), setup.reader, sheet.forms)
            scans.count(page_json(scanned), sheet, 1)
            for turn, degrees in TURNS.items():
                seen[turn].count(*under_a_camera(sheet, degrees, setup.reader, number))
        for turn, tally in seen.items():
            yield from _rows(f"{name}, {turn}", tally, scans)


def under_a_camera(sheet: Sheet, turned: float, reader: Reader, seed: int) -> tuple[dict[str, Any] | None, Sheet, int]:
    """Film a sheet and let the loop read it: its cells JSON, or None, the sheet, and how often it was tried."""
    loop, here = function_of("loop"), function_of("here")
    camera = here.Here("score", "any", reader, lambda name: sheet.forms)
    tries, kept = list[bytes](), list[dict[str, Any]]()

    def read(jpeg: bytes, moment: datetime) -> Any:
        tries.append(jpeg)
        return camera.read(jpeg, moment)

    with TemporaryDirectory() as place:
        spool = Spool(Path(place), 10**9)
        loop.run(
            (frame for frame in recording(sheet, turned, seed) if not kept),
            read=read,
            spool=spool,
            display=_Unseen(kept),
            tell=lambda message: None,
            now=lambda: NOW,
        )
        spool.close()
    return (kept[0] if kept else None), sheet, len(tries)


def recording(sheet: Sheet, turned: float, seed: int) -> Iterator[Frame]:
    """A hand lays the sheet down a little askew, the lens finds its focus, it lies there, sometimes half in shade.

    Half of those that are of a form lie upside down: a table of single digits alone does not say which way up it is.
    """
    rng, paper = np.random.default_rng([3, seed, int(turned)]), sheet.paper
    height, width = paper.shape[:2]
    angle = turned + float(rng.uniform(-4, 4)) + 180 * int(rng.integers(2)) * bool(sheet.forms)
    across, down = (width, height) if turned == 0 else (height, width)
    tall = FILLS * min(SIZE[1] / SIZE[0] / down, 1 / across) * height
    where = lying(paper, tall=tall * float(rng.uniform(0.93, 1)), turned=angle, at=(0.5, SIZE[1] / SIZE[0] / 2))
    lies = Moment(where, shadow=float(rng.uniform(0.3, 0.7)) if rng.random() < 0.3 else None)
    arrives = [moment for moment in placed(where, still=0) if moment.blur][-LEAVES_AND_HUNTS:]
    seen = [_sent(image) for image in film(paper, [*arrives, *[lies] * DIFFERENT], seed=seed, size=SIZE)]
    yield from seen
    yield from islice(cycle(seen[-DIFFERENT:]), LIES)


def _sent(image: Image) -> Frame:
    return Frame(jpeg=cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())


class _Unseen:
    """A display that only keeps the pages."""

    def __init__(self, pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    def show(self, frame: Frame | None, look: Look) -> None:
        """Nobody looks."""

    def add(self, page: dict[str, Any]) -> None:
        """A page that is kept."""
        self._pages.append(page)


def tables(setup: Setup) -> Iterator[Sheet]:
    """Pen-drawn tables, as photos of them show them."""
    for path in sorted(folder(setup, "tables_handdrawn").glob("*.png")):
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        with path.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
            rows = [{str(n): text.strip() for n, text in enumerate(row)} for row in csv.reader(stream)]
        yield Sheet(image, image, rows)


def forms(setup: Setup) -> Iterator[Sheet]:
    """Filled copies of some layouts, each read with the form that other copies of it taught."""
    folder(setup, "blank_forms"), folder(setup, "fonts")
    pens = read_pens(setup.data, held_out=True)
    for layout in islice(layouts(setup.data, tuning=True), LAYOUTS):
        teachers = [copy_of(layout, pens, number, flatbed) for number in range(3)]
        form, _ = learned(layout, teachers, setup.reader, blank=True)
        for number in range(3000, 3000 + COPIES):
            scan = copy_of(layout, pens, number, flatbed)
            paper = copy_of(layout, pens, number, lambda image, rng: (image, np.eye(3)))
            yield Sheet(paper.image, scan.image, [scan.values], (form,))


def register(setup: Setup) -> Iterator[Sheet]:
    """Pages of a register, read with the form that others of its pages taught."""
    pages = sorted(folder(setup, "lyon_register").glob("*.jpg"))
    with TemporaryDirectory() as place:
        for page in pages[REGISTER : 2 * REGISTER]:
            shutil.copy(page, place)
            shutil.copy(page.with_suffix(".csv"), place)
        form = learn_form(read_folder(Path(place)), "register", setup.reader).form
    for page in pages[:REGISTER]:
        image = np.asarray(cv2.imread(str(page)), np.uint8)
        with page.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
            yield Sheet(image, image, list(csv.DictReader(stream)), (form,))


def beside(page: dict[str, Any], typed: Sequence[dict[str, str]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each cell that was read of a row that was typed, and what was typed there."""
    rows: dict[int, dict[str, dict[str, Any]]] = {}
    for cell in page["cells"]:
        rows.setdefault(cell["row"], {})[cell["column"]] = cell
    read, names = list(rows.values()), list(typed[0])
    texts = [[row[name]["text"] if name in row else "" for name in names] for row in read]
    for one, other in pair_rows(texts, [[row.get(name, "") for name in names] for row in typed]):
        if one is not None and other is not None:
            yield from ((cell, typed[other][name]) for name, cell in read[one].items() if name in typed[other])


def _rows(name: str, seen: Tally, scans: Tally) -> Iterator[Row]:
    def row(measure: str, part: str, whole: str, goal: str = "") -> Row:
        ours, other = (100 * getattr(tally, part) / max(1, getattr(tally, whole)) for tally in (seen, scans))
        return Row(name, measure, getattr(seen, whole), {OURS: f"{ours:.1f} %", SCAN: f"{other:.1f} %"}, goal)

    yield row("pages read at the first try", "first", "pages")
    yield row("pages refused", "refused", "pages")
    yield row("pages misread without a flag", "misread", "pages")
    yield row("cells exact", "right", "cells", "2 points less at most")
    yield row("cells misread without a flag", "unflagged", "cells")
