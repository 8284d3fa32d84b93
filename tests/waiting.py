"""Waits for what happens elsewhere."""

import time
from collections.abc import Callable


def eventually(found: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something became true in time."""
    until = time.monotonic() + seconds
    while not found() and time.monotonic() < until:
        time.sleep(0.1)
    return found()
