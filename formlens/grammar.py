"""What a network saw in a crop and the kind of its column go in; the reading, as it would be typed, comes out.

`read_kind` reads a crop as its column allows; `likelihood_of` says how likely a typed value stands in a crop, over the
ways in which it may be written; `settle` learns from crops whose values are known how a column is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from formlens import dates, numbers, shapes, words
from formlens.automaton import Automaton, find, likelihoods
from formlens.beam import read_line, share_of_best
from formlens.decode import decode, likelihood
from formlens.free import read_free
from formlens.kinds import Kind
from formlens.lexicon import Lexicon
from formlens.months import bare
from formlens.types import Reading

Seen = NDArray[np.float32]
"""Of each class at each step, shape (steps, 1 + len(alphabet)), the blank first."""

_TRUST, _BONUS = 0.4, 0.6
"""How much a column's words count beside what is seen, and what a sign earns to make up for it."""

_EVIDENCE = 0.1
"""How much of the network's own doubt (the share of its probability that a kind explains) goes into a confidence."""

_SIGN, _START = 1.5, 3.0
"""Nats by which a text may be less likely than the best of any kind, a sign and at all, and still be of its kind."""

_RARE = 0.02
"""A way of writing that is rarer than this in a column is forgotten."""

_STEADY = 4.0
"""How many crops weigh as much as what is known of ways beforehand."""

_SIGNS_BY_CHANCE = 2.3
"""Nats by which a text of one sign more is less likely by chance."""

_NOTHING = 1.0
"""How likely a crop is, against chance, where its value is mistyped or cannot be read: such crops tell no way."""

_NEXT_TO_NOTHING = 1e-3
"""Share of the likeliest value's mass."""

_MOST_WAYS = 4
"""Ways in which one crop is read, the commonest first."""


def read_kind(seen: Seen, alphabet: str, kind: Kind) -> Reading:
    """Read one crop; what is not of its column's kind comes out as it stands there, hardly sure."""
    if kind.name in ("text", "mark"):
        return _read_text(seen, alphabet, kind)
    typed: dict[str, float] = {}
    best_of: dict[str, tuple[float, str]] = {}
    total = 0.0
    for way, weight, automaton in _compiled(replace(kind, characters=None), alphabet):
        # a way by which all texts together are next to nothing beside what was found makes none of them the likeliest
        found = find(seen, automaton, least=_NEXT_TO_NOTHING * max(typed.values(), default=0.0) / weight)
        total += weight * found.total
        for classes, mass in found.texts:
            text = "".join(alphabet[i - 1] for i in classes)
            value = _as_typed(kind, text, way)
            if value is not None:
                typed[value] = typed.get(value, 0.0) + weight * mass
                best_of[value] = max(best_of.get(value, (0.0, "")), (weight * mass, text))
    raw = decode(seen, alphabet)
    if not typed or total <= 0:
        return Reading(raw.text, 0.05 * raw.confidence)
    value = max(typed, key=lambda one: (typed[one], one))
    mass, text = best_of[value]
    explained = likelihood(seen, [alphabet.index(sign) + 1 for sign in text])
    if log(explained + 1e-300) < log(raw.confidence + 1e-300) - _START - _SIGN * max(len(text), len(raw.text)):
        return Reading(raw.text, 0.05 * raw.confidence)
    share = min(1.0, typed[value] / total)
    explained = min(1.0, explained * typed[value] / mass / share)  # what all texts of the kind explain, about
    return Reading(value, float(share * explained**_EVIDENCE))


def likelihood_of(value: str, seen: Seen, alphabet: str, kind: Kind) -> float:
    """The probability that a crop says a typed value, over the ways in which it may be written there."""
    return float(
        sum(
            weight * chance for (_, weight), chance in zip(kind.ways, _by_way(value, seen, alphabet, kind), strict=True)
        )
    )


def settle(kind: Kind, labelled: Sequence[tuple[str, Seen]], alphabet: str) -> Kind:
    """The kind with the ways in which crops of known values are written; every other way counts as rare.

    Expectation and maximization over the ways; values that fit none say nothing.
    """
    if not kind.ways or not labelled:
        return kind
    chances = _NOTHING + np.array([lifts(value, seen, alphabet, kind) for value, seen in labelled])
    before = np.array([weight for _, weight in kind.ways])
    before = before / before.sum()
    weights = before
    for _ in range(20):
        shares = chances * weights
        shares /= shares.sum(axis=1, keepdims=True)
        weights = (shares.sum(axis=0) + _STEADY * before) / (len(shares) + _STEADY)
    counted = (weights * (len(labelled) + _STEADY) - _STEADY * before) / len(labelled)
    kept = [(way, float(c)) for (way, _), c in zip(kind.ways, counted, strict=True) if c >= _RARE]
    total = sum(weight for _, weight in kept)
    kept.sort(key=lambda one: -one[1])
    return replace(kind, ways=tuple((way, round(weight / total, 4)) for way, weight in kept[:_MOST_WAYS]))


def lifts(value: str, seen: Seen, alphabet: str, kind: Kind) -> list[float]:
    """How many times likelier than by chance a crop says a value, for each way of its kind."""
    return _by_way(value, seen, alphabet, kind, _SIGNS_BY_CHANCE)


def _by_way(value: str, seen: Seen, alphabet: str, kind: Kind, lift: float = 0.0) -> list[float]:
    """The probability of a value in a crop by each way of its kind, times `exp` of ``lift`` a sign."""
    number = {sign: i for i, sign in enumerate(alphabet, start=1)}
    spellings: list[list[int]] = []
    owners: list[tuple[int, float]] = []
    bare_texts: dict[int, list[list[int]]] = {}
    for i, (way, _) in enumerate(kind.ways):
        texts = spell(kind, value.strip(), way)
        least = 0.05 * max(texts.values())
        for text, weight in texts.items():
            if weight >= least and all(sign in number for sign in text):
                spelling = [number[sign] for sign in text]
                if way == "accents":
                    bare_texts.setdefault(i, []).append(spelling)
                else:
                    spellings.append(spelling)
                    owners.append((i, weight * exp(lift * len(text))))
    found = [0.0] * len(kind.ways)
    for (i, weight), chance in zip(owners, likelihoods(seen, spellings).tolist(), strict=True):
        found[i] += weight * chance
    for i, same in bare_texts.items():
        found[i] = exp(lift * len(same[0])) * float(likelihoods(_without_accents(seen, alphabet), same).sum())
    return found


def is_of(kind: Kind, value: str) -> bool:
    """Whether a value is one that may stand in a column of this kind."""
    return any(_as_typed(kind, text, way) == value for way, _ in kind.ways for text in spell(kind, value, way))


def spell(kind: Kind, value: str, way: str) -> dict[str, float]:
    """How a typed value may stand on paper by one way, and how often each; what is not of its kind, as it is."""
    if kind.name == "date":
        near = _near(kind)
        for typed in kind.typed.split("\n"):
            if moment := dates.parse(value, typed, near):
                return dates.spell(moment, way)
    elif kind.name in ("integer", "decimal"):
        return {numbers.spell(value, kind.typed, way): 1.0}
    elif kind.name == "code":
        texts = shapes.spell(value, way)
        return dict.fromkeys(texts, 1 / len(texts))
    elif kind.name in ("text", "choice"):
        return {words.spell(value, way): 1.0}
    return {value: 1.0}


def _as_typed(kind: Kind, text: str, way: str) -> str | None:
    """What stands on paper by one way, as it would have been typed; None where it is not of the kind."""
    if kind.name == "date":
        near = _near(kind)
        patterns = kind.typed.split("\n")
        if _copies(way, patterns) and any(
            moment and text in dates.write(moment, typed)
            for typed in patterns
            for moment in [dates.parse(text, typed, near)]
        ):
            return text
        moment = dates.parse(text, way, near)
        if moment is None:
            return None
        if moment[0] == 0 and not set("Yy").isdisjoint(patterns[0].partition("|")[0]):
            moment = (near, *moment[1:])
        return dates.write(moment, patterns[0])[0]
    if kind.name in ("integer", "decimal"):
        return numbers.parse(text, way, kind.typed)
    if kind.name == "code":
        return shapes.parse(text, way, kind.values)
    return words.choose(text, way, [value for value, _ in kind.examples])


def _copies(way: str, patterns: Sequence[str]) -> bool:
    """Whether a way of writing dates is one of those of typing."""
    return any(way in dates.ways(pattern) and dates.ways(pattern)[way] == 0.5 for pattern in patterns)


@lru_cache(maxsize=4096)
def _near(kind: Kind) -> int:
    """The year in the middle of a column; that of two-digit years, and of dates without one."""
    patterns = kind.typed.split("\n")
    years = sorted(
        moment[0]
        for value in kind.values
        if (moment := next((m for typed in patterns if (m := dates.parse(value, typed))), None)) and moment[0]
    )
    return years[len(years) // 2] if years else 2000


@lru_cache(maxsize=512)
def _compiled(kind: Kind, alphabet: str) -> tuple[tuple[str, float, Automaton], ...]:
    """The automaton of each of a kind's commonest ways."""
    found = []
    for way, weight in sorted(kind.ways, key=lambda one: -one[1])[:_MOST_WAYS]:
        if kind.name == "date":
            near, patterns = _near(kind), kind.typed.split("\n")
            moments = [m for v in kind.values for typed in patterns[:1] if (m := dates.parse(v, typed, near))]
            net = dates.net(way, dates.years_of(moments))
        elif kind.name in ("integer", "decimal"):
            net = numbers.net(way, kind.values, kind.typed)
        elif kind.name == "code":
            net = shapes.net(way, kind.values)
        else:
            net = words.choices(way, kind.examples)
        found.append((way, weight, net.spelled(alphabet)))
    return tuple(found)


def _read_text(seen: Seen, alphabet: str, kind: Kind) -> Reading:
    """Read a line with its column's words as a preference."""
    if not kind.examples:
        return read_free(seen, alphabet)
    way = max(kind.ways, key=lambda one: one[1])[0]
    lines = read_line(seen, alphabet, _lexicon(kind.examples, way), _TRUST, _BONUS)
    best = lines[0]
    text = words.parse(best.text, way, [value for value, _ in kind.examples])
    return Reading(text, float(share_of_best(lines) * best.seen**_EVIDENCE))


@lru_cache(maxsize=64)
def _lexicon(examples: tuple[tuple[str, int], ...], way: str) -> Lexicon:
    return Lexicon([words.spell(value, way) for value, count in examples for _ in range(min(count, 20))])


@dataclass(frozen=True)
class _Bare:
    """Which classes carry accents, and the class of the bare letter of each."""

    accented: NDArray[np.intp]
    plain: NDArray[np.intp]


@lru_cache(maxsize=8)
def _bare_classes(alphabet: str) -> _Bare:
    pairs = [(i, alphabet.find(bare(sign)) + 1) for i, sign in enumerate(alphabet, start=1) if bare(sign) != sign]
    pairs = [(i, j) for i, j in pairs if j > 0]
    return _Bare(np.array([i for i, _ in pairs], np.intp), np.array([j for _, j in pairs], np.intp))


def _without_accents(seen: Seen, alphabet: str) -> Seen:
    """What a network saw, the probability of each accented letter given to the bare one."""
    classes = _bare_classes(alphabet)
    folded = seen.copy()
    for accented, plain in zip(classes.accented, classes.plain, strict=True):
        folded[:, plain] += seen[:, accented]
    return folded
