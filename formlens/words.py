"""Typed texts and ways of writing them: a text and a way go in, what stands on paper comes out, and the way back.

Ways are ``same``; ``title``, ``upper``, ``lower``: on paper in that case, typed in another; ``accents``: on paper with
accents that the typist drops; ``turned``: ``Renée Tardy`` on paper, typed ``Tardy, Renée``; ``initial``: only the first
letter of a choice.
"""

from collections.abc import Sequence

from formlens.automaton import Net
from formlens.months import bare


def ways(values: Sequence[str], choice: bool = False) -> dict[str, float]:
    """In which ways a column of text may be written on paper, and how likely each is beforehand."""
    found = {"same": 0.7}
    joined = "".join(values)
    if joined.isupper():
        found |= {"title": 0.1, "lower": 0.05}
    elif joined.islower():
        found |= {"title": 0.1, "upper": 0.05}
    else:
        found["upper"] = 0.1
    if joined.isascii() and not choice:
        found["accents"] = 0.05
    if len(values) > 1 and all(value.count(", ") == 1 for value in values):
        found["turned"] = 0.1
    if choice and len({value[:1].casefold() for value in values}) == len(set(values)) and min(map(len, values)) > 1:
        found["initial"] = 0.05
    return found


def spell(value: str, way: str) -> str:
    """A typed text as it stands on paper."""
    if way == "turned":
        last, _, first = value.partition(", ")
        return f"{first} {last}" if first else value
    if way == "initial":
        return value[:1].upper()
    cased = {"title": _title(value), "upper": value.upper(), "lower": value.lower()}
    return cased.get(way, value)


def parse(text: str, way: str, values: Sequence[str]) -> str:
    """What stands on paper as it would have been typed."""
    if way == "turned":
        first, _, last = text.rpartition(" ")
        return f"{last}, {first}" if first else text
    if way == "accents":
        return bare(text)
    if way in ("title", "upper", "lower"):
        joined = "".join(values)
        return text.upper() if joined.isupper() else text.lower() if joined.islower() else _title(text)
    return text


def choices(way: str, examples: Sequence[tuple[str, int]]) -> Net:
    """The automaton of the values of a column of choices, in any case."""
    total = sum(count for _, count in examples)
    texts: dict[str, float] = {}
    for value, count in examples:
        written = spell(value, way)
        for form, often in ((written, 0.8), (written.lower(), 0.1), (_title(written), 0.05), (written.upper(), 0.05)):
            texts[form] = texts.get(form, 0.0) + often * (count + 0.5) / (total + 0.5 * len(examples))
    built = Net()
    built.end(built.after([(0, 1.0)], texts).values())
    return built


def choose(text: str, way: str, values: Sequence[str]) -> str | None:
    """The choice that stands on paper, as it is typed."""
    if text in values and way == "same":
        return text
    matches = [value for value in values if spell(value, way).casefold() == text.casefold()]
    return matches[0] if matches else None


def _title(text: str) -> str:
    before = " " + text
    starts = [not (a.isalpha() or a == "'") for a in before[:-1]]
    return "".join(sign.upper() if first else sign.lower() for first, sign in zip(starts, text, strict=True))
