"""Frames go in, one after the other; each comes out as what the keeper sees, and a page where one is to be read.

A page is taken when the sheet lies still, whole, uncovered and in focus, and is not the one that was read last. While
nothing moves after that, nothing more is done; when something has moved, what lies there then is compared with the
last page: the same sheet, pushed aside or looked at again after a power cut, is not read twice.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.frames import Frame
from formlens.likeness import OTHER, Gray, difference, portrait
from formlens.rectify import cut_out
from formlens.sighting import BLURRED, COVERED, SIDE, Sighting, is_sharp, sight, steepness
from formlens.types import Image

MOVING = "hold still"
WAITING = "one moment"
READ = "done: take the form away"
SEEN = "this form was read already"
UNREAD = "not read: straighten it, or take it away"

STILL = 3
"""Frames without movement before a sheet counts as lying still."""
SHARP = 3
"""Frames in focus of which the sharpest is taken."""
PATIENCE = 60
"""Frames after which what lies on a form is taken for part of it."""
ATTEMPTS = 3
"""How often one sheet is tried that cannot be read, each time with a new frame."""

_AGAIN = 5
"""Frames from one search for a sheet to the next while nothing changes."""
_MOVED = 12
"""Grey levels, of 255."""
_SHARE = 0.01
"""Of a frame: where less than this moves, nothing does."""


@dataclass(frozen=True)
class Look:
    """What came of one frame."""

    hint: str
    """For the keeper."""
    corners: NDArray[np.float64] | None = None
    """Of the sheet, in pixels of the frame."""
    page: Image | None = None
    """The sheet, put square, where it is to be read now."""


class Watch:
    """What is under the camera, as far as the frames so far say. ``last``: the portrait of the page read last."""

    def __init__(self, last: Gray | None = None) -> None:
        self._last = last
        self._attempts = 0
        self._before: Gray | None = None
        self._settled: tuple[Gray, str] | None = None
        self._begin()

    def _begin(self) -> None:
        """Something moved: whatever was known of the scene is void."""
        self._still = 0
        self._covered = 0
        self._sighting: Sighting | None = None
        self._age = 0
        self._sharp: list[tuple[float, Image]] = []
        self._steepest = 0.0

    def look(self, frame: Frame) -> Look:
        """Judge the next frame. A page that comes out is to be answered by `kept` or `failed`."""
        found = frame.small(SIDE)
        if found is None:
            return Look(WAITING)
        small, magnify = found
        glance = cv2.resize(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (80, 60), interpolation=cv2.INTER_AREA)
        now = np.asarray(cv2.GaussianBlur(glance, (0, 0), 1.0), np.uint8)
        before, self._before = self._before, now
        if self._settled is not None:
            if not _moved(self._settled[0], now):
                return Look(self._settled[1], self._sighting.corners if self._sighting else None)
            self._settled = None
            self._attempts = 0
            self._begin()
        if before is None or _moved(before, now):
            self._begin()
            return Look(MOVING)
        self._still += 1
        if self._still < STILL:
            return Look(MOVING)
        return self._judge(frame, small, magnify, now)

    def kept(self, page: Image, *, readable: bool = True) -> None:
        """The page that came out is safe on the disk, read or not: it is not taken again."""
        self._last, self._attempts = portrait(page), 0
        self._settle(READ if readable else UNREAD)

    def failed(self) -> bool:
        """The page that came out could not be read; whether it is to be tried again, with another frame."""
        self._attempts += 1
        self._begin()
        return self._attempts < ATTEMPTS

    def _settle(self, hint: str) -> None:
        assert self._before is not None  # noqa: S101
        self._settled = self._before, hint

    def _judge(self, frame: Frame, small: Image, magnify: float, now: Gray) -> Look:
        if self._sighting is None or (self._sighting.lack and self._age >= _AGAIN):
            self._sighting, self._age = sight(small, magnify), 0
            # what is in focus is for the next frame to say: one step a frame, so that no frame takes long
            return Look(self._sighting.lack or WAITING, self._sighting.corners)
        self._age += 1
        seen = self._sighting
        self._covered += seen.lack == COVERED
        if seen.corners is None or (seen.lack and not (seen.lack == COVERED and self._covered > PATIENCE)):
            return Look(seen.lack or "", seen.corners)
        full = frame.full()
        if full is None:
            return Look(WAITING, seen.corners)
        steep = steepness(full, seen.corners)
        self._steepest = max(self._steepest, steep)
        # a lens that hunts goes through sharp to blurred and back: wait until it stays where it was best
        if not is_sharp(steep) or steep < 0.9 * self._steepest:
            self._sharp.clear()
            return Look(BLURRED, seen.corners)
        self._sharp.append((steep, full))
        if len(self._sharp) < SHARP:
            return Look(WAITING, seen.corners)
        best = max(self._sharp, key=lambda one: one[0])[1]
        self._sharp.clear()
        page = cut_out(best, seen.corners)
        if self._last is not None and difference(self._last, portrait(page)) < OTHER:
            self._settle(SEEN)
            return Look(SEEN, seen.corners)
        return Look(WAITING, seen.corners, page)


def _moved(before: Gray, now: Gray) -> bool:
    """Whether anything moved, a change of the light as a whole aside."""
    change = now.astype(np.int16) - before
    change -= np.int16(np.median(change))
    return bool((np.abs(change) > _MOVED).mean() > _SHARE)
