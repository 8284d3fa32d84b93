"""Word lists go in, the table of `formlens.language` comes out.

    python -m model.language --out formlens/language.bin

The lists are those of wordfreq (Speer 2022): words of eleven languages by how often each is used. A word counts by the
square root of that, for names and rare words stand on forms more often than in books. What fewer letters before say as
well is pruned away (after Stolcke 1998, Entropy-based Pruning of Backoff Language Models). The same bytes come out each
time.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import exp, log
from pathlib import Path

from formlens.language import ALONE, END, ORDER, START, STEP, hashed

LANGUAGES = ("da", "de", "en", "es", "fi", "fr", "it", "nb", "nl", "pt", "sv")
SLOTS = 700_001
"""A prime; two thirds of the slots are filled at most."""
LEAST = 8e-6
"""Nats a letter, over all words, below which an entry that fewer letters explain as well is pruned."""

Follow = dict[str, dict[str, float]]


def words(language: str) -> dict[str, float]:
    """How often each word of a language is used, as a share of all words."""
    from wordfreq import get_frequency_dict  # brings 60 MB of lists; only counting needs it

    found = get_frequency_dict(language, wordlist="small")
    return {word: often for word, often in sorted(found.items()) if all(c.isalpha() or c in "'-" for c in word)}


def count(lists: Iterable[Mapping[str, float]]) -> Follow:
    """How often each letter, or `END`, follows up to `ORDER` signs of a word."""
    follow: Follow = defaultdict(lambda: defaultdict(float))
    for listed in lists:
        for word, often in listed.items():
            text, weight = START + word + END, (often * 1e8) ** 0.5
            for i in range(1, len(text)):
                for length in range(min(i, ORDER) + 1):
                    follow[text[i - length : i]][text[i]] += weight
    return follow


def entries(follow: Follow, least: float = LEAST) -> dict[str, float]:
    """Logarithms by key: of each sign behind its context, and of what a context gives to shorter ones."""
    found: dict[str, float] = {}
    whole = sum(follow[""].values())
    for context in sorted(follow, key=lambda one: (len(one), one)):
        seen = follow[context]
        total, kinds = sum(seen.values()), len(seen)
        kept = False
        for sign in sorted(seen):
            shorter = _log(found, context[1:], sign) if context else log(1 / 200)
            own = log((seen[sign] + kinds * exp(shorter)) / (total + kinds))
            loss = log(kinds / (total + kinds)) + shorter
            if not context or seen[sign] / whole * abs(own - loss) > least:
                found[context + sign] = own
                kept = True
        if kept:
            found[context + ALONE] = log(kinds / (total + kinds))
    return found


def pack(found: Mapping[str, float], slots: int = SLOTS) -> bytes:
    """The table of the entries; ValueError where it would be too full."""
    if 3 * len(found) > 2 * slots:
        raise ValueError(f"{len(found):,} entries are too many for {slots:,} slots")
    table = bytearray(3 * slots)
    for key, value in sorted(found.items()):
        at, mark = hashed(key, slots)
        while table[3 * at] or table[3 * at + 1]:
            at = (at + 1) % slots
        table[3 * at : 3 * at + 3] = bytes((mark >> 8, mark & 255, min(255, round(-value / STEP))))
    return bytes(table)


def main() -> None:
    """Count, prune, pack, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    given = parser.parse_args()
    found = entries(count(map(words, LANGUAGES)))
    given.out.write_bytes(pack(found))
    print(f"{given.out}: {len(found):,} entries")


def _log(found: Mapping[str, float], context: str, sign: str) -> float:
    added = 0.0
    for first in range(len(context) + 1):
        part = context[first:]
        if part + sign in found:
            return added + found[part + sign]
        added += found.get(part + ALONE, 0.0)
    return added + log(1 / 200)


if __name__ == "__main__":
    main()
