"""Boxes are found on a blank, marks are told from empty boxes, and what they answer is put into words."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from formlens.boxes import find_boxes
from formlens.bubbles import find_grids, spelled
from formlens.choices import Choice, Option, Seen, answer
from formlens.choosing import Candidates, choose
from formlens.kinds import kind_of
from formlens.marks import marked
from formlens.types import Box

Gray = NDArray[np.uint8]


def make_box(shape: str, mark: str, side: int = 40, paper: int = 235, pen: int = 60) -> Gray:
    picture = np.full((2 * side, 2 * side), paper, np.uint8)
    middle, low, high = (side, side), side // 2, side + side // 2
    if shape == "square":
        cv2.rectangle(picture, (low, low), (high, high), (20,), 2, cv2.LINE_AA)
    else:
        cv2.circle(picture, middle, side // 2, (20,), 2, cv2.LINE_AA)
    ends = {"cross": [((low, low), (high, high)), ((low, high), (high, low))],
            "stroke": [((low - 6, high), (high, low))],
            "tick": [((low + 4, side), (side, high)), ((side, high), (high + 10, low - 10))]}  # fmt: skip
    for start, end in ends.get(mark, []):
        cv2.line(picture, start, end, (pen,), 3, cv2.LINE_AA)
    if mark == "filled":
        cv2.circle(picture, middle, side // 2 - 3, (pen,), -1, cv2.LINE_AA)
    noisy = picture + np.random.default_rng(1).normal(0, 4, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


@pytest.mark.parametrize("shape", ["square", "circle"])
@pytest.mark.parametrize(("paper", "pen"), [(235, 60), (150, 40), (240, 150)])
def test_marks_of_many_kinds_are_told_from_an_empty_box(shape: str, paper: int, pen: int) -> None:
    ways = ("cross", "stroke", "tick", "filled", "")
    seen = marked([make_box(shape, mark, side, paper, pen) for side in (20, 48) for mark in ways])
    assert [chance > 0.5 for chance in seen] == [bool(mark) for _ in range(2) for mark in ways]


def test_what_only_touches_a_box_or_shines_through_does_not_mark_it() -> None:
    pictures = []
    for side in (24, 40):
        for ends in (((2, 2), (side // 2 - 3, side // 2 - 3)), ((0, side // 3), (2 * side - 1, side // 3))):
            picture = make_box("square", "", side)
            cv2.line(picture, *ends, (60,), 3, cv2.LINE_AA)
            pictures.append(picture)
        pale = make_box("square", "", side)
        cv2.line(pale, (side // 2, side), (side + side // 2, side - 4), (224,), 5)
        pictures.append(np.asarray(cv2.GaussianBlur(pale, (0, 0), 2), np.uint8))
    assert max(marked(pictures)) < 0.5


def test_a_drawn_box_depends_on_its_seed_and_is_marked_where_it_says_so() -> None:
    from model.boxes import draw_box

    first, second = ([draw_box(np.random.default_rng(seed)) for seed in range(40)] for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert (a.picture == b.picture).all()
        assert (a.blank == b.blank).all()
        assert a.marked == b.marked
    assert 10 < sum(one.marked for one in first) < 30


def test_a_threshold_on_ink_parts_what_it_was_chosen_on() -> None:
    pytest.importorskip("fontTools", reason="scoring draws with fonts: model/requirements.txt")
    from model.marks import Box as Photographed
    from model.score_marks import best_threshold, ink_share

    boxes = [Photographed(make_box("square", mark), bool(mark), "", "") for mark in ("", "cross", "", "filled", "tick")]
    cut = best_threshold(boxes)
    assert [ink_share(box.picture) > cut for box in boxes] == [box.marked for box in boxes]


def test_squares_circles_ovals_and_brackets_are_found_and_letters_are_not() -> None:
    page = np.full((700, 900), 245, np.uint8)
    cv2.rectangle(page, (100, 100), (124, 124), (0,), 2)
    cv2.circle(page, (300, 112), 14, (0,), 2, cv2.LINE_AA)
    cv2.ellipse(page, (500, 112), (22, 13), 0, 0, 360, (0,), 2, cv2.LINE_AA)
    cv2.rectangle(page, (700, 90), (760, 150), (0,), 3)
    cv2.rectangle(page, (100, 300), (126, 326), (0,), 2)
    page[310:313, 98:103] = 245  # a broken line
    for turn in (0, 180):
        cv2.ellipse(page, (312, 312), (14, 18), turn, -50, 50, (0,), 2, cv2.LINE_AA)
    cv2.putText(page, "Good Old Book", (100, 500), cv2.FONT_HERSHEY_DUPLEX, 0.8, (0,), 3, cv2.LINE_AA)
    middles = [((x0 + x1) // 2, (y0 + y1) // 2) for x0, y0, x1, y1 in find_boxes(page)]
    for x, y in ((112, 112), (300, 112), (500, 112), (730, 120), (113, 313), (312, 312)):
        assert any(abs(x - u) < 5 and abs(y - v) < 5 for u, v in middles), (x, y)
    assert len(middles) == 6


BOXES: list[Box] = [(100 * i, 50, 100 * i + 20, 70) for i in range(6)]


def see(marks: NDArray[np.float64], texts: tuple[str, ...] = ()) -> Candidates:
    return Candidates(tuple(BOXES), marks, texts or ("",) * len(BOXES))


def chances(rows: list[set[int]]) -> NDArray[np.float64]:
    return np.array([[0.98 if box in row else 0.02 for box in range(6)] for row in rows])


def test_boxes_are_given_to_the_values_that_they_are_marked_for() -> None:
    rows = [{"sex": s, "ill": i} for s, i in (("F", "yes"), ("M", "no"), ("F", "no"), ("M", "yes"), ("F", "yes"))]
    marks = chances([{1, 4}, {2}, {1}, {2, 4}, {1, 4}])
    kinds = [kind_of([row[name] for row in rows]) for name in ("sex", "ill")]
    found = choose(("sex", "ill"), rows, kinds, see(marks))
    assert {o.text: o.box for o in found[0].choice.options} == {"F": BOXES[1], "M": BOXES[2]}
    assert [(o.text, o.box) for o in found[1].choice.options] == [("yes", BOXES[4])]
    assert found[1].choice.none == "no"


def test_several_answers_of_one_cell_are_parted() -> None:
    rows = [{"has": value} for value in ("car; dog", "dog", "car; cat", "", "cat", "car")]
    marks = chances([{0, 1}, {1}, {0, 2}, set(), {2}, {0}])
    choice = choose(("has",), rows, [kind_of([row["has"] for row in rows])], see(marks))[0].choice
    assert {o.text: o.box for o in choice.options} == {"car": BOXES[0], "dog": BOXES[1], "cat": BOXES[2]}
    seen = {o: Seen(0.99 if o.text in ("car", "cat") else 0.01, 0.2) for o in choice.options}
    assert answer(choice, seen).text in ("car; cat", "cat; car")


def test_an_option_that_no_csv_named_is_known_by_its_label_and_not_sure() -> None:
    rows = [{"state": value} for value in ("single", "married", "single", "married")]
    marks = chances([{0}, {1}, {0}, {1}])
    texts = ("single", "married", "widowed", "", "", "")
    choice = choose(("state",), rows, [kind_of([row["state"] for row in rows])], see(marks, texts))[0].choice
    widowed = next(option for option in choice.options if option.text == "widowed")
    reading = answer(choice, {o: Seen(0.99 if o == widowed else 0.01, 0.2) for o in choice.options})
    assert reading.text == "widowed"
    assert reading.confidence < 0.5


SEX = Choice((Option("F", BOXES[0]), Option("M", BOXES[1])))


@pytest.mark.parametrize(
    ("marks", "ink", "text", "sure"),
    [
        ((0.99, 0.01), (0.2, 0.0), "F", True), ((0.01, 0.02), (0.0, 0.0), "", True),
        ((0.99, 0.98), (0.8, 0.2), "M", False), ((0.99, 0.9), (0.2, 0.2), "F", False),
    ],
)  # fmt: skip
def test_one_of_many_is_answered_and_two_are_doubtful(
    marks: tuple[float, float], ink: tuple[float, float], text: str, sure: bool
) -> None:
    reading = answer(SEX, {o: Seen(p, i) for o, p, i in zip(SEX.options, marks, ink, strict=True)})
    assert reading.text == text
    assert (reading.confidence > 0.9) == sure


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.sampled_from(["one", "several"]))
def test_a_confidence_is_a_probability(marks: list[float], way: str) -> None:
    choice = Choice(SEX.options, "", "several" if way == "several" else "one", ";")
    assert 0 <= answer(choice, {o: Seen(p, 0.2) for o, p in zip(SEX.options, marks, strict=True)}).confidence <= 1


@pytest.mark.parametrize("upright", [True, False])
def test_a_grid_of_bubbles_spells_a_number(upright: bool) -> None:
    places = [
        (30 * slot, 24 * digit) if upright else (24 * digit, 30 * slot) for slot in range(4) for digit in range(10)
    ]
    boxes = [(x + 50, y + 60, x + 66, y + 76) for x, y in places]
    rows = [{"id": value} for value in ("4071", "0936", "8825")]
    marks = np.array([[0.97 if int(row["id"][n // 10]) == n % 10 else 0.01 for n in range(40)] for row in rows])
    given = Candidates(tuple(boxes), marks, ("",) * 40)
    choice = choose(("id",), rows, [kind_of([row["id"] for row in rows])], given)[0].choice
    new = {o: Seen(0.99 if o.text == "5203"[o.slot] else 0.004, 0.2) for o in choice.options}
    assert answer(choice, new).text == "5203"


def test_a_slot_with_two_marks_says_so() -> None:
    boxes = [(30 * x, 30 * y, 30 * x + 16, 30 * y + 16) for y in range(10) for x in range(2)]
    grid = find_grids(boxes)[0]
    marks = np.zeros(20)
    marks[[2, 3, 9]] = 1
    assert spelled(grid, marks, "0123456789", upright=True) == "1?"
