"""What the reader sees in crops of a column, and the value above, go in; whether a crop says "as above" comes out.

Clerks write a value once and below it `"`, `id.` or a stroke. What such a mark looks like to the reader is learned from
the form's own rows: what it reads where the CSV repeats the value above, and nowhere else.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from formlens.clues import written_clues
from formlens.compare import plain
from formlens.decode import decode, likelihood
from formlens.free import DOUBT
from formlens.types import Clues, Reading

Seen = NDArray[np.float32]

USUAL = ('"', "''", ",,", "//", "id.", "id", "Id.", "Id", "idem", "do", "do.", "-", "--", "=")
"""Marks that one row is enough to tell."""
_LONGEST = 5
"""Characters of a mark at most."""
_SHARE = 0.9
"""Of the crops that read as a mark, the share below which the value above is typed."""
_ALL_ALIKE = 0.15
"""Share of rows with a value of their own under which these do not tell marks from what another column says."""
_COVERED = 0.6
"""Share of rows that the two commonest marks are then read in."""
_MOST = 20


def learn_dittos(rows: Iterable[tuple[str, str, bool]]) -> tuple[str, ...]:
    """The marks of a column: of each row what was read, what was typed, and whether that is the value above."""
    given = list(rows)
    repeated: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for read, typed, repeats in given:
        short = len(read) <= _LONGEST and plain(read).casefold() != plain(typed).casefold()
        if read:
            (repeated if repeats and short else others)[read] += 1
    marks = [
        mark for mark, count in repeated.most_common(_MOST)
        if count >= (1 if mark in USUAL else 2) and count >= _SHARE * (count + others[mark])
    ]  # fmt: skip
    again = sum(repeats for *_, repeats in given)
    if len(given) - again < _ALL_ALIKE * len(given):
        marks = marks[:2] if sum(repeated[mark] for mark in marks[:2]) >= _COVERED * again else []
    return tuple(marks)


def as_above(
    seen: Seen, alphabet: str, marks: Sequence[str], above: tuple[Reading, Clues] | None
) -> tuple[Reading, Clues] | None:
    """The reading above, as sure as it and the mark are; None where the crop rather says something of its own.

    A mark with nothing above it comes out as it stands there, hardly sure.
    """
    marks = [mark for mark in marks if set(mark) <= set(alphabet)]  # another reader's may have had more
    if not marks:
        return None
    free = decode(seen, alphabet)
    chances = [likelihood(seen, [alphabet.index(sign) + 1 for sign in mark]) for mark in marks]
    chance = min(1.0, sum(chances))
    if free.text not in marks and chance <= free.confidence:
        return None
    mark = marks[int(np.argmax(chances))]
    other = 0.0 if free.text in marks else free.confidence
    said = Reading(mark, chance**DOUBT * chance / (chance + other) if chance > 0 else 0.0)
    clues = written_clues(said, seen, alphabet, 0.0, 1.0)
    if above is None:
        return Reading(mark, 0.05 * said.confidence), replace(clues, likelihood=0.05 * said.confidence)
    value, known = above
    sure = value.confidence * said.confidence
    weaker = min(known, clues, key=lambda one: one.margin)
    return Reading(value.text, sure), replace(
        weaker, likelihood=sure, weakest=min(known.weakest, clues.weakest), length=known.length,
        free=min(known.free, clues.free),
    )  # fmt: skip


def spelled(alphabet: str) -> list[list[int]]:
    """The usual marks as classes of a reader, as far as it knows their characters."""
    return [[alphabet.index(sign) + 1 for sign in mark] for mark in USUAL if set(mark) <= set(alphabet)]
