"""Labelled folders and a reader go in; the crops of a user's own pages, and what they say, come out.

Written into a folder they come out of it as they were: pixels as PNG, texts in one JSON.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.reader import Reader
from formlens.types import CallError
from model.data import Sample
from model.examples import examples

INDEX = "crops.json"
APART = 200
"""The user's crops that are read to judge by, at most: more would take longer than they tell."""


@dataclass(frozen=True)
class Given:
    """The user's crops, those to train on and those kept apart."""

    train: list[Sample]
    apart: list[Sample]


def gather(folders: Sequence[Path], reader: Path, say: Callable[[str], None]) -> Given:
    """Crops and texts of all folders, in part kept apart. Raises CallError where there are too few to learn from."""
    pages: list[list[Sample]] = []
    for folder in folders:
        held = read_folder(folder)
        learned = learn_form(held, folder.name or "form", Reader(reader), trusted=False)
        for doubt in learned.doubts:
            say(f"{folder}: {doubt}")
        for labelled in held.labelled:
            pages.append(examples(labelled, learned.form, reader))
            say(f"{labelled.scan.path}: {len(pages[-1])} crops")
    given = part(pages)
    if not given.train or not given.apart:
        raise CallError(
            f"{folders[0]}: too little writing was found on these scans to train on and to judge by "
            f"({sum(map(len, pages))} crops); add labelled scans"
        )
    return given


def part(pages: Sequence[Sequence[Sample]]) -> Given:
    """Every fifth page kept apart; of fewer than five pages every fifth crop, which says less: the hands are known."""
    units = pages if len(pages) >= 5 else [[crop] for page in pages for crop in page]
    train = [crop for number, unit in enumerate(units) if number % 5 != 4 for crop in unit]
    apart = [crop for number, unit in enumerate(units) if number % 5 == 4 for crop in unit]
    return Given(train, apart[:: -(-len(apart) // APART) or 1])


def write_crops(given: Given, folder: Path) -> None:
    """Write the crops to train on and those kept apart."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [("train", one) for one in given.train] + [("apart", one) for one in given.apart]
    listed = []
    for number, (part, one) in enumerate(parts):
        name = f"{number:05}.png"
        cv2.imwrite(str(folder / name), one.image)
        listed.append({"file": name, "part": part, "text": one.text, "kind": one.kind})
    (folder / INDEX).write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")


def read_crops(folder: Path) -> Given:
    """The crops that `write_crops` wrote."""
    parts: dict[str, list[Sample]] = {"train": [], "apart": []}
    for one in json.loads((folder / INDEX).read_text(encoding="utf-8")):
        image = np.asarray(cv2.imread(str(folder / one["file"])), np.uint8)
        parts[one["part"]].append(Sample(image, one["text"], one["kind"]))
    return Given(parts["train"], parts["apart"])
