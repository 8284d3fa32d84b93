"""What a network saw in a crop and a weighted automaton of texts go in; the likeliest texts and their shares come out.

An automaton is a graph whose nodes each stand for one character (the start for none). Every way from the start to an
end is a text; the weights along it multiply to how likely the text is beforehand. A text's mass is that weight times
its probability under the CTC network (the sum over all alignments). Nothing is scaled up for what the automaton leaves
out.

The search is Graves' prefix search (Supervised Sequence Labelling, 2012, 7.5.1) made exact by the automaton: one pass
backwards gives, for every prefix, the mass of all texts that begin with it; prefixes are opened in that order, so texts
come out in the order of their masses.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Port = tuple[int, float]
"""A node that a text may go on from, and the weight of going on."""


class Net:
    """An automaton while it is being built: texts are hung behind one another."""

    def __init__(self) -> None:
        self.signs = [""]
        self.arcs: dict[tuple[int, int], float] = {}
        self.ends: dict[int, float] = {}

    def after(self, ports: Iterable[Port], texts: Mapping[str, float]) -> dict[str, Port]:
        """Hang weighted texts (none of them empty) behind ports as one trie; the port behind each text."""
        nodes: dict[str, int] = {}
        for text in texts:
            for length in range(1, len(text) + 1):
                prefix = text[:length]
                if prefix not in nodes:
                    nodes[prefix] = len(self.signs)
                    self.signs.append(prefix[-1])
                    if length > 1:
                        self.arcs[nodes[prefix[:-1]], nodes[prefix]] = 1.0
        firsts = [nodes[prefix] for prefix in nodes if len(prefix) == 1]
        for node, weight in ports:
            for first in firsts:
                self.arcs[node, first] = self.arcs.get((node, first), 0.0) + weight
        return {text: (nodes[text], weight) for text, weight in texts.items()}

    def end(self, ports: Iterable[Port]) -> None:
        """Let texts end at ports."""
        for node, weight in ports:
            self.ends[node] = self.ends.get(node, 0.0) + weight

    def spelled(self, alphabet: str) -> "Automaton":
        """The automaton over a reader's classes; texts that its alphabet cannot spell are left out."""
        number = {character: i for i, character in enumerate(alphabet, start=1)}
        known = [not sign or sign in number for sign in self.signs]
        arcs = sorted((a, b, w) for (a, b), w in self.arcs.items() if known[a] and known[b] and w > 0)
        ends = np.zeros(len(self.signs))
        ends[list(self.ends)] = list(self.ends.values())
        signs = np.array([number.get(sign, 0) for sign in self.signs], np.intp)
        source, target = (np.array([arc[i] for arc in arcs], np.intp) for i in (0, 1))
        return Automaton(signs, source, target, np.array([arc[2] for arc in arcs], np.float64), ends)


@dataclass(frozen=True)
class Automaton:
    """Nodes with the class of their character (0 for the start, node 0), arcs sorted by source, weights of ending."""

    signs: NDArray[np.intp]
    source: NDArray[np.intp]
    target: NDArray[np.intp]
    weight: Floats
    ends: Floats


@dataclass(frozen=True)
class Found:
    """The mass of all texts of an automaton, and the likeliest of them, as classes, with the mass of each."""

    total: float
    texts: tuple[tuple[tuple[int, ...], float], ...]


def find(
    seen: NDArray[np.float32], automaton: Automaton, share: float = 0.02, effort: int = 120, least: float = 0.0
) -> Found:
    """The likeliest texts down to a ``share`` of the likeliest one's mass; none where all have less than ``least``.

    ``seen`` has shape (steps, classes), the blank first. Exact while at most ``effort`` prefixes are opened; beyond
    that the best prefix so far is followed to its likeliest end.
    """
    lattice = _Lattice(seen.astype(np.float64), automaton)
    if lattice.total < least:
        return Found(lattice.total, ())
    found: list[tuple[tuple[int, ...], float]] = []
    for text, mass in lattice.texts(effort):
        if found and mass < share * found[0][1]:
            break
        found.append((text, mass))
    found.sort(key=lambda one: -one[1])
    return Found(lattice.total, tuple(found))


class _Lattice:
    """One crop under one automaton."""

    def __init__(self, seen: Floats, automaton: Automaton) -> None:
        self.automaton = automaton
        self.blank: list[float] = seen[:, 0].tolist()
        self.own = seen[:, automaton.signs]  # (steps, nodes): of each node's character
        self.first = np.searchsorted(automaton.source, np.arange(len(automaton.signs) + 1))
        self.entering, self.total = self._backwards()

    def _backwards(self) -> tuple[Floats, float]:
        """Shape (steps, nodes): the mass of all that may follow when a node's character begins at a step."""
        a = self.automaton
        steps, nodes = self.own.shape
        entering = np.zeros((steps, nodes))
        twice = a.signs[a.source] == a.signs[a.target]
        others, doubles = np.flatnonzero(~twice), np.flatnonzero(twice)
        sources, starts = np.unique(a.source[others], return_index=True)
        other_to, other_weight = a.target[others], a.weight[others]
        double_from, double_to, double_weight = a.source[doubles], a.target[doubles], a.weight[doubles]
        on_sign, on_blank = a.ends.copy(), a.ends.copy()
        for step in range(steps - 1, -1, -1):
            begun = self.own[step] * on_sign
            entering[step] = begun
            on_blank = on_blank * self.blank[step]
            on_sign = begun + on_blank
            if len(others):
                going = np.add.reduceat(begun[other_to] * other_weight, starts)
                on_sign[sources] += going
                on_blank[sources] += going
            if len(doubles):
                np.add.at(on_blank, double_from, begun[double_to] * double_weight)
        entering[:, 0] = 0
        return entering, float(on_blank[0])

    def texts(self, effort: int) -> Iterator[tuple[tuple[int, ...], float]]:
        """Texts in the order of their masses."""
        counter = itertools.count()
        steps = len(self.blank)
        start = (0.0, *itertools.accumulate(self.blank, lambda a, b: a * b, initial=1.0))
        root = _Prefix(0, (), [0.0] * (steps + 1), list(start[1:]))
        heap: list[tuple[float, int, _Prefix | None, int, float, tuple[int, ...]]] = []
        opened = 0

        def open_prefix(prefix: _Prefix) -> None:
            end = float(self.automaton.ends[prefix.node]) * (prefix.on_sign[-1] + prefix.on_blank[-1])
            if end > 0:
                heapq.heappush(heap, (-end, next(counter), None, 0, 0.0, prefix.text))
            low, high = self.first[prefix.node], self.first[prefix.node + 1]
            if low == high:
                return
            targets = self.automaton.target[low:high]
            before = np.array(prefix.on_blank[:-1])
            masses = before @ self.entering[:, targets]
            fresh = np.array(prefix.on_sign[:-1]) @ self.entering[:, targets]
            masses += np.where(self.automaton.signs[targets] == self.automaton.signs[prefix.node], 0.0, fresh)
            masses *= self.automaton.weight[low:high]
            for target, weight, mass in zip(
                targets.tolist(), self.automaton.weight[low:high].tolist(), masses.tolist(), strict=True
            ):
                if mass > 1e-9 * self.total:
                    heapq.heappush(heap, (-mass, next(counter), prefix, target, weight, prefix.text))

        open_prefix(root)
        while heap:
            mass, _, prefix, node, weight, text = heapq.heappop(heap)
            if prefix is None:
                yield text, -mass
                continue
            opened += 1
            if opened > effort:
                heap.clear()  # from here on the one prefix is followed
            open_prefix(self._longer(prefix, node, weight))
            if opened > effort and heap:
                heap[:] = [min(heap)]

    def _longer(self, prefix: "_Prefix", node: int, weight: float) -> "_Prefix":
        sign = int(self.automaton.signs[node])
        doubled = sign == self.automaton.signs[prefix.node] and prefix.node != 0
        on_sign, on_blank = [0.0], [0.0]
        s = b = 0.0
        own: list[float] = self.own[:, node].tolist()
        for y, blank, was_sign, was_blank in zip(own, self.blank, prefix.on_sign, prefix.on_blank, strict=False):
            enter = was_blank if doubled else was_blank + was_sign
            b = blank * (b + s)
            s = y * (s + weight * enter)
            on_sign.append(s)
            on_blank.append(b)
        return _Prefix(node, (*prefix.text, sign), on_sign, on_blank)


@dataclass(frozen=True)
class _Prefix:
    """A beginning of a text and its probability after each step (from none to all), on its last sign or a blank."""

    node: int
    text: tuple[int, ...]
    on_sign: list[float]
    on_blank: list[float]


def likelihoods(seen: NDArray[np.float32], spellings: list[list[int]]) -> Floats:
    """The probability of each of several texts (classes) at once; see `formlens.decode.likelihood`."""
    if not spellings:
        return np.zeros(0)
    longest = max(map(len, spellings))
    states = np.zeros((len(spellings), 2 * longest + 1), np.intp)
    for row, spelling in zip(states, spellings, strict=True):
        row[1 : 2 * len(spelling) : 2] = spelling
    lengths = np.array([2 * len(spelling) for spelling in spellings])
    skips = np.zeros(states.shape)
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    forward = np.zeros((len(spellings), states.shape[1] + 2))
    forward[:, 2] = 1.0  # before the first step: as after a blank
    for step in seen.astype(np.float64):
        forward[:, 2:] = (forward[:, 2:] + forward[:, 1:-1] + forward[:, :-2] * skips) * step[states]
    rows = np.arange(len(spellings))
    return np.asarray(forward[rows, 2 + lengths] + np.where(lengths > 0, forward[rows, 1 + lengths], 0.0))
