"""Bytes of a scan in, its pages out, one at a time: JPEG, PNG, TIFF, WebP, PDF, told apart by their content.

Whatever the bytes are, nothing is raised and nothing grows without bound: a page that cannot be read comes out as an
`unreadable` PageResult that says why and what to do about it, and the pages beside it are still read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.headers import kind_of, pictures
from formlens.pdf import draw_pages
from formlens.tiff import DAMAGED, Picture, begin_at
from formlens.types import Image, Page, PageResult, UnreadableError


@dataclass(frozen=True)
class Limits:
    """What one file may ask for. Callers that read from disk or network check `bytes` before they read."""

    bytes: int = 100_000_000
    pixels: int = 75_000_000
    """Per page; A3 at 600 dpi has 70 million. Half as many where a colour has 16 bits."""
    pages: int = 1000
    """Per file."""
    seconds: float = 10.0
    """To draw one page of a PDF."""
    memory: int = 768_000_000
    """Bytes of address space for the process that draws a PDF."""
    side: int = 8
    """Pixels; a page that is narrower or lower holds no writing."""


def read_pages(data: bytes, source: str, limits: Limits = Limits()) -> Iterator[Page | PageResult]:
    """Yield every page of one scan in its order, numbered from 1: a Page, or an `unreadable` PageResult.

    A failure of the file as a whole is one result with page 1. No content raises. Only one page is held at a time.
    """
    for number, page in _pages(data, limits):
        if isinstance(page, str):
            yield PageResult(source=source, page=number, status="unreadable", reason=page)
        else:
            yield Page(image=page, source=source, number=number)


def _pages(data: bytes, limits: Limits) -> Iterator[tuple[int, Image | str]]:
    try:
        if len(data) > limits.bytes:
            most = f"{limits.bytes / 1e6:.0f} MB"
            raise UnreadableError(
                f"this file has more than {most}, the most that is read; split it, or scan at 200 dpi"
            )
        kind = kind_of(data)
    except UnreadableError as error:
        yield 1, str(error)
        return
    yield from _pdf(data, limits) if kind == "pdf" else _pictures(data, kind, limits)


def _pdf(data: bytes, limits: Limits) -> Iterator[tuple[int, Image | str]]:
    for page in draw_pages(
        data, pages=limits.pages, pixels=limits.pixels, seconds=limits.seconds, memory=limits.memory
    ):
        if reason := page.reason or _misfit(page.width, page.height, limits):
            yield page.number, reason
        else:
            rows = np.frombuffer(page.pixels, np.uint8).reshape(page.height, page.stride)
            image = rows[:, : page.width * page.channels].reshape(page.height, page.width, page.channels)
            orientation = {90: 6, 180: 3, 270: 8}.get(page.turned, 1)
            yield page.number, _upright(_colour(image[..., :3]), orientation)


def _pictures(data: bytes, kind: str, limits: Limits) -> Iterator[tuple[int, Image | str]]:
    found: list[Picture] = []
    broken = None
    try:
        for picture in islice(pictures(data, kind), limits.pages + 1):
            found.append(picture)
    except UnreadableError as error:
        broken = str(error)
    if len(found) > limits.pages:
        yield 1, f"this file has more than {limits.pages} pages, the most that is read at once; split it"
        return
    buffer = bytearray(data) if len(found) > 1 else data
    for number, picture in enumerate(found, 1):
        if isinstance(buffer, bytearray):
            buffer[:16] = begin_at(data[:16], picture.first)
        reason = _misfit(picture.width, picture.height, limits, picture.depth)
        yield number, reason or _picture(buffer, kind, picture.orientation)
    if broken or not found:
        yield len(found) + 1, broken or DAMAGED


def _misfit(width: int, height: int, limits: Limits, depth: int = 8) -> str | None:
    if not width * height:
        return DAMAGED
    most = limits.pixels * 8 // max(depth, 8)
    if width * height > most:
        size = f"{width} x {height} pixels" + f" of {depth} bits" * (depth > 8)
        return f"this page has {size}, at most {most / 1e6:.0f} million are read; scan it at 300 dpi"
    if min(width, height) < limits.side:
        return f"this page has only {width} x {height} pixels; scan it at 200 dpi or more"
    return None


def _picture(buffer: bytes | bytearray, kind: str, orientation: int) -> Image | str:
    """Decode the file's first picture: upright, in colour, on white; or say why not."""
    try:
        image = cv2.imdecode(np.frombuffer(buffer, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None or (kind == "jpeg" and _ran_dry(image, buffer)):
            return DAMAGED
        return _upright(_colour(image, premultiplied=kind == "tiff"), orientation)
    except (cv2.error, MemoryError):
        return DAMAGED
    except UnreadableError as error:
        return str(error)


def _ran_dry(image: NDArray[Any], buffer: bytes | bytearray) -> bool:
    """Whether a JPEG's data ended before its picture did, although an end mark follows.

    The codec paints what is missing in middle grey. A picture may be grey there by itself; but then more data before
    the end mark would not change it.
    """
    if (image[-8:, -8:] != 128).any():
        return False
    end = buffer.rfind(b"\xff\xd9")
    more = buffer[:end] + bytes(range(1, 200)) + buffer[end:]
    again = cv2.imdecode(np.frombuffer(more, np.uint8), cv2.IMREAD_UNCHANGED)
    return again is None or not np.array_equal(again, image)


def _colour(image: NDArray[Any], *, premultiplied: bool = False) -> Image:
    """Any decoded picture, 8 or 16 bits, grey or colour, with or without transparency, as BGR on white."""
    if image.dtype == np.uint16:
        image = (
            image.view(np.uint8)[..., 1::2]
            if image.ndim == 2
            else image.view(np.uint8).reshape(*image.shape, 2)[..., 1]
        )
    if image.dtype != np.uint8:
        raise UnreadableError("this picture holds measurements instead of colours; save it as PDF or JPEG")
    if image.ndim == 2 or image.shape[2] == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.shape[2] == 3:
        return np.ascontiguousarray(image)
    if image[..., 3].min() == 255:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), np.uint8)
    page = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, len(page), 256):  # in bands, to spare memory
        band = image[top : top + 256].astype(np.uint16)
        colour, clear = band[..., :3], 255 - band[..., 3:]
        if not premultiplied:
            colour = colour * (255 - clear) // 255
        page[top : top + 256] = np.minimum(colour + clear, 255)
    return page


def _upright(image: Image, orientation: int) -> Image:
    """Undo an EXIF orientation (Exif 2.3, tag 274)."""
    turned = np.swapaxes(image, 0, 1) if orientation >= 5 else image
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return np.ascontiguousarray(turned)
