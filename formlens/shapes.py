"""Codes, phone numbers, single letters: the values of a column go in, the shapes that they have come out.

A shape is a value with A for each capital, a for each small letter and 9 for each digit; other signs are themselves.
A way of writing is ``same``, or ``bare``: without the signs between, or ``loose``: with a sign (space, point, stroke)
where nothing was typed between letters and digits.
"""

import re
from collections import Counter
from collections.abc import Sequence

from formlens.automaton import Net, Port

_CLASSES = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}
_BETWEEN = " .-/"
_MOST = 12
"""A column of more shapes than this is text."""

_HABIT = 8.0
"""How many values of a column weigh as much as knowing nothing of its letters and digits."""


def shape_of(value: str) -> str:
    """The shape of a value."""
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "9", value)))


def detect(values: Sequence[str]) -> bool:
    """Whether a column is of codes: few shapes, with a digit in nearly all values; or of single letters."""
    shapes = Counter(map(shape_of, values))
    if len(shapes) > min(_MOST, max(1, len(values) // 2)) or any(len(shape) > 40 for shape in shapes):
        return False
    if all(re.fullmatch("[Aa]", shape) for shape in shapes):
        return True
    numbered = sum(count for shape, count in shapes.items() if "9" in shape and not re.search("a{3}", shape))
    return numbered >= 0.95 * len(values)


def ways(values: Sequence[str]) -> dict[str, float]:
    """In which ways a column of codes may be written on paper, and how likely each is beforehand."""
    parted = any(sign in value[1:-1] for value in values for sign in _BETWEEN)
    long = max(map(len, values), default=0) > 3
    found = {"same": 0.8}
    if parted:
        found["bare"] = 0.1
    if long and not parted:
        found["loose"] = 0.1
    if any(sign.isupper() for value in values for sign in value):
        found["lower"] = 0.05
    return found


def spell(value: str, way: str) -> list[str]:
    """How a typed code may stand on paper."""
    if way == "bare":
        return ["".join(sign for sign in value if sign not in _BETWEEN)]
    if way == "lower":
        return [value.lower()]
    if way == "loose":
        turns = [i for i in range(1, len(value)) if shape_of(value[i - 1]) != shape_of(value[i])]
        grouped = [[i for i in range(1, len(value)) if i % n == 0] for n in (2, 3, 4)]
        return list(dict.fromkeys(_parted(value, places, sign) for places in (turns, *grouped) for sign in _BETWEEN))
    return [value]


def parse(text: str, way: str, values: Sequence[str]) -> str | None:
    """What stands on paper as it would have been typed; None where it has no shape near those of the column."""
    shapes = _shapes(values)
    if way == "lower":
        text = text.upper()
    if way in ("bare", "loose"):
        text = "".join(sign for sign in text if sign not in _BETWEEN)
    if way == "bare":
        for shape in shapes:
            if shape_of(text) == "".join(sign for sign in shape if sign not in _BETWEEN):
                left = iter(text)
                return "".join(sign if sign in _BETWEEN else next(left) for sign in shape)
        return None
    return text if shape_of(text) in shapes else None


def net(way: str, values: Sequence[str]) -> Net:
    """The automaton of the codes of a column's shapes, and of such with one letter or digit more or fewer."""
    built = Net()
    root: dict[str, list[Port]] = {"": [(0, 1.0)]}
    for shape, weight in sorted(_shapes(values).items()):
        for i, sign in enumerate(shape):
            if (before := shape[: i + 1]) in root:
                continue
            ports = root[shape[:i]]
            if way == "bare" and sign in _BETWEEN:
                root[before] = ports
                continue
            if way == "loose" and i:
                between = built.after([(n, 0.2 * w) for n, w in ports], dict.fromkeys(_BETWEEN, 0.25))
                ports = [(n, 0.8 * w) for n, w in ports] + list(between.values())
            texts = _texts(sign, i, before, values)
            if way == "lower":
                texts = {text.lower(): w for text, w in texts.items()}
            root[before] = list(built.after(ports, texts).values())
        built.end([(node, w * weight) for node, w in root[shape]])
    return built


def _texts(sign: str, place: int, before: str, values: Sequence[str]) -> dict[str, float]:
    """How likely each letter or digit is at a place of a shape."""
    if sign not in _CLASSES:
        return {sign: 1.0}
    seen = Counter(value[place] for value in values if shape_of(value).startswith(before))
    total, all_ = sum(seen.values()), _CLASSES[sign]
    return {one: (seen[one] + _HABIT / len(all_)) / (total + _HABIT) for one in all_}


def _shapes(values: Sequence[str]) -> dict[str, float]:
    seen = Counter(map(shape_of, values))
    total = sum(seen.values())
    found = {shape: 0.95 * count / total for shape, count in seen.most_common(_MOST)}
    near = {way for shape in found for way in _neighbours(shape)} - found.keys()
    return found | {shape: 0.05 / len(near) for shape in sorted(near)}


def _neighbours(shape: str) -> set[str]:
    """The shapes with one letter or digit more or fewer in one of the runs."""
    runs = [(m.start(), m.end()) for m in re.finditer(r"9+|A+|a+", shape)]
    if len(shape) == 1:
        return set()
    longer = {shape[:b] + shape[a] + shape[b:] for a, b in runs}
    shorter = {shape[:a] + shape[a + 1 :] for a, b in runs if b - a > 1}
    return longer | shorter


def _parted(value: str, places: Sequence[int], sign: str) -> str:
    return "".join(sign * (i in places) + one for i, one in enumerate(value))
