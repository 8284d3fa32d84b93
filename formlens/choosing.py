"""What is marked on labelled scans, and what people typed, go in; which column is answered by which marks comes out.

For each value of a column a box is looked for that is marked on the scans that have the value and on no others; the
print beside a box, and other options of the column in line with it, speak for it too. All columns are settled at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import log

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.assign import assign
from formlens.bubbles import ALPHABETS, Grid, find_grids, spelled
from formlens.choices import Choice, Option
from formlens.ink import Gray
from formlens.kinds import Kind
from formlens.reader import Reader
from formlens.types import Box, Image

_MOST_OPTIONS = 12
_NAMED = 4.0
"""Nats by which a box is likelier that has an option's name printed beside it."""
_IN_LINE = 1.5
"""Nats by which a box is likelier that is in line with another option of its column."""
_ENOUGH = 0.25
"""Nats for an answer, at least, by which marks explain a column better than chance."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidates:
    """Places that may be marked, the probability that each is on each scan, and what is printed beside them."""

    boxes: tuple[Box, ...]
    marked: Floats
    """Shape (scans, boxes)."""
    labels: tuple[str, ...]
    words: bool = False
    """Whether these are printed words to be circled, or boxes."""


@dataclass(frozen=True)
class Settled:
    """A column's answer by marks, and how much likelier (nats) it is than chance."""

    choice: Choice
    fit: float


def choose(
    names: Sequence[str], rows: Sequence[dict[str, str]], kinds: Sequence[Kind], given: Candidates
) -> dict[int, Settled]:
    """The columns, by number, that are answered by these marks."""
    columns = {i: [row[name].strip() for row in rows] for i, name in enumerate(names)}
    settled = {} if given.words else _grids(columns, given)
    taken = {box for one in settled.values() for box in (option.box for option in one.choice.options)}
    asked: list[tuple[int, str]] = []
    joints: dict[int, str] = {}
    for i, values in columns.items():
        if i in settled:
            continue
        joints[i] = _joint(values)
        options = sorted({part for value in values for part in _parts(value, joints[i]) if part})
        if kinds[i].name == "mark":
            options = [text for text in kinds[i].typed.split("\n") if text]
        if 0 < len(options) <= _MOST_OPTIONS and kinds[i].name not in ("date", "decimal"):
            asked += [(i, option) for option in options]
    if not asked or not given.boxes:
        return settled
    evidence = np.array([_evidence(columns[i], option, joints[i], given.marked) for i, option in asked])
    fits = evidence + np.array([_named(names[i], option, kinds[i], given.labels) for i, option in asked])
    for j, box in enumerate(given.boxes):
        fits[:, j] -= 1e6 * (box in taken)
    second = np.array([kinds[i].name == "mark" and option == kinds[i].typed.split("\n")[1] for i, option in asked])
    fits[second] -= 1.5  # most questions of yes and no have one box
    fits[[kinds[i].name != "mark" for i, _ in asked]] -= 0.2  # and most other columns are written
    found = _assigned(asked, fits, given.boxes)
    for i in dict.fromkeys(i for i, _ in asked):
        mine = [(option, found[n], n) for n, (column, option) in enumerate(asked) if column == i]
        settled_one = _settle(mine, fits, evidence, columns[i], kinds[i], joints[i], given)
        if settled_one is not None:
            settled[i] = settled_one
    used = {option.box for one in settled.values() for option in one.choice.options}
    return {i: _with_unknown(one, given, used) for i, one in settled.items()}


def labels_of(blank: Gray, boxes: Sequence[Box], reader: Reader) -> tuple[str, ...]:
    """What is printed to the right of each box, or to its left on forms that print it there."""
    sides = [[_strip(blank, box, boxes, way) for box in boxes] for way in (1, -1)]
    counts = [sum(strip is not None for strip in side) for side in sides]
    side = sides[0] if counts[0] >= counts[1] else sides[1]
    readings = iter(reader.read([strip for strip in side if strip is not None]))
    return tuple("" if strip is None else next(readings).text.strip(" .:;,") for strip in side)


def words_of(blank: Gray, words: Sequence[Box], reader: Reader) -> tuple[str, ...]:
    """What each printed word says."""
    crops = [
        cv2.cvtColor(blank[max(0, y0 - 4) : y1 + 4, max(0, x0 - 6) : x1 + 6], cv2.COLOR_GRAY2BGR)
        for x0, y0, x1, y1 in words
    ]
    return tuple(reading.text.strip(" .:;,") for reading in reader.read([np.asarray(crop, np.uint8) for crop in crops]))


def beside_name(name: str, boxes: Sequence[Box], labels: Sequence[str]) -> int | None:
    """The box, by number, that has a column's name printed beside it; None where none has, or several have."""
    likenesses = np.array([_likeness(name, label) for label in labels[: len(boxes)]])
    named = np.flatnonzero(likenesses > 0.8)
    return int(named[0]) if len(named) == 1 else None


def _evidence(values: Sequence[str], option: str, joint: str, marked: Floats) -> Floats:
    """How much likelier (nats) each box is marked as the option asks for than by its own chance."""
    meant = np.array([option in _parts(value, joint) for value in values])
    usual = (marked.sum(axis=0) + 0.5) / (len(values) + 1)
    yes, no = np.log((0.97 * marked + 0.01) / usual), np.log((0.97 * (1 - marked) + 0.01) / (1 - usual))
    return np.asarray(np.where(meant[:, None], yes, no).sum(axis=0), np.float64)


def _named(name: str, option: str, kind: Kind, labels: Sequence[str]) -> Floats:
    lone = kind.name == "mark" and option == kind.typed.split("\n")[0]
    return np.array([_NAMED * max(_likeness(option, text), 0.7 * lone * _likeness(name, text)) for text in labels])


def _likeness(option: str, label: str) -> float:
    a, b = (text.casefold().replace("_", " ").strip() for text in (option, label))
    if not a or not b:
        return 0.0
    if min(len(a), len(b)) <= 2:
        return 1.0 if a == b else 0.4 if b.startswith(a) else 0.0
    if b.startswith(a) or a.startswith(b) or b.split()[0] == a:
        return 1.0
    ratio = SequenceMatcher(None, a, b[: len(a) + 2]).ratio()
    return ratio if ratio > 0.75 else 0.0


def _assigned(asked: Sequence[tuple[int, str]], fits: Floats, boxes: Sequence[Box]) -> list[int | None]:
    found = assign(fits)
    for _ in range(2):
        bonus = np.zeros_like(fits)
        for n, (i, _option) in enumerate(asked):
            others = [found[m] for m, (column, _) in enumerate(asked) if column == i and m != n]
            near = [boxes[j] for j in others if j is not None]
            if near:
                bonus[n] = [_IN_LINE if any(_in_line(box, other) for other in near) else -0.7 for box in boxes]
        found = assign(fits + bonus)
    return found


def _in_line(a: Box, b: Box) -> bool:
    """Whether two boxes stand in one row or column, not far from each other, and are about as high."""
    tall = max(a[3] - a[1], b[3] - b[1])
    across, down = abs(a[0] + a[2] - b[0] - b[2]) / 2, abs(a[1] + a[3] - b[1] - b[3]) / 2
    if abs((a[3] - a[1]) - (b[3] - b[1])) > 0.35 * tall:
        return False
    left = abs(a[0] - b[0])
    return (down < 0.6 * tall and across < 30 * tall) or (min(across, left) < 0.6 * tall and down < 15 * tall)


def _settle(
    mine: Sequence[tuple[str, int | None, int]], fits: Floats, evidence: Floats, values: Sequence[str], kind: Kind,
    joint: str, given: Candidates,
) -> Settled | None:  # fmt: skip
    """A column's choice, where its options were found."""
    way = "word" if given.words else "box"
    found = [(option, box, n) for option, box, n in mine if box is not None]
    if not found:
        return None
    options = tuple(Option(option, given.boxes[box], "word" if way == "word" else "box") for option, box, _ in found)
    fit = float(sum(fits[n, box] for _, box, n in found))
    if kind.name == "mark":
        _, no = kind.typed.split("\n")
        if {option.text for option in options} == {no}:
            return None
        # with one box its silence says no, with two that nobody answered
        return Settled(Choice(options, no if len(options) == 1 else ""), fit)
    least = _ENOUGH * sum(bool(value) for value in values)
    explained = sum(all(part in {o.text for o in options} for part in _parts(value, joint)) for value in values)
    if explained < 0.8 * len(values) or sum(evidence[n, box] for _, box, n in found) < least or len(found) < 2:
        return None
    return Settled(Choice(options, "", "several" if joint else "one", joint), fit)


def _with_unknown(one: Settled, given: Candidates, used: set[Box]) -> Settled:
    """Add the boxes that continue a column's row or column of boxes at its pitch: options that nobody chose yet."""
    choice = one.choice
    if choice.way == "grid" or len(choice.options) < 2 or given.words or _is_yes_no(choice):
        return one
    middles = np.array([[(o.box[0] + o.box[2]) / 2, (o.box[1] + o.box[3]) / 2] for o in choice.options])
    axis = int(np.ptp(middles, axis=0).argmax())
    steps = np.diff(np.sort(middles[:, axis]))
    tall = choice.options[0].box[3] - choice.options[0].box[1]
    level = float(np.median(middles[:, 1 - axis]))
    reach = max(1.6 * float(steps.max()), 3.0 * tall) if axis == 0 else 1.3 * float(steps.min())
    low, high = float(middles[:, axis].min()), float(middles[:, axis].max())
    more = []
    for box, label in zip(given.boxes, given.labels, strict=True):
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        alike = _in_line(box, choice.options[0].box) and abs(middle[1 - axis] - level) < 0.5 * tall
        if alike and box not in used and low - reach < middle[axis] < high + reach and label:
            more.append(Option(label, box, sure=False))
    texts = {option.text for option in choice.options}
    more = [option for option in more if option.text not in texts][:_MOST_OPTIONS]
    return Settled(Choice((*choice.options, *more), choice.none, choice.way, choice.joint), one.fit)


def _is_yes_no(choice: Choice) -> bool:
    return {o.text.casefold() for o in choice.options} <= {
        "yes",
        "no",
        "y",
        "n",
        "oui",
        "non",
        "ja",
        "nein",
        "true",
        "false",
    }


def _joint(values: Sequence[str]) -> str:
    """What parts several answers in one cell, as people typed it; empty where each cell has one."""
    for sign in (";", "|", ","):
        holding = [value for value in values if sign in value]
        if holding:
            return f"{sign} " if all(f"{sign} " in value for value in holding) else sign
    return ""


def _parts(value: str, joint: str) -> list[str]:
    return [part.strip() for part in value.split(joint.strip())] if joint else [value]


def _grids(columns: dict[int, list[str]], given: Candidates) -> dict[int, Settled]:
    """The columns that grids of bubbles spell."""
    settled: dict[int, Settled] = {}
    for grid in find_grids(given.boxes):
        best: tuple[float, int, Choice] | None = None
        for upright in (True, False):
            slots = grid.numbers.T if upright else grid.numbers
            for alphabet in ALPHABETS:
                if (
                    slots.shape[1] > len(alphabet)
                    or slots.shape[1] < 4
                    or (alphabet[0] != "A" and slots.shape[1] != 10)
                ):
                    continue
                texts = [spelled(grid, page, alphabet, upright) for page in given.marked]
                for i, values in columns.items():
                    if i in settled or not any(values):
                        continue
                    fit = sum(_spelled_fit(value, text) for value, text in zip(values, texts, strict=True))
                    if fit > 3.0 and (best is None or fit > best[0]):
                        best = fit, i, _grid_choice(grid, given, alphabet, upright)
        if best is not None:
            settled[best[1]] = Settled(best[2], best[0])
    return settled


def _spelled_fit(value: str, text: str) -> float:
    if value == text:
        return 2.0 * len(value)
    if value.isdigit() and text.isdigit() and int(value) == int(text):
        return 1.8 * len(value)
    return log(0.1)


def _grid_choice(grid: Grid, given: Candidates, alphabet: str, upright: bool) -> Choice:
    slots = grid.numbers.T if upright else grid.numbers
    options = [
        Option(alphabet[n], given.boxes[box], slot=slot)
        for slot, row in enumerate(slots.tolist())
        for n, box in enumerate(row)
    ]
    return Choice(tuple(options), "", "grid")


def _strip(blank: Gray, box: Box, boxes: Sequence[Box], way: int) -> Image | None:
    """What is printed beside a box, up to a wide gap, a ruling or the next box; None where nothing is close."""
    x0, y0, x1, y1 = box
    tall = y1 - y0
    top, bottom = max(0, y0 - tall // 3), y1 + tall // 3
    edge = x1 + max(4, tall // 5) if way > 0 else x0 - max(4, tall // 5)
    far = edge + way * 16 * tall
    for other in boxes:
        if other[1] < y1 and other[3] > y0 and other != box:
            if way > 0 and x1 <= other[0] < far:
                far = other[0] - 4
            elif way < 0 and far < other[2] <= x0:
                far = other[2] + 4
    left, right = max(0, min(edge, far)), max(0, max(edge, far))
    part = blank[top:bottom, left:right]
    if part.shape[1] < tall // 2:
        return None
    dark = part < np.percentile(part, 90) - 60
    bars = dark.mean(axis=0) > 0.95
    inked = np.flatnonzero(dark[tall // 6 : -max(1, tall // 6)].any(axis=0) & ~bars)
    inked = inked if way > 0 else part.shape[1] - 1 - inked[::-1]
    if not len(inked) or inked[0] > 1.5 * tall:
        return None
    ends = np.flatnonzero(np.diff(inked) > 1.1 * tall)
    last = int(inked[ends[0]] if len(ends) else inked[-1]) + 3
    first = max(0, int(inked[0]) - 3)
    strip = part[:, first:last] if way > 0 else part[:, max(0, part.shape[1] - last) : part.shape[1] - first]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(strip), cv2.COLOR_GRAY2BGR), np.uint8)
