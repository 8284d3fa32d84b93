"""Ruled tables are found with the right rows and columns, and only where there are any."""

import cv2
import numpy as np
import pytest

from draw import (
    Drawn,
    Style,
    draw_lined_paper,
    draw_page,
    draw_table,
    draw_writing,
    random_photo,
    random_style,
    variant,
)
from formlens.tables import Table, find_tables

PEN_TABLE = Style(rows=4, columns=3, wobble=1.5, blur=0.6)


def quads(corners: np.ndarray) -> np.ndarray:
    c = corners
    return np.stack([c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]], axis=2).astype(np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared / (cv2.contourArea(a) + cv2.contourArea(b) - shared))


def cells_found(table: Table, corners: np.ndarray) -> float:
    if table.corners.shape != corners.shape:
        return 0.0
    pairs = zip(quads(table.corners).reshape(-1, 4, 2), quads(corners).reshape(-1, 4, 2), strict=True)
    return float(np.mean([overlap(a, b) >= 0.7 for a, b in pairs]))


def assert_found(drawn: Drawn) -> None:
    tables = find_tables(drawn.image)
    assert [(t.rows, t.columns) for t in tables] == [(drawn.style.rows, drawn.style.columns)]
    assert cells_found(tables[0], drawn.corners) == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tilt": 4.0},
        {"perspective": 0.05, "bow": 0.01},
        {"pen": (110, 110, 110), "thickness": 2.0, "grain": 0.5, "texture": 6.0},
        {"paper": (40, 50, 40), "pen": (215, 220, 220)},
        {"shadow": 0.5},
        {"double": True},
        {"ends": (-7.0, -2.0)},
        {"ends": (4.0, 9.0)},
        {"gaps": 0.08},
        {"cell": (70.0, 160.0), "uneven": 0.35},
    ],
    ids=lambda c: "-".join(c) or "plain",
)
def test_a_table_is_found_however_it_is_drawn(changes: dict[str, object]) -> None:
    assert_found(draw_table(variant(PEN_TABLE, **changes), seed=3))


@pytest.mark.parametrize("missing", [("left",), ("top",), ("left", "right"), ("top", "bottom", "left", "right")])
def test_a_missing_border_does_not_lose_a_row_or_a_column(missing: tuple[str, ...]) -> None:
    assert_found(draw_table(variant(PEN_TABLE, rows=5, missing=missing, filled=0.4), seed=4))


def test_printed_lines_of_the_paper_are_the_rows_where_the_pen_drew_columns_only() -> None:
    assert_found(draw_table(variant(PEN_TABLE, rows=7, lines="rows"), seed=5))


@pytest.mark.parametrize("lines", ["behind", "graph"])
def test_printed_lines_of_the_paper_are_no_rows_where_the_pen_drew_its_own(lines: str) -> None:
    assert_found(draw_table(variant(PEN_TABLE, lines=lines, line_step=37.0, margin=90), seed=6))


def test_printed_lines_as_dark_as_the_pen_are_no_rows_where_the_pen_drew_its_own() -> None:
    line = (95, 60, 50)
    drawn = draw_table(
        variant(PEN_TABLE, lines="behind", line_step=37.0, margin=90, line_colour=line, thickness=2.0), 6
    )
    assert_found(drawn)


def test_a_printed_row_that_the_photo_does_not_show_is_put_in() -> None:
    drawn = draw_table(variant(PEN_TABLE, rows=8, lines="rows", filled=0.0, texture=0.5), seed=5)
    y, left, right = int(drawn.corners[4, :, 1].mean()), int(drawn.corners[4, 0, 0]), int(drawn.corners[4, -1, 0])
    for x in (left, *drawn.corners[4, 1:-1, 0].astype(int)):
        end = min(int(x) + 124, right - 8)
        drawn.image[y - 5 : y + 6, int(x) + 6 : end] = drawn.image[y - 16 : y - 5, int(x) + 6 : end]
    assert_found(drawn)


@pytest.mark.parametrize("thing", ["title", "below", "beside", "holes", "edge", "finger", "shade"])
def test_what_else_is_on_the_photo_makes_no_row_or_column(thing: str) -> None:
    assert_found(draw_table(variant(PEN_TABLE, rows=5, columns=4, margin=120, around=(thing,)), seed=11))


def test_digits_below_each_other_are_no_column() -> None:
    drawn = draw_table(variant(PEN_TABLE, filled=0.0), seed=7)
    centre = drawn.corners[:, 1:3, 0].mean(axis=1)
    for i in range(4):
        x, y = int(centre[i : i + 2].mean()), drawn.corners[i : i + 2, 1, 1]
        cv2.line(drawn.image, (x, int(y[0] + 12)), (x, int(y[1] - 12)), (90, 50, 40), 3, cv2.LINE_AA)
    assert_found(drawn)


def test_several_tables_come_in_reading_order() -> None:
    sizes = [(3, 2), (2, 4), (5, 3)]
    tables = [draw_table(variant(PEN_TABLE, rows=r, columns=c, cell=(80.0, 50.0)), seed=8) for r, c in sizes]
    page, _ = draw_page(tables, (1000, 800), [(20, 20), (450, 40), (60, 400)])
    assert [(t.rows, t.columns) for t in find_tables(page)] == sizes


def test_a_large_page_is_found_in_its_own_pixels() -> None:
    drawn = draw_table(variant(PEN_TABLE, rows=10, columns=6, cell=(330.0, 210.0), thickness=5.0), seed=9)
    assert max(drawn.image.shape) > 2000
    assert_found(drawn)


@pytest.mark.parametrize("seed", range(4))
def test_a_page_of_writing_has_no_table(seed: int) -> None:
    assert find_tables(draw_writing(seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_lined_paper_has_no_table(seed: int) -> None:
    assert find_tables(draw_lined_paper(seed)) == []


def test_a_blank_or_tiny_image_has_no_table() -> None:
    assert find_tables(np.full((400, 300, 3), 230, np.uint8)) == []
    assert find_tables(np.zeros((5, 3, 3), np.uint8)) == []


def test_a_frame_is_no_table() -> None:
    page = np.full((500, 700, 3), 235, np.uint8)
    cv2.rectangle(page, (60, 60), (640, 440), (40, 40, 40), 3)
    assert find_tables(page) == []


def test_most_tables_drawn_at_random_are_found() -> None:
    exact = []
    for seed in range(5000, 5024):
        style = random_style(seed)
        tables = find_tables(draw_table(style, seed).image)
        exact.append([(t.rows, t.columns) for t in tables] == [(style.rows, style.columns)])
    assert np.mean(exact) >= 0.8


def test_most_photos_drawn_at_random_are_found() -> None:
    exact = []
    for seed in range(6000, 6020):
        style = random_photo(seed)
        tables = find_tables(draw_table(style, seed).image)
        exact.append([(t.rows, t.columns) for t in tables] == [(style.rows, style.columns)])
    assert np.mean(exact) >= 0.75
