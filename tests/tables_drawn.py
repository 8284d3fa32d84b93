"""Draws printed tables, fills them with rows, and scans them; for the tests."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from forms import Copy, scan

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 1240, 1100
TOP, PITCH = 260, 44
DITTO = '"'
"""Written as two ticks."""
_INK, _PRINT = (110, 50, 30), (30, 30, 30)


@dataclass(frozen=True)
class Layout:
    """A table of parts side by side: x of the upright rulings of each, and the rows that each has room for."""

    parts: tuple[tuple[int, ...], ...] = ((60, 330, 590), (640, 910, 1170))
    room: int = 16
    ruled: bool = False
    upright: bool = True
    """Whether its columns are parted by lines, or by white space alone."""
    title: str = "REGISTER OF DELIVERIES"
    heads: tuple[str, ...] = ("PARCEL", "POSTED")


def draw(layout: Layout) -> Image:
    """The empty form."""
    page = np.full((HEIGHT, WIDTH, 3), 248, np.uint8)
    cv2.putText(page, layout.title, (330, 90), cv2.FONT_HERSHEY_DUPLEX, 1.4, _PRINT, 2, cv2.LINE_AA)
    bottom = TOP + layout.room * PITCH
    for edges in layout.parts:
        for x in edges if layout.upright else ():
            cv2.line(page, (x, TOP - 80), (x, bottom), _PRINT, 2)
        for y in (TOP - 80, TOP - 14, bottom) if layout.upright else ():
            cv2.line(page, (edges[0], y), (edges[-1], y), _PRINT, 2)
        for left, head in zip(edges, layout.heads, strict=False):
            cv2.putText(page, head, (left + 50, TOP - 36), cv2.FONT_HERSHEY_DUPLEX, 0.8, _PRINT, 1, cv2.LINE_AA)
        if layout.ruled:
            for row in range(1, layout.room):
                y = TOP + row * PITCH - 7
                cv2.line(page, (edges[0], y), (edges[-1], y), _PRINT, 1)
    return page


def rows_for(count: int, seed: int) -> list[list[str]]:
    """Rows of two values, a code and a date."""
    rng = default_rng(seed)
    return [
        [f"{''.join(rng.choice(list('ABCDEFHKLMNPRTX'), 2))}-{rng.integers(1000, 9999)}",
         f"{rng.integers(1, 29):02}/{rng.integers(1, 13):02}/{rng.integers(1990, 2020)}"]
        for _ in range(count)
    ]  # fmt: skip


def fill(page: Image, layout: Layout, rows: list[list[str]], seed: int = 0) -> Image:
    """Rows written into the parts from top to bottom, one part after the other."""
    rng = default_rng(seed)
    page = page.copy()
    for number, row in enumerate(rows):
        edges = layout.parts[number // layout.room]
        y = TOP + (number % layout.room + 1) * PITCH - 16 + int(rng.integers(-3, 4))
        for left, text in zip(edges, row, strict=False):
            x = left + int(rng.integers(14, 34))
            if text == DITTO:
                for tick in (x + 60, x + 74):
                    cv2.line(page, (tick + 3, y - 22), (tick, y - 8), _INK, 3, cv2.LINE_AA)
            else:
                cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.95, _INK, 2, cv2.LINE_AA)
    return page


def filled(layout: Layout, count: int, seed: int) -> tuple[Copy, list[list[str]]]:
    """A scan of a form with so many rows, and what they say."""
    rows = rows_for(count, seed)
    return scan(fill(draw(layout), layout, rows, seed), seed), rows


def write_labelled(folder: Path, layout: Layout, counts: list[int]) -> Path:
    """A folder to learn from: a scan and its CSV for each count of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, count in enumerate(counts):
        copy, rows = filled(layout, count, 10 + number)
        cv2.imwrite(str(folder / f"page{number}.png"), copy.image)
        with (folder / f"page{number}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["parcel", "posted"], *rows])
    return folder
