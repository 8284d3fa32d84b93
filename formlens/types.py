"""The values that travel through FormLens: a page goes in, readings and cells come out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Pixels, shape (height, width, 3), BGR, 0 to 255."""

Points = NDArray[np.float32]
"""Points on an image, shape (..., 2), x then y, in pixels."""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the page as given."""


def box_around(points: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """The smallest upright box around points, shape (n, 2), in whole pixels of an image of that shape."""
    size = shape[1], shape[0]
    low = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


class FormLensError(Exception):
    """Base of every error that FormLens raises on purpose; its text is written for the person who reads it.

    UnreadableError: this page, or this file, cannot be read; the pages beside it can.
    CallError: the call itself was wrong (a missing file, an unknown charset).
    """


class UnreadableError(FormLensError):
    """A page that cannot be read, and why, in words a clerk understands."""


class CallError(FormLensError):
    """The call itself was wrong; the text names the file or option and the cure."""


@dataclass(frozen=True)
class Page:
    """One page as given, upright as far as its file says (EXIF), in colour."""

    image: Image
    source: str
    number: int
    """Counts from 1 within its source."""


@dataclass(frozen=True)
class Reading:
    """What stands in one crop, and the probability that it is exactly right."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Clues:
    """What a reading is judged by, beside its text."""

    family: Literal["written", "mark", "empty", "nowhere"]
    """How the cell was answered; `nowhere` where its column is not on the page."""
    likelihood: float
    """The confidence of whatever read the cell, not calibrated."""
    margin: float = 0.0
    """How much likelier (nats) the best text is than the best that differs from it in one character."""
    weakest: float = 1.0
    """The probability of the least sure character."""
    free: float = 1.0
    """How likely the best text of any characters is, against that read; 1 where they are the same."""
    length: int = 0
    """Characters read."""
    left: float = 0.0
    """Share of the ink in the cell's place that was not read."""
    fit: float = 1.0
    """How well the page lies on its form, 0 to 1."""
    other: str = ""
    """The next likely text, as it stands on paper."""


@dataclass(frozen=True)
class Cell:
    """One cell of a page: where it is, what it says, and whether a person should look."""

    row: int
    column: str
    text: str
    confidence: float
    flagged: bool
    box: Box
    why: str = ""
    """Of a flagged cell: why, in words a clerk understands."""
    clues: Clues | None = None


@dataclass(frozen=True)
class PageResult:
    """What became of one page: read into cells, or unreadable for a reason."""

    source: str
    page: int
    status: Literal["read", "unreadable"]
    form: str | None = None
    cells: tuple[Cell, ...] = ()
    reason: str | None = None
