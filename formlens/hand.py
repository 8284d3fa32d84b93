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
        places = _places(others, classes)
        logs = [_logs(lesson.seen, classes) for lesson in others]
        shares = [np.log(_shares(_features(one.seen), of, table) + _TINY) for one, of in zip(others, logs, strict=True)]
        kept = [np.log(one.seen[:, classes].sum(axis=1) + _TINY).sum() for one in others]
        before += np.maximum(-_DOUBT, _align(logs, places)[1]).sum()
        after += np.maximum(-_DOUBT, _align(shares, places)[1] + kept).sum()
    return bool(after > before)


def _learn(lessons: Sequence[Lesson], classes: Sequence[int]) -> Floats:
    x = np.concatenate([_features(lesson.seen) for lesson in lessons])
    own = np.concatenate([_logs(lesson.seen, classes) for lesson in lessons])
    ends = np.cumsum([len(lesson.seen) for lesson in lessons])[:-1]
    places = _places(lessons, classes)
    table = np.zeros((x.shape[1], len(classes)))
    first, second = np.zeros_like(table), np.zeros_like(table)
    count = 0
    for _ in range(_ROUNDS):
        found, chances = _align(np.split(np.log(_shares(x, own, table) + _TINY), ends), places)
        aim = np.concatenate([one * (chance > -_DOUBT) for one, chance in zip(found, chances, strict=True)])
        # steps between characters are sure, and most: they teach nothing
        open_ = (aim.sum(axis=1) > 0.5) & ((aim[:, 0] < 0.995) | (own[:, 0] < np.log(0.995)))
        wanted, inside, logs = aim[open_], x[open_], own[open_]
        for _ in range(_STEPS):
            count += 1
            slope = (inside.T @ (_shares(inside, logs, table) - wanted) + _PRIOR * table) / len(lessons)
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope**2
            table = table - _PACE * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
    return table


def _places(lessons: Sequence[Lesson], classes: Sequence[int]) -> list[list[int]]:
    """The text of each crop, by the places of its characters among the classes of a hand."""
    return [[classes.index(sign) for sign in lesson.spelling] for lesson in lessons]


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


def _align(logs: Sequence[Floats], spellings: Sequence[Sequence[int]]) -> tuple[list[Floats], Floats]:
    """How likely each step of each crop stands for each class if the crop says its text, shape (steps, classes) each,
    and the logarithm of how likely it says so (CTC forward and backward, all crops at once)."""
    steps = np.array([len(one) for one in logs])
    sizes = np.array([2 * len(spelling) + 1 for spelling in spellings])
    states = np.full((len(logs), sizes.max()), BLANK)
    seen = np.full((len(logs), steps.max(), sizes.max()), -np.inf)
    for own, row, table, spelling in zip(seen, states, logs, spellings, strict=True):
        row[1 : 2 * len(spelling) : 2] = spelling
        own[: len(table), : 2 * len(spelling) + 1] = table[:, row[: 2 * len(spelling) + 1]]
    skips = np.full(states.shape, -np.inf)
    skips[:, 3::2] = np.where(states[:, 3::2] != states[:, 1:-2:2], 0.0, -np.inf)
    ahead = _forward(seen, skips)
    # the same from the end, each crop turned round by itself
    crop = np.arange(len(logs))[:, None]
    step, state = steps[:, None] - 1 - np.arange(steps.max()), sizes[:, None] - 1 - np.arange(sizes.max())
    turned = seen[crop[:, :, None], step[:, :, None], state[:, None, :]]
    turned[(step < 0)[:, :, None] | (state < 0)[:, None, :]] = -np.inf
    onward = np.full(states.shape, -np.inf)
    onward[:, :-2] = skips[:, 2:]
    onward = np.where(state >= 0, onward[crop, state], -np.inf)
    behind = _forward(turned, onward)[crop[:, :, None], step[:, :, None], state[:, None, :]]
    last = ahead[np.arange(len(logs)), steps - 1]
    totals = np.logaddexp(*(last[np.arange(len(logs)), sizes - back] for back in (1, 2)))
    found = []
    for number, table in enumerate(logs):
        aim = np.zeros((table.shape[1], len(table)))
        if np.isfinite(totals[number]):
            part = (number, slice(len(table)), slice(sizes[number]))
            shares = np.exp(ahead[part] + behind[part] - seen[part] - totals[number])
            np.add.at(aim, states[number, : sizes[number]], shares.T)
        found.append(aim.T)
    return found, totals


def _forward(seen: Floats, skips: Floats) -> Floats:
    """The logarithm of how likely each crop is in each state of its text after each step, shape as ``seen``."""
    found = np.full(seen.shape, -np.inf)
    found[:, 0, :2] = seen[:, 0, :2]
    ways = np.full((3, *skips.shape), -np.inf)
    for step in range(1, seen.shape[1]):
        before = found[:, step - 1]
        ways[0], ways[1, :, 1:], ways[2, :, 2:] = before, before[:, :-1], before[:, :-2] + skips[:, 2:]
        most = ways.max(axis=0)
        most[~np.isfinite(most)] = 0.0
        found[:, step] = most + np.log(np.exp(ways - most).sum(axis=0) + 1e-300) + seen[:, step]
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
