"""What nobody trained on: sets of crops for scoring, and the score of a reader on them.

All of it comes from the held-out part of each source: unseen digits, pages, people and fonts. The sets depend on no
random state but their own seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.decode import TEXT, Charset, decode
from formlens.types import Image
from model import lines
from model.data import LINES, Sample, Sources, sample
from model.strokes import Signs

SEED = 7


@dataclass(frozen=True)
class Score:
    """Shares of 0 to 1 over one set: texts read exactly, and characters wrong per character written."""

    exact: float
    character_errors: float


def held_out_sets(src: Sources, size: int) -> dict[str, list[Sample]]:
    """At most `size` crops a set; `src` is built with `held_out=True`.

    "digits" are plain strings of 1 to 6 digits, undamaged; "numbers", "fonts", "letters", "printed" are fields as the
    stream draws them, from unseen digits, families and people; real lines are as they are.
    """
    rng = np.random.default_rng(SEED)
    sets = {"digits": [_plain(rng, src.digits) for _ in range(size)]}
    for name, kind in {
        "numbers": "digits",
        "fonts": "fonts",
        "mixed": "mixed",
        "letters": "letters",
        "printed": "printed",
    }.items():
        sets[name] = [sample(src, SEED, index, kind) for index in range(size)]
    for name, group in zip(LINES, src.lines, strict=False):
        chosen = rng.permutation(len(group))[:size]
        sets[name] = [Sample(lines.photograph(group[i]), group[i].text, name) for i in sorted(chosen)]
    return sets


def score(
    see: Callable[[Sequence[Image]], Sequence[NDArray[np.float32]]],
    alphabet: str,
    samples: Sequence[Sample],
    charset: Charset = TEXT,
) -> Score:
    """How well a reader, given as crops → probabilities, reads a set."""
    seen = see([one.image for one in samples])
    texts = [decode(probabilities, alphabet, charset).text for probabilities in seen]
    wrong = [edits(text, one.text) for text, one in zip(texts, samples, strict=True)]
    written = sum(len(one.text) for one in samples)
    return Score(sum(n == 0 for n in wrong) / len(wrong), sum(wrong) / written)


def edits(read: str, true: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(true) + 1))
    for i, a in enumerate(read, start=1):
        above, row[0] = row[0], i
        for j, b in enumerate(true, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def _plain(rng: np.random.Generator, digits: Signs) -> Sample:
    """1 to 6 digits side by side as the collection has them, black on white."""
    text = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, 7)))))
    size, gap = int(rng.integers(24, 44)), int(rng.integers(0, 7))
    cells = []
    for digit in text:
        ink = digits[digit][int(rng.integers(len(digits[digit])))]
        scale = size / 20 * rng.uniform(0.92, 1.08)
        big = cv2.resize(ink, (max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))))
        top = (size + 16 - big.shape[0]) // 2
        cells.append(np.pad(big, ((top, size + 16 - top - big.shape[0]), (gap, gap))))
    ink = np.pad(np.concatenate(cells, 1), ((0, 0), (8, 8)))
    return Sample(np.asarray(cv2.cvtColor(255 - ink, cv2.COLOR_GRAY2BGR), np.uint8), text, "digits")
