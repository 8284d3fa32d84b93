"""Marked boxes told from empty ones: real boxes by networks that never saw their sheets, beside a threshold on ink.

    for fold in 0 1 2 3; do python -m model.marks --data ../shared/data --out .cache/marks/$fold.onnx --fold $fold; done
    python -m model.score --only marks

The shipped network was trained on all sheets, so it is scored on drawn boxes alone, of a seed that it was not trained
on (synthetic). RapidOCR and Tesseract know no boxes; in their place stands the share of dark pixels within a box's
line, with the threshold that parts the boxes of the other sheets best.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.marks import SHIPPED, Marks, fitted, to_tensor
from model.boxes import draw_box
from model.evaluate import wilson
from model.marks import FOLDS, Box, real_boxes
from model.section import OURS, Absent, Miss, Row, Setup, folder

FILES = Path(__file__).parents[1] / ".cache" / "marks"
"""`0.onnx` to `3.onnx`, each trained without the sheets of its fold."""
GOAL = "≥ 99.5 %"
PEER = "ink share"
DRAWN, SEED = 2000, 97


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Shares told right, of drawn boxes and of real ones; pictures of those that were not."""
    yield from _drawn()
    folder(setup, "odk_marks")
    real = real_boxes(setup.data)
    absent = [fold for fold in range(FOLDS) if not (FILES / f"{fold}.onnx").is_file()]
    if absent:
        raise Absent(f"real boxes need {FILES}/{absent[0]}.onnx: python -m model.marks --fold {absent[0]} --out …")
    chances = np.zeros(len(real))
    guesses = np.zeros(len(real), bool)
    for fold in range(FOLDS):
        marks = Marks(FILES / f"{fold}.onnx")
        unseen = [number for number, box in enumerate(real) if box.sheet in _held_out(marks)]
        chances[unseen] = marks.read([to_tensor(fitted(real[number].picture)) for number in unseen])
        threshold = best_threshold([box for box in real if box.sheet not in _held_out(marks)])
        guesses[unseen] = [ink_share(real[number].picture) > threshold for number in unseen]
    truth = np.array([box.marked for box in real])
    kinds = {"bubbles": "bubbles/", "checkboxes": "checkboxes/", "bubbles and checkboxes": ""}
    for name, start in kinds.items():
        of = np.array([box.sheet.startswith(start) for box in real])
        right = {OURS: (chances > 0.5)[of] == truth[of], PEER: guesses[of] == truth[of]}
        yield Row(f"ODK {name}, unseen sheets", "right", int(of.sum()), {k: _share(v) for k, v in right.items()}, GOAL)
    sure = np.abs(chances - 0.5) + 0.5
    gap = float(np.mean((chances - truth) ** 2))
    yield Row("ODK bubbles and checkboxes, unseen sheets", "Brier score", len(real), {OURS: f"{gap:.4f}"})
    for number in np.flatnonzero((chances > 0.5) != truth):
        yield _miss("ODK", real[number].picture, bool(truth[number]), float(sure[number]))


def _drawn() -> Iterator[Row | Miss]:
    """Boxes as `model.boxes` draws them, with and without a blank beside them."""
    rng = np.random.default_rng(SEED)
    boxes = [draw_box(rng) for _ in range(DRAWN)]
    truth = np.array([box.marked for box in boxes])
    marks = Marks(SHIPPED)
    for name, blanks in (("drawn boxes, no blank (synthetic)", False), ("drawn boxes, blank known (synthetic)", True)):
        chances = np.array(marks.read([to_tensor(box.picture, box.blank if blanks else None) for box in boxes]))
        shares = np.array([ink_share(box.picture) for box in boxes])
        cut = _cut(shares[: DRAWN // 2], truth[: DRAWN // 2])
        right = {OURS: (chances > 0.5) == truth, PEER: ((shares > cut) == truth)[DRAWN // 2 :]}
        yield Row(name, "right", DRAWN, {system: _share(those) for system, those in right.items()})
        for number in np.flatnonzero((chances > 0.5) != truth):
            sure = abs(chances[number] - 0.5) + 0.5
            yield _miss(name, boxes[number].picture, bool(truth[number]), float(sure))


def ink_share(picture: Gray) -> float:
    """Share of pixels in the middle of a box, its line left out, that are a fifth darker than the paper."""
    seen = fitted(picture)
    dark = seen < 0.8 * np.percentile(seen, 80)
    edge = seen.shape[0] // 2 - round(0.18 * seen.shape[0])
    return float(dark[edge:-edge, edge:-edge].mean())


def best_threshold(boxes: Sequence[Box]) -> float:
    """The share of ink that parts most of these boxes rightly."""
    return _cut(np.array([ink_share(box.picture) for box in boxes]), np.array([box.marked for box in boxes]))


def _cut(shares: NDArray[np.float64], marked: NDArray[np.bool_]) -> float:
    cuts = np.unique(shares)
    return float(max(cuts, key=lambda cut: int(((shares > cut) == marked).sum())))


def _held_out(marks: Marks) -> list[str]:
    held: list[str] = json.loads(marks.card)["held out"]
    return held


def _share(right: NDArray[np.bool_]) -> str:
    low, high = wilson(int(right.sum()), len(right))
    return f"{100 * right.mean():.2f} % [{100 * low:.1f}–{100 * high:.1f}], {int((~right).sum())} of {len(right)} wrong"


def _miss(name: str, picture: Gray, marked: bool, sure: float) -> Miss:
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    words = ("empty", "marked")
    return Miss(
        name, np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8), words[marked], words[not marked], sure
    )
