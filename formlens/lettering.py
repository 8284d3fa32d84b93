"""Lines of print of a blank form go in; what they say without their dots, and how they lie beside boxes, come out."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.surroundings import LINE
from formlens.types import Box

NUMBER = re.compile(r"\(?([0-9]{1,3}[a-zA-Z]{0,2}|[a-zA-Z]|[ivxIVX]{1,4})[.)]?")
"""What numbers an item: `7`, `12b`, `iv`, `(a)`."""


def plain(text: str) -> str:
    """A label without the dots and signs that lead to its place."""
    text = re.sub(r"[.…·•_\s]*[.…·•_]{2,}[.…·•_\s]*", " ", text)
    text = re.sub(r"(\s\.)+\s*$", "", re.sub(r"\s+", " ", text))
    return text.strip(" .:;,*•·_—-|[]").strip()


def apart(lines: Sequence[Line], ruled: Ruled) -> list[Line]:
    """Lines of print, none of which runs across an upright ruling."""
    return [part for line in lines if plain(line.text) for part in _cut_at(line, ruled)]


def _cut_at(line: Line, ruled: Ruled) -> list[Line]:
    """A line of print that the detector read across an upright ruling as what it is: one line on each side."""
    x0, y0, x1, y1 = line.box
    bars = sorted(
        (a + c) // 2 for a, b, c, d in ruled.upright
        if x0 + LINE < a and c < x1 - LINE and min(d, y1) - max(b, y0) > 0.7 * (y1 - y0)
    )  # fmt: skip
    if not bars or " " not in line.text:
        return [line]
    parts: list[Line] = []
    edges = [x0, *bars, x1]
    words = line.text.split(" ")
    # about where the middle of each word is, by counting signs
    before = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    middles = x0 + (x1 - x0) * (before + np.array([len(word) / 2 for word in words])) / len(line.text)
    for left, right in pairwise(edges):
        inside = [word for word, middle in zip(words, middles, strict=True) if left <= middle < right]
        if inside:
            parts.append(Line(" ".join(inside), (left, y0, right, y1)))
    return parts


def level(a: Box, b: Box) -> bool:
    """Whether two boxes stand on one line."""
    return min(a[3], b[3]) - max(a[1], b[1]) > 0.45 * min(a[3] - a[1], b[3] - b[1])


def on_line(words: Box, box: Box) -> bool:
    """Whether words stand on the line to write on that a place ends with."""
    middle = (words[1] + words[3]) / 2
    return box[3] - 1.25 * LINE < middle < box[3] + 4 if box[3] - box[1] > LINE else level(words, box)
