"""The directories of a TIFF: bytes in, each page's place, size and orientation out. EXIF blocks are TIFFs too.

Nothing here trusts an offset or a count that it has not checked. After TIFF 6.0, section 2, and BigTIFF.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from formlens.types import UnreadableError

CUT_OFF = "this file is cut off, its end is missing; scan it, or copy it over, once more"
DAMAGED = "this picture is damaged, or of an unusual kind; save it as PDF or JPEG, or scan it once more"
_MOST_DIRECTORIES = 10_000
_MOST_TAGS = 512  # in one directory; real ones have some dozens


@dataclass(frozen=True)
class Picture:
    """One picture in a file, as its header describes it."""

    width: int
    height: int
    orientation: int = 1
    """EXIF, 1 to 8; 1 is upright."""
    depth: int = 8
    """Bits of one colour of one pixel."""
    first: int = 0
    """Where in the file its directory begins, for a TIFF."""


def tiff_pictures(data: bytes) -> Iterator[Picture]:
    """Yield each page in its order; UnreadableError or struct.error where the chain of directories breaks."""
    order, big, first = _first(data)
    seen: set[int] = set()
    at = first
    while at and at not in seen:
        seen.add(at)
        if len(seen) > _MOST_DIRECTORIES:
            raise UnreadableError(DAMAGED)
        following, tags = _directory(data, order, big, at)
        width, height = tags.get(256, 0), tags.get(257, 0)
        if tags.get(322, 0) * tags.get(323, 0) > 4 * max(width * height, 1 << 20):
            raise UnreadableError(DAMAGED)
        # Bits 1 and 4: a thumbnail or a mask of another page, which holds no rows of its own.
        if at == first or not tags.get(254, 0) & 5:
            yield Picture(width, height, depth=tags.get(258, 1), first=at)
        at = following


def orientation_in(exif: bytes) -> int:
    """The way up in an EXIF block; upright where it says nothing sensible, since the picture itself may be sound."""
    try:
        _, tags = _directory(exif, *_first(exif))
    except (struct.error, UnreadableError):
        return 1
    return tags.get(274, 1) if 1 <= tags.get(274, 1) <= 8 else 1


def _first(data: bytes) -> tuple[str, bool, int]:
    """Byte order, whether offsets have 64 bits (BigTIFF), and the first directory's place."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise UnreadableError(DAMAGED)
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    return order, big, struct.unpack_from(order + ("8xQ" if big else "4xI"), data)[0]


def begin_at(head: bytes, first: int) -> bytes:
    """The first 16 bytes of a TIFF that begins with the directory at `first`, so that each page is found at once."""
    order, big, _ = _first(head)
    place = struct.pack(order + ("Q" if big else "I"), first)
    return head[:8] + place if big else head[:4] + place + head[8:]


def _directory(data: bytes, order: str, big: bool, at: int) -> tuple[int, dict[int, int]]:
    """The next directory's place, and the first value of each short, long or byte tag. TIFF 6.0, section 2."""
    count_as, entry, value_at, offset_as = ("Q", 20, 12, "Q") if big else ("H", 12, 8, "I")
    if at > len(data):
        raise UnreadableError(CUT_OFF)
    (count,) = struct.unpack_from(order + count_as, data, at)
    if count > _MOST_TAGS:
        raise UnreadableError(DAMAGED)
    body = at + struct.calcsize(order + count_as)
    tags = {}
    for place in range(body, body + count * entry, entry):
        tag, type_, values = struct.unpack_from(order + "HH" + offset_as, data, place)
        if value_as := {1: "B", 3: "H", 4: "I", 16: "Q"}.get(type_):
            at, size = place + value_at, struct.calcsize("<" + value_as)
            if values * size > entry - value_at:
                (at,) = struct.unpack_from(order + offset_as, data, at)
            if at + size <= len(data):
                (tags[tag],) = struct.unpack_from(order + value_as, data, at)
    (following,) = struct.unpack_from(order + offset_as, data, body + count * entry)
    return following, tags
