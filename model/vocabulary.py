"""The words that forms are filled with, in the languages of western Europe."""

import functools
import importlib

LOCALES = ("en_US", "en_GB", "fr_FR", "de_DE", "es_ES", "it_IT", "pt_PT", "nl_NL", "sv_SE", "da_DK", "no_NO", "fi_FI")

MONTHS = (
    "January February March April May June July August September October November December",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
)
UNITS = (
    "kg", "g", "mg", "lb", "oz", "cm", "mm", "m", "km", "in", "ft", "l", "ml", "cl", "h", "min", "s", "ha", "m²",
    "°C", "°F", "%", "kWh", "W", "V", "A", "Hz", "pcs", "St.", "Stk",
)  # fmt: skip
CURRENCIES = ("€", "$", "£", "EUR", "USD", "GBP", "CHF", "kr")
CHOICES = (
    "yes", "no", "Yes", "No", "YES", "NO", "Y", "N", "oui", "non", "OUI", "NON", "ja", "nein", "sí", "M", "F", "m",
    "f", "male", "female", "H", "D", "A", "B", "C", "E", "O+", "A-", "AB+", "N/A", "n/a", "NA", "OK", "ok", "X", "x",
    "XX", "-", "--", "Mr", "Mrs", "Ms", "Dr", "M.", "Mme", "Mlle", "Herr", "Frau", "Sr.", "Sra.", "S", "L", "XL",
    "single", "married", "divorced", "none", "nil", "left", "right",
)  # fmt: skip

ACCENTS = {
    "a": "àâäáãå", "e": "éèêë", "i": "îïíì", "o": "ôöóòõø", "u": "ûüúù", "n": "ñ", "c": "ç", "y": "ÿý", "A":
    "ÀÂÄÅ", "E": "ÉÈÊË", "I": "ÎÏÍ", "O": "ÔÖÓØ", "U": "ÛÜÚÙ", "N": "Ñ", "C": "Ç",
}  # fmt: skip
"""Letters and what they may carry."""


@functools.cache
def words(provider: str, field: str, locale: str) -> tuple[str, ...]:
    """One of Faker's lists, sorted so that a number means one word everywhere; empty where there is none."""
    try:
        module = importlib.import_module(f"faker.providers.{provider}.{locale}")
    except ImportError:
        return ()
    entries = getattr(module.Provider, field, ())
    entries = [entry[-1] if isinstance(entry, tuple) else entry for entry in entries]
    return tuple(sorted({entry for entry in entries if isinstance(entry, str) and len(entry) <= 28}))
