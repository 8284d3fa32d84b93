"""A month's number and a language go in, the ways in which people write its name come out, and the way back."""

import functools
import unicodedata

LANGUAGES = {
    "en": "January February March April May June July August September October November December",
    "fr": "Janvier Février Mars Avril Mai Juin Juillet Août Septembre Octobre Novembre Décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "Enero Febrero Marzo Abril Mayo Junio Julio Agosto Septiembre Octubre Noviembre Diciembre",
    "it": "Gennaio Febbraio Marzo Aprile Maggio Giugno Luglio Agosto Settembre Ottobre Novembre Dicembre",
    "pt": "Janeiro Fevereiro Março Abril Maio Junho Julho Agosto Setembro Outubro Novembro Dezembro",
    "nl": "Januari Februari Maart April Mei Juni Juli Augustus September Oktober November December",
}
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_OLD = {9: ("7bre",), 10: ("8bre",), 11: ("9bre",), 12: ("10bre", "Xbre")}
"""Months counted from March, as clerks wrote them until about 1900."""

_FULL, _SHORT, _COUNTED, _BARE, _LOWER, _UPPER = 0.8, 0.1, 0.05, 0.05, 0.2, 0.05
"""How often a name is written out, cut short, counted, without its accents, in small letters, in capitals."""


@functools.cache
def names(month: int, language: str) -> dict[str, float]:
    """How people write a month (1 to 12) in a language, and how often each way; the first is the plain one."""
    name = LANGUAGES[language].split()[month - 1]
    found: dict[str, float] = {}
    _add(found, name, _FULL)
    others = [other for other in LANGUAGES[language].split() if other != name]
    shorts = [short for length in (3, 4) if (short := name[:length]) != name and not _begins(others, short)]
    for short in shorts:
        _add(found, f"{short}.", _SHORT / len(shorts) / 2)
        _add(found, short, _SHORT / len(shorts) / 2)
    for old in _OLD.get(month, ()):
        _add(found, old, _COUNTED / 2)
    return found


def bare(text: str) -> str:
    """A text without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def month_of(name: str, language: str) -> int:
    """The number of a month by its name, 0 for no month."""
    return _numbers(language).get(name.casefold(), 0)


@functools.cache
def _numbers(language: str) -> dict[str, int]:
    return {way.casefold(): month for month in range(1, 13) for way in names(month, language)}


def _begins(others: list[str], short: str) -> bool:
    return any(other.startswith(short) for other in others)


def _add(found: dict[str, float], name: str, weight: float) -> None:
    for spelled, share in ((name, 1 - _BARE), (bare(name), _BARE)):
        for cased, often in ((spelled, 1 - _LOWER - _UPPER), (spelled.lower(), _LOWER), (spelled.upper(), _UPPER)):
            found[cased] = found.get(cased, 0.0) + weight * share * often
