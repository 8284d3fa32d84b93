"""Errors before and after a training go in; whether its reader may be written, or why not, comes out.

Two gates: it reads the user's own crops that were kept apart better than before, and the base's held-out sets no worse
beyond chance. Errors are characters wrong for each one written, by set.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from formlens.types import CallError

FORGOTTEN = 0.005
"""Mean errors over the base's held-out sets that may be added: what chance does to so many crops."""
OWN = "own"
"""Name of the set of the user's crops that were kept apart; all other sets are the base's."""

Errors = Mapping[str, float]


def passed(before: Errors, shares: Sequence[float], after: Callable[[float], Errors]) -> tuple[float, Errors]:
    """The first share of the training that passes both gates, and its errors; `after` scores a share.

    Raises CallError, which says which gate stood in the way and what may help.
    """
    best: Errors | None = None
    for share in shares:
        found = after(share)
        lost = forgotten(before, found)
        if found[OWN] < before[OWN] and lost <= FORGOTTEN:
            return share, found
        if lost <= FORGOTTEN or best is None:
            best = found
    assert best is not None, "no share was tried"  # noqa: S101 - a caller's mistake
    if best[OWN] >= before[OWN]:
        raise CallError(
            f"no reader written: nothing was learned (character errors on your crops kept apart {before[OWN]:.3f} "
            f"before, {best[OWN]:.3f} after); add labelled scans, check what was typed for them, or give more --steps"
        )
    raise CallError(
        f"no reader written: it would read other forms worse (character errors on the base's held-out sets "
        f"{forgotten(before, best):+.3f}, {FORGOTTEN:+.3f} may be chance); add labelled scans, or give fewer --steps"
    )


def learnable(before: Errors) -> None:
    """Raises CallError where nothing is left to learn; worth a look before a training."""
    if before[OWN] == 0:
        raise CallError("no reader written: nothing to learn, the reader makes no error on your crops kept apart")


def forgotten(before: Errors, after: Errors) -> float:
    """By how much the errors on the base's sets grew, on the mean of the sets."""
    return float(np.mean([after[name] - before[name] for name in before if name != OWN]))
