"""Fields of digits and punctuation alone: a random generator in, one text out.

They stand apart from other fields because they can be put together from real handwritten digits.
"""

from collections.abc import Callable

from numpy.random import Generator

Field = Callable[[Generator], str]


def number_like(rng: Generator) -> str:
    """Digits and punctuation only: counts, decimals, dates, times, phone numbers, codes."""
    return pick(rng, NUMBERS)(rng)


def count(rng: Generator) -> str:
    """1 to 8 digits, short ones most often."""
    return digits(rng, int(rng.choice(8, p=(0.14, 0.22, 0.2, 0.16, 0.12, 0.08, 0.04, 0.04))) + 1)


def decimal(rng: Generator) -> str:
    """Decimals, thousands, signs, shares, fractions: 71.5 · 1,204.50 · 1 204,50 · -3 · +0,4 · 45% · 3/4."""
    style = int(rng.integers(8))
    whole, point = str(rng.integers(10 ** int(rng.integers(1, 5)))), str(rng.choice([".", ","]))
    if style == 0:
        return f"{rng.integers(1, 1000)}{rng.choice([',', '.', ' '])}{digits(rng, 3)}" + (
            f"{point}{digits(rng, 2)}" if rng.random() < 0.4 else ""
        )
    if style == 1:
        return f"{rng.choice(['-', '+', '- '])}{whole}" + (f"{point}{digits(rng, 1)}" if rng.random() < 0.5 else "")
    if style == 2:
        return f"{rng.integers(101)}{rng.choice(['%', ' %'])}"
    if style == 3:
        return f"{rng.integers(1, 20)}/{rng.integers(2, 30)}"
    if style == 4:
        return f"{rng.integers(50, 220)}{rng.choice(['/', '-', ' - '])}{rng.integers(30, 130)}"
    return f"{whole}{point}{digits(rng, int(rng.integers(1, 4)))}"


def date(rng: Generator) -> str:
    """A date in figures, in any order and punctuation that people use."""
    day, month, year = int(rng.integers(1, 32)), int(rng.integers(1, 13)), int(rng.integers(1890, 2036))
    d = f"{day:02}" if rng.random() < 0.6 else str(day)
    m = f"{month:02}" if rng.random() < 0.6 else str(month)
    y = str(year) if rng.random() < 0.65 else f"{year % 100:02}"
    mark = str(rng.choice(["/", ".", "-", " ", " / ", ". "], p=(0.4, 0.24, 0.22, 0.08, 0.02, 0.04)))
    style = int(rng.integers(10))
    if style == 0:
        return f"{year}-{month:02}-{day:02}"
    if style == 1:
        return f"{day:02}{month:02}{year}"
    if style == 2:
        return f"{m}/{y}"
    if style == 3:
        return str(year)
    return mark.join((m, d, y) if style == 4 else (d, m, y))


def time(rng: Generator) -> str:
    """A time of day or a span: 9:05 · 14.30 · 08:00-16:30."""
    mark = str(rng.choice([":", "."], p=(0.75, 0.25)))
    clock = [f"{rng.integers(24)}{mark}{rng.integers(60):02}" for _ in range(2)]
    return rng.choice(["-", " - "]).join(clock) if rng.random() < 0.15 else clock[0]


def phone(rng: Generator) -> str:
    """A telephone number in one of the groupings in use."""
    style = int(rng.integers(5))
    if style == 0:
        return str(rng.choice([" ", ".", "-"])).join(
            ["0" + str(rng.integers(1, 10))] + [digits(rng, 2) for _ in "1234"]
        )
    if style == 1:
        return f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}"
    if style == 2:
        return f"+{rng.integers(1, 99)} {digits(rng, 3)} {digits(rng, 6)}"
    if style == 3:
        return f"{digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 4)}"
    return "0" + digits(rng, int(rng.integers(8, 11)))


def serial(rng: Generator) -> str:
    """Groups of digits as in account, insurance and invoice numbers."""
    mark = str(rng.choice(["-", " ", "/", "."]))
    return mark.join(digits(rng, int(rng.integers(1, 5))) for _ in range(int(rng.integers(2, 5))))


NUMBERS: dict[Field, float] = {count: 40, decimal: 20, date: 18, time: 7, phone: 7, serial: 8}


def pick(rng: Generator, table: dict[Field, float]) -> Field:
    """One of the kinds, by their shares."""
    kinds, shares = list(table), list(table.values())
    total = sum(shares)
    return kinds[int(rng.choice(len(kinds), p=[share / total for share in shares]))]


def digits(rng: Generator, n: int) -> str:
    """A row of n digits; any of them may be a zero."""
    return "".join(map(str, rng.integers(0, 10, n)))
