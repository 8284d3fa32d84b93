"""What was read and what people typed go in; which rows belong together and which characters differ come out."""

import unicodedata
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Pair = tuple[int | None, int | None]
"""A row that was read and the row that was typed for it, by number; None where one of them lacks."""

_ALONE = 0.55
"""What a row without partner costs; two of them cost more than the worst pair, so a misread row keeps its partner."""

_SLOTS = 256


def same(read: str, typed: str) -> bool:
    """Whether a reading is exactly what was typed; spaces at the ends and the coding of accents do not count."""
    return plain(read) == plain(typed)


def plain(text: str) -> str:
    """A text with composed accents and without spaces at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def pair_rows(read: Sequence[Sequence[str]], typed: Sequence[Sequence[str]]) -> list[Pair]:
    """Which of the rows read belongs to which row typed, in order and with the least difference altogether.

    Global alignment (Needleman and Wunsch, 1970); two rows differ by the characters and pairs of characters that they
    do not share, from 0 for the same texts to 1.
    """
    apart = _apart([_profile(row) for row in read], [_profile(row) for row in typed])
    costs = np.zeros((len(read) + 1, len(typed) + 1))
    costs[:, 0], costs[0] = _ALONE * np.arange(len(read) + 1), _ALONE * np.arange(len(typed) + 1)
    for i in range(1, len(read) + 1):
        for j in range(1, len(typed) + 1):
            beside = min(costs[i - 1, j], costs[i, j - 1]) + _ALONE
            costs[i, j] = min(costs[i - 1, j - 1] + apart[i - 1, j - 1], beside)
    pairs: list[Pair] = []
    i, j = len(read), len(typed)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + apart[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and costs[i, j] == costs[i - 1, j] + _ALONE:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def pair_characters(read: str, typed: str) -> list[tuple[str, str]]:
    """The characters read and typed beside each other, with the fewest edits; "" where one of the two lacks.

    The number of unequal pairs is the Levenshtein distance.
    """
    costs = np.zeros((len(read) + 1, len(typed) + 1), np.int32)
    costs[:, 0], costs[0] = np.arange(len(read) + 1), np.arange(len(typed) + 1)
    for i, a in enumerate(read, 1):
        for j, b in enumerate(typed, 1):
            costs[i, j] = min(costs[i - 1, j - 1] + (a != b), costs[i - 1, j] + 1, costs[i, j - 1] + 1)
    pairs = []
    i, j = len(read), len(typed)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + (read[i - 1] != typed[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((read[i], typed[j]))
        elif i and costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
            pairs.append((read[i], ""))
        else:
            j -= 1
            pairs.append(("", typed[j]))
    return pairs[::-1]


def _profile(row: Sequence[str]) -> NDArray[np.float64]:
    """How often each character and pair of characters stands in a row, column by column."""
    counts = np.zeros(_SLOTS)
    for column, text in enumerate(row):
        folded = plain(text).casefold()
        for piece in [*folded, *map("".join, pairwise(folded))]:
            counts[zlib.crc32(f"{column}{piece}".encode()) % _SLOTS] += 1
    return counts


def _apart(read: Sequence[NDArray[np.float64]], typed: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    both = np.zeros((len(read), len(typed)))
    for i, one in enumerate(read):
        for j, other in enumerate(typed):
            total = float(one.sum() + other.sum())
            both[i, j] = float(np.abs(one - other).sum()) / total if total else 0.0
    return both
