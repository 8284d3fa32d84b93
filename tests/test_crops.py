"""Cells are cut with all of their writing and nothing else."""

import cv2
import numpy as np
import pytest

from draw import Style, draw_table, variant
from formlens.crops import cut_cells
from formlens.tables import Table

INK = (60, 40, 40)
TABLE = Style(rows=3, columns=3, cell=(140.0, 70.0), filled=0.0, blur=0.5)


def empty_table(**changes: object) -> tuple[np.ndarray, Table]:
    drawn = draw_table(variant(TABLE, **changes), seed=1)
    return drawn.image, Table(drawn.corners.astype(np.float32), light=bool(np.mean(drawn.style.pen) > 150))


def centre(table: Table, row: int, column: int) -> tuple[int, int]:
    x, y = table.quad(row, column).mean(axis=0)
    return int(x), int(y)


def darkness(crop: np.ndarray) -> np.ndarray:
    gray = crop.min(axis=2).astype(float)
    return np.asarray(np.median(gray) - gray)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"texture": 7.0},
        {"shadow": 0.5},
        {"wobble": 2.5, "thickness": 5.0},
        {"paper": (40, 40, 40), "pen": (220, 220, 220)},
        {"tilt": 3.0, "perspective": 0.05},
        {"lines": "rows"},
        {"lines": "graph", "line_colour": (180, 150, 130), "blur": 1.0},
        {"double": True, "wobble": 1.5},
        {"gaps": 0.08, "grain": 0.4},
        {"grain": 0.5, "pen": (120, 120, 120)},
    ],
    ids=lambda c: "-".join(c) or "plain",
)
def test_empty_cells_are_empty(changes: dict[str, object]) -> None:
    image, table = empty_table(**changes)
    assert cut_cells(image, table) == [[None] * 3] * 3


@pytest.mark.parametrize(
    "changes", [{}, {"texture": 5.0, "wobble": 2.0}, {"paper": (40, 40, 40), "pen": (220, 220, 220)}]
)
def test_filled_cells_are_cut_and_empty_ones_are_not(changes: dict[str, object]) -> None:
    drawn = draw_table(variant(TABLE, filled=0.5, rows=5, **changes), seed=2)
    crops = cut_cells(drawn.image, Table(drawn.corners.astype(np.float32), light=bool(np.mean(drawn.style.pen) > 150)))
    assert [[c is not None for c in row] for row in crops] == [[bool(t) for t in row] for row in drawn.texts]


def test_a_dot_a_minus_and_a_faint_one_are_ink() -> None:
    image, table = empty_table()
    x, y = centre(table, 0, 0)
    cv2.circle(image, (x, y + 10), 2, INK, -1, cv2.LINE_AA)
    x, y = centre(table, 1, 1)
    cv2.line(image, (x - 10, y), (x + 10, y), INK, 3, cv2.LINE_AA)
    x, y = centre(table, 2, 2)
    cv2.line(image, (x, y - 15), (x, y + 15), (150, 140, 140), 2, cv2.LINE_AA)
    found = [[c is not None for c in row] for row in cut_cells(image, table)]
    assert found == [[True, False, False], [False, True, False], [False, False, True]]


def test_a_crop_holds_the_ink_with_a_margin() -> None:
    image, table = empty_table()
    x, y = centre(table, 1, 1)
    cv2.rectangle(image, (x - 20, y - 15), (x + 20, y + 15), INK, 3)
    crop = cut_cells(image, table)[1][1]
    assert crop is not None
    height, width = crop.shape[:2]
    assert 38 <= height <= 56
    assert 48 <= width <= 66
    edge = np.concatenate([crop[:2].ravel(), crop[-2:].ravel(), crop[:, :2].ravel(), crop[:, -2:].ravel()])
    assert edge.min() > 180


def test_a_stroke_that_crosses_a_ruling_is_kept_whole_and_stays_with_its_cell() -> None:
    image, table = empty_table()
    x, y = centre(table, 0, 1)
    bottom = int(table.quad(0, 1)[2, 1])
    cv2.line(image, (x, y - 20), (x, bottom + 12), INK, 3, cv2.LINE_AA)
    crops = cut_cells(image, table)
    assert crops[1][1] is None
    crop = crops[0][1]
    assert crop is not None
    dark = np.asarray((darkness(crop) > 60).any(axis=1))
    assert np.ptp(np.flatnonzero(dark)) >= bottom + 12 - (y - 20) - 4
    assert dark[np.flatnonzero(dark)[0] : np.flatnonzero(dark)[-1]].all()


def test_rulings_and_neighbours_are_painted_over() -> None:
    image, table = empty_table()
    (x, y), right = centre(table, 1, 1), int(table.quad(1, 1)[1, 0])
    cv2.line(image, (x, y - 25), (x, y + 25), INK, 3, cv2.LINE_AA)
    cv2.line(image, (right - 8, y - 5), (right + 60, y - 5), INK, 3, cv2.LINE_AA)
    crops = cut_cells(image, table)
    own, neighbour = crops[1][1], crops[1][2]
    assert own is not None
    assert neighbour is not None
    assert own.shape[1] < 40
    assert neighbour.shape[1] > 60


def test_light_ink_comes_out_dark_on_light() -> None:
    image, table = empty_table(paper=(35, 35, 35), pen=(225, 225, 225))
    x, y = centre(table, 1, 1)
    cv2.putText(image, "7", (x - 10, y + 15), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (225, 225, 225), 3, cv2.LINE_AA)
    crop = cut_cells(image, table)[1][1]
    assert crop is not None
    assert np.median(crop) > 150
    assert crop.min() < 90


def test_print_of_the_other_side_is_no_ink() -> None:
    image, table = empty_table()
    for j in range(3):
        x, y = centre(table, 0, j)
        cv2.putText(image, "35", (x - 20, y + 12), cv2.FONT_HERSHEY_SIMPLEX, 1.1, INK, 3, cv2.LINE_AA)
    faint = image.copy()
    x, y = centre(table, 2, 1)
    cv2.putText(faint, "88", (x - 20, y + 12), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (195, 200, 200), 3, cv2.LINE_AA)
    assert cut_cells(np.asarray(cv2.GaussianBlur(faint, (0, 0), 1.0), np.uint8), table)[2][1] is None


def test_a_neighbour_that_reaches_over_a_ruling_fills_no_cell() -> None:
    image, table = empty_table()
    for j in range(3):
        x, bottom = centre(table, 0, j)[0], int(table.quad(0, j)[2, 1])
        cv2.ellipse(image, (x, bottom + 20), (14, 24), 0, 0, 360, INK, 3, cv2.LINE_AA)
    crops = cut_cells(image, table)
    assert [[c is not None for c in row] for row in crops] == [[False] * 3, [True] * 3, [False] * 3]


def test_digits_of_two_cells_that_touch_across_a_ruling_are_parted() -> None:
    image, table = empty_table()
    x, bottom = centre(table, 0, 1)[0], int(table.quad(0, 1)[2, 1])
    cv2.line(image, (x, bottom - 50), (x, bottom + 50), INK, 3, cv2.LINE_AA)
    crops = cut_cells(image, table)
    assert crops[0][1] is not None
    assert crops[1][1] is not None


def test_a_one_close_to_a_ruling_is_no_ruling() -> None:
    image, table = empty_table()
    left, y = int(table.quad(1, 1)[0, 0]), centre(table, 1, 1)[1]
    cv2.line(image, (left + 10, y - 20), (left + 10, y + 20), INK, 3, cv2.LINE_AA)
    assert cut_cells(image, table)[1][1] is not None


def test_large_pages_are_cut_at_their_own_resolution() -> None:
    style = variant(TABLE, cell=(560.0, 280.0), thickness=8.0)
    drawn = draw_table(style, seed=1)
    table = Table(drawn.corners.astype(np.float32))
    x, y = centre(table, 1, 1)
    cv2.rectangle(drawn.image, (x - 80, y - 60), (x + 80, y + 60), INK, 10)
    crop = cut_cells(drawn.image, table)[1][1]
    assert crop is not None
    assert 150 <= crop.shape[0] <= 200
    assert 190 <= crop.shape[1] <= 250
