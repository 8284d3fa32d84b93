"""What the reader saw in the cells of a table goes in, readings come out: a column of numbers is read as numbers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log

import numpy as np

from formlens.decode import DIGITS, NUMBER, TEXT
from formlens.reader import Reader
from formlens.types import Image, Reading

EMPTY = Reading("", 0.995)
"""An empty cell, and how often a cell without ink is one."""

Crops = Sequence[Sequence[Image | None]]
"""The cells of a table, a list per row; None where nothing is written."""

Place = tuple[int, int]
"""Row and column."""

# From wide to narrow: how many characters may stand where one is seen, and the evidence (nats) at which a cell in a
# column of the narrower kind is of the wider kind all the same: a header, a remark, a decimal among whole numbers.
_KINDS = ((TEXT, 100, 0.0), (NUMBER, 16, -6.0), (DIGITS, 10, -3.0))


def read_cells(crops: Crops, reader: Reader) -> list[list[Reading]]:
    """Read a table, deciding for each column whether it holds numbers. Shape in and out: rows of columns."""
    filled = [(row, column) for row, cells in enumerate(crops) for column, crop in enumerate(cells) if crop is not None]
    seen = reader.probabilities([crop for cells in crops for crop in cells if crop is not None])
    readings = {place: reader.decode(found, TEXT) for place, found in zip(filled, seen, strict=True)}
    for (_, many, _), (charset, few, least) in pairwise(_KINDS):
        narrow = {place: reader.decode(found, charset) for place, found in zip(filled, seen, strict=True)}
        evidence = {place: evidence_for(narrow[place], readings[place], log(many / few)) for place in filled}
        chosen = columns_of_kind(evidence)
        readings |= {place: narrow[place] for place in filled if place[1] in chosen and evidence[place] > least}
    table = [[EMPTY] * len(cells) for cells in crops]
    for (row, column), reading in readings.items():
        table[row][column] = reading
    return table


def evidence_for(narrow: Reading, wide: Reading, rarer: float) -> float:
    """How much more likely (nats) a cell is of the narrower kind than of the wider, given its best reading as each.

    ``rarer`` is how much likelier (nats) one given character is where fewer may stand.
    """
    same = min(len(narrow.text), len(wide.text))
    return log(max(narrow.confidence, 1e-12)) - log(max(wide.confidence, 1e-12)) + same * rarer


def columns_of_kind(evidence: Mapping[Place, float]) -> set[int]:
    """The columns of the narrower kind: what their own cells say, and, where those are few, what the table says.

    ``evidence`` maps a place to `evidence_for`. One cell counts for little (a header, a smudge): each is clipped, and
    the first row counts only where it is all there is.
    """
    votes = {place: float(np.clip(value, -4, 4)) for place, value in evidence.items()}
    table = float(np.mean(list(votes.values()))) if votes else 0.0
    chosen = set()
    for column in {column for _, column in evidence}:
        own = [vote for (row, c), vote in votes.items() if c == column and row > 0]
        own = own or [vote for (_, c), vote in votes.items() if c == column]
        if (sum(own) + table) / (len(own) + 1) > 0:
            chosen.add(column)
    return chosen
