"""A new reader, the one in use and held-out pages go in; the evaluation for the gate, and the package, come out.

    python -m model.examine --form intake --pages OUT/pages --model model.tar.gz --released reader.onnx --out E

Each reader reads the held-out pages with the form that it learns itself from the training pages: so it would be in use.
E/evaluation/evaluation.json tells the shares of exact cells and the gain, with what it is at least;
E/package/model.tar.gz is what is registered where the gate lets it pass. A cell counts that somebody typed, or that
either reader filled.
"""

import argparse
import json
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formlens.cells import page_json
from formlens.compare import pair_rows, same
from formlens.form import Form, save_form
from formlens.labelled import Folder, Labelled, only_page, read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.sheet import rows_of
from formlens.types import FormLensError, Page
from model.evaluate import wilson
from model.gate import paired_bootstrap
from model.package import Golden, choose_golden, write_package


@dataclass(frozen=True)
class Examined:
    """What one reader made of the held-out pages: texts beside those typed, and the pages of the cells JSON."""

    reader: str
    form: Form
    cells: list[list[tuple[str, str]]]
    """Of each page the cells typed, in their order, as (read, typed)."""
    pages: list[dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, examine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", required=True, help="name of the form")
    parser.add_argument("--pages", type=Path, required=True, help="what model.prepare divided: learn/ and held/")
    parser.add_argument("--model", type=Path, required=True, help="archive that holds the new reader.onnx")
    parser.add_argument("--released", type=Path, required=True, help="the reader in use")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        with tarfile.open(given.model) as archive:
            archive.extract("reader.onnx", folder, filter="data")
        try:
            examine(given.form, given.pages, Path(folder) / "reader.onnx", given.released, given.out)
        except FormLensError as error:
            raise SystemExit(f"evaluate: {error}") from error


def examine(name: str, pages: Path, new: Path, released: Path, out: Path) -> None:
    """Write evaluation and package below ``out``. Raises FormLensError for a folder or a reader that is none."""
    learn, held = read_folder(pages / "learn" / name), read_folder(pages / "held" / name)
    mine, theirs = (read_held_out(name, learn, held.labelled, path) for path in (new, released))
    report = {"form": name, "pages": len(held.labelled)} | compare(mine, theirs)
    (out / "evaluation").mkdir(parents=True, exist_ok=True)
    (out / "evaluation" / "evaluation.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(json.dumps(report))
    golden = [Golden(o.scan.source, o.scan.read_bytes(), p) for o, p in zip(held.labelled, mine.pages, strict=True)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.form"
        save_form(mine.form, path)
        forms = {name: path.read_bytes()}
    write_package(out / "package" / "model.tar.gz", new, forms, choose_golden(golden), report)


def read_held_out(name: str, learn: Folder, held: Sequence[Labelled], path: Path) -> Examined:
    """Learn the form with a reader, and read the pages with both."""
    reader = Reader(path)
    form = learn_form(learn, name, reader).form
    columns = [column.name for column in form.columns]
    cells, pages = [], []
    for labelled in held:
        result = read_page(Page(only_page(labelled), labelled.scan.source, 1), reader, [form])
        read = [{cell.column: cell.text for cell in row} for row in rows_of(result)]
        typed = [[row[column] for column in columns] for row in labelled.rows]
        found = [[row.get(column, "") for column in columns] for row in read]
        partner = {b: a for a, b in pair_rows(found, typed) if b is not None}
        cells.append(
            [
                ("" if (mine := partner.get(number)) is None else read[mine].get(column, ""), text)
                for number, row in enumerate(typed)
                for column, text in zip(columns, row, strict=True)
            ]
        )
        pages.append(page_json(result))
    return Examined(reader.version, form, cells, pages)


def compare(new: Examined, old: Examined) -> dict[str, Any]:
    """The evaluation: shares of 0 to 1, and the gain of the new reader in such shares."""
    mine: list[NDArray[np.bool_]] = []
    theirs: list[NDArray[np.bool_]] = []
    for page_new, page_old in zip(new.cells, old.cells, strict=True):
        pairs = [(a, b, typed) for (a, typed), (b, _) in zip(page_new, page_old, strict=True) if a or b or typed]
        mine.append(np.array([same(a, typed) for a, _, typed in pairs], np.bool_))
        theirs.append(np.array([same(b, typed) for _, b, typed in pairs], np.bool_))
    right, count = int(np.concatenate(mine).sum()), int(np.concatenate(mine).size)
    low, high = wilson(right, max(count, 1))
    gain = paired_bootstrap(mine, theirs)
    exact = right / max(count, 1)
    return {
        "cells": count,
        "reader": new.reader,
        "exact": exact,
        "exact_low": low,
        "exact_high": high,
        "released": old.reader,
        "released_exact": int(np.concatenate(theirs).sum()) / max(count, 1),
        "gain": gain.mean,
        "gain_low": gain.low,
        # the shape that SageMaker Studio draws in the registry
        "multiclass_classification_metrics": {"accuracy": {"value": exact, "standard_deviation": (high - low) / 3.92}},
    }


if __name__ == "__main__":
    main(sys.argv[1:])
