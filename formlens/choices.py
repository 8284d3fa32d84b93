"""How likely each option of a question is marked goes in; what the spreadsheet says of it comes out.

A tick box is a question of one option, yes and no are one of two; boxes that exclude each other are one of many; a grid
of bubbles asks one of many for each character of a number or code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from formlens.types import Box, Reading

_CORRECTED = 1.4
"""Of two marked options the one with so many times more ink was struck out."""


@dataclass(frozen=True)
class Option:
    """One place that may be marked, and what the spreadsheet says if it is."""

    text: str
    box: Box
    """In pixels of the form's frame."""
    way: Literal["box", "word"] = "box"
    """A box that is marked, or a printed word that is circled or underlined."""
    slot: int = 0
    """In a grid, which character of the value it is; of each slot one option may be marked."""
    sure: bool = True
    """False for an option that no CSV named: its text is what is printed beside it."""


@dataclass(frozen=True)
class Choice:
    """A question that is answered by marks."""

    options: tuple[Option, ...]
    none: str = ""
    """What the spreadsheet says where nothing is marked."""
    way: Literal["one", "several", "grid"] = "one"
    joint: str = ""
    """What stands between several answers."""

    @property
    def place(self) -> Box:
        """The smallest box around all options."""
        edges = list(zip(*(option.box for option in self.options), strict=True))
        return min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])


@dataclass(frozen=True)
class Seen:
    """The probability that an option is marked, and how much ink is there."""

    marked: float
    ink: float


def answer(choice: Choice, seen: Mapping[Option, Seen]) -> Reading:
    """What is marked, as people would have typed it, and the probability that this is exactly right."""
    if choice.way == "several":
        given = [option for option in choice.options if seen[option].marked > 0.5]
        confidence = prod(max(seen[option].marked, 1 - seen[option].marked) for option in choice.options)
        text = choice.joint.join(option.text for option in given) or choice.none
        return Reading(text, confidence if all(option.sure for option in given) else min(confidence, 0.3))
    slots = sorted({option.slot for option in choice.options})
    answers = [_one([o for o in choice.options if o.slot == slot], choice.none, seen) for slot in slots]
    if choice.way == "one":
        return answers[0]
    text = "".join(one.text for one in answers)
    return Reading(text, prod(one.confidence for one in answers))


def _one(options: Sequence[Option], none: str, seen: Mapping[Option, Seen]) -> Reading:
    """One of the options, or none."""
    chances = {option: min(max(seen[option].marked, 1e-6), 1 - 1e-6) for option in options}
    nothing = prod(1 - chance for chance in chances.values())
    marked = sorted((o for o in options if chances[o] > 0.5), key=lambda o: -chances[o])
    if not marked:
        return Reading(none, nothing)
    best = marked[0]
    if len(marked) == 1:
        confidence = nothing / (1 - chances[best]) * chances[best]
        return Reading(best.text, confidence if best.sure else min(confidence, 0.3))
    lightest, heavier = sorted(marked, key=lambda o: seen[o].ink)[:2]
    if len(marked) == 2 and seen[heavier].ink > _CORRECTED * max(seen[lightest].ink, 0.02):
        return Reading(lightest.text, 0.6)
    return Reading(best.text, min(0.4, 1 / len(marked)))
