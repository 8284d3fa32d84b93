"""The letters of a word so far go in; how likely the next sign is in western European languages comes out.

A character model of words (Witten & Bell 1991) over the word lists of eleven languages, which `model/language.py`
counts and packs. It knows words only: digits, spaces and punctuation cost what they always cost, so that numbers and
codes are read as they stand.

The file is one hash table: a prime number of slots, each 16 bits of a key's hash (0: free) and 8 bits of value, open
addressing, slot after slot. The key of letters and the sign behind them holds the sign's surprise; that of letters
alone, behind `ALONE`, what is added where they were never seen with a sign and fewer of them are asked.
"""

import zlib
from functools import cache, lru_cache
from pathlib import Path

SHIPPED = Path(__file__).with_name("language.bin")
ORDER = 6
"""Signs before the next one that are looked at, at most."""
START, END, ALONE = "\t", "\n", "\v"
STEP = 0.05
"""Nats that one of a value stands for."""

_RARE = -9.0
"""Logarithm of the probability of a letter that no list knows."""
_CAPITAL = -4.0
"""Logarithm: a capital behind a small letter, beside what the letter costs."""
_CAPITALS = -3.6
"""Logarithm: a capital behind another costs no more, for codes are written in capitals."""
_BEHIND_DIGIT = -3.0
"""Logarithm of a letter behind a digit: units and codes are no words."""
_SPACE, _DIGIT, _MARK = -1.0, -2.3, -3.5
"""Logarithms of a space, a digit and any other sign outside of words."""
_CLOSES = {" ": 0.0, END: 0.0}
"""Logarithm of what stands behind a word, beside that it ends there; other signs `_MARK` / 2."""


class Language:
    """The model in one file."""

    def __init__(self, path: Path = SHIPPED) -> None:
        self._table = memoryview(path.read_bytes())
        self._slots = len(self._table) // 3
        self._known = lru_cache(maxsize=200_000)(self._surprise)

    def surprise(self, context: str, sign: str) -> float:
        """The logarithm of how likely a sign, or the end, follows a context."""
        return self._known(context, sign)

    def _surprise(self, context: str, sign: str) -> float:
        before = context[-1:]
        if sign.isalpha():
            if before.isdigit():
                return _BEHIND_DIGIT
            said = self._in_word(_word(context), sign.lower())
            if sign.isupper() and before.isupper():
                return max(said, _CAPITALS)
            return said + (_CAPITAL if sign.isupper() and before.islower() else 0.0)
        if before.isalpha():
            word = _word(context)
            closed = self._in_word(word, END) + _CLOSES.get(sign, _MARK / 2)
            if sign in "-'":
                return max(closed, self._in_word(word, sign))
            return max(closed, 2 * _CAPITALS) if before.isupper() else closed
        return {" ": _SPACE, END: 0.0}.get(sign, _DIGIT if sign.isdigit() else _MARK)

    def _in_word(self, letters: str, sign: str) -> float:
        """The logarithm of how likely a sign follows the letters of a word (`START` before the first)."""
        added = 0.0
        for first in range(len(letters) + 1):
            part = letters[first:]
            if (value := self._find(part + sign)) is not None:
                return added - STEP * value
            added -= STEP * (self._find(part + ALONE) or 0)
        return _RARE

    def _find(self, key: str) -> int | None:
        table, (at, mark) = self._table, hashed(key, self._slots)
        while held := table[3 * at] << 8 | table[3 * at + 1]:
            if held == mark:
                return table[3 * at + 2]
            at = (at + 1) % self._slots
        return None


def after(context: str, sign: str) -> str:
    """What the next sign depends on, behind one more sign; before a text stands `START`."""
    return (context + sign)[-ORDER:]


def hashed(key: str, slots: int) -> tuple[int, int]:
    """The slot where a key is looked for first, and the 16 bits that mark it."""
    code = zlib.crc32(key.encode())
    return code % slots, (code >> 16) % 65535 + 1


@cache
def shipped() -> Language:
    """The model that ships, opened once."""
    return Language()


def _word(context: str) -> str:
    """The letters of the word that a context ends in, `START` before them where its beginning is seen."""
    first = len(context)
    while first and (context[first - 1].isalpha() or context[first - 1] in "-'"):
        first -= 1
    word = context[first:].lstrip("-'").lower()
    return word if not first and context[:1] != START and len(context) == ORDER else (START + word)[-ORDER:]
