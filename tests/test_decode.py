"""Decoding: what a CTC network saw becomes a text and the probability that it is right."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from formlens.decode import BLANK, DIGITS, NUMBER, TEXT, Charset, allowed_classes, decode, likelihood

ALPHABET = "0123456789abl-., "


def spelled(text: str, sure: float = 0.999, alphabet: str = ALPHABET, repeats: int = 2) -> NDArray[np.float32]:
    """The probabilities of a network that is `sure` of a text: each character a few steps long, a blank after each."""
    path = [step for c in text for step in [alphabet.index(c) + 1] * repeats + [BLANK]] or [BLANK]
    rest = (1 - sure) / len(alphabet)
    probabilities = np.full((len(path), len(alphabet) + 1), rest, np.float32)
    probabilities[range(len(path)), path] = sure
    return probabilities


def seen(rows: list[list[float]]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def random_network(seed: int, steps: int, classes: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), steps).astype(np.float32)


@given(st.text(ALPHABET, max_size=12), st.integers(1, 4))
def test_any_text_survives_a_ctc_spelling(text: str, repeats: int) -> None:
    reading = decode(spelled(text, repeats=repeats), ALPHABET)
    assert reading.text == text
    assert reading.confidence > 0.9


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_all_texts_together_have_probability_one(seed: int, steps: int) -> None:
    network = random_network(seed, steps, 3)
    texts = itertools.chain.from_iterable(itertools.product([1, 2], repeat=n) for n in range(steps + 1))
    assert sum(likelihood(network, text) for text in texts) == pytest.approx(1, abs=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_likelihood_is_the_sum_over_all_paths_that_spell_a_text(seed: int, steps: int) -> None:
    network = random_network(seed, steps, 3)
    by_text: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(3), repeat=steps):
        text = tuple(c for c, _ in itertools.groupby(path) if c != BLANK)
        by_text[text] = by_text.get(text, 0) + float(np.prod(network[range(steps), path]))
    for text, probability in by_text.items():
        assert likelihood(network, text) == pytest.approx(probability, abs=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_a_confidence_is_a_probability_and_dropping_characters_never_raises_it(seed: int, steps: int) -> None:
    network = random_network(seed, steps, len(ALPHABET) + 1)
    digits = decode(network, ALPHABET, DIGITS)
    assert 0 <= digits.confidence <= 1
    assert set(digits.text) <= set("0123456789")
    spelling = [ALPHABET.index(c) + 1 for c in digits.text]
    assert digits.confidence <= likelihood(network, spelling) * (1 + 1e-6)


def test_a_letter_in_a_field_of_digits_is_doubtful_and_not_falsely_sure() -> None:
    letter = spelled("a", sure=0.95)
    assert decode(letter, ALPHABET).confidence > 0.8
    assert decode(letter, ALPHABET, DIGITS).confidence < 0.01


def test_a_digit_seen_as_a_letter_is_read_as_the_digit_with_its_own_small_share() -> None:
    one = seen([[0.01, 0.29, 0.7], [0.99, 0.0, 0.01]])  # blank, "1", "l"
    assert decode(one, "1l").text == "l"
    reading = decode(one, "1l", DIGITS)
    assert reading.text == "1"
    assert reading.confidence == pytest.approx(0.29 * 0.99, abs=1e-6)


def test_a_doubled_character_needs_a_blank_between() -> None:
    twice = seen([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    long = seen([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    assert decode(twice, "1").text == "11"
    assert decode(long, "1").text == "1"
    assert likelihood(long, [1, 1]) == 0


def test_a_text_longer_than_the_steps_is_impossible() -> None:
    assert likelihood(random_network(1, 2, 4), [1, 2, 3]) == 0


def test_an_empty_crop_reads_as_nothing_with_the_probability_of_blanks() -> None:
    reading = decode(seen([[0.9, 0.1], [0.8, 0.2]]), "1")
    assert reading.text == ""
    assert reading.confidence == pytest.approx(0.72)


def test_a_charset_keeps_the_order_of_the_alphabet_and_ignores_what_the_reader_lacks() -> None:
    assert allowed_classes("b1a2", DIGITS) == [0, 2, 4]
    assert allowed_classes("b1a2", TEXT) == [0, 1, 2, 3, 4]
    assert allowed_classes("b1", Charset("greek", "αβ")) == [0]


def test_one_pass_serves_several_charsets() -> None:
    network = spelled("-1.5")
    assert [decode(network, ALPHABET, charset).text for charset in (TEXT, NUMBER, DIGITS)] == ["-1.5", "-1.5", "15"]
