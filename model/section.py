"""What a section of the score is given, and what it gives back: rows of the one table, and pictures of errors.

A section is a module `model.score_NAME` with a function `score(setup)` that yields `Row` and `Miss`, and
raises `Absent` where the data for it is not there. It takes its place in `model.score.SECTIONS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from formlens.reader import SHIPPED, Reader
from formlens.types import Image

OURS = "FormLens"
"""Name of the column of the reader that is scored."""


class Absent(Exception):
    """The data or the package that a section needs is not there; the message says which, and how to get it."""


@dataclass(frozen=True)
class Setup:
    """What all sections share."""

    data: Path
    """Folder of labelled collections."""
    reader: Reader
    base: Reader | None
    """The reader before any training, for comparison."""
    rapid: Any
    """RapidOCR, or None where it is not installed."""
    tesseract: bool
    """Whether Tesseract may be called."""
    size: int
    """Crops that each set holds at most."""
    only: tuple[str, ...] = ()
    """The names given with `--only`, `section/set` among them."""
    path: Path = SHIPPED
    """The file of `reader`."""
    steps: int | None = None
    """Steps of a training that a section runs, where they are not the section's own."""


@dataclass(frozen=True)
class Row:
    """One line of the table: one measure of one set, a cell for each system that was measured."""

    set: str
    measure: str
    size: int
    """Number of crops, cells, pages or the like behind the measure."""
    values: Mapping[str, str]
    """System → what it reached."""
    goal: str = ""


@dataclass(frozen=True)
class Miss:
    """One error of the scored reader, for the page of pictures."""

    set: str
    image: Image
    true: str
    read: str
    confidence: float | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    """What other systems read there."""


Section = Callable[[Setup], Iterator[Row | Miss]]


def folder(setup: Setup, name: str) -> Path:
    """A collection or a file of the data folder; Absent where it is not there."""
    path = setup.data / name
    if not path.exists():
        raise Absent(f"no {name} in {setup.data}")
    return path
