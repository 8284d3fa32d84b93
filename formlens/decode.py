"""Class probabilities of one crop and the characters it may hold go in; its text and confidence come out.

The reader is a CTC network (Graves et al., ICML 2006): step by step a probability for each character and for "none",
the blank. What a crop may not hold is dropped and the rest is *not* scaled up, so a letter in a field of digits comes
out doubtful and not falsely sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formlens.types import Reading

BLANK = 0
"""The class that stands for no character; class i > 0 is character i - 1 of the alphabet."""


@dataclass(frozen=True)
class Charset:
    """What a crop may hold: `characters` of the reader's alphabet, or all of it where that is None."""

    name: str
    characters: str | None = None


DIGITS = Charset("digits", "0123456789")
NUMBER = Charset("number", "0123456789.,-+/:% ")
TEXT = Charset("text")


def decode(probabilities: NDArray[np.float32], alphabet: str, charset: Charset = TEXT) -> Reading:
    """Read one crop.

    ``probabilities``, shape (steps, 1 + len(alphabet)), are those of all classes and sum to one at each step. The text
    is the one of the likeliest path (a beam search over texts found no more right ones); the confidence is the
    probability of that text, `likelihood`.
    """
    classes = allowed_classes(alphabet, charset)
    allowed = probabilities[:, classes]
    path = allowed.argmax(axis=1)
    spelling = path[signs_of(path)]
    text = "".join(alphabet[classes[i] - 1] for i in spelling)
    return Reading(text, likelihood(allowed, spelling))


def signs_of(path: NDArray[np.intp]) -> NDArray[np.intp]:
    """The steps at which a path, a class for each step, begins to say a character."""
    starts = np.flatnonzero(np.diff(path, prepend=BLANK))
    return np.asarray(starts[path[starts] != BLANK], np.intp)


def allowed_classes(alphabet: str, charset: Charset) -> list[int]:
    """The blank and the classes of the characters that may occur, in the order of the alphabet."""
    if charset.characters is None:
        return list(range(1 + len(alphabet)))
    return [BLANK] + [i for i, character in enumerate(alphabet, start=1) if character in charset.characters]


def likelihood(probabilities: NDArray[np.float32], spelling: Sequence[int] | NDArray[np.intp]) -> float:
    """The probability that a crop says exactly this text: the sum over all paths that spell it (CTC forward).

    ``probabilities`` has shape (steps, classes), ``spelling`` the class of each character. The sum over all texts is at
    most one, and less where dropped classes had a share. A text too long for the steps has probability 0.
    """
    states = np.full(2 * len(spelling) + 1, BLANK)
    states[1::2] = spelling
    seen = probabilities[:, states].astype(np.float64)
    # From one character straight to the next, unless they are equal: then a blank must stand between.
    skips = np.zeros(len(states))
    skips[3::2] = states[3::2] != states[1:-2:2]
    forward = np.zeros(len(states) + 2)  # two leading zeros stand for the states before the first
    forward[2:4] = 1.0
    forward[2:] *= np.pad(seen[0, :2], (0, len(states) - 2)) if len(states) > 1 else seen[0]
    for step in seen[1:]:
        forward[2:] = (forward[2:] + forward[1:-1] + forward[:-2] * skips) * step
    return float(forward[-2:].sum()) if len(states) > 1 else float(forward[-1])
