"""A sheet on a desk is put square; what is no surely outlined sheet is left as it is."""

import cv2
import numpy as np
import pytest

from draw import Style, draw_table, draw_writing, photograph, random_style, variant
from formlens.outline import find_sheet
from formlens.rectify import LONGEST, square

SHEET = Style(rows=6, columns=4, cell=(140.0, 80.0), margin=90, blur=0.5)


@pytest.mark.parametrize("desk", [(60, 75, 95), (40, 40, 40), (150, 165, 175), (110, 60, 30)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_sheet_on_a_desk_is_found(desk: tuple[int, int, int], seed: int) -> None:
    photo, quad = photograph(draw_table(SHEET, seed).image, seed, desk=desk)
    found = find_sheet(photo)
    assert found is not None
    assert np.abs(found - quad).max() < 0.015 * max(photo.shape)


def test_a_squared_sheet_is_square_and_leads_back_to_the_page() -> None:
    drawn = draw_table(SHEET, 3)
    photo, quad = photograph(drawn.image, 3)
    squared = square(photo)
    height, width = squared.image.shape[:2]
    box = np.array([[[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]], np.float64)
    back = cv2.perspectiveTransform(box, squared.to_page)[0]
    assert np.abs(back - quad).max() < 0.015 * max(photo.shape)
    assert 0.8 < (width / height) / (drawn.image.shape[1] / drawn.image.shape[0]) < 1.25


@pytest.mark.parametrize("seed", range(6))
def test_a_close_photo_of_a_table_is_no_sheet(seed: int) -> None:
    assert find_sheet(draw_table(random_style(700 + seed), seed).image) is None


def test_a_drawn_frame_is_no_sheet() -> None:
    page = np.full((700, 900, 3), 225, np.uint8)
    cv2.rectangle(page, (80, 70), (820, 630), (40, 40, 40), 6)
    assert find_sheet(page) is None


@pytest.mark.parametrize("angle", [-4.0, 2.5])
def test_a_scan_a_few_degrees_off_is_turned_level(angle: float) -> None:
    drawn = draw_table(variant(SHEET, tilt=angle, rows=8), 4)
    squared = square(drawn.image)
    lattice = cv2.perspectiveTransform(drawn.corners.reshape(1, -1, 2), np.linalg.inv(squared.to_page))[0]
    top = lattice.reshape(drawn.corners.shape)[0]
    slope = np.degrees(np.arctan2(top[-1, 1] - top[0, 1], top[-1, 0] - top[0, 0]))
    assert abs(slope) < 0.5


def test_a_straight_page_is_left_as_it_is() -> None:
    page = draw_table(SHEET, 5).image
    squared = square(page)
    assert np.array_equal(squared.image, page)
    assert np.array_equal(squared.to_page, np.eye(3))


def test_a_page_of_writing_keeps_its_size() -> None:
    page = draw_writing(6)
    assert square(page).image.shape[0] >= page.shape[0]


def test_a_huge_page_is_reduced_and_still_leads_back() -> None:
    page = np.full((4400, 3000, 3), 230, np.uint8)
    squared = square(page)
    assert max(squared.image.shape) == LONGEST
    corner = squared.to_page @ [squared.image.shape[1] - 0.5, squared.image.shape[0] - 0.5, 1]
    assert np.allclose(corner[:2] / corner[2], [2999.5, 4399.5], atol=1.5)
