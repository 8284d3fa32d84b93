"""Crops of one form whose texts are known go in; how the reader's eye is suited to its hand comes out, and suits it.

People of one office write their sevens alike, and a reader that never saw them takes each for a two, in the same
undecided way. Which characters a network holds possible says more than which it holds likeliest, so a linear map of
their logarithms, close to none, is learned from the form's own rows: in effect the network's last layer, trained on
(cf. Platt scaling; Graves et al., ICML 2006, for the alignment of a text with the steps of a crop). It costs seconds,
needs no gradient of the network, and is a table of numbers in the form's file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formlens.decode import BLANK

Floats = NDArray[np.float64]
Seen = NDArray[np.float32]

_PRIOR = 6.0
"""How strongly the map is held to none: the precision of its numbers."""
_ROUNDS, _STEPS, _PACE = 2, 40, 0.02
"""Times that texts are aligned anew, steps of each, and how far a step goes (Adam, Kingma and Ba, ICLR 2015)."""
_FLOOR, _MIDDLE = -12.0, -10.0
"""Logarithms of probabilities are not taken lower, and count from there."""
_DOUBT = 40.0
"""Nats beyond which a text is rather mistyped than badly read."""
_LEAST, _MOST_LESSONS = 20, 360
"""Texts from which something can be learned, and how many are enough, evenly drawn."""
_TINY = 1e-9
_MOST = 400
"""Classes that a file may name."""


@dataclass(frozen=True)
class Lesson:
    """A crop whose text is known: the class of each character, and what the network saw, shape (steps, classes)."""

    spelling: tuple[int, ...]
    seen: Seen


@dataclass(frozen=True)
class Hand:
    """How what one reader sees is suited to the hand of a form."""

    reader: str
    """The version of the reader."""
    classes: tuple[int, ...]
    """The classes whose probabilities are shared out anew, the blank first."""
    weights: tuple[tuple[float, ...], ...]
    """For each class of the reader, and at last for none, what it adds to the log odds of each of `classes`."""

    @cached_property
    def table(self) -> Floats:
        """The weights, shape (1 + classes of the reader, len(classes))."""
        return np.array(self.weights, np.float64)


def suited(seen: Seen, hand: Hand | None, reader: str) -> Seen:
    """What a reader of this version saw in a crop, as the form's hand makes it likely; other readers' stays as it is.

    Each step still sums to one; classes that the hand does not know keep their share.
    """
    if hand is None or hand.reader != reader or len(hand.weights) != seen.shape[1] + 1:
        return seen
    found = seen.copy()
    known = list(hand.classes)
    shares = _shares(_features(seen), _logs(seen, known), hand.table)
    found[:, known] = shares * seen[:, known].sum(axis=1, keepdims=True)
    return found


def learn_hand(lessons: Sequence[Lesson], reader: str, *, proven: bool = False) -> Hand | None:
    """The hand that crops of known texts show; None where they are too few, or teach nothing that holds for others.

    Where it is ``proven`` that such crops teach something, half of them need not be tried on the other half.
    """
    if len(lessons) < _LEAST:
        return None
    lessons = [lessons[at] for at in np.unique(np.linspace(0, len(lessons) - 1, _MOST_LESSONS).astype(int)).tolist()]
    classes = sorted({BLANK}.union(*(lesson.spelling for lesson in lessons)))
    if not proven and not _holds(lessons, classes):
        return None
    table = _learn(lessons, classes)
    return Hand(reader, tuple(classes), tuple(tuple(map(float, row)) for row in np.round(table, 4)))


def _holds(lessons: Sequence[Lesson], classes: Sequence[int]) -> bool:
    """Whether what half of the crops teach makes the texts of the other half likelier."""
    halves = lessons[::2], lessons[1::2]
    before = after = 0.0
    for own, others in (halves, halves[::-1]):
        table = _learn(own, classes)
        for lesson in others:
            features, logs = _features(lesson.seen), _logs(lesson.seen, classes)
            place = [classes.index(sign) for sign in lesson.spelling]
            share = np.log(lesson.seen[:, classes].sum(axis=1) + _TINY).sum()
            before += max(-_DOUBT, _align(np.log(lesson.seen[:, classes] + _TINY), place)[1])
            after += max(-_DOUBT, _align(np.log(_shares(features, logs, table) + _TINY), place)[1] + share)
    return after > before


def _learn(lessons: Sequence[Lesson], classes: Sequence[int]) -> Floats:
    features = [_features(lesson.seen) for lesson in lessons]
    logs = [_logs(lesson.seen, classes) for lesson in lessons]
    places = [[classes.index(sign) for sign in lesson.spelling] for lesson in lessons]
    table = np.zeros((features[0].shape[1], len(classes)))
    first, second = np.zeros_like(table), np.zeros_like(table)
    count = 0
    for _ in range(_ROUNDS):
        wanted = []
        for x, own, place in zip(features, logs, places, strict=True):
            found, chance = _align(np.log(_shares(x, own, table) + _TINY), place)
            wanted.append(found if chance > -_DOUBT else np.zeros_like(own))
        aim, x, own = np.concatenate(wanted), np.concatenate(features), np.concatenate(logs)
        # steps between characters are sure, and most: they teach nothing
        open_ = (aim.sum(axis=1) > 0.5) & ((aim[:, 0] < 0.995) | (own[:, 0] < np.log(0.995)))
        aim, x, own = aim[open_], x[open_], own[open_]
        for _ in range(_STEPS):
            count += 1
            slope = (x.T @ (_shares(x, own, table) - aim) + _PRIOR * table) / len(lessons)
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope**2
            table = table - _PACE * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
    return table


def _features(seen: Seen) -> Floats:
    """Of each step what the map is applied to, shape (steps, classes + 1)."""
    logs = np.maximum(np.log(seen.astype(np.float64) + _TINY), _FLOOR) - _MIDDLE
    return np.hstack([logs, np.ones((len(seen), 1))])


def _logs(seen: Seen, classes: Sequence[int]) -> Floats:
    return np.log(seen[:, list(classes)].astype(np.float64) + _TINY)


def _shares(features: Floats, logs: Floats, table: Floats) -> Floats:
    """Of each step the probabilities of the classes of a hand, shape (steps, classes), summing to one."""
    odds = logs + features @ table
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)


def _align(logs: Floats, spelling: Sequence[int]) -> tuple[Floats, float]:
    """How likely each step stands for each class if a crop says this text, shape (steps, classes), and the logarithm of
    how likely it says so (CTC forward and backward)."""
    states = np.full(2 * len(spelling) + 1, BLANK)
    states[1::2] = spelling
    seen = logs[:, states]
    skips = np.full(len(states), -np.inf)
    skips[3::2] = np.where(states[3::2] != states[1:-2:2], 0.0, -np.inf)
    ahead = _forward(seen, skips)
    back_skips = np.full(len(states), -np.inf)
    back_skips[:-2] = skips[2:]
    behind = _forward(seen[::-1, ::-1], back_skips[::-1])[::-1, ::-1]
    total = float(np.logaddexp.reduce(ahead[-1, -2:]))
    shares = np.exp(ahead + behind - seen - total) if np.isfinite(total) else np.zeros_like(seen)
    found = np.zeros((logs.shape[1], len(logs)))
    np.add.at(found, states, shares.T)
    return found.T, total


def _forward(seen: Floats, skips: Floats) -> Floats:
    found = np.full(seen.shape, -np.inf)
    found[0, :2] = seen[0, :2]
    for step in range(1, len(seen)):
        before = found[step - 1]
        ways = np.full((3, len(before)), -np.inf)
        ways[0], ways[1, 1:], ways[2, 2:] = before, before[:-1], before[:-2]
        ways[2] += skips
        most = ways.max(axis=0)
        sums = np.exp(ways - np.where(np.isfinite(most), most, 0.0)).sum(axis=0)
        found[step] = np.where(np.isfinite(most), most, 0.0) + np.log(sums + 1e-300) + seen[step]
    return found


def hand_from(content: Any) -> Hand | None:
    """The hand that a form's file describes, None for null. Raises ValueError, KeyError, TypeError for others."""
    if content is None:
        return None
    classes = content["classes"]
    if not isinstance(content["reader"], str) or not isinstance(classes, list) or not 0 < len(classes) <= _MOST:
        raise ValueError("no hand")
    table = np.array(content["weights"], np.float64)
    if table.ndim != 2 or not 1 < len(table) <= _MOST or table.shape[1] != len(classes) or not np.isfinite(table).all():
        raise ValueError("not the table of a hand")
    if any(type(one) is not int or not 0 <= one < len(table) - 1 for one in classes) or len(set(classes)) < len(
        classes
    ):
        raise ValueError("classes that no reader has")
    return Hand(content["reader"], tuple(classes), tuple(tuple(map(float, row)) for row in table))
