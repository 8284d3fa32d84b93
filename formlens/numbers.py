"""Numbers and formats of writing them: a typed number and a format go in, its spelling comes out, and the way back.

A format is four parts divided by bars: the decimal sign, the sign between groups of three (or ``2`` and the sign
between pairs), what stands before and what stands behind: ``,| ||€`` writes 1234.5 as ``1 234,5€``.
"""

import re
from collections import Counter
from collections.abc import Sequence

from formlens.automaton import Net, Port

_BEFORE = ("€", "$", "£")
_BEHIND = ("€", "$", "£", "%", "kg", "g", "mg", "cm", "mm", "m", "km", "l", "ml", "°C", "°", "h", "F", "fr")
_GROUPS = ("", " ", ".", ",", "'")
_PAIRS = ("2 ", "2.", "2-", "2/")
_LONGEST = 15

_HABIT = 6.0
"""How many values of a column weigh as much as knowing nothing of its digits."""


def detect(values: Sequence[str]) -> str:
    """The format that a column of numbers is typed in, empty where it is not of numbers."""
    signs = Counter(sign for value in values for sign in value if not sign.isdigit() and sign not in "+-")
    for group in _GROUPS if set(signs) & set(" .,'") else ("",):
        for decimal in (".", ","):
            for before, behind in _affixes(values):
                typed = f"{decimal}|{group}|{before}|{behind}"
                if group != decimal and _suits(values, typed):
                    return typed
    return ""


def ways(typed: str, values: Sequence[str]) -> dict[str, float]:
    """In which formats a column may be written on paper, and how likely each is beforehand."""
    decimal, group, before, behind = typed.split("|")
    plain = (before, behind)
    places = any(decimal in value for value in values)
    signs = [decimal, ",."[decimal == ","]] if places else [decimal]
    long = max((sum(map(str.isdigit, value)) for value in values), default=0)
    groups = list(
        dict.fromkeys([group, *(_GROUPS if long > 3 else ("",)), *(_PAIRS if long > 5 and not places else ())])
    )
    found = [f"{d}|{g}|{before}|{behind}" for d in signs for g in groups if g[-1:] != d]
    others = {("", ""), *((sign, "") for sign in _BEFORE), *(("", unit) for unit in _BEHIND)} - {plain}
    found += [f"{d}|{group}|{b}|{a}" for d in signs for b, a in sorted(others) if group != d]
    found += [f"{d}|{group}||{' ' + a}" for d in signs for a in _BEHIND if (("", " " + a)) != plain and group != d]
    rest = [way for way in dict.fromkeys(found) if way != typed]
    return {typed: 0.6} | {way: 0.4 / len(rest) for way in rest}


def spell(value: str, typed: str, way: str) -> str:
    """A number typed in one format as another writes it; as it is where it is no such number."""
    parts = _parts(value, typed)
    return value if parts is None else _write(*parts, way)


def parse(text: str, way: str, typed: str) -> str | None:
    """What stands on paper in one format as it would have been typed; None where it is no number."""
    parts = _parts(text, way)
    return None if parts is None else _write(*parts, typed)


def net(way: str, values: Sequence[str], typed: str) -> Net:
    """The automaton of numbers in a format: of lengths, decimals and digits as a column has them, others possible."""
    known = [parts for value in values if (parts := _parts(value, typed)) is not None]
    decimal, group, before, behind = way.split("|")
    built = Net()
    start: list[Port] = _fixed(built, [(0, 1.0)], before)
    minus = (sum(sign == "-" for sign, _, _ in known) + 0.02) / (len(known) + 0.1)
    if any(sign for sign, _, _ in known):
        plus = (sum(sign == "+" for sign, _, _ in known) + 0.02) / (len(known) + 0.1)
        signed = built.after(start, {"-": minus, "+": plus})
        start = [(node, weight * (1 - minus - plus)) for node, weight in start] + list(signed.values())
    lengths = _habit([len(digits) for _, digits, _ in known], range(1, _LONGEST + 1))
    after: list[Port] = []
    if group:
        for length, weight in lengths.items():
            ports = [(node, w * weight) for node, w in start]
            for i in range(length):
                sign = _between(i, length, group)
                ports = _fixed(built, ports, sign)
                ports = list(built.after(ports, _digits([d for _, d, _ in known], i)).values())
            after += ports
    else:
        ports, left = start, 1.0
        for i in range(_LONGEST):
            ports = list(built.after(ports, _digits([d for _, d, _ in known], i)).values())
            ports = [(node, weight / 1.0) for node, weight in ports]
            stop = lengths[i + 1] / left if left > 1e-12 else 1.0
            after += [(node, weight * stop) for node, weight in ports]
            ports = [(node, weight * (1 - stop)) for node, weight in ports]
            left -= lengths[i + 1]
    after = _decimals(built, after, decimal, [places for _, _, places in known])
    built.end(_fixed(built, after, behind))
    return built


def _decimals(built: Net, ports: list[Port], decimal: str, places: Sequence[str]) -> list[Port]:
    if places and not any(places):  # of a column that is not known any number may have decimals
        return ports
    habit = _habit([len(digits) for digits in places], range(7))
    done = [(node, weight * habit[0]) for node, weight in ports]
    left = 1 - habit[0]
    ports = _fixed(built, [(node, weight * left) for node, weight in ports], decimal)
    for i in range(6):
        ports = list(built.after(ports, _digits(places, i)).values())
        stop = habit[i + 1] / left if left > 1e-12 else 1.0
        done += [(node, weight * stop) for node, weight in ports]
        ports = [(node, weight * (1 - stop)) for node, weight in ports]
        left -= habit[i + 1]
    return done


def _fixed(built: Net, ports: list[Port], text: str) -> list[Port]:
    return list(built.after(ports, {text: 1.0}).values()) if text else ports


def _digits(numbers: Sequence[str], place: int) -> dict[str, float]:
    """How likely each digit is at a place, counted from the left."""
    seen = Counter(digits[place] for digits in numbers if len(digits) > place)
    total = sum(seen.values())
    return {digit: (seen[digit] + _HABIT / 10) / (total + _HABIT) for digit in "0123456789"}


def _habit(lengths: Sequence[int], possible: range) -> dict[int, float]:
    """How likely each length is: as in the column, near those next, any other seldom."""
    seen = Counter(lengths)
    raw = {n: seen[n] + 0.3 * (seen[n - 1] + seen[n + 1] > 0) + 0.02 for n in possible}
    total = sum(raw.values())
    return {n: weight / total for n, weight in raw.items()}


def _between(i: int, length: int, group: str) -> str:
    if group.startswith("2"):
        return group[1:] if i and i % 2 == 0 else ""
    return group if i and (length - i) % 3 == 0 else ""


def _write(sign: str, digits: str, places: str, way: str) -> str:
    decimal, group, before, behind = way.split("|")
    whole = "".join(_between(i, len(digits), group) + digit for i, digit in enumerate(digits))
    return f"{before}{sign}{whole}{decimal + places if places else ''}{behind}"


def _parts(text: str, way: str) -> tuple[str, str, str] | None:
    """Sign, digits and decimals of a number; None where it is not written this way."""
    decimal, group, before, behind = (re.escape(part) for part in way.split("|"))
    between = way.split("|")[1].removeprefix("2")
    whole = r"\d+" if not group else rf"\d[\d{re.escape(between)}]*"
    found = re.fullmatch(rf"{before}([-+]?)({whole})(?:{decimal}(\d+))?{behind}", text.strip(), re.ASCII)
    if not found:
        return None
    digits = "".join(filter(str.isdigit, found[2]))
    parts = found[1], digits, found[3] or ""
    return parts if not group or _write(*parts, way) == text.strip() else None


def _affixes(values: Sequence[str]) -> list[tuple[str, str]]:
    """What may stand before and behind the numbers of a column: what stands there in its first value."""
    found = re.fullmatch(r"(\D*?)[-+]?\d(?:.*\d)?(\D*)", values[0].strip(), re.ASCII) if values else None
    return [(found[1], found[2])] if found and not set(found[1] + found[2]) & set("|\n") else [("", "")]


def _suits(values: Sequence[str], typed: str) -> bool:
    wrong = sum(_parts(value, typed) is None for value in values)
    return wrong <= len(values) // 20
