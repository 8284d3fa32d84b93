"""Labelled data beside the repository goes in, tables of scores and times come out: the shipped reader and its peers.

    python -m model.score --data ../shared/data

Everything is read by the code and the file that ship. Peers (RapidOCR, Tesseract) read the same crops and pages in the
same run; one that is absent is left out with a line that says so.
"""

import argparse
import csv
import importlib.util
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from formlens.decode import DIGITS
from formlens.pipeline import read_forms
from formlens.reader import Reader
from formlens.types import Box, Cell, Image

DATA = Path(__file__).parents[2] / "shared" / "data"
HELD_OUT = 5000
"""The last digits of the MNIST training file, on which nothing is trained or chosen."""
ROUND = 50
"""Crops that each reader gets at a time, in turn, so that all see the same load of the machine."""
TESSERACT_CROPS = 400
"""Tesseract starts a process a crop: it reads only the first so many."""
FOUND = 0.7
"""Overlap (IoU) from which a cell counts as found."""

Glyphs = Sequence[NDArray[np.uint8]]
ReadCrops = Callable[[Sequence[Image]], Sequence[str]]

console = Console(width=110)


def main() -> None:
    """Print all tables for which data is there."""
    parser = argparse.ArgumentParser(description="Score the shipped reader beside its peers.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of labelled data (default: %(default)s)")
    parser.add_argument("--reader", type=Path, help="another reader's file (default: the shipped one)")
    parser.add_argument("--strings", type=int, default=2000, help="digit strings to read (default: %(default)s)")
    given = parser.parse_args()
    reader, rapid = Reader(given.reader), rapidocr()
    console.print(f"reader {reader.version}")
    if rapid is None:
        console.print("RapidOCR left out: pip install -r model/requirements.txt")
    if (given.data / "mnist_train.npz").is_file():
        score_digits(given.data / "mnist_train.npz", given.strings, reader, rapid)
    else:
        console.print(f"digit strings skipped: no mnist_train.npz in {given.data}")
    if (given.data / "tables_handdrawn").is_dir():
        score_tables(given.data / "tables_handdrawn", reader, rapid)
    else:
        console.print(f"tables skipped: no tables_handdrawn in {given.data}")


def rapidocr() -> Any:
    """RapidOCR as it comes, or None where it is not installed."""
    if importlib.util.find_spec("rapidocr") is None:
        return None
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical"})


def score_digits(mnist: Path, count: int, reader: Reader, rapid: Any) -> None:
    """Exact digit strings and milliseconds a crop."""
    strings = held_out_strings(mnist, count)
    readers: dict[str, ReadCrops] = {"FormLens": lambda crops: [r.text for r in reader.read(crops, DIGITS)]}
    if rapid is not None:
        readers["RapidOCR recognizer"] = lambda crops: rapid.recognize_txt(list(crops)).txts
    if shutil.which("tesseract"):
        readers["Tesseract"] = tesseract
    else:
        console.print("Tesseract left out: no tesseract on the PATH (Debian: tesseract-ocr)")
    exact: dict[str, list[bool]] = {name: [] for name in readers}
    digits: dict[str, list[bool]] = {name: [] for name in readers}
    pace: dict[str, list[float]] = {name: [] for name in readers}
    for start in range(0, count, ROUND):
        crops, truths = zip(*strings[start : start + ROUND], strict=True)
        for name, read in readers.items():
            if name == "Tesseract" and start >= TESSERACT_CROPS:
                continue
            began = time.perf_counter()
            texts = read(crops)
            pace[name].append(1000 * (time.perf_counter() - began) / len(crops))
            exact[name] += [text == truth for text, truth in zip(texts, truths, strict=True)]
            kept = ["".join(c for c in text if c in "0123456789") for text in texts]
            digits[name] += [text == truth for text, truth in zip(kept, truths, strict=True)]
    table = Table("reader", "strings", "exact", "exact, other characters dropped", "ms a crop", "times FormLens")
    for name in readers:
        ratio = median(other / own for other, own in zip(pace[name], pace["FormLens"], strict=False))
        shares = [f"{100 * np.mean(right[name]):.1f} %" for right in (exact, digits)]
        table.add_row(name, str(len(exact[name])), *shares, f"{median(pace[name]):.1f}", f"{ratio:.1f}")
    console.print(f"\nStrings of 1 to 6 digits, composed of the last {HELD_OUT:,} of MNIST train:")
    console.print(table)


def held_out_strings(mnist: Path, count: int, seed: int = 0) -> list[tuple[Image, str]]:
    """Digit strings as crops of a handwriting field, composed of the held out digits, and what they say."""
    with np.load(mnist) as data:
        glyphs, labels = data["x"][-HELD_OUT:], data["y"][-HELD_OUT:]
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(0, HELD_OUT, rng.integers(1, 7)) for _ in range(count)]
    return [(compose(glyphs[ids], rng), "".join(str(labels[i]) for i in ids)) for ids in chosen]


def compose(glyphs: Glyphs, rng: Generator) -> Image:
    """White-on-black characters (height, width) written side by side, dark on a light paper, a little unevenly."""
    size = rng.uniform(22, 34)
    pieces = [_scaled(glyph, size / 20 * rng.uniform(0.9, 1.1)) for glyph in glyphs]
    gaps = [max(1, round(size * rng.normal(0.22, 0.08))) for _ in pieces]
    beside, above = (round(size * rng.uniform(0.2, 0.6)) for _ in range(2))
    width = sum(piece.shape[1] for piece in pieces) + sum(gaps[:-1]) + 2 * beside
    ink = np.zeros((round(1.35 * size) + 2 * above, width), np.float32)
    x = beside
    for piece, gap in zip(pieces, gaps, strict=True):
        height, wide = piece.shape
        y = int(np.clip(round((len(ink) - height) / 2 + size * rng.normal(0, 0.06)), 0, len(ink) - height))
        ink[y : y + height, x : x + wide] = np.maximum(ink[y : y + height, x : x + wide], piece)
        x += wide + gap
    paper = rng.uniform(215, 250) + rng.uniform(-8, 8, 3)
    pen = rng.uniform(20, 110) + rng.uniform(-15, 15, 3)
    image = paper + (pen - paper) * ink[..., None] + rng.normal(0, 3, (*ink.shape, 1))
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def _scaled(glyph: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    ys, xs = np.nonzero(glyph > 50)
    tight = glyph[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].astype(np.float32) / 255
    size = max(3, round(tight.shape[1] * scale)), max(4, round(tight.shape[0] * scale))
    return np.asarray(np.clip(cv2.resize(tight, size, interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


def tesseract(crops: Sequence[Image]) -> list[str]:
    """Tesseract's own reading of single lines of digits."""
    command = ["tesseract", "-", "-", "--psm", "7", "-c", "tessedit_char_whitelist=0123456789"]
    images = [cv2.imencode(".png", crop)[1].tobytes() for crop in crops]
    runs = [subprocess.run(command, input=image, capture_output=True, check=True) for image in images]  # noqa: S603
    return [run.stdout.decode().strip() for run in runs]


def score_tables(folder: Path, reader: Reader, rapid: Any) -> None:
    """Cells found and cells exact on photos of ruled tables, and every error."""
    table = Table("picture", "reader", "cells", "found", "exact", "errors: true > read")
    for truth in sorted(folder.glob("*.boxes.json")):
        picture = truth.with_name(truth.name.removesuffix(".boxes.json") + ".png")
        boxes = [_bounds(corners) for row in json.loads(truth.read_text()) for corners in row]
        with picture.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            texts = [text.strip() for row in csv.reader(file) for text in row]
        pages = list(read_forms(picture.read_bytes(), picture.name, reader))
        ours = [max(pages[0].cells, key=lambda cell: overlap(cell.box, box), default=None) for box in boxes]
        found = sum(cell is not None and overlap(cell.box, box) >= FOUND for cell, box in zip(ours, boxes, strict=True))
        share = f"{found} of {len(boxes)}"
        table.add_row(picture.name, "FormLens", str(len(boxes)), share, *_errors(texts, _texts(ours, boxes)))
        if rapid is not None:
            table.add_row("", "RapidOCR", str(len(boxes)), "", *_errors(texts, rapidocr_texts(rapid, picture, boxes)))
    console.print("\nPen-drawn tables, whole pictures in, matched to the true cells:")
    console.print(table)


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


def _errors(texts: Sequence[str], read: Sequence[str]) -> tuple[str, str]:
    wrong = [f"{truth or '∅'} > {text or '∅'}" for truth, text in zip(texts, read, strict=True) if truth != text]
    return f"{100 * (1 - len(wrong) / len(texts)):.1f} %", f"{len(wrong)}: " + ", ".join(wrong)


def _bounds(corners: Sequence[Sequence[float]]) -> Box:
    x0, y0 = np.floor(np.min(corners, axis=0)).astype(int)
    x1, y1 = np.ceil(np.max(corners, axis=0)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


if __name__ == "__main__":
    main()
