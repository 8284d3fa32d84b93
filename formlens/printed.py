"""A picture of print goes in, its lines of text and where they stand come out; by RapidOCR, at learning time only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from formlens.types import Box, CallError, Image


@dataclass(frozen=True)
class Line:
    """Some words of print in one line."""

    text: str
    box: Box
    """In pixels of the picture."""


ReadPrint = Callable[[Image], list[Line]]
"""What reads print: a picture goes in, its lines come out, from top to bottom."""


def print_reader() -> ReadPrint:
    """The detector and recognizer that the package `rapidocr` carries. Raises CallError where it is not installed."""
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise CallError(
            "a blank without labelled scans: its labels are read with rapidocr, which is not installed; "
            "pip install rapidocr, or put scans with their CSVs beside the blank"
        ) from error
    rapid: Any = RapidOCR(params={"Global.log_level": "critical"})

    def read(image: Image) -> list[Line]:
        seen = rapid(image, use_cls=False)
        if seen.boxes is None:
            return []
        lines = [Line(text, _bounds(corners)) for text, corners in zip(seen.txts, seen.boxes, strict=True)]
        return sorted(lines, key=lambda line: (line.box[1], line.box[0]))

    return read


def _bounds(corners: Any) -> Box:
    points = np.asarray(corners, np.float64).reshape(-1, 2)
    x0, y0 = np.floor(points.min(axis=0))
    x1, y1 = np.ceil(points.max(axis=0))
    return max(0, int(x0)), max(0, int(y0)), int(x1), int(y1)
