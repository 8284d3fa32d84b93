"""What the reader saw in the cells of a table goes in, readings come out: a column of numbers is read as numbers."""

from collections.abc import Mapping
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from formlens.decode import DIGITS, NUMBER, TEXT
from formlens.free import read_free
from formlens.reader import Reader
from formlens.types import Reading

Place = tuple[int, int]
"""Row and column."""

Probabilities = NDArray[np.float32]
"""Of each class at each step, shape (steps, classes)."""

# From wide to narrow: how many characters may stand where one is seen, and the evidence (nats) at which a cell in a
# column of the narrower kind is of the wider kind all the same: a header, a remark, a decimal among whole numbers.
_KINDS = ((TEXT, 100, 0.0), (NUMBER, 16, -6.0), (DIGITS, 10, -4.0))


def read_cells(seen: Mapping[Place, Probabilities], reader: Reader) -> dict[Place, Reading]:
    """Read what the reader saw in the cells of a table, deciding for each column whether it holds numbers."""
    readings = {place: reader.decode(found, TEXT) for place, found in seen.items()}
    text = set(seen)
    for (_, many, _), (charset, few, least) in pairwise(_KINDS):
        narrow = {place: reader.decode(found, charset) for place, found in seen.items()}
        evidence = {place: evidence_for(narrow[place], readings[place], log(many / few)) for place in seen}
        chosen = columns_of_kind(evidence)
        numbers = {place for place in seen if place[1] in chosen and evidence[place] > least}
        readings |= {place: narrow[place] for place in numbers}
        text -= numbers
    return readings | {place: read_free(seen[place], reader.alphabet) for place in text}


def evidence_for(narrow: Reading, wide: Reading, rarer: float) -> float:
    """How much more likely (nats) a cell is of the narrower kind than of the wider, given its best reading as each.

    ``rarer`` is how much likelier (nats) one given character is where fewer may stand.
    """
    same = min(len(narrow.text), len(wide.text))
    return log(max(narrow.confidence, 1e-12)) - log(max(wide.confidence, 1e-12)) + same * rarer


def columns_of_kind(evidence: Mapping[Place, float]) -> set[int]:
    """The columns of the narrower kind: what their own cells say, and, where those are few, what the table says.

    ``evidence`` maps a place to `evidence_for`. Each cell has one vote (one may be a header, a smudge), and
    the first row counts only where it is all there is.
    """
    votes = {place: float(np.clip(value, -1, 1)) for place, value in evidence.items()}
    table = float(np.mean(list(votes.values()))) if votes else 0.0
    chosen = set()
    for column in {column for _, column in evidence}:
        own = [vote for (row, c), vote in votes.items() if c == column and row > 0]
        own = own or [vote for (_, c), vote in votes.items() if c == column]
        if sum(own) + 2 * table > 0:  # the whole table has two votes
            chosen.add(column)
    return chosen
