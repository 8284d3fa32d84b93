"""A page is put on its form, whichever way it comes; another page is not."""

import cv2
import numpy as np
import pytest

from formlens.register import Print, Registration, find_print, register
from forms import SIZE, VALUES, Copy, draw_form, fill, photograph, scan


@pytest.fixture(scope="module")
def form() -> Print:
    return find_print(draw_form())


def far_off(copy: Copy, where: Registration) -> float:
    """The largest distance in pixels between where points of the form are and where they were said to be."""
    points = np.array([[x, y] for x in (100, 300, 500) for y in (180, 500, 900, 1300)], np.float64)
    true = cv2.perspectiveTransform(points[None], copy.view)[0]
    return float(np.hypot(*(where.to_page(points, *SIZE) - true).T).max())


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("take", [scan, photograph])
def test_a_filled_copy_is_found_whichever_way_up(form: Print, take: type, quarter_turns: int) -> None:
    copy = take(fill(draw_form(), VALUES[0]), 3, quarter_turns=quarter_turns)
    where = register(copy.image, form)
    assert where is not None
    assert where.score > 0.8
    assert far_off(copy, where) < 2.5


def test_curled_paper_is_laid_flat(form: Print) -> None:
    page = draw_form()
    x, y = np.meshgrid(np.arange(SIZE[0], dtype=np.float32), np.arange(SIZE[1], dtype=np.float32))
    curled = cv2.remap(page, x, y + 8 * np.sin(x / SIZE[0] * np.pi), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    where = register(np.asarray(curled, np.uint8), form)
    assert where is not None
    flat = where.warp(np.asarray(curled, np.uint8), *SIZE)
    printed = np.s_[170:1300, 60:540]
    left = np.abs(flat.astype(int) - page)[printed].mean()
    assert left < 0.5 * np.abs(curled.astype(int) - page)[printed].mean()


def test_a_stain_and_a_fold_do_not_hide_a_form(form: Print) -> None:
    page = fill(draw_form(), VALUES[1])
    cv2.circle(page, (300, 900), 220, (90, 120, 150), -1)
    page[700:706] = 120
    where = register(scan(page, 5).image, form)
    assert where is not None


def test_a_page_laid_on_its_form_stays_sharp(form: Print) -> None:
    page = np.full((2200, 1571, 3), 255, np.uint8)
    page[:, ::8] = 0
    where = register(np.asarray(cv2.resize(draw_form(), (1571, 2200)), np.uint8), form)
    assert where is not None
    columns = where.warp(page, 1571, 2200)[700:1500, 400:1200, 0].mean(axis=0).reshape(-1, 8)
    # each thin line is there once: dark in its place, and as dark as every other
    dark = (255 - columns).sum(axis=1)
    assert dark.min() > 0.8 * dark.max()


@pytest.mark.parametrize("seed", range(1, 7))
def test_another_form_is_refused(form: Print, seed: int) -> None:
    assert register(scan(draw_form(seed), seed).image, form) is None


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_a_page_without_print_is_refused(form: Print, ground: int) -> None:
    assert register(np.full((800, 600, 3), ground, np.uint8), form) is None
    assert register(np.full((9, 3000, 3), ground, np.uint8), form) is None


def test_a_form_without_print_matches_nothing() -> None:
    bare = find_print(np.full((1400, 1000, 3), 255, np.uint8))
    assert register(draw_form(), bare) is None
