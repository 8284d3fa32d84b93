"""Frames go in, one after the other; each comes out as what the keeper sees, and a page where one is to be read.

A page is taken when the sheet lies still, whole, uncovered and in focus, and is not the one that was read last. While
nothing moves after that, nothing more is done; when something has moved, what lies there then is compared with the
last page: the same sheet, pushed aside or looked at again after a power cut, is not read twice.

No frame takes long: a search for the sheet goes on in pieces, one a frame, and what needs all pixels of one frame is
left to `take`, the first part of reading a page.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.frames import Frame, glance_of
from formlens.likeness import Gray, is_same, portrait
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
"""Frames alike in focus whose mean is taken."""
PATIENCE = 60
"""Frames after which what lies on a form is taken for part of it."""
ATTEMPTS = 3
"""How often one sheet is tried that cannot be read, each time with a new frame."""

_SECONDS = 0.02
"""Of processor time, in which a decision takes up pieces of a search: a slow processor does one a frame."""
_AGAIN = 10
"""Frames from one search for a sheet to the next while nothing changes."""
_HUNTING = 20
"""Frames for which a lens is given to find its focus, before a sheet is looked at closely all the same."""
_ALIKE = 0.97
"""Share of its detail that a frame in the same focus has at least."""
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
    ready: bool = False
    """The sheet lies as it should: `Watch.take` is to look at it closely."""
    page: Image | None = None
    """The sheet, put square, where it is to be read now; from `Watch.take` only."""


class Watch:
    """What is under the camera, as far as the frames so far say. ``last``: the portrait of the page read last."""

    def __init__(self, last: Gray | None = None) -> None:
        self.portrait = last
        """Of the page that was taken last, or of ``last``."""
        self._last = last
        self._attempts = 0
        self._before: Gray | None = None
        self._settled: tuple[Gray, str] | None = None
        self._begin()

    def _begin(self) -> None:
        """Something moved: whatever was known of the scene is void."""
        self._still = 0
        self._covered = 0
        self._hint = ""
        self._sighting: Sighting | None = None
        self._search: Generator[None, None, Sighting] | None = None
        self._age = 0
        self._recent: list[tuple[float, Frame]] = []
        self._finest = 0.0
        self._waited = 0

    def look(self, frame: Frame) -> Look:
        """Judge the next frame."""
        began = time.thread_time()
        # a search begins with more of the frame than the eye needs that sees what moves
        small = frame.small(SIDE) if self._is_due() else None
        glance = frame.glance() if small is None else glance_of(small[0])
        if glance is None:
            return Look(WAITING)
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
        if self._still <= STILL:
            return Look(MOVING)
        if small is not None:
            self._search = sight(*small)
        elif self._search is not None:
            self._look_on(self._search, began)
        else:
            return self._judge(frame)
        return self._as_before()

    def take(self) -> Look:
        """Look closely at the sheet that is ready. A page that comes out is to be answered by `kept` or `failed`.

        All pixels of the frames alike in focus are decoded, and their mean, which has less noise, is judged and put
        square: that takes as long as a part of reading the page.
        """
        assert self._sighting is not None  # noqa: S101
        assert self._sighting.corners is not None  # noqa: S101
        corners, least = self._sighting.corners, _ALIKE * max(detail for detail, _ in self._recent)
        full = _mean([frame for detail, frame in self._recent if detail >= least])
        self._recent, self._finest, self._waited = [], 0.0, 0
        if full is None or not is_sharp(steepness(full, corners)):
            self._hint = BLURRED if full is not None else WAITING
            return Look(self._hint, corners)
        page = cut_out(full, corners)
        self.portrait = portrait(page)
        if self._last is not None and is_same(self._last, self.portrait):
            self._settle(SEEN)
            return Look(SEEN, corners)
        return Look(WAITING, corners, page=page)

    def kept(self, *, readable: bool = True) -> None:
        """The page that came out is safe on the disk, read or not: it is not taken again."""
        self._last, self._attempts = self.portrait, 0
        self._settle(READ if readable else UNREAD)

    def failed(self) -> bool:
        """The page that came out could not be read; whether it is to be tried again, with another frame."""
        self._attempts += 1
        self._begin()
        return self._attempts < ATTEMPTS

    def _settle(self, hint: str) -> None:
        assert self._before is not None  # noqa: S101
        self._settled = self._before, hint

    def _is_due(self) -> bool:
        """Whether a search for a sheet is to begin."""
        if self._still < STILL or self._settled is not None or self._search is not None:
            return False
        return self._sighting is None or (self._sighting.lack is not None and self._age >= _AGAIN)

    def _look_on(self, search: Generator[None, None, Sighting], began: float) -> None:
        """The next pieces of the search; what was seen before stands until it ends."""
        try:
            next(search)
            while time.thread_time() - began < _SECONDS:
                next(search)
        except StopIteration as done:
            self._sighting, self._search, self._age = done.value, None, 0

    def _as_before(self) -> Look:
        seen = self._sighting
        self._covered += seen is not None and seen.lack == COVERED
        return Look((seen.lack if seen else None) or self._hint or WAITING, seen.corners if seen else None)

    def _judge(self, frame: Frame) -> Look:
        """What is still to be seen to, of a scene in which nothing moves and a sheet was looked for."""
        seen = self._sighting
        self._age += 1
        bears = seen is not None and seen.lack == COVERED and self._covered >= PATIENCE
        if seen is None or seen.corners is None or (seen.lack and not bears):
            return self._as_before()
        detail = frame.detail()
        self._finest = max(self._finest, detail)
        self._recent = [*self._recent, (detail, frame)][-SHARP:]
        self._waited += 1
        # a lens that hunts goes through sharp to blurred and back: wait until it stays where it was best
        alike = len(self._recent) == SHARP and min(one[0] for one in self._recent) >= _ALIKE * self._finest
        return Look(self._hint or WAITING, seen.corners, ready=alike or self._waited >= _HUNTING)


def _mean(frames: Sequence[Frame]) -> Image | None:
    """The mean of some frames of a scene in which nothing moves; None where none of them can be decoded."""
    mean: Image | None = None
    count = 0
    for frame in frames:
        full = frame.full()
        if full is not None and (mean is None or full.shape == mean.shape):
            count += 1
            mean = (
                full if mean is None else np.asarray(cv2.addWeighted(mean, 1 - 1 / count, full, 1 / count, 0), np.uint8)
            )
    return mean


def _moved(before: Gray, now: Gray) -> bool:
    """Whether anything moved, a change of the light as a whole aside."""
    change = now.astype(np.int16) - before
    change -= np.int16(np.median(change))
    return bool((np.abs(change) > _MOVED).mean() > _SHARE)
