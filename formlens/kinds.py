"""What people typed in a column goes in; what kind of column it is, and how it may stand on paper, come out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from formlens import dates, numbers, shapes, words
from formlens.decode import TEXT, Charset

Name = Literal["integer", "decimal", "date", "code", "choice", "mark", "text"]

_MOST_EXAMPLES = 1500
_MOST_SIGNS = 40_000
"""What a form keeps of a column's values: so many of the commonest, and so many characters in all."""


@dataclass(frozen=True)
class Kind:
    """What may stand in a column."""

    name: Name
    characters: str | None = None
    """What a value is written with; None for anything."""
    typed: str = ""
    """Of dates the patterns in the CSV, one a line, the commonest first; of numbers their format; of marks what a mark
    means and what none means, divided by a line feed."""
    ways: tuple[tuple[str, float], ...] = ()
    """How values are written on paper, and how often each way; none for marks."""
    examples: tuple[tuple[str, int], ...] = ()
    """The values of the column, and how often each: lengths, years, words and choices are told from them."""

    @property
    def charset(self) -> Charset:
        """The characters that are read."""
        return TEXT if self.characters is None else Charset(self.name, self.characters)

    @property
    def values(self) -> tuple[str, ...]:
        """The examples, each as often as it was seen."""
        return tuple(value for value, count in self.examples for _ in range(min(count, 1000)))


_YES = frozenset(["yes", "y", "true", "t", "x", "1", "oui", "o", "ja", "j", "si", "s", "checked", "ticked", "marked"])
_TICKED = frozenset(["x", "t", "checked", "ticked", "marked", "unchecked"])
_OPPOSITES = {"yes": "no", "y": "n", "true": "false", "t": "f", "1": "0", "oui": "non", "o": "n", "ja": "nein"}
_NO = frozenset(["no", "n", "false", "f", "", "0", "non", "nein", "unchecked", "-"])


def kind_of(values: Sequence[str]) -> Kind:
    """The kind of a column, given its values; empty ones say nothing but beside marks."""
    marks = {value.strip() for value in values}
    folded = {value.casefold() for value in marks}
    if folded <= _YES | _NO and len(folded) <= 2 and folded & _YES and not folded <= {"0", "1", ""}:
        yes = next(mark for mark in marks if mark.casefold() in _YES)
        no = next((mark for mark in marks if mark.casefold() in _NO), "")
        return Kind("mark", "", f"{yes}\n{no or _opposite(yes)}")
    return written_kind_of(values)


def may_be_written(values: Sequence[str]) -> bool:
    """Whether answers of yes and no may be words on the paper, as they may not where a cross is typed for a mark."""
    given = {value.strip().casefold() for value in values if value.strip()}
    return bool(given) and given <= _YES | _NO and all(map(str.isalpha, given)) and not given & _TICKED


def silent_kind_of(values: Sequence[str]) -> Kind | None:
    """The kind of a column that says no wherever it says something; None for any other column."""
    given = [value.strip() for value in values if value.strip()]
    if not given or len(set(given)) > 1 or given[0].casefold() not in _NO:
        return None
    no = given[0]
    yes = next((yes for yes, opposite in _OPPOSITES.items() if opposite == no.casefold()), "yes")
    return Kind("mark", "", f"{_cased_as(no, yes)}\n{no}")


def written_kind_of(values: Sequence[str]) -> Kind:
    """The kind of a column whose values are written as signs or words, never ticked."""
    given = [value.strip() for value in values if value.strip()]
    examples = _examples(given)
    if not given:
        return Kind("text", ways=(("same", 1.0),))
    if all(re.fullmatch(r"\d+", value, re.ASCII) for value in given):
        return _numbers("integer", given, examples)
    if typed := dates.detect(given):
        return Kind("date", None, "\n".join(typed), tuple(dates.ways(typed[0]).items()), examples)
    if numbers.detect(given):
        return _numbers("decimal", given, examples)
    if shapes.detect(given):
        signs = "".join(sorted(set("".join(given)) | set("0123456789" if re.search(r"\d", "".join(given)) else "")))
        return Kind("code", signs, "", tuple(shapes.ways(given).items()), examples)
    if len(given) >= 6 and 3 * len(examples) <= len(given):
        return Kind("choice", None, "", tuple(words.ways([v for v, _ in examples], choice=True).items()), examples)
    return Kind("text", None, "", tuple(words.ways(given).items()), examples)


def _numbers(name: Name, given: Sequence[str], examples: tuple[tuple[str, int], ...]) -> Kind:
    typed = numbers.detect(given)
    signs = "0123456789" + "".join(sorted({sign for value in given for sign in value if not sign.isdigit()}))
    return Kind(name, signs, typed, tuple(numbers.ways(typed, given).items()), examples)


def _examples(given: Sequence[str]) -> tuple[tuple[str, int], ...]:
    kept, signs = [], 0
    for value, count in sorted(Counter(given).items(), key=lambda item: (-item[1], item[0]))[:_MOST_EXAMPLES]:
        signs += len(value)
        if signs <= _MOST_SIGNS and len(value) <= 1000:
            kept.append((value, count))
    return tuple(sorted(kept))


def _opposite(yes: str) -> str:
    return _cased_as(yes, _OPPOSITES.get(yes.casefold(), ""))


def _cased_as(word: str, other: str) -> str:
    return other.upper() if word.isupper() else other.capitalize() if word.istitle() else other
