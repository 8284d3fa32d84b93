"""What was read and what is true go in, measures come out: exact texts, character errors, worth of the confidence.

Everywhere a reading is a text and its confidence; a truth is a text. Shares are 0 to 1.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from formlens.bounds import ranking
from model.heldout import edits


@dataclass(frozen=True)
class Read:
    """One crop: what it says, what was read, and how sure the reader was (None where a system does not say)."""

    true: str
    text: str
    confidence: float | None = None

    @property
    def right(self) -> bool:
        """Whether the text is exactly the true one."""
        return self.text == self.true


def exact(reads: Sequence[Read]) -> float:
    """Share of texts read exactly."""
    return sum(one.right for one in reads) / len(reads)


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which stays honest near 0 and 1."""
    share, extra = right / of, z * z / of
    middle = (share + extra / 2) / (1 + extra)
    half = z * sqrt(share * (1 - share) / of + extra / (4 * of)) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def character_errors(reads: Sequence[Read], *, strict: bool = True) -> float:
    """Edits for each character written; not `strict`: accents and case do not count."""
    pairs = [(one.text, one.true) if strict else (plain(one.text), plain(one.true)) for one in reads]
    return sum(edits(text, true) for text, true in pairs) / max(sum(len(true) for _, true in pairs), 1)


def plain(text: str) -> str:
    """The text without accents and case."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def auroc(reads: Sequence[Read]) -> float | None:
    """Chance that a right reading is surer than a wrong one (Hanley & McNeil 1982); None where one kind is missing."""
    known = _known(reads)
    if known is None:
        return None
    right, sure = known
    return ranking(sure, right)


def calibration_error(reads: Sequence[Read], bins: int = 10) -> float | None:
    """Mean distance of confidence and share right, over bins of equal width (ECE, Naeini et al. 2015)."""
    known = _known(reads)
    if known is None:
        return None
    right, sure = known
    where = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(float(right[where == i].sum() - sure[where == i].sum())) for i in range(bins)]
    return sum(gaps) / len(right)


def _known(reads: Sequence[Read]) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    sure = [one.confidence for one in reads if one.confidence is not None]
    if not sure or len(sure) < len(reads):
        return None
    return np.array([one.right for one in reads]), np.array(sure)
