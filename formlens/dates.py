"""Dates and patterns of writing them: a date and a pattern go in, its spelling comes out, and the way back.

A pattern is a string with Y (four digits of the year), y (two), M and D (two digits), m and d (no leading zero) and B
(the month's name, English or French); everything else stands for itself.
"""

import re
from datetime import date

_ORDERS = ("Y-M-D", "D-M-Y", "M-D-Y", "D-M-y", "M-D-y", "d-m-Y", "m-d-Y", "d-m-y", "m-d-y", "Y-m-d")

PATTERNS = (
    *(order.replace("-", sign) for sign in "-/. " for order in _ORDERS),
    *(order.replace("-", "") for order in _ORDERS if order.isupper()),
    *("d B Y", "B d Y", "B d, Y", "d B y"),
)

_ENGLISH = "January,February,March,April,May,June,July,August,September,October,November,December"
_FRENCH = "Janvier,Février,Mars,Avril,Mai,Juin,Juillet,Août,Septembre,Octobre,Novembre,Décembre"
_MONTHS = (_ENGLISH.split(","), _FRENCH.split(","))
_PARTS = {"Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d\d)", "M": r"(?P<m>\d\d)", "m": r"(?P<m>\d{1,2})"}
_PARTS |= {"D": r"(?P<d>\d\d)", "d": r"(?P<d>\d{1,2})", "B": r"(?P<B>[^\W\d]+)"}


def write(day: date, pattern: str) -> list[str]:
    """How a date is spelt by a pattern; several spellings where it names the month."""
    parts = {"Y": f"{day.year:04}", "y": f"{day.year % 100:02}", "M": f"{day.month:02}", "m": str(day.month)}
    parts |= {"D": f"{day.day:02}", "d": str(day.day)}
    months = [names[day.month - 1] for names in _MONTHS] if "B" in pattern else [""]
    return ["".join((parts | {"B": month}).get(sign, sign) for sign in pattern) for month in months]


def parse(text: str, pattern: str) -> date | None:
    """The date that a text spells by a pattern; None where it does not. Two digits of a year mean 1950 to 2049."""
    found = re.fullmatch("".join(_PARTS.get(sign, re.escape(sign)) for sign in pattern), text.strip())
    if not found:
        return None
    parts = found.groupdict()
    year = int(parts["Y"]) if "Y" in parts else 1950 + (int(parts["y"]) - 50) % 100
    month = _month(parts["B"]) if "B" in parts else int(parts["m"])
    try:
        return date(year, month, int(parts["d"]))
    except ValueError:
        return None


def _month(name: str) -> int:
    """The number of a month by its name, 0 for no month."""
    for names in _MONTHS:
        for number, month in enumerate(names, 1):
            if month.casefold() == name.casefold():
                return number
    return 0
