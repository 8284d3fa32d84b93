"""Real lines and a reader in, where their words part out: lines become words and phrases of the same hands.

A line's text is known; the reader says how its characters lie along the picture (the likeliest path through the CTC
lattice that spells the text, Viterbi), and a line is cut in the middle of each of its spaces.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.decode import BLANK
from formlens.reader import Reader
from formlens.tensor import HEIGHT, STEP, written_part
from formlens.types import Image
from model.lines import Line, photograph

_LEAST = -1.3
"""Log probability per character of the path, below which the cuts are not trusted: the picture may say other words."""


def parted(lines: Sequence[Line], reader: Reader) -> list[Line]:
    """The same lines with their cuts, of those of several words in which the reader finds the text."""
    return [replace(line, cuts=spaces(photograph(line), line.text, reader)) for line in lines]


def spaces(image: Image, text: str, reader: Reader) -> tuple[int, ...] | None:
    """The columns, in pixels, at which each space of a line is crossed; None where the reader does not find the text.

    ``image`` is a line (height, width, 3) and ``text`` what it says, all of it in the reader's alphabet.
    """
    seen = reader.glance(image)
    path, score = align(seen, [reader.alphabet.index(character) + 1 for character in text])
    if score < _LEAST * len(text):
        return None
    x0, y0, x1, y1 = written_part(image)
    pixels = STEP * max((y1 - y0) / HEIGHT, (x1 - x0) / (STEP * len(seen)))
    columns = cv2.cvtColor(image[y0:y1], cv2.COLOR_BGR2GRAY).mean(axis=0)[np.newaxis]
    light = cv2.GaussianBlur(columns, (0, 0), pixels / 2)[0]
    found = []
    for i, character in enumerate(text):
        if character == " ":
            steps = np.flatnonzero(abs(path - (2 * i + 1)) <= 1)  # the space and the blanks beside it
            low, high = x0 + int(steps[0] * pixels), x0 + int((steps[-1] + 1) * pixels)
            between = light[max(low, 0) : high]
            found.append(max(low, 0) + int(between.argmax()) if len(between) else -1)
    inside = all(0 < x < image.shape[1] for x in found)
    return tuple(found) if inside and found == sorted(set(found)) else None


def align(probabilities: NDArray[np.float32], spelling: Sequence[int]) -> tuple[NDArray[np.intp], float]:
    """The likeliest path that spells a text, and its log probability.

    ``probabilities`` has shape (steps, classes), the blank first. For each step the state: 2 i + 1 is character i of
    the text, even ones are the blanks between. The probability is 0 (-inf) where the text is too long for the steps.
    """
    states = np.full(2 * len(spelling) + 1, BLANK)
    states[1::2] = spelling
    scores = np.log(np.maximum(probabilities[:, states], 1e-12)).astype(np.float64)
    skips = np.full(len(states), -np.inf)
    skips[3::2] = np.where(states[3::2] != states[1:-2:2], 0.0, -np.inf)
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, :2]
    came = np.zeros(scores.shape, np.intp)
    for t in range(1, len(scores)):
        one, two = np.full(len(states), -np.inf), np.full(len(states), -np.inf)
        one[1:], two[2:] = best[:-1], best[:-2]
        ways = np.stack([best, one, two + skips])
        came[t] = ways.argmax(axis=0)
        best = ways.max(axis=0) + scores[t]
    last = len(states) - 1 if len(states) == 1 or best[-1] >= best[-2] else len(states) - 2
    path = np.zeros(len(scores), np.intp)
    score = float(best[last])
    for t in range(len(scores) - 1, -1, -1):
        path[t] = last
        last -= int(came[t, last])
    return path, score
