"""What a column may hold: kinds are told from its values, and crops are read as their column allows."""

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from formlens import dates, numbers, shapes, words
from formlens.automaton import Net, find, likelihoods
from formlens.decode import likelihood
from formlens.grammar import likelihood_of, read_kind, settle
from formlens.kinds import Kind, kind_of
from test_decode import random_network, spelled

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzäçèéêôûü.,:;/-+%'€£$° "
DAYS = st.dates(date(1890, 1, 1), date(2049, 12, 31))


def seen(text: str, sure: float = 0.97) -> NDArray[np.float32]:
    return spelled(text, sure, ALPHABET)


def settled(values: list[str], written: list[str]) -> Kind:
    crops = [(value, seen(text)) for value, text in zip(values, written, strict=True)]
    return settle(kind_of(values), crops, ALPHABET)


def moment(day: date) -> dates.Moment:
    return day.year, day.month, day.day, -1, -1


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_search_finds_every_text_of_an_automaton_with_its_mass(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(seed, steps, 4)
    first, second = ({"".join(rng.choice(list("abc"), rng.integers(1, 4))): rng.random() for _ in range(3)}
                     for _ in range(2))  # fmt: skip
    net = Net()
    net.end(net.after(net.after([(0, 0.5)], first).values(), second).values())
    net.end([(0, 0.1), *net.after([(0, 0.4)], {"a": 1.0}).values()])
    weights = {"": 0.1, "a": 0.4}
    for (one, v), (two, w) in itertools.product(first.items(), second.items()):
        weights[one + two] = weights.get(one + two, 0.0) + 0.5 * v * w
    mass = {text: w * likelihood(network, ["abc".index(c) + 1 for c in text]) for text, w in weights.items()}
    found = find(network, net.spelled("abc"), share=0, effort=10**6)
    assert found.total == pytest.approx(sum(mass.values()), abs=1e-9)
    got: dict[str, float] = {}
    for classes, weight in found.texts:
        text = "".join("abc"[i - 1] for i in classes)
        got[text] = got.get(text, 0.0) + weight
    assert all(got.get(text, 0.0) == pytest.approx(mass[text], abs=1e-9) for text in mass)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.lists(st.text("abc", max_size=5), min_size=1, max_size=5))
def test_several_likelihoods_at_once_are_those_of_each(seed: int, steps: int, texts: list[str]) -> None:
    network = random_network(seed, steps, 4)
    spellings = [["abc".index(c) + 1 for c in text] for text in texts]
    assert likelihoods(network, spellings) == pytest.approx([likelihood(network, s) for s in spellings], abs=1e-9)


def test_a_search_that_runs_out_of_effort_still_ends_with_a_text() -> None:
    net = numbers.net(".|||", ["123456"], ".|||")
    flat = np.full((12, 1 + len(ALPHABET)), 1 / (1 + len(ALPHABET)), np.float32)
    assert find(flat, net.spelled(ALPHABET), effort=5).texts


@settings(deadline=None)
@given(DAYS, st.sampled_from(dates.PATTERNS))
def test_every_date_that_a_pattern_spells_is_read_back(day: date, pattern: str) -> None:
    time = (9, 30) if {"H", "G"} & set(pattern.partition("|")[0]) else (-1, -1)
    whole = (day.year, day.month, day.day, *time)
    for text in dates.write(whole, pattern):
        back = dates.parse(text, pattern, day.year)
        assert back is not None
        assert text in dates.write(back, pattern)
        assert all(a == b for a, b in zip(back, whole, strict=True) if a > 0 and b > 0)


@settings(max_examples=30, deadline=None)
@given(DAYS, st.sampled_from(sorted(dates.ways("Y-M-D"))))
def test_a_day_on_paper_however_written_is_read_as_typed(day: date, way: str) -> None:
    kind = Kind("date", None, "Y-M-D", ((way, 1.0),), ((day.isoformat(), 1),))
    text = next(iter(dates.spell(moment(day), way)))
    read = read_kind(seen(text), ALPHABET, kind).text
    if {"Y", "y"} & set(way.partition("|")[0]):
        assert read == day.isoformat()
    else:
        assert read[4:] == day.isoformat()[4:]


def test_only_days_that_exist_are_read() -> None:
    kind = kind_of(["30/01/2020", "28/02/2021", "31/12/2022"])
    assert read_kind(seen("31/04/2021"), ALPHABET, kind).text != "31/04/2021"
    assert read_kind(seen("29/02/2021"), ALPHABET, kind).confidence < 0.5
    assert read_kind(seen("29/02/2024"), ALPHABET, kind).text == "29/02/2024"


@pytest.mark.parametrize(
    ("written", "way"),
    [
        (["7 Mars 1910", "22 Avril 1911", "1 Août 1912"], "d B Y|fr"), (["7.3.1910", "22.4.1911", "1.8.1912"], "d.m.Y"),
        (["7/3/10", "22/4/11", "1/8/12"], "d/m/y"), (["7-III-10", "22-IV-11", "1-VIII-12"], "d-R-y"),
        (["7. März 1910", "22. April 1911", "1. August 1912"], "d. B Y|de"),
        (["7 Mars", "22 Avril", "1 Août"], "d B|fr"),
    ],
)  # fmt: skip
def test_how_dates_are_written_is_learned_from_what_was_typed_for_them(written: list[str], way: str) -> None:
    kind = settled(["1910-03-07", "1911-04-22", "1912-08-01"], written)
    assert kind.ways[0][0] == way
    if "Y" in way or "y" in way:
        assert [read_kind(seen(text), ALPHABET, kind).text for text in written][1] == "1911-04-22"


@pytest.mark.parametrize(
    ("text", "way"), [("12 7bre 1911", "d B Y|fr"), ("12 Sept. 1911", "d B Y|fr"), ("12 septembre 1911", "d B Y|fr")]
)
def test_months_are_read_cut_short_counted_and_in_small_letters(text: str, way: str) -> None:
    kind = Kind("date", None, "Y-M-D", ((way, 1.0),), (("1910-03-07", 1),))
    assert read_kind(seen(text), ALPHABET, kind).text == "1911-09-12"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 99), st.sampled_from(sorted(numbers.ways(".|||", ["12345.67"]))))
def test_any_number_survives_writing_and_reading(whole: int, places: int, way: str) -> None:
    typed = f"{whole}.{places:02}"
    text = numbers.spell(typed, ".|||", way)
    assert numbers.parse(text, way, ".|||") == typed
    kind = Kind("decimal", None, ".|||", ((way, 1.0),), ((typed, 1),))
    assert read_kind(seen(text), ALPHABET, kind).text == typed


def test_a_comma_on_paper_and_a_point_in_the_csv_are_learned() -> None:
    kind = settled(["1.5", "22.25", "1000.0"], ["1,5", "22,25", "1000,0"])
    assert kind.ways[0][0].startswith(",|")
    reading = read_kind(seen("7,75"), ALPHABET, kind)
    assert reading.text == "7.75"
    assert reading.confidence > 0.5


def test_groups_and_units_on_paper_are_left_out_where_people_left_them_out() -> None:
    kind = settled(["12500", "1200", "987000"], ["12 500", "1 200", "987 000"])
    assert read_kind(seen("45 100"), ALPHABET, kind).text == "45100"
    kind = settled(["12", "71", "8"], ["12 kg", "71 kg", "8 kg"])
    assert read_kind(seen("65 kg"), ALPHABET, kind).text == "65"
    kind = settled(["0612345678", "0798765432"], ["06 12 34 56 78", "07 98 76 54 32"])
    assert read_kind(seen("06 99 88 77 66"), ALPHABET, kind).text == "0699887766"


@settings(max_examples=20, deadline=None)
@given(st.from_regex(r"[A-Z]{2,3}-[0-9]{3,4}", fullmatch=True))
def test_a_code_of_any_of_its_column_s_shapes_is_read(code: str) -> None:
    kind = kind_of(["AB-123", "CDE-123", "AB-1234", "XYZ-4321"] * 2)
    assert kind.name == "code"
    assert read_kind(seen(code), ALPHABET, kind).text == code


def test_a_code_written_without_its_strokes_is_typed_with_them() -> None:
    kind = settled(["AB-1234", "XY-9999", "QQ-1010"], ["AB1234", "XY9999", "QQ1010"])
    assert read_kind(seen("CD5678"), ALPHABET, kind).text == "CD-5678"


def test_the_words_of_a_choice_are_read_in_any_case_and_though_a_letter_is_unclear() -> None:
    kind = kind_of(["Male", "Female"] * 5)
    assert kind.name == "choice"
    assert read_kind(seen("FEMALE"), ALPHABET, kind).text == "Female"
    unclear = seen("Femole", 0.8)
    unclear[:, ALPHABET.index("a") + 1] += 0.1
    assert read_kind(unclear, ALPHABET, kind).text == "Female"


def test_words_of_the_column_are_preferred_and_others_stay_possible() -> None:
    kind = kind_of(["Marie Louise", "Jean Louis", "Marie Jeanne", "Louise", "Antoine Marius"] * 2 + ["Anne Marie"])
    unclear = seen("Maiie", 0.6)
    unclear[:, ALPHABET.index("r") + 1] += 0.25
    assert read_kind(unclear, ALPHABET, Kind("text", ways=(("same", 1.0),), examples=kind.examples)).text == "Marie"
    assert read_kind(seen("Wxaq"), ALPHABET, kind).text == "Wxaq"


@pytest.mark.parametrize(
    ("typed", "written", "new", "read"),
    [
        (["DUPONT", "MARTIN", "BLANC"], ["Dupont", "Martin", "Blanc"], "Renard", "RENARD"),
        (["Dupont", "Martin", "Blanc"], ["DUPONT", "MARTIN", "BLANC"], "RENARD", "Renard"),
        (["Andre", "Helene", "Rene"], ["André", "Hélène", "René"], "Aimé", "Aime"),
        (["Tardy, Maurice", "Blanc, Jean"], ["Maurice Tardy", "Jean Blanc"], "Marie Renard", "Renard, Marie"),
    ],
)
def test_what_typists_do_to_words_is_learned(typed: list[str], written: list[str], new: str, read: str) -> None:
    assert read_kind(seen(new), ALPHABET, settled(typed, written)).text == read


def test_what_is_not_of_its_column_s_kind_comes_out_as_it_stands_and_doubtful() -> None:
    for values, text in (
        (["AB-1234", "XY-9999"], "illisible"), (["2020-01-03", "2021-05-06"], "inconnu"), (["12", "71"], "voir dos"),
    ):  # fmt: skip
        reading = read_kind(seen(text), ALPHABET, kind_of(values))
        assert reading.text == text
        assert reading.confidence < 0.3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["7", "2020-01-03", "AB-1234", "Ada", "1.5", "14:30"]))
def test_whatever_is_seen_a_confidence_is_a_probability(seed: int, value: str) -> None:
    network = random_network(seed, 1 + seed % 20, 1 + len(ALPHABET))
    assert 0 <= read_kind(network, ALPHABET, kind_of([value])).confidence <= 1


def test_a_typed_value_is_likely_where_it_stands_and_nowhere_else() -> None:
    kind = kind_of(["1910-03-07", "1911-04-22"])
    assert likelihood_of("1910-03-07", seen("7/3/1910"), ALPHABET, kind) > 1e-4
    assert likelihood_of("1910-03-07", seen("8/3/1910"), ALPHABET, kind) < 1e-7


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["1", "20", ""], "integer"), (["1.5", "-3"], "decimal"), (["2020-01-03", "1999-12-31"], "date"),
        (["31/12/99", "1/2/03"], "date"), (["7 Mars 1910"], "date"), (["AB-1234", "XY-9999"], "code"),
        (["yes", "no"], "mark"), (["X", ""], "mark"), (["Ada", "Bob 2"], "text"), (["", ""], "text"),
        (["no", "no"], "text"), (["0", "1"], "integer"), (["14:30", "9:05"], "date"), (["A", "C", "B"], "code"),
        (["12,50 €", "7,00 €"], "decimal"), (["06 12 34 56 78", "07 11 22 33 44"], "code"),
        (["left", "right", "both"] * 4, "choice"), (["7 mars 1910", "1 avril 1911", "30 juin"], "date"),
    ],
)  # fmt: skip
def test_a_column_s_kind_is_told_from_its_values(values: list[str], name: str) -> None:
    assert kind_of(values).name == name


def test_shapes_and_words_go_there_and_back() -> None:
    assert shapes.parse(shapes.spell("AB-12", "bare")[0], "bare", ["AB-12"]) == "AB-12"
    for way in ("same", "turned"):
        assert words.parse(words.spell("Tardy, Renée", way), way, ["Tardy, Renée"]) == "Tardy, Renée"
