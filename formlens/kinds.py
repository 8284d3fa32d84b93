"""What people typed in a column goes in; what kind of column it is, and how it may stand on paper, come out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from formlens.dates import PATTERNS, parse, write
from formlens.decode import TEXT, Charset
from formlens.types import Reading

Name = Literal["integer", "decimal", "date", "code", "mark", "text"]


@dataclass(frozen=True)
class Kind:
    """What may stand in a column."""

    name: Name
    characters: str | None = None
    """What a value is written with; None for anything."""
    typed: str = ""
    """Of dates the pattern in the CSV; of codes their shape, 9 for a digit and A for a letter; of marks what a mark
    means and what none means, divided by a line feed."""
    written: str = ""
    """Of dates the pattern on paper."""

    @property
    def charset(self) -> Charset:
        """The characters that are read."""
        return TEXT if self.characters is None else Charset(self.name, self.characters)


_YES = frozenset(["yes", "y", "true", "t", "x", "1", "oui", "o", "ja", "j", "si", "s", "checked", "ticked", "marked"])
_NO = frozenset(["no", "n", "false", "f", "", "0", "non", "nein", "unchecked", "-"])


def kind_of(values: Sequence[str]) -> Kind:
    """The kind of a column, given its values; empty ones say nothing but beside marks."""
    marks = {value.strip() for value in values}
    folded = {value.casefold() for value in marks}
    if folded <= _YES | _NO and len(folded) <= 2 and folded & _YES and not folded <= {"0", "1", ""}:
        yes = next(mark for mark in marks if mark.casefold() in _YES)
        no = next((mark for mark in marks if mark.casefold() in _NO), "")
        return Kind("mark", "", f"{yes}\n{no or _opposite(yes)}")
    given = [value.strip() for value in values if value.strip()]
    if not given:
        return Kind("text")
    if all(re.fullmatch(r"\d+", value) for value in given):
        return Kind("integer", "0123456789")
    for pattern in PATTERNS:
        if all(parse(value, pattern) for value in given):
            return Kind("date", None, pattern, pattern)
    if all(re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", value) for value in given):
        signs = {sign for value in given for sign in value if not sign.isdigit()}
        return Kind("decimal", "0123456789" + "".join(sorted(signs)))
    shape = _shape(given)
    if "9" in shape:
        other = "".join(sorted({sign for sign in shape if sign not in "9A"}))
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * ("A" in shape)
        return Kind("code", "0123456789" + letters + other, shape)
    return Kind("text")


def spellings(kind: Kind, value: str) -> list[str]:
    """How a typed value may stand on paper."""
    day = parse(value, kind.typed) if kind.name == "date" else None
    return write(day, kind.written) if day else [value.strip()]


def ways(kind: Kind) -> list[Kind]:
    """The ways in which a column of this kind may be written: each pattern of dates, else the one."""
    if kind.name != "date":
        return [kind]
    return [replace(kind, written=pattern, characters=_signs(pattern)) for pattern in PATTERNS]


def as_typed(kind: Kind, reading: Reading) -> Reading:
    """What stands on paper as people would have typed it; not sure where it is not of the kind."""
    if kind.name == "date":
        day = parse(reading.text, kind.written) or _unparted(reading.text, kind.written)
        if day is None:
            return Reading(reading.text, 0.3 * reading.confidence)
        return Reading(write(day, kind.typed)[0], reading.confidence)
    if kind.name == "code" and _shape([reading.text]) != kind.typed:
        return Reading(reading.text, 0.3 * reading.confidence)
    return reading


def _unparted(text: str, pattern: str) -> date | None:
    """The date by its digits alone where these are enough: the strokes between them are small and easily lost."""
    if not set(pattern) & set("YMD") or set(pattern) & set("mdyB"):
        return None
    return parse("".join(filter(str.isdigit, text)), "".join(filter(str.isalpha, pattern)))


def _signs(pattern: str) -> str | None:
    if "B" in pattern:
        return None
    return "0123456789" + "".join(sorted({sign for sign in pattern if sign not in "YyMmDd"}))


def _shape(values: Sequence[str]) -> str:
    """The shape that all values share, empty where they share none."""
    shapes = {re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", value)) for value in values}
    return shapes.pop() if len(shapes) == 1 else ""


def _opposite(yes: str) -> str:
    pairs = {"yes": "no", "y": "n", "true": "false", "t": "f", "1": "0", "oui": "non", "o": "n", "ja": "nein"}
    no = pairs.get(yes.casefold(), "")
    return no.upper() if yes.isupper() else no.capitalize() if yes.istitle() else no
