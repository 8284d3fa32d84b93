"""Photos of pen-drawn tables, whole pictures in: cells found, and cells exact, beside RapidOCR."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from formlens.pipeline import read_forms
from formlens.types import Box, Cell
from model.section import OURS, Miss, Row, Setup, folder

FOUND = 0.7
"""Overlap (IoU) from which a cell counts as found."""


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Cells found and cells exact, picture by picture."""
    for truth in sorted(folder(setup, "tables_handdrawn").glob("*.boxes.json")):
        picture = truth.with_name(truth.name.removesuffix(".boxes.json") + ".png")
        boxes = [_bounds(corners) for row in json.loads(truth.read_text()) for corners in row]
        with picture.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            texts = [text.strip() for row in csv.reader(file) for text in row]
        pages = list(read_forms(picture.read_bytes(), picture.name, setup.reader))
        ours = [max(pages[0].cells, key=lambda cell: overlap(cell.box, box), default=None) for box in boxes]
        found = sum(cell is not None and overlap(cell.box, box) >= FOUND for cell, box in zip(ours, boxes, strict=True))
        yield Row(picture.name, "cells found", len(boxes), {OURS: _share(found, len(boxes))})
        read = {OURS: _texts(ours, boxes)}
        if setup.rapid is not None:
            read["RapidOCR"] = rapidocr_texts(setup.rapid, picture, boxes)
        right = {name: sum(a == b for a, b in zip(texts, got, strict=True)) for name, got in read.items()}
        yield Row(picture.name, "cells exact", len(boxes), {name: _share(n, len(boxes)) for name, n in right.items()})
        image = np.asarray(cv2.imread(str(picture)), np.uint8)
        for (x0, y0, x1, y1), text, got in zip(boxes, texts, read[OURS], strict=True):
            if text != got:
                yield Miss(picture.name, image[max(y0, 0) : y1, max(x0, 0) : x1], text, got)


def rapidocr_texts(rapid: Any, picture: Path, boxes: Sequence[Box]) -> list[str]:
    """What RapidOCR reads on a picture, each piece given to the true cell that holds its centre."""
    seen = rapid(cv2.imread(str(picture)))
    pieces = [] if seen.boxes is None else list(zip(seen.boxes.mean(axis=1), seen.txts, strict=True))
    inside = [sorted((x, text) for (x, y), text in pieces if x0 <= x < x1 and y0 <= y < y1) for x0, y0, x1, y1 in boxes]
    return [" ".join(text for _, text in cell) for cell in inside]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0, width) * max(0, height)
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other)]
    return common / (sum(areas) - common)


def _texts(cells: Sequence[Cell | None], boxes: Sequence[Box]) -> list[str]:
    """A cell that touches its true place too little says nothing about it: it counts as an error, not as empty."""
    matched = zip(cells, boxes, strict=True)
    return [cell.text if cell is not None and overlap(cell.box, box) > 0.3 else "(no cell)" for cell, box in matched]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _bounds(corners: Sequence[Sequence[float]]) -> Box:
    x0, y0 = np.floor(np.min(corners, axis=0)).astype(int)
    x1, y1 = np.ceil(np.max(corners, axis=0)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
