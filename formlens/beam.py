"""What a network saw in a line of text and a model of the column go in; the likeliest texts come out.

Prefix beam search over a CTC network with a character model (Hannun et al. 2014, First-Pass Large Vocabulary Continuous
Speech Recognition).
"""

from bisect import insort
from dataclasses import dataclass
from math import exp, log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from formlens.language import END, START, after

WIDTH = 12
_LEAST = 1e-3
"""A sign less likely than this at a step is not tried, unless nothing else is."""
_MOST = 8
"""Signs tried at a step."""


class Model(Protocol):
    """How likely a sign follows others: `formlens.language.Language` or `formlens.lexicon.Lexicon`."""

    def surprise(self, context: str, sign: str) -> float:
        """The logarithm of how likely a sign, or the end, follows a context."""


@dataclass(frozen=True)
class Line:
    """A text, the logarithm of its weight (network and model together) and its probability under the network."""

    text: str
    weight: float
    seen: float


def read_line(
    seen: NDArray[np.float32], alphabet: str, language: Model, trust: float, bonus: float, width: int = WIDTH
) -> list[Line]:
    """The likeliest texts of a crop, best first.

    A text weighs its probability under the network, times that under the model to the power of ``trust``, times ``exp``
    of ``bonus`` a sign (a model alone would have short texts).
    """
    # text -> [probability ending in its last sign, ending in a blank, logarithm of the model's part, context]
    beams: dict[str, tuple[float, float, float, str]] = {"": (0.0, 1.0, 0.0, START)}
    scale = 0.0
    for row in seen:
        blank = float(row[0])
        tried = np.flatnonzero(row[1:] > _LEAST)
        if len(tried) > _MOST:
            tried = np.argpartition(row[1:], -_MOST)[-_MOST:]
        signs = [(alphabet[i], float(row[i + 1])) for i in tried.tolist()]
        by_sign = dict(signs)
        nexts: dict[str, list[float]] = {}
        parents: dict[str, str] = {}
        for text, (on_sign, on_blank, _, _) in beams.items():
            whole = on_sign + on_blank
            entry = nexts.setdefault(text, [0.0, 0.0])
            entry[1] += whole * blank
            last = text[-1:]
            if last in by_sign:
                entry[0] += on_sign * by_sign[last]
            for sign, y in signs:
                gain = (on_blank if sign == last else whole) * y
                if gain > 0:
                    longer = text + sign
                    nexts.setdefault(longer, [0.0, 0.0])[0] += gain
                    if longer not in beams:
                        parents[longer] = text
        chances = {text: log(s + b + 1e-300) for text, (s, b) in nexts.items()}
        models = {text: (model, context) for text, (_, _, model, context) in beams.items()}
        ranked = sorted(((chances[text] + model, text) for text, (model, _) in models.items()), reverse=True)
        # a sign more weighs its bonus at most, so that the model need not be asked of what stays behind even then
        least = sorted(((chances[longer] + beams[text][2] + bonus, longer) for longer, text in parents.items()))
        while least and (len(ranked) < width or least[-1][0] > ranked[width - 1][0]):
            _, longer = least.pop()
            _, _, model, context = beams[parents[longer]]
            model += trust * language.surprise(context, longer[-1]) + bonus
            models[longer] = model, after(context, longer[-1])
            insort(ranked, (chances[longer] + model, longer), key=_falling)
        ranked = ranked[:width]
        most = max(sum(nexts[text]) for _, text in ranked) or 1.0
        scale += log(most)
        beams = {text: (nexts[text][0] / most, nexts[text][1] / most, *models[text]) for _, text in ranked}
    lines = []
    for text, (on_sign, on_blank, model, context) in beams.items():
        chance = log(on_sign + on_blank + 1e-300) + scale
        lines.append(Line(text, chance + model + trust * language.surprise(context, END), exp(min(chance, 0.0))))
    return sorted(lines, key=lambda line: -line.weight)


def _falling(ranked: tuple[float, str]) -> float:
    return -ranked[0]


def share_of_best(lines: list[Line]) -> float:
    """How much of the weight of all texts that `read_line` kept is the first one's."""
    return 1 / sum(exp(line.weight - lines[0].weight) for line in lines)
