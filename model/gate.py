"""Which cells two readers read exactly, page by page, go in; whether the new one is better beyond chance comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
CHANCE = 0.05
"""How likely a reader that is no better may pass."""


@dataclass(frozen=True)
class Gain:
    """The new reader's share of exact cells less the other's: as measured, and what it is at least, but for chance."""

    mean: float
    low: float


def paired_bootstrap(new: Sequence[NDArray[np.bool_]], old: Sequence[NDArray[np.bool_]], seed: int = 1) -> Gain:
    """Compare two readers on the same cells; an array a page, True where the cell is exact.

    Pages are drawn with replacement, and cells within each page drawn (Efron 1979; in two stages after Davison and
    Hinkley 1997, 3.8): cells of a page share its hand, and of few pages none stands for all others.
    """
    change = [one.astype(int) - other.astype(int) for one, other in zip(new, old, strict=True) if one.size]
    if not change:
        return Gain(0.0, 0.0)
    sizes = np.array([page.size for page in change])
    shares = np.array([[np.mean(page == sign) for sign in (1, 0, -1)] for page in change])
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(change), size=(DRAWS, len(change)))
    drawn = rng.multinomial(sizes[chosen], shares[chosen])  # (draws, pages, 3)
    gains = (drawn[..., 0] - drawn[..., 2]).sum(1) / sizes[chosen].sum(1)
    return Gain(float(np.concatenate(change).mean()), float(np.quantile(gains, CHANCE)))
