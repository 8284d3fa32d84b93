"""The values of a column of text go in; how likely a text is in such a column, sign by sign, comes out.

A character model of the column (Witten & Bell 1991: what followed the last signs, as far as they were seen, else what
followed fewer of them) over a small general model of western writing, so that words of the column are preferred and
words never seen stay possible.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from math import log

ORDER = 6
"""Signs before the next one that are looked at, at most."""

END = "\n"
_START = "\t"

_FREQUENT = "eaisnrtoludcmpgbvhfqyxjkwzéèàêçëïôîûâùäöüßñóíáúãõ"
"""Small letters of western European languages, roughly from frequent to rare."""


class Lexicon:
    """The model of one column."""

    def __init__(self, values: Sequence[str], alphabet: str) -> None:
        self._follow: dict[str, Counter[str]] = defaultdict(Counter)
        for value in values:
            text = _START + value + END
            for i in range(1, len(text)):
                for length in range(min(i, ORDER) + 1):
                    self._follow[text[i - length : i]][text[i]] += 1
        self._total = {context: sum(seen.values()) for context, seen in self._follow.items()}
        self._alphabet = alphabet
        self.surprise = lru_cache(maxsize=200_000)(self._surprise)

    @staticmethod
    def start() -> str:
        """What stands before a text."""
        return _START

    @staticmethod
    def after(context: str, sign: str) -> str:
        """What the next sign depends on, behind one more sign."""
        return (context + sign)[-ORDER:]

    def _surprise(self, context: str, sign: str) -> float:
        """The logarithm of how likely a sign (or END) follows a context."""
        probability = _general(context[-1:], sign, len(self._alphabet))
        for length in range(len(context) + 1):
            part = context[len(context) - length :]
            seen = self._follow.get(part)
            if seen is None:
                break
            total, kinds = self._total[part], len(seen)
            probability = (seen[sign] + kinds * probability) / (total + kinds)
        return log(probability)


def _general(before: str, sign: str, size: int) -> float:
    """How likely a sign follows another in any text."""
    if sign == END:
        return 0.06
    after_letter = before.isalpha()
    if sign == " ":
        return 0.12 if after_letter else 0.04
    if sign.islower():
        rank = _FREQUENT.find(sign)
        share = (0.7 if after_letter else 0.25) / 3.9 / (rank + 1) if rank >= 0 else 0.0005
        return max(share, 0.0005)
    if sign.isupper():
        return (0.05 if after_letter else 0.45) / 40
    return 0.1 / size
