"""What a spreadsheet program would take for something else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formlens.values import as_date, as_number, guard_formula


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", '=HYPERLINK("x")', "\t=1", " =1", "\r=1", "--1", "-A1"]
)
def test_a_formula_is_defused(text: str) -> None:
    assert guard_formula(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["-12", "-12.5", "+3", "-", "- 7", "-1 200,50 €", "-5 %", "1=2", "", "a@b", "+33 6 12 34"]
)
def test_a_number_keeps_its_sign(text: str) -> None:
    assert guard_formula(text) == text


@given(st.text(max_size=12))
def test_a_guarded_text_never_begins_like_a_formula_unless_it_is_a_number(text: str) -> None:
    guarded = guard_formula(text)
    assert guarded.removeprefix("'") == text.removeprefix("'") or guarded == "'" + text
    if guarded.lstrip()[:1] in tuple("=+-@"):
        assert not set(guarded) - set("+-0123456789 .,%€$£°\u00a0\u2009\u3000") or not guarded.isascii()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", (12.0, 0)),
        ("-0.50", (-0.5, 2)),
        ("71,5", (71.5, 1)),
        ("0", (0.0, 0)),
        ("007", None),
        ("1,234", None),
        ("1.234", (1.234, 3)),
        ("1234567890123456", None),
        ("12a", None),
        ("", None),
        ("١٢", None),
    ],
)
def test_only_a_text_that_survives_as_a_number_becomes_one(text: str, number: tuple[float, int] | None) -> None:
    assert as_number(text) == number


@given(st.integers(-(10**11), 10**11), st.integers(0, 3))
def test_any_number_shows_again_as_it_was_written(value: int, decimals: int) -> None:
    text = f"{value / 10**decimals:.{decimals}f}"
    number = as_number(text)
    assert number is not None
    assert f"{number[0]:.{number[1]}f}" == text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1910-03-07", date(1910, 3, 7)),
        ("07.03.1910", date(1910, 3, 7)),
        ("31/12/2024", date(2024, 12, 31)),
        ("12/31/2024", date(2024, 12, 31)),
        ("03/04/2024", None),
        ("31/02/2024", None),
        ("2024-13-01", None),
        ("31.12/2024", None),
        ("1.2.1850", None),
    ],
)
def test_only_an_unmistakable_date_becomes_one(text: str, day: date | None) -> None:
    assert as_date(text) == day
