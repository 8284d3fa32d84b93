"""Free text is read with a preference for words, and what is no word is read as it stands."""

from math import exp
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from formlens.decode import decode
from formlens.free import read_free
from formlens.language import END, ORDER, START, Language, shipped
from model import language

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-'"


def seen(text: str, doubts: dict[int, tuple[str, float]], sure: float = 0.97) -> NDArray[np.float32]:
    """A network that saw a text, a blank between two signs, and at some places another sign with some probability."""
    rows = []
    for i, sign in enumerate(text):
        row = np.full(1 + len(ALPHABET), (1 - sure) / len(ALPHABET))
        other, share = doubts.get(i, (sign, 0.0))
        row[1 + ALPHABET.index(sign)] = sure - share if other != sign else sure
        if other != sign:
            row[1 + ALPHABET.index(other)] = share
        blank = np.full(1 + len(ALPHABET), (1 - sure) / len(ALPHABET))
        blank[0] = sure
        rows += [row, blank]
    return np.array([row / row.sum() for row in rows], np.float32)


def test_a_word_is_preferred_where_the_network_is_in_doubt() -> None:
    found = seen("mevember", {0: ("n", 0.45), 1: ("o", 0.45)})
    assert decode(found, ALPHABET).text == "mevember"
    assert read_free(found, ALPHABET).text == "november"


def test_what_the_network_is_sure_of_stands_whatever_the_language_says() -> None:
    found = seen("xqzzvk", {}, sure=0.999)
    assert read_free(found, ALPHABET) == decode(found, ALPHABET)


@pytest.mark.parametrize("text", ["AB-1234", "60SP", "240b", "BGGHB", "12.50", "W7K2"])
def test_codes_and_numbers_are_read_as_they_stand(text: str) -> None:
    assert read_free(seen(text, {}, sure=0.9), ALPHABET).text == text


def test_the_confidence_is_a_probability_and_small_where_two_texts_are_as_likely() -> None:
    doubtful, clear = seen("cat", {0: ("b", 0.48)}), seen("cat", {}, sure=0.95)
    low, high = (read_free(found, ALPHABET).confidence for found in (doubtful, clear))
    assert 0 < low < 0.8 < high <= 1


def test_a_letter_that_words_have_there_is_likelier_in_any_case() -> None:
    model = shipped()
    for before, likely, rare in (("novemb", "e", "q"), ("NOVEMB", "E", "Q"), (START + "th", "e", "x")):
        context = before[-ORDER:]
        assert model.surprise(context, likely) > model.surprise(context, rare) + 2


def test_what_may_follow_the_letters_of_a_word_is_about_all_there_is() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzàâäåæçèéêëíîïñóôöøùúûüß'-"
    for context in (START, START + "a", "stati", START + "qu"):
        whole = sum(exp(shipped().surprise(context, sign)) for sign in [*letters, *([END] if context != START else [])])
        assert 0.85 < whole < 1.1


def test_the_same_words_pack_into_the_same_table_and_it_says_what_was_counted(tmp_path: Path) -> None:
    words = {"data": 0.02, "date": 0.01, "dose": 0.005}
    found = language.entries(language.count([words]), least=0.0)
    first, second = language.pack(found, 2003), language.pack(dict(reversed(found.items())), 2003)
    assert first == second
    (tmp_path / "few.bin").write_bytes(first)
    model = Language(tmp_path / "few.bin")
    for key, value in found.items():
        if key[-1] not in "\v\t":
            assert model._in_word(key[:-1], key[-1]) == pytest.approx(value, abs=0.026)
    assert model.surprise(START + "dat", "a") > model.surprise(START + "dat", "e") > model.surprise(START + "dat", "o")


def test_more_entries_than_the_table_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        language.pack({str(i): -1.0 for i in range(100)}, 101)
