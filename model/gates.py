"""Errors before and after a training go in; whether its reader may be written, or why not, comes out.

Two gates: it reads the user's own crops that were kept apart better than before, and the base's held-out sets no worse
than chance explains.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formlens.types import CallError

OWN = "own"
"""Name of the set of the user's crops that were kept apart; all other sets are the base's."""
SURE = 1.645
"""Standard errors: growth beyond so many has a chance of one in twenty where nothing was forgotten."""
MOST = 0.01
"""Mean character errors that may be added at most, however little the sets can tell."""


@dataclass(frozen=True)
class Errors:
    """Characters wrong and characters written, of each crop of one set."""

    wrong: NDArray[np.int64]
    written: NDArray[np.int64]

    @property
    def rate(self) -> float:
        """Characters wrong for each one written."""
        return float(self.wrong.sum() / max(self.written.sum(), 1))


Sets = Mapping[str, Errors]


def passed(
    before: Sets, shares: Sequence[float], after: Callable[[float], Sets], must_learn: bool = True
) -> tuple[float, Sets]:
    """The first share of the training that passes both gates, or the second alone, and its errors; `after` scores one.

    Raises CallError, which says which gate stood in the way and what may help.
    """
    learned = False
    grown: list[tuple[float, float]] = []
    for share in shares:
        found = after(share)
        growth, chance = forgotten(before, found)
        better = not must_learn or found[OWN].rate < before[OWN].rate
        if better and growth <= chance:
            return share, found
        learned = learned or better
        grown.append((growth, chance))
    if not learned:
        raise CallError(
            "no reader written: nothing was learned (character errors on your crops kept apart "
            f"{before[OWN].rate:.3f} before, {found[OWN].rate:.3f} after); add labelled scans, check what was typed "
            "for them, or give more --steps"
        )
    growth, chance = min(grown)
    raise CallError(
        "no reader written: it would read other forms worse (character errors on the base's held-out sets "
        f"{growth:+.4f}, of which {chance:.4f} may be chance); add labelled scans, or give fewer --steps"
    )


def learnable(before: Sets) -> None:
    """Raises CallError where nothing is left to learn; worth a look before a training."""
    if not before[OWN].wrong.any():
        raise CallError("no reader written: nothing to learn, the reader makes no error on your crops kept apart")


def forgotten(before: Sets, after: Sets) -> tuple[float, float]:
    """By how much the errors on the base's sets grew, on the mean of the sets, and how much of that chance may do.

    The same crops are read twice, so chance is what the differences crop by crop say of their own mean.
    """
    growth, variance = [], []
    for name, one in before.items():
        if name != OWN:
            change = after[name].wrong - one.wrong
            growth.append(float(change.sum() / one.written.sum()))
            variance.append(len(change) * float(change.var()) / float(one.written.sum()) ** 2)
    return float(np.mean(growth)), min(MOST, SURE * float(np.sqrt(np.sum(variance))) / len(growth))
