"""A cell's text goes in, what a spreadsheet program may hold of it comes out: a safe text, a number or a date."""

import re
from datetime import date

_HARMLESS = re.compile(r"[+-]?\s?\d[\d\s.,]*\s?[%€$£°]?|[+-]", re.ASCII)
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,14})", re.ASCII)
_DECIMAL = re.compile(r"([+-]?(?:0|[1-9]\d{0,11}))(?:\.(\d{1,3})|,(\d{1,2}))", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)


def guard_formula(text: str) -> str:
    """Text that is safe to open in a spreadsheet program: a formula gets a leading apostrophe, a number keeps its sign.

    Follows OWASP's advice on CSV injection: a cell is dangerous when it begins with ``= + - @``, tab or return.
    """
    risky = text.lstrip()[:1] in tuple("=+-@") and not _HARMLESS.fullmatch(text.strip())
    if risky or text[:1] in tuple("\t\r\n"):
        return "'" + text
    return text


def as_number(text: str) -> tuple[float, int] | None:
    """A number and its count of decimals, or None where a spreadsheet would change what was written.

    Leading zeros (``007``), more than 15 digits and a comma before three digits (``1,234``: thousands or thousandths?)
    stay text.
    """
    if _INTEGER.fullmatch(text):
        return float(text), 0
    if match := _DECIMAL.fullmatch(text):
        decimals = match[2] or match[3]
        return float(f"{match[1]}.{decimals}"), len(decimals)
    return None


def as_date(text: str) -> date | None:
    """A calendar date where the text leaves no doubt which part is the day: ISO, dotted, or a day above 12."""
    if match := _ISO_DATE.fullmatch(text):
        return _calendar(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_FIRST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] == "." or first > 12:
            return _calendar(year, second, first)
        if second > 12 and match[2] == "/":
            return _calendar(year, first, second)
    return None


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= 1900 else None  # a spreadsheet's calendar begins in 1900
    except ValueError:
        return None
