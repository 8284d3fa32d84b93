"""The values of a column of text go in; how likely a text is in such a column, sign by sign, comes out.

A character model of the column (Witten & Bell 1991: what followed the last signs, as far as they were seen, else what
followed fewer of them) over that of western languages, so that words of the column are preferred and words never seen
stay possible.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from math import exp, log

from formlens.language import END, ORDER, START, shipped


class Lexicon:
    """The model of one column."""

    def __init__(self, values: Sequence[str]) -> None:
        self._follow: dict[str, Counter[str]] = defaultdict(Counter)
        for value in values:
            text = START + value + END
            for i in range(1, len(text)):
                for length in range(min(i, ORDER) + 1):
                    self._follow[text[i - length : i]][text[i]] += 1
        self._total = {context: sum(seen.values()) for context, seen in self._follow.items()}
        self._known = lru_cache(maxsize=200_000)(self._surprise)

    def surprise(self, context: str, sign: str) -> float:
        """The logarithm of how likely a sign, or the end, follows a context."""
        return self._known(context, sign)

    def _surprise(self, context: str, sign: str) -> float:
        probability = exp(shipped().surprise(context, sign))
        for length in range(len(context) + 1):
            part = context[len(context) - length :]
            seen = self._follow.get(part)
            if seen is None:
                break
            total, kinds = self._total[part], len(seen)
            probability = (seen[sign] + kinds * probability) / (total + kinds)
        return log(probability)
