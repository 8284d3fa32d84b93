"""Dates, times and patterns of writing them: a moment and a pattern go in, its spellings come out, and the way back.

A pattern is a string with Y (four digits of the year), y (two), M and D (two digits), m and d (no leading zero; read
with one too), R (the month as a roman numeral), B (its name), b (its name cut short), H (hour, two digits), G (hour),
i (minutes), x (the word "de"); everything else stands for itself. Behind a bar come the language of names and their
case: ``d B Y|fr lower``.
"""

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from formlens.automaton import Net, Port
from formlens.months import LANGUAGES, ROMAN, month_of, names

Moment = tuple[int, int, int, int, int]
"""Year, month, day, hour, minute; 0 (-1 for hour and minute) where it is not said."""

_ORDERS = ("Y-M-D", "D-M-Y", "M-D-Y", "D-M-y", "M-D-y", "d-m-Y", "m-d-Y", "d-m-y", "m-d-y", "Y-m-d")
_NAMED = ("d B Y", "d B y", "B d Y", "B d, Y", "d. B Y", "d x B x Y", "B-d-Y", "d-B-Y")
_TIMES = ("H:i", "G:i", "Hhi", "Ghi", "H.i", "G.i", "Hi", "G h i", "H h i")
_DATES = (
    *(order.replace("-", sign) for sign in "-/. " for order in _ORDERS),
    *(order.replace("-", "") for order in _ORDERS if order.isupper()),
    *(f"{order}|{language} {case}" for order in (*_NAMED, *(n.replace("B", "b") for n in _NAMED), "d B", "B d")
      for language in ("fr", "en", "de", "es", "it", "pt", "nl") for case in ("title", "lower", "upper")),
    *("D/M", "d/m", "D.M", "d.m", "D-M", "d-m"),
)  # fmt: skip
PATTERNS = (*_DATES, *_TIMES[:-3], *(f"{day} {time}" for day in _DATES[:20] for time in ("H:i", "G:i")))
"""How dates and times are typed; of two that a column allows the earlier counts."""

_WRITTEN = (
    *(order.replace("-", sign) for sign in "/-. " for order in ("d-m-Y", "d-m-y", "m-d-Y", "m-d-y", "Y-m-d")),
    *("DMY", "YMD", "DMy", "MDY"),
    *(f"{order}|{language}" for language in LANGUAGES for order in ("d B Y", "d B y")),
    *("B d, Y|en", "B d Y|en", "d. B Y|de", "d x B x Y|es", "d x B x Y|pt"),
    *(order.replace("-", sign) for sign in " .-/" for order in ("d-R-Y", "d-R-y")),
)
_YEARLESS = ("d/m", "d.m", "d-m", "m/d", *(f"d B|{language}" for language in LANGUAGES), "B d|en")

_TOKEN = {"Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "M": r"(?P<m>\d\d)", "m": r"(?P<m>\d{1,2})", "i": r"(?P<i>\d\d)"}
_TOKEN |= {"D": r"(?P<d>\d\d)", "d": r"(?P<d>\d{1,2})", "R": r"(?P<R>[IVXivx]+)", "H": r"(?P<H>\d\d)"}
_TOKEN |= {"B": r"(?P<B>1?\d?[^\W\d]+\.?)", "b": r"(?P<B>1?\d?[^\W\d]+\.?)", "G": r"(?P<H>\d{1,2})", "x": "de"}

_SOME = 40
"""Values of which one at least is typed by the pattern of most."""

_FEW_YEARS = 8
"""Years around those of a column that are about as plausible."""


def write(moment: Moment | date, pattern: str) -> list[str]:
    """How a moment is typed by a pattern; several spellings where no case is given."""
    if isinstance(moment, date):
        moment = (moment.year, moment.month, moment.day, -1, -1)
    order, language, case = _parts(pattern)
    weights = {"B": names(moment[1], language), "b": names(moment[1], language)} if language and moment[1] else {}
    tokens = {token: [text] for token, text in _numerals(moment).items()}
    if language and moment[1]:
        full = next(iter(weights["B"]))
        short = next((name for name in weights["b"] if name.endswith(".")), full)
        tokens |= {"B": _cased(full, case), "b": _cased(short, case)}
    return _joined([tokens.get(sign, [sign]) for sign in order])


def spell(moment: Moment, way: str) -> dict[str, float]:
    """How a moment may stand on paper by one way of writing, and how often each."""
    order, language, _ = _parts(way)
    found = {"": 1.0}
    for sign in order:
        texts = _texts(sign, moment, language)
        found = {before + text: w * v for before, w in found.items() for text, v in texts.items()}
    return found


def parse(text: str, pattern: str, near: int = 2000) -> Moment | None:
    """The moment that a text spells by a pattern; None where it does not.

    Two digits of a year mean the one within fifty years of ``near``.
    """
    order, language, case = _parts(pattern)
    found = _expression(order).fullmatch(text.strip())
    if not found:
        return None
    parts = found.groupdict()
    year = int(parts["Y"]) if "Y" in parts else near - 50 + (int(parts["y"]) - near + 50) % 100 if "y" in parts else 0
    month = int(parts.get("m") or 0)
    if "R" in parts:
        month = ROMAN.index(parts["R"].upper()) + 1 if parts["R"].upper() in ROMAN else 0
    if "B" in parts:
        month = month_of(parts["B"], language)
        if case and parts["B"] not in _cased(parts["B"], case):
            return None
        shorts = [name for name in names(month, language) if name.endswith(".")] if month else []
        if case and shorts and parts["B"].endswith(".") != ("b" in order):
            return None
    moment = year, month, int(parts.get("d") or 0), int(parts.get("H") or -1), int(parts.get("i") or -1)
    return moment if _is_valid(moment, order) else None


def detect(values: Sequence[str]) -> tuple[str, ...]:
    """The patterns that a column is typed by, the commonest first; nothing where it is not of dates or times.

    A few values may be mistyped, or typed by a second pattern with the same names.
    """
    allowed = len(values) // 10
    counted = Counter(value for value in values if any(map(str.isdigit, value)))
    if 2 * counted.total() < len(values):
        return ()
    some = list(counted)[:: max(1, len(counted) // _SOME)]
    best: tuple[int, str] = (0, "")
    for pattern in PATTERNS:
        if any(parse(value, pattern) for value in some):
            count = sum(times for value, times in counted.items() if parse(value, pattern) is not None)
            if count > best[0]:
                best = count, pattern
    main = best[1]
    rest = [value for value in values if main and parse(value, main) is None]
    if not main or (len(rest) > allowed and ("|" not in main or 2 * len(rest) > len(values))):
        return ()
    others: Counter[str] = Counter()
    if "|" in main:
        language = _parts(main)[1]
        for value in rest:
            like = (p for p in PATTERNS if _parts(p)[1] == language and parse(value, p) is not None)
            if (other := next(like, None)) is not None:
                others[other] += 1
    if len(rest) - sum(others.values()) > allowed:
        return ()
    return (main, *(pattern for pattern, _ in others.most_common(3)))


def ways(typed: str) -> dict[str, float]:
    """In which ways a column typed by a pattern may be written on paper, and how likely each is beforehand."""
    same = _on_paper(typed)
    order = _parts(typed)[0]
    if "H" in order or "G" in order:
        if "D" in order or "d" in order:
            return {same: 1.0}
        others = ["H:i", "Ghi", "G.i", "G:i", "G h i", "Hi"]
    else:
        others = [*_WRITTEN, *_YEARLESS] if {"Y", "y"} & set(order) else list(_YEARLESS)
    others = [way for way in others if way != same]
    return {same: 0.5} | dict.fromkeys(others, 0.5 / len(others))


def years_of(moments: Sequence[Moment]) -> dict[int, float]:
    """How plausible each year is, given those of a column: near them, rarely elsewhere, nowhere impossible."""
    known = Counter(moment[0] for moment in moments if moment[0])
    if not known:
        return dict.fromkeys(range(1850, 2060), 1 / 210)
    total = sum(known.values())
    low, high = min(known) - _FEW_YEARS, max(known) + _FEW_YEARS
    near = range(low, high + 1) if high - low < 200 else sorted(known)
    inner = range(min(known), max(known) + 1) if high - low < 200 else near
    weights = dict.fromkeys(range(min(1850, low), max(2060, high)), 0.02 / 400)
    for year in near:
        weights[year] = weights.get(year, 0.0) + 0.05 / len(near)
    for year in inner:
        weights[year] += 0.43 / len(inner)
    for year, count in known.items():
        weights[year] += 0.5 * (count + 0.5) / (total + 0.5 * len(known))
    return weights


def net(way: str, years: Mapping[int, float]) -> Net:
    """The automaton of all valid days (and times) as one way of writing spells them."""
    order, language, _ = _parts(way)
    built = Net()
    # what is known so far of day (31, 30, or fewer: 29) and month (its days), and where the text may go on
    groups: dict[tuple[int, int], list[Port]] = {(0, 0): [(0, 1.0)]}
    for sign in order:
        after: dict[tuple[int, int], list[Port]] = {}
        for (day, length), ports in groups.items():
            texts = _choices(sign, day, length, language, years)
            ends = built.after(ports, {text: weight for text, (weight, _) in texts.items()})
            for text, port in ends.items():
                after.setdefault(texts[text][1], []).append(port)
        groups = after
    for ports in groups.values():
        built.end(ports)
    return built


def _choices(
    sign: str, day: int, length: int, language: str, years: Mapping[int, float]
) -> dict[str, tuple[float, tuple[int, int]]]:
    """The texts of one token behind what is known: of each its weight, and what is known then."""
    texts: dict[str, tuple[float, tuple[int, int]]] = {}
    if sign in "Dd":
        for d in range(1, (length or 31) + 1):
            known = (0, 0) if length else (max(d, 29), 0)
            for text, weight in _texts(sign, (0, 0, d, -1, -1), language).items():
                texts[text] = weight / 31, known
    elif sign in "MmRBb":
        for month in range(1, 13):
            days = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
            if day <= days:
                known = (0, 0) if day else (0, days)
                for text, weight in _texts(sign, (0, month, 0, -1, -1), language).items():
                    texts[text] = texts.get(text, (0.0, 0))[0] + weight / 12, known
    elif sign in "Yy":
        for year, weight in years.items():
            text = f"{year:04}" if sign == "Y" else f"{year % 100:02}"
            texts[text] = texts.get(text, (0.0, 0))[0] + weight, (day, length)
    elif sign in "HGi":
        for number in range(60 if sign == "i" else 24):
            moment = (0, 0, 0, number, number)
            for text, weight in _texts(sign, moment, language).items():
                texts[text] = weight / (60 if sign == "i" else 24), (day, length)
    else:
        texts["de" if sign == "x" else sign] = 1.0, (day, length)
    return texts


def _texts(sign: str, moment: Moment, language: str) -> dict[str, float]:
    """What one token of a way of writing stands for."""
    if sign in "Bb" and language:
        return names(moment[1], language)
    if sign == "R":
        return {ROMAN[moment[1] - 1]: 0.8, ROMAN[moment[1] - 1].lower(): 0.2}
    numerals = _numerals(moment)
    if sign in "dmG" and len(numerals[sign]) == 1:
        return {numerals[sign]: 0.8, f"0{numerals[sign]}": 0.2}
    return {numerals.get(sign, sign): 1.0}


def _numerals(moment: Moment) -> dict[str, str]:
    year, month, day, hour, minute = moment
    found = {"Y": f"{year:04}", "y": f"{year % 100:02}", "M": f"{month:02}", "m": str(month), "D": f"{day:02}"}
    found |= {"d": str(day), "H": f"{hour:02}", "G": str(hour), "i": f"{minute:02}"}
    return found | {"R": ROMAN[month - 1] if month else "", "x": "de"}


def _joined(tokens: Sequence[Sequence[str]]) -> list[str]:
    texts = [""]
    for choices in tokens:
        texts = [before + text for before in texts for text in choices]
    return texts


def _cased(name: str, case: str) -> list[str]:
    ways = {"title": name[:1].upper() + name[1:].lower(), "lower": name.lower(), "upper": name.upper()}
    return [ways[case]] if case else list(ways.values())


@functools.cache
def _parts(pattern: str) -> tuple[str, str, str]:
    """Order, language and case of a pattern."""
    order, _, rest = pattern.partition("|")
    language, _, case = rest.partition(" ")
    return order, language, case


def _on_paper(typed: str) -> str:
    """The way of writing that a pattern of typing copies: zeros and case come as they come."""
    order, language, _ = _parts(typed)
    if any(not sign.isalpha() for sign in order):
        order = order.replace("D", "d").replace("M", "m").replace("b", "B")
    return f"{order}|{language}" if language else order


@functools.cache
def _expression(order: str) -> re.Pattern[str]:
    return re.compile("".join(_TOKEN.get(sign, re.escape(sign)) for sign in order))


def _is_valid(moment: Moment, order: str) -> bool:
    year, month, day, hour, minute = moment
    if set("DdMmBbR") & set(order):
        try:
            date(year or 2000, month, day)
        except ValueError:
            return False
    return not set("HG") & set(order) or (0 <= hour < 24 and 0 <= minute < 60)
