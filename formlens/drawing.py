"""The program that draws a PDF: its bytes on standard input, page after page on standard output.

`formlens.pdf` runs it as `python -m formlens.drawing FIRST PIXELS MEMORY`. It says the number of pages, then for each
page from FIRST on a line of JSON, followed by the pixels that the line announces. A page that is one upright scan comes
out as the scan's own pixels, any other is drawn. Neither numpy nor cv2 is imported, so the start takes about 0.1 s.
"""

import contextlib
import itertools
import json
import math
import os
import re
import sys
import zlib
from typing import IO, Any

from pypdfium2 import PdfDocument, PdfiumError
from pypdfium2.raw import (
    FPDF_ERR_PASSWORD,
    FPDF_ERR_SECURITY,
    FPDF_PAGEOBJ_IMAGE,
    FPDF_PAGEOBJ_TEXT,
    FPDFPage_GetAnnotCount,
    FPDFPageObj_HasTransparency,
    FPDFTextObj_GetTextRenderMode,
)

DPI = 200
_BROKEN = "this page of the PDF is damaged; save the PDF again, or scan the page once more"
_LOCKED = "this PDF is locked with a password; save a copy without it"
_DAMAGED = "this PDF is damaged; save it as PDF again, or scan the paper once more"


def _main(first: int, pixels: int, memory: int) -> None:
    """Draw the PDF on standard input, page by page, onto standard output: a line of JSON, then the pixels."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that nothing else can speak between the lines
    try:
        data = sys.stdin.buffer.read()
        # A picture's dictionary is never compressed, so a file without these words has no pictures with holes.
        masked = re.search(rb"/(SMask|ImageMask|Mask)\b", data) is not None
        pdf = PdfDocument(data)
        with contextlib.suppress(PdfiumError):
            pdf.init_forms()
        total = len(pdf)
    except PdfiumError as error:
        locked = error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY)
        _say(out, reason=_LOCKED if locked else _DAMAGED)
        return
    if total < 1:
        _say(out, reason="this PDF has no pages; save it as PDF again")
        return
    _say(out, pages=total)
    for number in range(first, total + 1):
        try:
            page = pdf[number - 1]
        except PdfiumError:
            _say(out, number=number, reason=_BROKEN)
            continue
        _draw(out, page, number, pixels, masked)
        page.close()


def _say(out: IO[bytes], **answer: Any) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def _draw(out: IO[bytes], page: Any, number: int, pixels: int, masked: bool) -> None:
    try:
        scale, scan = _look(page, pixels)
        if scan and not masked:
            bitmap, turned = scan.get_bitmap(), page.get_rotation()
        else:
            width, height = page.get_size()
            # A scan that its page stretches unevenly: as fine as may be, yet never below what others get.
            scale = min(scale, max(DPI / 72, math.sqrt(pixels / max(width * height, 1e-3)) * (1 - 1e-3)))
            if width * height * scale**2 > pixels:
                size = f"{width / 72 * 2.54:.0f} x {height / 72 * 2.54:.0f} cm"
                raise ValueError(f"this page measures {size}, too large to draw; save it on A4 or A3")
            bitmap, turned = page.render(scale=scale), 0
    except ValueError as error:
        _say(out, number=number, reason=str(error))
    except PdfiumError:
        _say(out, number=number, reason=_BROKEN)
    else:
        shape = {"width": bitmap.width, "height": bitmap.height, "channels": bitmap.n_channels}
        _say(out, number=number, stride=bitmap.stride, turned=turned, **shape)
        out.write(bitmap.buffer)
        out.flush()
        bitmap.close()


def _look(page: Any, pixels: int) -> tuple[float, Any]:
    """Pixels per point to draw a page at, and the one upright picture that is all there is on it, or None.

    The resolution is that of the scan where pictures fill the page and nothing else is drawn, and 200 dpi elsewhere.
    """
    left, bottom, right, top = page.get_bbox()
    size = max((right - left) * (top - bottom), 1e-3)
    covered, largest, scans, other = 0.0, (0.0, 0.0), [], FPDFPage_GetAnnotCount(page) > 0
    for item in itertools.islice(page.get_objects(max_depth=4), 2000):
        if item.type != FPDF_PAGEOBJ_IMAGE:
            # Render mode 3 is invisible: the text layer that a scanner's software laid behind its picture.
            other |= item.type != FPDF_PAGEOBJ_TEXT or FPDFTextObj_GetTextRenderMode(item) != 3
            continue
        columns, rows = item.get_px_size()
        if columns * rows > pixels:
            shape = f"{columns} x {rows}"
            raise ValueError(f"this page holds a picture of {shape} pixels, too large to read; scan it at 300 dpi")
        matrix = item.get_matrix()
        across, down = math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)
        share = across * down / size
        if share > 0.1 and not _whole(item):
            raise ValueError("the picture on this page is damaged or cut off; scan the page once more")
        scans.append(item)
        if item.level == 0 and across:
            covered += share
            largest = max(largest, (share, columns / across))
    if covered < 0.9 or (other and largest[1] < DPI / 72):
        return DPI / 72, None
    # A hair less than the scan's own, or rounding adds a row of half a pixel.
    scale = largest[1] * (1 - 1e-5)
    if other or len(scans) > 1 or FPDFPageObj_HasTransparency(scans[0]):
        return scale, None
    matrix, slack = scans[0].get_matrix(), 0.01 * math.sqrt(size)
    edges = (matrix.e - left, matrix.f - bottom, matrix.e + matrix.a - right, matrix.f + matrix.d - top)
    fills = matrix.b == matrix.c == 0 and all(abs(edge) < slack for edge in edges)
    return scale, scans[0] if fills else None


def _whole(picture: Any) -> bool:
    """Whether a picture's data reach their end; PDFium draws what there is, and the rest black or grey."""
    try:
        filters = picture.get_filters()
        if filters == ["DCTDecode"]:
            return b"\xff\xd9" in bytes(picture.get_data()).rstrip(b"\0\r\n ")[-64:]
        if filters == ["FlateDecode"]:
            inflate, coded = zlib.decompressobj(-15), bytes(picture.get_data())[2:]  # without its checksum
            while coded and not inflate.eof:
                inflate.decompress(coded, 1 << 20)
                coded = inflate.unconsumed_tail
            return inflate.eof
        return bool(picture.get_bitmap().width)
    except (PdfiumError, zlib.error):
        return False


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:4]))
