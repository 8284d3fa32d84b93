"""Draws a printed form, fills copies of it, scans and photographs them; for the tests."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

SIZE = 1000, 1400

_WORDS = ("patient", "ward", "visit", "weight", "given", "total", "clinic", "under", "month", "notes", "local")

FIELDS = {
    "visit": (560, 200, 900, 252),
    "weight": (560, 300, 900, 352),
    "dose": (560, 400, 900, 452),
    "age": (560, 500, 900, 552),
}
BOX = 560, 620, 586, 646
"""A box to tick."""

VALUES = (
    {"visit": "2024-03-17", "weight": "71.5", "dose": "250", "age": "34"},
    {"visit": "2023-11-02", "weight": "64.0", "dose": "175", "age": "58"},
    {"visit": "2024-07-29", "weight": "80.3", "dose": "300", "age": "61"},
    {"visit": "2022-10-15", "weight": "58.7", "dose": "425", "age": "27"},
)


@dataclass(frozen=True)
class Copy:
    """A filled form as a scanner or camera gives it; `view` (3 x 3) takes points of the form to it."""

    image: Image
    view: Floats


def draw_form(seed: int = 0) -> Image:
    """A blank: lines of print and, for seed 0, a ruled field for each of `FIELDS`; another seed is another form."""
    rng = default_rng(seed)
    width, height = SIZE
    page = np.full((height, width, 3), 250, np.uint8)
    cv2.putText(page, f"FORM {seed * 37 + 12}", (60, 110), cv2.FONT_HERSHEY_DUPLEX, 1.6, (0, 0, 0), 3, cv2.LINE_AA)
    for y in range(170, height - 60, 50 if seed == 0 else 43):
        words = " ".join(str(word) for word in rng.choice(_WORDS, 5))
        cv2.putText(page, words, (60, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
        if y > 700:
            cv2.putText(page, words[::-1], (560, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    if seed == 0:
        for name, (x0, y0, x1, _) in FIELDS.items():
            label = f"please state here {name}"
            cv2.putText(page, label, (x0, y0 - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
            cv2.putText(page, name, (x1 + 10, y0 + 40), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
        for x0, y0, x1, y1 in FIELDS.values():
            cv2.rectangle(page, (x0 - 2, y0 - 2), (x1 + 2, y1 + 2), (0, 0, 0), 2)
        cv2.rectangle(page, BOX[:2], BOX[2:], (0, 0, 0), 2)
    return page


def fill(blank: Image, values: dict[str, str], *, ticked: bool = False, indent: int = 20) -> Image:
    page = blank.copy()
    for name, text in values.items():
        x0, _, _, y1 = FIELDS[name]
        cv2.putText(page, text, (x0 + indent, y1 - 12), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (120, 40, 20), 3, cv2.LINE_AA)
    if ticked:
        x0, y0, x1, y1 = BOX
        cv2.line(page, (x0 + 3, y0 + 2), (x1 - 2, y1 - 3), (120, 40, 20), 3, cv2.LINE_AA)
        cv2.line(page, (x0 + 2, y1 - 4), (x1 - 3, y0 + 3), (120, 40, 20), 3, cv2.LINE_AA)
    return page


def scan(page: Image, seed: int = 0, *, quarter_turns: int = 0) -> Copy:
    """On a flatbed: a little askew and larger, with noise."""
    rng = default_rng(seed)
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-2, 2)), float(rng.uniform(0.93, 1.05)))
    turn[:, 2] = turn[:, 2] + rng.uniform(-15, 15, 2)
    return _taken(page, np.vstack([turn, [0, 0, 1]]), (width, height), 250, rng, quarter_turns)


def photograph(page: Image, seed: int = 0, *, quarter_turns: int = 0) -> Copy:
    """On a dark desk, from a hand that is not quite above it."""
    rng = default_rng(seed)
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners * 0.8 + 0.1 * np.array([width, height], np.float64) + rng.uniform(-0.04, 0.04, (4, 2)) * width
    view = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return _taken(page, np.asarray(view, np.float64), (width, height), 70, rng, quarter_turns)


def write_labelled(folder: Path, count: int, *, blank: bool = True) -> Path:
    """A folder to learn from: `count` scans with their CSVs, and the blank."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, values in enumerate(VALUES[:count]):
        ticked = number % 2 == 0
        copy = scan(fill(draw_form(), values, ticked=ticked, indent=15 + 13 * number), number)
        cv2.imwrite(str(folder / f"page{number + 1}.png"), copy.image)
        header, row = [*values, "smoker"], [*values.values(), "yes" if ticked else "no"]
        (folder / f"page{number + 1}.csv").write_text(",".join(header) + "\n" + ",".join(row) + "\n")
    if blank:
        cv2.imwrite(str(folder / "blank.png"), draw_form())
    return folder


def _taken(
    page: Image, view: Floats, size: tuple[int, int], ground: int, rng: np.random.Generator, quarter_turns: int
) -> Copy:
    seen = cv2.warpPerspective(page, view, size, flags=cv2.INTER_AREA, borderValue=(ground,) * 3)
    noisy = np.clip(seen + rng.normal(0, 3, seen.shape), 0, 255).astype(np.uint8)
    width, height = size
    quarter = np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], np.float64)
    for _ in range(quarter_turns):
        noisy = np.ascontiguousarray(np.rot90(noisy))
        view = quarter @ view
        width, height = height, width
        quarter[1, 2] = width - 1
    return Copy(noisy, view)
