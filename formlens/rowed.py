"""Strips of a page go in; the rows of each, and pictures of what is written in them, come out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.lines import cut_lines
from formlens.rows import Rows, find_rows, ink_of, pitch_of, profile_of, slope_of
from formlens.strips import Strip
from formlens.types import Image

_LEAST, _MOST = 14.0, 220.0
"""Pixels of a page between rows."""


@dataclass(frozen=True)
class Inked:
    """A strip laid straight with some room on both sides, and where it is written on."""

    strip: Strip
    room: int
    """Pixels of `image` on each side that are not the strip's."""
    image: Image
    ink: Gray

    @property
    def inside(self) -> Gray:
        """The ink between the strip's edges."""
        return self.ink[:, self.room + 3 : -self.room - 3] if self.room else self.ink[:, 3:-3]


def lay_out(image: Image, strips: Sequence[Strip], detail: float) -> list[Inked]:
    """Each strip laid straight, with room for what stands out beyond its edges; ``detail`` is the height of writing."""
    laid = []
    for strip in strips:
        room = round(0.4 * detail)
        picture = strip.straight(image, room)
        ink = ink_of(picture, detail)
        laid.append(Inked(strip, room, picture, _own(ink, room)))
    return laid


def _own(ink: Gray, room: int) -> Gray:
    """The ink but for strokes that lie mostly beside the strip, and the rulings of its edges."""
    count, names, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    middle = np.bincount(names[:, room:-room].ravel(), minlength=count)
    beside = middle < 0.5 * boxes[:, cv2.CC_STAT_AREA]
    beside[0] = True
    return np.asarray(~beside[names], np.uint8)


def usual_pitch(laid: Sequence[Inked]) -> float:
    """Pixels from row to row that most strips agree on; 0 where there are no rows."""
    return pitch_of([profile_of(one.inside, slope_of(one.inside, one.strip.square)) for one in laid], _LEAST, _MOST)


def rows_of(one: Inked, pitch: float) -> Rows:
    """The rows of one strip."""
    slope = slope_of(one.inside, one.strip.square)
    return find_rows(profile_of(one.inside, slope), pitch, slope)


def cut_rows(one: Inked, rows: Rows) -> list[Image | None]:
    """What is written in each row of a strip."""
    return cut_lines(one.image, one.ink, rows)


def cut_row(one: Inked, rows: Rows, number: int) -> Image | None:
    """What is written in one row of a strip, of which only what lies around it is looked at."""
    reach = 3 * rows.pitch + abs(rows.slope) * one.image.shape[1]
    middle = rows.middles[number]
    top, bottom = max(0, round(middle - reach)), min(len(one.image), round(middle + reach))
    near = (rows.middles > middle - 3 * rows.pitch) & (rows.middles < middle + 3 * rows.pitch)
    part = Rows(rows.middles[near] - top, rows.pitch, rows.slope)
    return cut_lines(one.image[top:bottom], one.ink[top:bottom], part, [int(near[:number].sum())])[0]


def moved(rows: Rows, across: float, down: float = 0.0) -> Rows:
    """The same rows as a strip sees them whose middle lies so far to the right, and whose top so far above."""
    middles: NDArray[np.float64] = rows.middles + rows.slope * across + down
    return Rows(middles, rows.pitch, rows.slope)
