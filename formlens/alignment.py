"""How well texts fit crops goes in; which text is which crop's comes out.

Texts and crops follow each other in the same order, but a crop may be a header, a smudge or empty, and a text may have
no crop: the best chain of pairs is found as a whole (Needleman and Wunsch, J. Mol. Biol. 1970).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def align(fit: Floats, gap: float = 0.0) -> list[int | None]:
    """For each row of ``fit``, shape (texts, crops), its crop; crops and texts may be left out, at ``gap`` a text.

    The sum of the fits of all pairs, less the gaps, is the largest possible with pairs in the same order on both sides.
    """
    texts, crops = fit.shape
    best = np.zeros((texts + 1, crops + 1))
    best[1:, 0] = -gap * np.arange(1, texts + 1)
    for i in range(1, texts + 1):
        paired = best[i - 1, :-1] + fit[i - 1]
        row = np.maximum(paired, best[i - 1, 1:] - gap)
        best[i, 1:] = np.maximum.accumulate(np.maximum(row, best[i, 0]))
    given: list[int | None] = [None] * texts
    i, j = texts, crops
    while i and j:
        if best[i, j] == best[i, j - 1]:
            j -= 1
        elif best[i, j] == best[i - 1, j] - gap:
            i -= 1
        else:
            given[i - 1] = j - 1
            i, j = i - 1, j - 1
    return given
