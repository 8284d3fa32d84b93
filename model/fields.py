"""What people write on forms: a random generator in, one text out, as the spreadsheet beside the scan would have it.

Numbers, names, places, dates and words in nine western European languages. Names, places and words come from Faker's
lists (MIT). Capitals and digits get more than their share of a page of prose: forms are made of them.
"""

from numpy.random import Generator

from model.numerals import Field, count, decimal, digits, number_like, pick
from model.vocabulary import ACCENTS, CHOICES, CURRENCIES, LOCALES, MONTHS, UNITS, words


def text(rng: Generator) -> str:
    """One field of any kind."""
    return pick(rng, TEXTS)(rng)


def date_in_words(rng: Generator) -> str:
    """A date with the month's name, whole or cut: 7 Mars 1910 · March 7, 1910 · 07 MAR 21 · 3-Apr-98."""
    month = str(rng.choice(str(rng.choice(MONTHS)).split()))
    month = _case(rng, month, (0.35, 0.45, 0.2))
    if rng.random() < 0.3:
        month = month[:3] + ("." if rng.random() < 0.4 else "")
    day, year = int(rng.integers(1, 32)), int(rng.integers(1890, 2036))
    style = int(rng.integers(6))
    if style == 0:
        return f"{month} {day}, {year}"
    if style == 1:
        return f"{day} {month}"
    if style == 2:
        return f"{month} {year}"
    if style == 3:
        return f"{day:02}-{month}-{year % 100:02}"
    return f"{day} {month} {year}"


def measure(rng: Generator) -> str:
    """A number with its unit or currency."""
    number = count(rng)[:4] if rng.random() < 0.5 else decimal(rng)
    if rng.random() < 0.4:
        sign = str(rng.choice(CURRENCIES))
        return f"{sign}{number}" if rng.random() < 0.4 else f"{number} {sign}"
    return f"{number}{rng.choice(['', ' '])}{rng.choice(UNITS)}"


def code(rng: Generator) -> str:
    """Capitals and digits with marks between: plates, postcodes, item and passport numbers."""
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        letters = rng.random() < 0.5
        parts.append(_capitals(rng, int(rng.integers(1, 5))) if letters else digits(rng, int(rng.integers(1, 6))))
    return str(rng.choice(["", "-", " ", "/", "#"], p=(0.35, 0.25, 0.25, 0.1, 0.05))).join(parts)


def capital(rng: Generator) -> str:
    """One letter or initials, as class marks, grades and blood groups are."""
    if rng.random() < 0.6:
        return _capitals(rng, 1)
    return str(rng.choice(["", ".", " "])).join(_capitals(rng, int(rng.integers(2, 5)))) + str(rng.choice(["", "."]))


def choice(rng: Generator) -> str:
    """One of the short answers that forms ask for."""
    return str(rng.choice(CHOICES))


def name(rng: Generator) -> str:
    """A person's name, whole or in part, in the order and case that forms ask for."""
    locale = str(rng.choice(LOCALES))
    given, family = _word(rng, "person", "first_names", locale), _word(rng, "person", "last_names", locale)
    style = int(rng.integers(8))
    if style == 0:
        return _case(rng, given)
    if style in (1, 2):
        return _case(rng, family, (0.05, 0.5, 0.45))
    if style == 3:
        return f"{family.upper()} {given}"
    if style == 4:
        return _case(rng, f"{family}{rng.choice([', ', ' - ', ' '])}{given}", (0.0, 0.8, 0.2))
    if style == 5:
        return f"{given[0]}. {family}"
    if style == 6:
        return f"{given} {_word(rng, 'person', 'first_names', locale)} {family}"
    return _case(rng, f"{given} {family}", (0.05, 0.65, 0.3))


def place(rng: Generator) -> str:
    """A town, region or country, with a post code at times."""
    locale = str(rng.choice(LOCALES))
    kind = str(rng.choice(["cities", "cities", "states", "countries", "departments", "counties"]))
    town = _case(rng, _word(rng, "address", kind, locale), (0.1, 0.6, 0.3))
    return f"{digits(rng, 5)} {town}" if rng.random() < 0.25 else town


def address(rng: Generator) -> str:
    """House number and street."""
    street = _case(rng, _word(rng, "person", "last_names", str(rng.choice(LOCALES))), (0.05, 0.7, 0.25))
    number = f"{rng.integers(1, 400)}{rng.choice(['', '', '', 'A', 'b', ' bis'])}"
    style = int(rng.integers(4))
    if style == 0:
        return (
            f"{number} {rng.choice(['rue', 'av.', 'bd', 'place', 'chemin'])} {rng.choice(['', 'de ', 'du '])}{street}"
        )
    if style == 1:
        return f"{street}{rng.choice(['str.', 'straße', 'weg', 'gade', 'laan'])} {number}"
    if style == 2:
        return f"{rng.choice(['C/', 'Via', 'Rua', 'Calle'])} {street}, {number}"
    return f"{number} {street} {rng.choice(['St', 'Street', 'Ave', 'Rd.', 'Road', 'Lane', 'Dr'])}"


def mail(rng: Generator) -> str:
    """An address for e-mail."""
    who = f"{_word(rng, 'person', 'first_names', 'en_US')}{rng.choice(['.', '-', ''])}{rng.integers(100)}".lower()
    host = _word(rng, "person", "last_names", "en_US").lower()
    return f"{who}@{host}.{rng.choice(['com', 'org', 'net', 'fr', 'de', 'co.uk'])}"


def job(rng: Generator) -> str:
    """An occupation."""
    locale = str(rng.choice(["en_US", "fr_FR", "es_ES", "pt_PT", "da_DK", "de_AT"]))
    return _case(rng, _word(rng, "job", "jobs", locale), (0.3, 0.5, 0.2))


def word(rng: Generator) -> str:
    """One word of running text."""
    spoken = _word(rng, "lorem", "word_list", str(rng.choice(["en_US", *LOCALES])))
    return _case(rng, spoken, (0.6, 0.22, 0.18))


def remark(rng: Generator) -> str:
    """A few words, as under "remarks", with the punctuation of running text."""
    locale = str(rng.choice(["en_US", "en_US", *LOCALES]))
    row = [_word(rng, "lorem", "word_list", locale) for _ in range(int(rng.integers(2, 7)))]
    row = [spoken + ("," if rng.random() < 0.08 else "") for spoken in row]
    if rng.random() < 0.2:
        row.insert(int(rng.integers(len(row))), count(rng)[:4])
    line = " ".join(row)
    if rng.random() < 0.15:
        pair = str(rng.choice(["()", '""', "''"]))
        line = pair[0] + line + pair[1]
    return _case(rng, line, (0.3, 0.6, 0.1)) + str(rng.choice(["", "", ".", ";", ":"]))


def anything(rng: Generator) -> str:
    """Characters that no language puts together: teaches the shapes without a language behind them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" * 2 + ".,:;/-+%&'\"()#@°€$£ "
    return " ".join("".join(rng.choice(list(alphabet), int(rng.integers(1, 9)))).split()) or "0"


def accented(rng: Generator) -> str:
    """Words with their accents exchanged, so that each accent is seen on each of its letters."""
    spoken = word(rng)
    return "".join(str(rng.choice(list(ACCENTS[c]))) if c in ACCENTS and rng.random() < 0.35 else c for c in spoken)


TEXTS: dict[Field, float] = {
    number_like: 20,
    date_in_words: 8,
    measure: 8,
    code: 9,
    capital: 6,
    choice: 5,
    name: 15,
    place: 6,
    address: 4,
    mail: 2,
    job: 2,
    word: 10,
    remark: 5,
    anything: 5,
    accented: 5,
}


def _capitals(rng: Generator, n: int) -> str:
    return "".join(rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), n))


def _case(rng: Generator, line: str, shares: tuple[float, float, float] = (0.1, 0.6, 0.3)) -> str:
    """Lower, as a name, or capitals, by their shares."""
    lower, title = shares[0], shares[0] + shares[1]
    p = rng.random()
    return line.lower() if p < lower else line[:1].upper() + line[1:] if p < title else line.upper()


def _word(rng: Generator, provider: str, field: str, locale: str) -> str:
    listed = words(provider, field, locale) or words(provider, field, "en_US") or words("person", "last_names", locale)
    return listed[int(rng.integers(len(listed)))]
