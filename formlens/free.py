"""What a network saw in a line of any text goes in; the reading comes out, words of western languages preferred.

Where the network is sure its likeliest path stands. Elsewhere the text is found that network and language together
have likeliest (`formlens.beam`). The confidence is there how far the text stands out among all that were weighed, and
less where the network sees it hardly.
"""

import numpy as np
from numpy.typing import NDArray

from formlens.beam import read_line, share_of_best
from formlens.decode import decode
from formlens.language import shipped
from formlens.types import Reading

SURE = 0.9
"""Confidence from which on the network is not asked again."""
DOUBT = 0.3
"""How much of the network's own doubt of the text goes into its confidence."""
TRUST, BONUS = 0.3, 0.7
"""How much the language counts beside what is seen, and what a sign earns to make up for it."""
WIDTH = 8


def read_free(seen: NDArray[np.float32], alphabet: str) -> Reading:
    """Read one crop that may hold any text; ``seen`` as for `formlens.decode.decode`."""
    plain = decode(seen, alphabet)
    if plain.confidence >= SURE:
        return plain
    lines = read_line(seen, alphabet, shipped(), TRUST, BONUS, WIDTH)
    return Reading(lines[0].text, share_of_best(lines) * lines[0].seen ** DOUBT)
