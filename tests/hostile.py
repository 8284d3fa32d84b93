"""Files that nobody should have to open, and the small builders that make them: no sample, no library, bytes out."""

import struct
import zlib
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Entries = Mapping[int, tuple[int, Sequence[int]]]
"""TIFF tag to type and values."""


def page(width: int = 320, height: int = 240, *, text: str = "12") -> NDArray[np.uint8]:
    """A white page, BGR, with a red square at its top left and a number."""
    image = np.full((height, width, 3), 255, np.uint8)
    image[10:50, 10:50] = (0, 0, 255)
    cv2.putText(image, text, (width // 3, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 3)
    return image


def encoded(image: NDArray[np.uint8] | NDArray[np.uint16], suffix: str, *options: int) -> bytes:
    return cv2.imencode(suffix, image, options)[1].tobytes()


def exif(orientation: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    return tiff_file([({274: (3, [orientation])}, b"")])


def jpeg_with_exif(image: NDArray[np.uint8], block: bytes) -> bytes:
    jpeg = encoded(image, ".jpg")
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_file(width: int, height: int, *, depth: int, colour: int, rows: bytes, before: bytes = b"") -> bytes:
    """A PNG of raw rows, filter bytes included; `before` is put in front of the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )


def webp_with_exif(image: NDArray[np.uint8], block: bytes) -> bytes:
    height, width = image.shape[:2]
    picture = encoded(image, ".webp")[12:]
    extended = bytes([8, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + _riff(b"VP8X", extended) + picture + _riff(b"EXIF", block)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def tiff_file(pages: Sequence[tuple[Entries, bytes]], *, big: bool = False, loop: bool = False) -> bytes:
    """A TIFF, one strip a page (tags 273, 279 are added); with `loop` the last page leads to the first."""
    count_as, place_as, link = ("<Q", "<Q", 8) if big else ("<H", "<I", 4)
    body = bytearray(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI", b"II", 42, 0))
    first = None
    for entries, strip in pages:
        if strip:
            entries = {**entries, 273: (4, [len(body)]), 279: (4, [len(strip)])}
            body += strip + b"\0" * (len(strip) % 2)
        fields = b""
        for tag, (type_, values) in sorted(entries.items()):
            value = struct.pack(f"<{len(values)}{'?BsHI'[type_]}", *values)
            if len(value) > struct.calcsize(place_as):
                place = struct.pack(place_as, len(body))
                body += value
                value = place
            fields += struct.pack("<HH", tag, type_) + struct.pack(place_as, len(values))
            fields += value.ljust(struct.calcsize(place_as), b"\0")
        struct.pack_into(place_as, body, link, len(body))
        first = first or len(body)
        body += struct.pack(count_as, len(entries)) + fields + bytes(struct.calcsize(place_as))
        link = len(body) - struct.calcsize(place_as)
    if loop:
        struct.pack_into(place_as, body, link, first)
    return bytes(body)


def tiff_page(image: NDArray[np.uint8], **more: tuple[int, Sequence[int]]) -> tuple[Entries, bytes]:
    """An uncompressed grey or colour page; `more` holds further tags, as t254=(4, [1])."""
    height, width = image.shape[:2]
    samples = 1 if image.ndim == 2 else image.shape[2]
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[samples]
    entries: Entries = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8] * samples),
        259: (3, [1]),
        262: (3, [1 if samples == 1 else 2]),
        277: (3, [samples]),
        278: (4, [height]),
    }
    entries = {**entries, **{int(name[1:]): value for name, value in more.items()}}
    return entries, image.reshape(height, width, samples)[..., order].tobytes()


def pdf_file(objects: Sequence[bytes], *, more: bytes = b"") -> bytes:
    """A PDF of those objects, numbered from 1; the first is the catalog; `more` goes into the trailer."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
        more,
        len(body),
    )
    return bytes(body)


def stream(body: bytes, dictionary: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (dictionary, len(body), body)


def scanned(image: bytes, width: int, height: int, *, filter_: bytes = b"DCTDecode", grey: bool = False) -> bytes:
    """A picture as PDF object."""
    space = b"DeviceGray" if grey else b"DeviceRGB"
    text = b"/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/%b/Filter/%b"
    return stream(image, text % (width, height, space, filter_))


def pdf_of(pictures: Sequence[bytes | None], *, box: bytes = b"0 0 595.276 841.89", draw: bytes | None = None) -> bytes:
    """A PDF of scans, one picture a page, filling it as scanners do; None makes a page that is missing."""
    draw = draw or b"q 595.276 0 0 841.89 0 0 cm /I Do Q"
    kids = b" ".join(b"%d 0 R" % (3 + 3 * k) for k in range(len(pictures)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(pictures))]
    for picture in pictures:
        at = len(objects) + 1
        resources = b"/Resources<</XObject<</I %d 0 R>>>>/Contents %d 0 R" % (at + 1, at + 2)
        leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[%b]%b>>" % (box, resources)
        objects += [b"(gone)", b"null", b"null"] if picture is None else [leaf, picture, stream(draw)]
    return pdf_file(objects)


def drawn_pdf(pages: int, draw: bytes = b"0 0 0 RG 10 10 m 200 300 l S", box: bytes = b"0 0 595 842") -> bytes:
    """A PDF whose pages all share one drawing."""
    kids = b" ".join(b"%d 0 R" % (4 + k) for k in range(pages))
    leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 3 0 R>>" % box
    tree = b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, pages)
    return pdf_file([b"<</Type/Catalog/Pages 2 0 R>>", tree, stream(draw), *[leaf] * pages])


def locked_pdf() -> bytes:
    """A PDF under the standard security handler whose password is not the empty one."""
    lock = b"<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%b>/U<%b>>>" % (b"41" * 32, b"42" * 32)
    tree = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    tree += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>", lock]
    return pdf_file(tree, more=b"/Encrypt 4 0 R/ID[<00><00>]")
