"""Filled copies are the same for the same seed, and have their ink where the truth says."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.types import Image
from model.filled import Blank, Column, Field, Pens, camera, choose_columns, fill, flatbed, invent

FIELDS = tuple(Field(f"text{i}", "text", (100, 80 + 60 * i, 300, 120 + 60 * i)) for i in range(14))
BLANK = Blank(np.full((1000, 800, 3), 255, np.uint8), FIELDS)


def pens() -> Pens:
    digits = np.zeros((10, 28, 28), np.uint8)
    for digit in range(10):
        cv2.putText(digits[digit], str(digit), (6, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,), 2)
    return Pens(digits, np.arange(10, dtype=np.uint8), (Path("unused.ttf"),))


def columns() -> list[Column]:
    return [column for column in choose_columns(BLANK, np.random.default_rng(1)) if column.kind != "name"]


def filled(seed: int) -> Image:
    rng = np.random.default_rng(seed)
    return fill(BLANK, {column: invent(column, rng) for column in columns()}, pens(), rng)


def test_the_same_seed_writes_the_same_copy() -> None:
    assert np.array_equal(filled(3), filled(3))
    assert not np.array_equal(filled(3), filled(4))


def test_all_ink_is_in_the_fields_and_each_has_some() -> None:
    page = filled(5)
    for column in columns():
        x0, y0, x1, y1 = column.field.box
        assert page[y0:y1, x0:x1].min() < 150
        page[y0:y1, x0:x1] = 255
    assert page.min() == 255


@pytest.mark.parametrize("take", [flatbed, camera])
def test_the_view_of_a_copy_takes_fields_to_where_they_are_seen(take: type) -> None:
    page = BLANK.image.copy()
    page[500:520, 400:420] = 0
    seen, view = take(page, np.random.default_rng(2))
    x, y = cv2.perspectiveTransform(np.array([[[410.0, 510.0]]]), view)[0, 0]
    paper = float(np.median(seen[round(y) - 40 : round(y) + 40, round(x) - 40 : round(x) + 40]))
    assert seen[round(y), round(x)].max() < 0.4 * paper
