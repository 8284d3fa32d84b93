"""The pages of a PDF: bytes in, pixels out, one page at a time.

A PDF is a program that a stranger wrote. So it is drawn by a child process, `formlens.drawing`, that may use only so
much memory and time. When a page takes the child down, that page is reported and the next child begins behind it.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

_TOO_HARD = "this page is damaged, or too complicated to draw; print it and scan the paper, or save it as PDF again"
_CUT_OFF = "this PDF is cut off, its end is missing; scan it, or copy it over, once more"
_CHANCES = 3  # pages that may use up their time and be killed, before the file as a whole is given up,
_SECONDS_A_PAGE = 1.0  # if the others take no longer than this


class Drawing(NamedTuple):
    """One page: `height` rows of `stride` bytes, grey, BGR or BGRx; or the reason why there are none."""

    number: int
    width: int = 0
    height: int = 0
    stride: int = 0
    channels: int = 3
    turned: int = 0
    """Degrees that the page is yet to be turned by, clockwise."""
    pixels: bytes = b""
    reason: str | None = None


def draw_pages(data: bytes, *, pages: int, pixels: int, seconds: float, memory: int) -> Iterator[Drawing]:
    """Yield each page of a PDF at 200 dpi, or at its scan's own resolution.

    A page above `pixels`, `seconds` or `memory` (bytes) has a reason instead of pixels. A file that cannot be opened,
    or has more than `pages` pages, is one such drawing with number 1.
    """
    if b"startxref" not in data.rstrip(b"\0\t\n\r ")[-4096:]:
        yield Drawing(1, reason=_CUT_OFF)
        return
    number, total, left = 1, 0, _CHANCES * seconds
    while number <= max(total, 1):
        if left <= 0:
            yield Drawing(number, reason=_TOO_HARD)
            number += 1
            continue
        with _child(data, number, pixels, memory) as child:
            answer, spent = _answer(child, seconds)
            left -= spent
            if not total:
                total = answer.get("pages", 0)
                if not total:
                    yield Drawing(1, reason=answer.get("reason", _TOO_HARD))
                    return
                if total > pages:
                    yield Drawing(1, reason=f"this PDF has {total} pages, at most {pages} are read at once; split it")
                    return
                left += total * _SECONDS_A_PAGE
            while answer and number <= total:
                answer, spent = _answer(child, min(seconds, left))
                left -= spent
                yield Drawing(**answer) if answer else Drawing(number, reason=_TOO_HARD)
                number += 1


@contextlib.contextmanager
def _child(data: bytes, first: int, pixels: int, memory: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "formlens.drawing", str(first), str(pixels), str(memory)]
    child = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:  # type: ignore[union-attr]
            pipe.write(data)
        yield child
    finally:
        child.kill()
        child.stdout.close()  # type: ignore[union-attr]
        child.wait()


def _answer(child: subprocess.Popen[bytes], seconds: float) -> tuple[dict[str, Any], float]:
    """The child's next line, with the pixels it announces, and the seconds that they took.

    The line is empty if the child died, or was killed for its slowness.
    """
    assert child.stdout is not None  # noqa: S101
    begun = time.monotonic()
    clock = threading.Timer(max(seconds, 0), child.kill)
    clock.start()
    try:
        answer: dict[str, Any] = json.loads(child.stdout.readline() or "{}")
        if size := answer.get("height", 0) * answer.get("stride", 0):
            answer["pixels"] = child.stdout.read(size)
            if len(answer["pixels"]) < size:
                answer = {}
    except ValueError:  # killed within a line
        answer = {}
    finally:
        clock.cancel()
    return answer, time.monotonic() - begun
