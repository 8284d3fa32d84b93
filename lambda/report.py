"""What a camera knows of itself goes in; `cameras/<thing>.json` in the bucket tells it to whoever asks how it is.

It is written over at each page and every few minutes. When the camera was online last is the object's own time, which
is the bucket's: the camera's clock may be wrong.
"""

import json
import logging
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from formlens.released import POINTER, read_pointer
from formlens.spool import Spool
from formlens.types import FormLensError
from objects import Readable

EVERY = 300.0
"""Seconds from one report to the next, when no page comes; while pages wait for the bucket sooner."""
SOON = 20.0

log = logging.getLogger(__name__)


def state_key(thing: str) -> str:
    """Where a camera's report lies."""
    return f"cameras/{thing}.json"


def state_of(spool: Spool, mirror: Readable, *, form: str, function: str) -> dict[str, Any]:
    """What a camera is and does: which function and reader, how many pages wait, and which page was the last."""
    last = None
    for parts in spool.newest():
        for key in (key for key in parts if key.startswith("results/")):
            (page,) = json.loads(parts[key])["pages"]
            at = key.split("/")[-4:]
            last = {
                "source": page["source"],
                "form": page["form"],
                "status": page["status"],
                "at": "-".join(at[:3]) + f" {at[3][:2]}:{at[3][2:4]}:{at[3][4:6]}",
            }
    try:
        now = read_pointer(mirror.get(POINTER).data).now if mirror.etag(POINTER) else None
        reader = now.version if now else "shipped"
    except (FormLensError, OSError) as error:
        reader = f"unknown: {error}"
    return {"form": form, "function": function, "reader": reader, "waiting": len(spool.waiting()), "last": last}


def digest_of(folder: Path) -> str:
    """What the function is called where no deployment has given it a number: the beginning of its files' digest."""
    return sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()[:12]


def follow(
    put: Callable[[], Callable[[str, bytes], object]],
    thing: str,
    state: Callable[[], dict[str, Any]],
    due: threading.Event,
    stop: threading.Event,
) -> None:
    """Report again and again until ``stop`` is set, at once when ``due`` is; ``put`` gives the way to the bucket."""
    while not stop.is_set():
        due.clear()
        waiting = 0
        try:
            now = state()
            waiting = now["waiting"]
            put()(state_key(thing), json.dumps(now, ensure_ascii=False).encode())
        except Exception as error:  # no network: the next report says more
            log.warning("the camera's state was not reported: %s", type(error).__name__)
        due.wait(SOON if waiting else EVERY)
