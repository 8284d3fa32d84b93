"""Cells as they were read go in; the same cells with their calibrated confidence, flagged or not, and why, come out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from formlens.calibrate import General, Own, confidence, fit_own, general_odds, probability, shipped
from formlens.promise import NEVER, Promise, cells_needed, promise, words
from formlens.types import Cell, Clues

ERROR = 0.01
"""The share of wrong cells among the unflagged that is promised if nobody asks for another."""

KEPT = 10_000
"""Checked cells that a form remembers at most, evenly drawn from all."""


@dataclass(frozen=True)
class Checked:
    """A cell of a labelled scan, read as if the scan were new."""

    scan: int
    column: str
    clues: Clues
    right: bool


@dataclass(frozen=True)
class Trust:
    """What a form's labelled scans say about how far its readings can be trusted."""

    reader: str
    """The version of the reader that read them; another reader's cells are judged by the general calibration."""
    error: float
    own: Own
    cells: tuple[tuple[str, float, bool], ...]
    """For each held-out cell its column, its confidence by the other scans, and whether it was right."""


@dataclass(frozen=True)
class Rule:
    """How cells are judged."""

    general: General
    own: Own | None
    pooled: Promise
    columns: dict[str, Promise]
    """Of columns that have cells enough for a promise of their own."""


def learn_trust(cells: Sequence[Checked], reader: str, error: float = ERROR, general: General | None = None) -> Trust:
    """Calibrate a form on cells that were read as if their scans were new.

    The confidences that thresholds are chosen on come from the other scans each time.
    """
    general = general or shipped()
    known = [one for one in cells if one.clues.family != "nowhere"]
    odds = np.array([general_odds(one.clues, general) for one in known], np.float64)
    right = np.array([one.right for one in known], np.bool_)
    scans = np.array([one.scan for one in known], np.intp)
    columns = [one.column for one in known]
    held: list[tuple[str, float, bool]] = []
    for scan in np.unique(scans):
        others = scans != scan
        own = fit_own(odds[others], [c for c, other in zip(columns, others, strict=True) if other], right[others])
        shifts = dict(own.columns)
        for at in np.flatnonzero(~others):
            sure = probability(own.stretch * odds[at] + own.shift + shifts.get(columns[at], 0.0))
            held.append((columns[at], round(sure, 6), bool(right[at])))
    held = [held[at] for at in np.unique(np.linspace(0, len(held) - 1, min(len(held), KEPT)).astype(int)).tolist()]
    return Trust(reader, error, fit_own(odds, columns, right) if len(known) else Own(), tuple(held))


@lru_cache(maxsize=64)
def rule(trust: Trust | None, reader: str, error: float | None = None) -> Rule:
    """How cells of a form are judged, read by a reader of this version."""
    general = shipped()
    error = error if error is not None else (trust.error if trust else ERROR)
    if trust is None or trust.reader != reader:
        return Rule(general, None, promise(np.zeros(0), np.zeros(0, np.bool_), error, general), {})
    sure = np.array([one[1] for one in trust.cells], np.float64)
    right = np.array([one[2] for one in trust.cells], np.bool_)
    names = np.array([one[0] for one in trust.cells], np.str_)
    columns = {}
    for name in dict.fromkeys(names.tolist()):
        its = names == name
        if (
            its.sum() >= cells_needed(error)
            and (found := promise(sure[its], right[its], error, general)).ground == "own"
        ):
            columns[name] = found
    return Rule(general, trust.own, promise(sure, right, error, general), columns)


def judge(cells: Iterable[Cell], how: Rule) -> Iterator[Cell]:
    """Give each cell its confidence; flag those below their threshold, and say why."""
    for cell in cells:
        if cell.clues is None:
            yield cell
            continue
        sure = confidence(cell.clues, cell.column, how.general, how.own)
        threshold = how.columns.get(cell.column, how.pooled).threshold
        flagged = sure < threshold or threshold >= NEVER or cell.clues.family == "nowhere"
        yield replace(cell, confidence=sure, flagged=flagged, why=_why(cell.clues, sure) if flagged else "")


def count_flagged(trust: Trust | None, reader: str, error: float | None = None) -> int:
    """How many of the held-out cells of a form would be flagged; columns not on the page are left out."""
    how = rule(trust, reader, error)
    cells = trust.cells if trust else ()
    return sum(sure < how.columns.get(name, how.pooled).threshold for name, sure, _ in cells)


def _why(clues: Clues, sure: float) -> str:
    """Why a cell is shown, in words a clerk understands."""
    if clues.family == "nowhere":
        return "this column was not found on the form"
    said = [f"{100 * sure:.0f} % sure"]
    if clues.other and clues.margin < 5:
        said.append(f"on the paper it may also say “{clues.other}”")
    if clues.left > 0.3:
        said.append("there is more ink in the field than was read")
    if clues.fit < 0.75:
        said.append("the page does not lie well on the form")
    return "; ".join(said)


def promised(trust: Trust | None, reader: str, error: float | None = None) -> list[str]:
    """What is promised of the cells that are not flagged, and what is not, a sentence each."""
    how = rule(trust, reader, error)
    share = error if error is not None else (trust.error if trust else ERROR)
    said = [f"column `{name}`: {words(found, share)}" for name, found in how.columns.items()]
    others = "other columns" if how.columns else "all columns"
    said.append(f"{others}: {words(how.pooled, share)}")
    if trust is not None and trust.reader != reader:
        said.append(
            f"this form was calibrated with another reader ({trust.reader}); learn it again for a promise of its own"
        )
    if how.general.reader != reader:
        said.append(
            f"the general calibration was made with another reader ({how.general.reader}): confidences are approximate"
        )
    return said
