"""A cell's place, crop and what the reader saw there go in; what its reading is judged by comes out."""

from math import log

import numpy as np
from numpy.typing import NDArray

from formlens.decode import BLANK, decode, likelihood
from formlens.pen import Sheet, strokes_in
from formlens.types import Box, Clues, Reading

_TINY = 1e-12


def written_clues(reading: Reading, seen: NDArray[np.float32], alphabet: str, left: float, fit: float) -> Clues:
    """Of a cell that was read from a crop in which the reader saw this, shape (steps, 1 + len(alphabet))."""
    free = decode(seen, alphabet)
    other, second, weakest = _runner_up(seen, alphabet)
    return Clues(
        "written",
        reading.confidence,
        margin=log((free.confidence + _TINY) / (second + _TINY)),
        weakest=weakest,
        free=1.0 if free.text == reading.text else free.confidence,
        length=len(reading.text),
        left=left,
        fit=fit,
        other=other if free.text == reading.text else free.text,
    )


def ink_left(sheet: Sheet, place: Box) -> float:
    """The share of the ink in a place that belongs to strokes which lie mostly elsewhere, and is not read."""
    x0, y0, x1, y1 = place
    inside = np.bincount(sheet.components[y0:y1, x0:x1].ravel(), minlength=len(sheet.boxes))
    total = int(inside[1:].sum())
    return 1 - float(inside[strokes_in(sheet, place)].sum()) / total if total else 0.0


def _runner_up(seen: NDArray[np.float32], alphabet: str) -> tuple[str, float, float]:
    """The likeliest text with one character of the best path changed or left out, its probability, and how likely the
    least sure character of the best path is."""
    path = seen.argmax(axis=1)
    starts = np.flatnonzero(np.diff(path, prepend=BLANK))
    ends = [*starts[1:].tolist(), len(path)][: len(starts)]
    pieces = [(int(path[a]), a, b) for a, b in zip(starts, ends, strict=True) if path[a] != BLANK]
    if not pieces:
        return "", 0.0, float(seen[:, BLANK].min())
    spelling = [piece[0] for piece in pieces]
    peaks = [a + int(seen[a:b, sign].argmax()) for sign, a, b in pieces]
    sure = [float(seen[peak, sign]) for peak, sign in zip(peaks, spelling, strict=True)]
    best = "", 0.0
    for at in np.argsort(sure)[:3]:
        order = np.argsort(seen[peaks[at]])[::-1][:2]
        changed = int(order[1] if order[0] == spelling[at] else order[0])
        texts = [[*spelling[:at], *([] if changed == BLANK else [changed]), *spelling[at + 1 :]]]
        for text in texts:
            chance = likelihood(seen, text)
            if chance > best[1]:
                best = "".join(alphabet[sign - 1] for sign in text), chance
    return *best, min(sure)
