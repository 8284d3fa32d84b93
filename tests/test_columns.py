"""Which columns of a table hold numbers."""

from math import log

from formlens.columns import columns_of_kind, evidence_for
from formlens.types import Reading

RARER = log(100 / 16)


def test_a_digit_that_looks_like_a_letter_is_evidence_for_a_number() -> None:
    assert evidence_for(Reading("7", 0.3), Reading("t", 0.5), RARER) > 0


def test_a_word_is_evidence_against_a_number() -> None:
    assert evidence_for(Reading("1", 1e-6), Reading("Name", 0.9), RARER) < -6
    assert evidence_for(Reading("", 1e-9), Reading("kg", 0.9), RARER) < 0


def test_a_column_of_numbers_under_a_printed_header_is_numeric() -> None:
    header, number = -12.0, 3.0
    evidence = {(0, 0): header, (1, 0): number, (2, 0): number, (0, 1): header, (1, 1): header, (2, 1): header}
    assert columns_of_kind(evidence) == {0}


def test_a_single_doubtful_cell_follows_the_table() -> None:
    numbers = {(row, 0): 4.0 for row in range(5)}
    words = {(row, 0): -4.0 for row in range(5)}
    assert columns_of_kind(numbers | {(1, 1): -1.0}) == {0, 1}
    assert columns_of_kind(words | {(1, 1): 1.0}) == set()


def test_a_table_without_writing_has_no_numeric_column() -> None:
    assert columns_of_kind({}) == set()
