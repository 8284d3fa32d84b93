"""Turning a page the right way up, and back."""

import numpy as np
import pytest

from formlens.upright import turn, turn_back


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_every_pixel_of_a_turned_page_finds_its_place_on_the_page(turns: int) -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    turned, back = turn(image, turns), turn_back(image.shape, turns)
    for y, x in np.ndindex(turned.shape[:2]):
        before = (back @ (x, y, 1)).astype(int)
        assert (turned[y, x] == image[before[1], before[0]]).all()
