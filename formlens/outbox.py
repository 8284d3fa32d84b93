"""What waits in the spool goes in; it comes out in the bucket, in order, once, however often the way there is cut.

An entry's keys are put one after the other, each only where there is none: a second upload of the same page is the
same objects. What fails is tried again for ever, later and later, over a new connection, so that credentials are asked
for anew; an entry that fails alone does not hold up those behind it.
"""

import logging
import random
import threading
from collections.abc import Callable

from formlens.spool import Spool

Put = Callable[[str, bytes], object]
"""Creates an object, or finds that it is there; raises where neither is sure."""

LONGEST = 300.0
"""Seconds between two attempts, at most."""
_IN_A_ROW = 3
"""Entries that fail one after the other before the way is taken to be cut."""

log = logging.getLogger(__name__)


class Outbox:
    """Sends what waits. ``connect`` gives the call that puts objects, over a new connection."""

    def __init__(self, spool: Spool, connect: Callable[[], Put]) -> None:
        self._spool, self._connect = spool, connect
        self._put: Put | None = None
        self._failures = 0

    def send(self) -> bool:
        """Try every entry that waits once; whether none is left."""
        in_a_row = 0
        for number in self._spool.waiting():
            if self._send(number):
                in_a_row = self._failures = 0
            else:
                in_a_row += 1
                self._failures += 1
                if in_a_row == _IN_A_ROW:
                    break
        return not self._spool.waiting()

    def pause(self) -> float:
        """Seconds until the next attempt: doubled with each failure, spread so that cameras do not come together."""
        longest = min(LONGEST, 2.0 ** min(self._failures, 20))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    def run(self, work: threading.Event, stop: threading.Event) -> None:
        """Send whenever ``work`` is set, and after each pause while something waits, until both are set."""
        while not stop.is_set():
            work.clear()
            if self.send():
                work.wait()
            else:
                stop.wait(self.pause())

    def _send(self, number: int) -> bool:
        try:
            parts = self._spool.load(number)
            if parts is None:
                log.error("page %d is damaged on the disk and cannot be sent", number)
                return True
            put = self._put = self._put or self._connect()
            for key, data in parts.items():
                if "/" in key:
                    put(key, data)
            self._spool.confirm(number)
        except Exception as error:  # whatever it is, the page stays and is tried again
            self._put = None
            log.warning("page %d is not sent yet: %s", number, type(error).__name__)
            return False
        return True
