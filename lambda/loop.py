"""Frames go in; each page under the camera is read and on the disk before anybody is told of it."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import cv2
import numpy as np

from formlens.frames import Frame
from formlens.likeness import Gray
from formlens.spool import Spool, SpoolFullError
from formlens.types import Image
from formlens.watching import Look, Watch
from scan import Outcome

PORTRAIT = "portrait.png"
"""What stays of a page on the camera, to know its sheet again."""
READING = "reading"
FULL_SECONDS = 5.0

Message = dict[str, Any]
Read = Callable[[bytes, datetime], tuple[Outcome, dict[str, bytes]]]

log = logging.getLogger(__name__)


class Display(Protocol):
    """What the keeper sees."""

    def show(self, frame: Frame | None, look: Look) -> None:
        """The newest frame, and what came of it; no frame: the last one still."""

    def add(self, page: dict[str, Any]) -> None:
        """A page that is kept, in the shape of the cells JSON."""


def run(
    frames: Iterable[Frame],
    *,
    read: Read,
    spool: Spool,
    display: Display,
    tell: Callable[[Message], None],
    now: Callable[[], datetime],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Read what lies under the camera until the frames end. ``tell`` must not raise, and not take long."""
    watch = Watch(last_portrait(spool))
    for frame in frames:
        look = watch.look(frame)
        display.show(frame, look)
        if not look.ready:
            continue
        look = watch.take()
        display.show(None, look if look.page is None else Look(READING, look.corners))
        if look.page is None or watch.portrait is None:
            continue
        outcome, parts = read(encoded(look.page), now())
        if outcome.failed and watch.failed():
            continue
        keep(spool, parts | {PORTRAIT: _png(watch.portrait)}, display, tell, pause)
        watch.kept(readable=not outcome.failed)
        page = page_of(parts)
        display.add(page)
        rows = len({cell["row"] for cell in page["cells"]})
        tell({"event": page["status"], "source": page["source"], "form": page["form"], "rows": rows,
              "flagged": outcome.flagged, "reason": page.get("reason"), "waiting": len(spool.waiting())})  # fmt: skip


def keep(
    spool: Spool,
    parts: dict[str, bytes],
    display: Display,
    tell: Callable[[Message], None],
    pause: Callable[[float], None],
) -> None:
    """Put a page on the disk. Where there is no room, stop, say so, and go on when there is: nothing is dropped."""
    told = False
    while True:
        try:
            spool.keep(parts)
            return
        except (SpoolFullError, OSError) as error:
            reason = str(error) if isinstance(error, SpoolFullError) else f"the disk fails: {error.strerror}"
            log.error("no page can be kept: %s", reason)
            display.show(None, Look(f"STOP: {reason}"))
            if not told:
                tell({"event": "full", "reason": reason, "waiting": len(spool.waiting())})
                told = True
            pause(FULL_SECONDS)


def page_of(parts: Mapping[str, bytes]) -> dict[str, Any]:
    """The page, in the shape of the cells JSON, that an entry of the spool is."""
    (result,) = (data for key, data in parts.items() if key.startswith("results/"))
    (page,) = json.loads(result)["pages"]
    return dict(page)


def last_portrait(spool: Spool) -> Gray | None:
    """What the page looked like that was kept last, before this process was started."""
    for parts in spool.newest():
        found = cv2.imdecode(np.frombuffer(parts.get(PORTRAIT, b"\0"), np.uint8), cv2.IMREAD_GRAYSCALE)
        return None if found is None else np.asarray(found, np.uint8)
    return None


def encoded(page: Image) -> bytes:
    """The page as it is read, here and in the cloud: what the JPEG says, not what the camera saw."""
    return cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def _png(gray: Gray) -> bytes:
    return cv2.imencode(".png", gray // 16 * 17)[1].tobytes()
