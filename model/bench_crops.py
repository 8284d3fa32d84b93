"""Digits in, milliseconds a crop out: FormLens beside RapidOCR's recognizer on the same crops, in the same process.

Every crop is one that the network sees 160 columns wide. Systems take turns, so that all see the same load of the
machine; time on the clock says how long a clerk waits, processor time what the machine did.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from formlens.decode import DIGITS
from formlens.reader import Reader
from formlens.tensor import to_tensor
from formlens.types import Image
from model.peers import rapidocr, rapidocr_lines
from model.score_digits import compose

WIDTH = 160
"""Columns of the network's input."""
TOGETHER = 8
CORES = 2
GOAL = 4.0
"""Milliseconds a crop, several at a time."""

Read = Callable[[Sequence[Image]], object]


def crops_of(glyphs: dict[str, list[NDArray[np.uint8]]], count: int, width: int = WIDTH, seed: int = 0) -> list[Image]:
    """Strings of digits of the width wanted, composed as `make score` composes them."""
    rng = np.random.default_rng(seed)
    found: list[Image] = []
    while len(found) < count:
        digits = [str(digit) for digit in rng.integers(0, 10, int(rng.integers(2, 7)))]
        crop = compose([glyphs[digit][int(rng.integers(len(glyphs[digit])))] for digit in digits], rng)
        if to_tensor(crop).shape[2] == width:
            found.append(crop)
    return found


def compare_crops(glyphs: dict[str, list[NDArray[np.uint8]]], rounds: int, console: Console) -> None:
    """Print milliseconds a crop, `TOGETHER` at a time and one at a time, and the ratios."""
    crops = crops_of(glyphs, TOGETHER)
    reader = Reader(threads=CORES)
    systems: dict[str, Read] = {"FormLens": lambda some: reader.read(some, DIGITS)}
    if (rapid := rapidocr()) is not None:
        systems["RapidOCR's recognizer"] = lambda some: rapidocr_lines(rapid, some)
    else:
        console.print("RapidOCR left out: pip install -r model/requirements.txt")
    spent = {name: {size: [_time(read, crops, size)] for size in (TOGETHER, 1)} for name, read in systems.items()}
    for _ in range(rounds):
        for name, read in systems.items():
            for size in (TOGETHER, 1):
                spent[name][size].append(_time(read, crops, size))
    table = Table("system", f"ms a crop, {TOGETHER} at a time", "one at a time", "processor ms a crop", "one at a time")
    for name, sizes in spent.items():
        waits = [f"{median(wall for wall, _ in sizes[size][1:]):.1f}" for size in (TOGETHER, 1)]
        works = [f"{median(work for _, work in sizes[size][1:]):.1f}" for size in (TOGETHER, 1)]
        table.add_row(name, *waits, *works)
    if len(spent) > 1:
        ours, theirs = spent.values()
        ratios = [
            median(b[of] / a[of] for a, b in zip(ours[size][1:], theirs[size][1:], strict=True))
            for of in (0, 1) for size in (TOGETHER, 1)
        ]  # fmt: skip
        table.add_row("RapidOCR / FormLens", *(f"{ratio:.1f}" for ratio in ratios))
    console.print(
        f"crops of {WIDTH} columns, {CORES} cores, medians of {rounds} rounds (goal {GOAL:.0f} ms at {TOGETHER}):"
    )
    console.print(table)


def _time(read: Read, crops: Sequence[Image], size: int) -> tuple[float, float]:
    """Milliseconds a crop, on the clock and of all threads together, in calls of `size` crops."""
    wall, work = time.perf_counter(), time.process_time()
    for start in range(0, len(crops), size):
        read(crops[start : start + size])
    done = time.perf_counter() - wall, time.process_time() - work
    return done[0] * 1000 / len(crops), done[1] * 1000 / len(crops)
