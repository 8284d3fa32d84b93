"""What a file says of itself: bytes in, its kind and the size of each picture out, before a single pixel is decoded.

The picture library has no call that reads only a header, and the small packages that do know neither the pages of a
TIFF nor the EXIF block, which is a TIFF too. Nothing here trusts an offset or a count that it has not checked.
"""

import re
import struct
from collections.abc import Iterator

from formlens.tiff import CUT_OFF, DAMAGED, Picture, orientation_in, tiff_pictures
from formlens.types import UnreadableError

_ANIMATED = "this picture is animated; save the page as PDF or JPEG"
_MOST_PARTS = 100_000  # segments or chunks that a header may be made of

_ZIP = b"PK\3\4"
_ARCHIVE = "an archive of files; unpack it first, then save what is in it"
_MAGIC = (
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (8, b"WEBP", "webp"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (4, b"ftyphe", "a HEIC photo, as iPhones take them"),
    (4, b"ftypmif1", "a HEIC photo, as iPhones take them"),
    (4, b"ftypmsf1", "a HEIC photo, as iPhones take them"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyp", "a video"),
    (8, b"AVI ", "a video"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xffO\xffQ", "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop picture"),
    (0, b"AT&TFORM", "a DjVu document"),
    (0, b"{\\rtf", "a text document (RTF)"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document (DOC, XLS or the like)"),
    (0, _ZIP, _ARCHIVE),
    (0, b"7z\xbc\xaf", _ARCHIVE),
    (0, b"Rar!", _ARCHIVE),
    (0, b"\x1f\x8b", _ARCHIVE),
)
_ZIPPED = (
    (b"word/document", "a Word document"),
    (b"xl/workbook", "an Excel workbook"),
    (b"ppt/presentation", "a PowerPoint presentation"),
)


def kind_of(data: bytes) -> str:
    """Tell jpeg, png, tiff, webp or pdf from the content; anything else is refused by its name, with the cure."""
    if not data:
        raise UnreadableError("this file is empty; scan it, or copy it over, once more")
    for start, magic, name in _MAGIC:
        if data[start : start + len(magic)] == magic:
            if " " not in name:
                return name
            if magic == _ZIP:
                name = next((zipped for mark, zipped in _ZIPPED if mark in data), _ARCHIVE)
            raise UnreadableError(f"this file is {name}{' ' if ';' in name else '; save it '}as PDF or JPEG")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if not re.search(rb"[\x00-\x08\x0e-\x1a\x7f]", data[:2048]):
        raise UnreadableError("this file holds text, whatever its name says, not a scan; send the scan as PDF or JPEG")
    raise UnreadableError("this file is no picture that can be read, or it is damaged; save it as PDF or JPEG")


def pictures(data: bytes, kind: str) -> Iterator[Picture]:
    """Yield what the header says of each picture in a jpeg, png, tiff or webp file; UnreadableError where it breaks."""
    try:
        if kind == "tiff":
            yield from tiff_pictures(data)
        else:
            yield {"jpeg": _jpeg, "png": _png, "webp": _webp}[kind](data)
    except (struct.error, IndexError, ValueError):
        raise UnreadableError(CUT_OFF) from None


def _jpeg(data: bytes) -> Picture:
    at, orientation = 2, 1
    for _ in range(_MOST_PARTS):
        at = data.index(b"\xff", at) + 1
        marker = data[at]
        if marker == 0xFF:
            continue
        at += 1
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = orientation_in(data[at + 8 : at + length])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 3)
            _check_scans(data, at, progressive=marker == 0xC2)
            return Picture(width, height, orientation)
        if marker in (0xD9, 0xDA):
            break
        at += length
    raise UnreadableError(DAMAGED)


def _check_scans(data: bytes, start: int, *, progressive: bool) -> None:
    """The coded picture must reach its end mark, and pass over the pixels a sane number of times."""
    end = data.find(b"\xff\xd9", start)
    if end < 0:
        raise UnreadableError(CUT_OFF)
    if progressive and data.count(b"\xff\xda", start, end) > 100:
        raise UnreadableError(DAMAGED)


def _png(data: bytes) -> Picture:
    width, height, depth = struct.unpack_from(">IIB", data, 16)
    at, orientation = 8, 1
    for _ in range(_MOST_PARTS):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IEND":
            return Picture(width, height, orientation, depth)
        if name == b"acTL":
            raise UnreadableError(_ANIMATED)
        if name == b"eXIf":
            orientation = orientation_in(data[at + 8 : at + 8 + length])
        at += length + 12
    raise UnreadableError(DAMAGED)


def _webp(data: bytes) -> Picture:
    end = struct.unpack_from("<I", data, 4)[0] + 8
    # A copy that broke off often has its full length, filled up with zeros; the codec draws them as picture.
    if end > len(data) or not any(data[end - 64 : end]):
        raise UnreadableError(CUT_OFF)
    size, orientation, at = (0, 0), 1, 12
    for _ in range(_MOST_PARTS):
        if at + 8 > end:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"VP8X":
            if data[at] & 2:
                raise UnreadableError(_ANIMATED)
            size = (_three(data, at + 4), _three(data, at + 7))
        elif name == b"VP8 " and size == (0, 0):
            width, height = struct.unpack_from("<HH", data, at + 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and size == (0, 0):
            (bits,) = struct.unpack_from("<I", data, at + 1)
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif name == b"EXIF":
            orientation = orientation_in(data[at : at + length].removeprefix(b"Exif\0\0"))
        at += length + length % 2
    return Picture(*size, orientation)


def _three(data: bytes, at: int) -> int:
    """A side of a WebP canvas: three bytes, one less than it is."""
    return 1 + int.from_bytes(data[at : at + 3], "little")
