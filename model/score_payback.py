"""What training on one's own forms pays back: a register's labelled pages go in, errors on its other pages come out.

    python -m model.score --only payback --reader NO_LYON.onnx    (in the environment that trains; two cores)

The reader, which must not know the register, is trained on two thirds of its pages by the path of `formlens train`, and
both readers read the last third with forms learned from those two thirds.
"""

import csv
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import onnx

from formlens.evaluate import Evaluation, character_errors, evaluate
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.reader import Reader
from formlens.types import CallError
from model import lines
from model.evaluate import Read
from model.evaluate import character_errors as errors_of
from model.export import card_of
from model.finetune import finetune
from model.section import OURS, Absent, Miss, Row, Setup, folder

EVERY = 3
"""Every third page is unseen."""
GOAL = "≥ 40 % fewer"
BEFORE = "before"


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Errors of cells and crops before and after, how long it took, and whether other forms are read worse."""
    pages = sorted(folder(setup, "lyon_register").glob("*.jpg"))
    crops = folder(setup, "lines_lyon")
    if any("Lyon" in source for source in card_of(onnx.load(setup.path)).get("data", [])):
        raise Absent(
            f"{setup.path.name} was trained on Lyon: give --reader one that was not (model.train --without lyon)"
        )
    unseen = pages[EVERY - 1 :: EVERY]
    with tempfile.TemporaryDirectory() as place:
        known, others, data = (Path(place, name) for name in ("register", "unseen", "data"))
        _copy([page for page in pages if page not in unseen], known)
        _copy(unseen, others)
        data.mkdir()
        for path in setup.data.iterdir():
            if "lyon" not in path.name:
                (data / path.name).symlink_to(path.resolve())
        after = Path(place, "after.onnx")
        wall, cores = time.monotonic(), time.process_time()
        steps = {} if setup.steps is None else {"steps": setup.steps}
        try:
            with redirect_stdout(StringIO()):  # a training's log is no part of the table
                finetune([known], after, data=data, work=Path(place, "run"), reader=setup.path, say=_say, **steps)
        except CallError as error:
            yield Row("Lyon register", "trained", len(pages) - len(unseen), {OURS: str(error)}, GOAL)
            return
        wall, cores = time.monotonic() - wall, time.process_time() - cores
        spent = f"{wall / 60:.1f} min, {cores / 60:.1f} of a core"
        yield Row("Lyon register", "training", len(pages) - len(unseen), {OURS: spent}, "≤ 15 min, two cores")
        readers = {BEFORE: setup.reader, OURS: Reader(after)}
        found = {name: _evaluate(known, others, reader) for name, reader in readers.items()}
        yield from _cells(found)
        yield from _crops({name: _read(crops, unseen, reader) for name, reader in readers.items()})


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _copy(pages: Sequence[Path], to: Path) -> None:
    to.mkdir()
    for page in pages:
        shutil.copy(page, to)
        shutil.copy(page.with_suffix(".csv"), to)


def _evaluate(known: Path, others: Path, reader: Reader) -> Evaluation:
    form = learn_form(read_folder(known), "register", reader, trusted=False).form
    return evaluate(read_folder(others), form, reader)


def _cells(found: dict[str, Evaluation]) -> Iterator[Row]:
    """What `formlens read` with a learned form gets wrong; a cell that was not found is wrong."""
    for column in ("date", "name", None):
        wrong, signs, size = {}, {}, 0
        for name, one in found.items():
            cells = one.of(column)
            lost = sum(row.cells for row in (*one.missing, *one.unread)) // (1 if column is None else 2)
            size = len(cells) + lost
            wrong[name] = (sum(not cell.right for cell in cells) + lost) / size
            signs[name] = character_errors(cells)
        what = "cells" if column is None else f"{column}s"
        yield _fewer(f"{what} wrong", size, wrong)
        yield _fewer(f"{what}, character errors", size, signs)


def _read(crops: Path, unseen: Sequence[Path], reader: Reader) -> list[Read]:
    """The cut cells of the unseen pages, read without any form."""
    stems = {page.stem for page in unseen}
    with (crops / "lines.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["page"] in stems]
    found = [lines.Line(crops / "lines" / row["file"], lines.standard(row["text"]), row["page"]) for row in rows]
    found = [line for line in found if line.text]
    readings = reader.read([lines.photograph(line) for line in found])
    return [Read(line.text, reading.text, reading.confidence) for line, reading in zip(found, readings, strict=True)]


def _crops(reads: dict[str, list[Read]]) -> Iterator[Row]:
    size = len(reads[OURS])
    wrong = {name: sum(not one.right for one in those) / size for name, those in reads.items()}
    yield _fewer("cut cells wrong, no form", size, wrong)
    yield _fewer("cut cells, character errors", size, {name: errors_of(those) for name, those in reads.items()})


def _fewer(measure: str, size: int, errors: dict[str, float]) -> Row:
    """Errors of both readers, and by how much they fell."""
    values = {name: f"{100 * share:.1f} %" for name, share in errors.items()}
    fell = 1 - errors[OURS] / errors[BEFORE] if errors[BEFORE] else 0.0
    return Row("Lyon register", measure, size, {**values, "fewer": f"{100 * fell:.0f} %"}, GOAL)
