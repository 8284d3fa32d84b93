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


@dataclass(frozen=True)
class Given:
    """The user's crops, those to train on and those kept apart."""

    train: list[Sample]
    apart: list[Sample]


def gather(folders: Sequence[Path], reader: Path, say: Callable[[str], None]) -> Given:
    """Crops and texts of all folders; of five pages and more every fifth is kept apart. Raises CallError."""
    train: list[Sample] = []
    apart: list[Sample] = []
    for folder in folders:
        held = read_folder(folder)
        learned = learn_form(held, folder.name or "form", Reader(reader))
        for doubt in learned.doubts:
            say(f"{folder}: {doubt}")
        for number, labelled in enumerate(held.labelled):
            found = examples(labelled, learned.form, reader)
            say(f"{labelled.scan.path}: {len(found)} crops")
            (apart if number % 5 == 4 else train).extend(found)
    if not train:
        raise CallError(f"{folders[0]}: no column was found on these scans, so there is nothing to train on")
    return Given(train, apart)


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
