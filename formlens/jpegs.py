"""Bytes of a stream go in as they come, whole JPEGs come out; what stands between them (multipart headers) is dropped.

A JPEG is walked segment by segment (ITU-T T.81, B.1): a thumbnail in its header, which ends as a picture ends, does not
end it. What cannot be one is left, and the next start is looked for.
"""

from collections.abc import Callable, Iterator

MOST = 32_000_000
"""Bytes that one frame may have; a stream without an end does not fill the memory."""

_START, _END, _SCAN = b"\xff\xd8\xff", b"\xff\xd9", 0xDA


def split_jpegs(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Every whole JPEG of a stream; ``read`` gives what there is, nothing at the end."""
    buffer = bytearray()
    while data := read():
        buffer += data
        while (found := _cut(buffer)) is not None:
            yield found
        if len(buffer) > MOST:
            del buffer[: -len(_START)]


def _cut(buffer: bytearray) -> bytes | None:
    """Take the first whole JPEG off the buffer; None where more must come."""
    while True:
        start = buffer.find(_START)
        if start < 0:
            del buffer[: -len(_START) + 1]
            return None
        del buffer[:start]
        end = _end(buffer)
        if end is None:
            return None
        if end > 0:
            jpeg = bytes(buffer[:end])
            del buffer[:end]
            return jpeg
        del buffer[:2]


def _end(buffer: bytearray) -> int | None:
    """Where the JPEG at the buffer's beginning ends; None where more must come, 0 where it is none."""
    at = 2
    while True:
        if at + 4 > len(buffer):
            return None
        if buffer[at] != 0xFF:
            return 0
        marker = buffer[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker < 0xC0 or 0xD0 <= marker <= 0xD9:  # no segment of a header: the last picture was broken off
            return 0
        at += 2 + int.from_bytes(buffer[at + 2 : at + 4], "big")
        if marker == _SCAN:
            break
    # in what follows a 0xFF of the picture's own is always followed by a zero
    end = buffer.find(_END, at)
    return None if end < 0 else end + 2
