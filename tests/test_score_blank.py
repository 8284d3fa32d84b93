"""How a form from its blank alone is judged: each field once, and a name by what is said for its own field."""

from model.score_blank import is_named, paired
from model.widgets import Widget, _is_next_character

SAID = (
    "Page 1. Name(s) shown on return.",
    "2. Total qualified business income. Combine lines 1 i through 1 v.",
    "3. R E I T dividends carryforward from the prior year.",
    "Row: i i. Column: (b) Taxpayer identification number.",
    "Row: i. Column: (b) Taxpayer identification number.",
)


def test_a_name_is_right_where_its_own_field_is_said_with_most_of_its_words() -> None:
    assert is_named("Name(s) shown on return", 0, SAID)
    assert is_named("2 Total qualified business income", 1, SAID)
    assert is_named("3 REIT dividends carryforward", 2, SAID)
    assert is_named("ii (b) Taxpayer identification number", 3, SAID)


def test_a_name_that_fits_another_field_as_well_or_none_is_wrong() -> None:
    assert not is_named("(b) Taxpayer identification number", 3, SAID)
    assert not is_named("Name(s) shown on return", 1, SAID)
    assert not is_named("field 2", 1, SAID)
    assert not is_named("", 0, SAID)


def test_two_fields_of_which_the_same_is_said_share_a_name() -> None:
    assert is_named("Total", 0, ["Total.", "Total."])


def test_each_place_is_one_field_and_marks_are_no_lines() -> None:
    true = [((0, 0, 100, 30), False), ((0, 40, 20, 60), True), ((200, 0, 300, 30), False)]
    found = [((0, 0, 90, 30), False), ((0, 0, 100, 28), False), ((0, 40, 20, 60), False), ((200, 0, 240, 30), False)]
    assert paired(true, found) == {0: 1}


def test_boxes_of_one_character_side_by_side_are_one_field() -> None:
    first, second = Widget((0, 0, 40, 30), False, 1, ""), Widget((60, 0, 100, 30), False, 1, "")
    assert _is_next_character(first, second)
    assert not _is_next_character(first, Widget((60, 0, 100, 30), False, 2, ""))
    assert not _is_next_character(first, Widget((110, 0, 150, 30), False, 1, ""))
    assert not _is_next_character(first, Widget((60, 40, 100, 70), False, 1, ""))
