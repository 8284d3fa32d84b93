"""Scans in, pages out: every kind of file that is read, and every kind of file that a stranger may send instead."""

import itertools
import resource
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import hostile
from formlens.pages import Limits, read_pages
from formlens.types import Page, PageResult

TESTS = Path(__file__).parent
RED, WHITE = (0, 0, 255), (255, 255, 255)


def images(data: bytes) -> list[NDArray[np.uint8]]:
    """The pages of a file that must be readable."""
    pages = list(read_pages(data, "scan"))
    assert all(isinstance(page, Page) for page in pages), pages
    assert [page.number for page in pages if isinstance(page, Page)] == list(range(1, len(pages) + 1))
    return [page.image for page in pages if isinstance(page, Page)]


def reason(data: bytes, limits: Limits | None = None) -> str:
    """Why a file as a whole is not read."""
    (result,) = read_pages(data, "scan", limits or Limits())
    assert isinstance(result, PageResult)
    assert (result.source, result.page, result.status) == ("scan", 1, "unreadable")
    assert result.reason
    return result.reason


def outcome(data: bytes) -> list[str]:
    return ["read" if isinstance(page, Page) else page.reason or "" for page in read_pages(data, "scan")]


def shows_the_page(image: NDArray[np.uint8], corner: tuple[int, int] = (30, 30)) -> bool:
    near = np.abs(image[corner].astype(int) - RED).max() < 8
    return bool(near and image.dtype == np.uint8 and image.flags["C_CONTIGUOUS"] and image.mean() > 200)


def jpeg(width: int = 320, height: int = 240) -> bytes:
    return hostile.encoded(hostile.page(width, height), ".jpg")


def scan(width: int = 320, height: int = 240) -> bytes:
    return hostile.scanned(jpeg(width, height), width, height)


READABLE: dict[str, Callable[[NDArray[np.uint8]], bytes]] = {
    "jpeg": lambda page: hostile.encoded(page, ".jpg"),
    "progressive jpeg": lambda page: hostile.encoded(page, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "png": lambda page: hostile.encoded(page, ".png"),
    "16-bit png": lambda page: hostile.encoded(page.astype(np.uint16) * 257, ".png"),
    "webp": lambda page: hostile.encoded(page, ".webp"),
    "tiff": lambda page: hostile.tiff_file([hostile.tiff_page(page)]),
    "bigtiff": lambda page: hostile.tiff_file([hostile.tiff_page(page)], big=True),
    "lzw tiff": lambda page: hostile.encoded(page, ".tiff", cv2.IMWRITE_TIFF_COMPRESSION, 5),
    "pdf of a jpeg": lambda page: hostile.pdf_of([hostile.scanned(hostile.encoded(page, ".jpg"), 320, 240)]),
    "pdf of pixels": lambda page: hostile.pdf_of(
        [hostile.scanned(zlib.compress(page[..., ::-1].tobytes()), 320, 240, filter_=b"FlateDecode")]
    ),
}


@pytest.mark.parametrize("kind", READABLE)
def test_every_kind_of_scan_gives_the_same_page(kind: str) -> None:
    (image,) = images(READABLE[kind](hostile.page()))
    assert image.shape == (240, 320, 3)
    assert shows_the_page(image)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".tiff"])
def test_grey_scans_become_colour(kind: str) -> None:
    grey = cv2.cvtColor(hostile.page(), cv2.COLOR_BGR2GRAY)
    (image,) = images(hostile.encoded(np.asarray(grey, np.uint8), kind))
    assert image.shape == (240, 320, 3)
    assert np.abs(image[30, 30].astype(int) - 76).max() < 3


def test_a_palette_png_becomes_colour() -> None:
    palette = hostile.png_chunk(b"PLTE", bytes([255, 255, 255, 255, 0, 0]))
    rows = b"".join(b"\0" + b"\1" * 60 + b"\0" * 40 for _ in range(50))
    (image,) = images(hostile.png_file(100, 50, depth=8, colour=3, rows=rows, before=palette))
    assert image[25, 30].tolist() == list(RED)
    assert image[25, 80].tolist() == list(WHITE)


def test_a_fax_of_one_bit_a_pixel_whose_zero_is_white_comes_out_black_on_white() -> None:
    bits = np.zeros((64, 80), np.uint8)
    bits[:, :16] = 1
    tags = {256: (4, [80]), 257: (4, [64]), 258: (3, [1]), 259: (3, [1]), 262: (3, [0]), 277: (3, [1]), 278: (4, [64])}
    (image,) = images(hostile.tiff_file([(tags, np.packbits(bits, axis=1).tobytes())]))
    assert image[32, 8].tolist() == [0, 0, 0]
    assert image[32, 40].tolist() == list(WHITE)


@pytest.mark.parametrize("kind", [".png", ".webp"])
def test_what_is_transparent_is_white_paper(kind: str) -> None:
    drawn = np.dstack([np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.uint8)])
    drawn[20:40, 20:40] = (0, 0, 255, 255)
    drawn[60:80, 60:80] = (0, 0, 0, 128)
    (image,) = images(hostile.encoded(drawn, kind, cv2.IMWRITE_WEBP_QUALITY, 101))
    assert image[5, 5].tolist() == list(WHITE)
    assert image[30, 30].tolist() == list(RED)
    assert abs(int(image[70, 70, 0]) - 127) < 3


def test_what_is_transparent_in_a_tiff_is_white_paper() -> None:
    drawn = np.zeros((100, 100, 4), np.uint8)
    drawn[20:40, 20:40] = (0, 0, 255, 255)
    (image,) = images(hostile.tiff_file([hostile.tiff_page(drawn, t338=(3, [1]))]))
    assert image[5, 5].tolist() == list(WHITE)
    assert image[30, 30].tolist() == list(RED)


TURNED = {
    1: (30, 30),
    2: (30, -30),
    3: (-30, -30),
    4: (-30, 30),
    5: (30, 30),
    6: (30, -30),
    7: (-30, -30),
    8: (-30, 30),
}
WITH_EXIF: dict[str, Callable[[NDArray[np.uint8], bytes], bytes]] = {
    "jpeg": hostile.jpeg_with_exif,
    "webp": hostile.webp_with_exif,
    "png": lambda page, exif: hostile.png_file(
        320,
        240,
        depth=8,
        colour=2,
        rows=b"".join(b"\0" + row.tobytes() for row in page[..., ::-1]),
        before=hostile.png_chunk(b"eXIf", exif),
    ),
    "tiff": lambda page, exif: hostile.tiff_file([hostile.tiff_page(page, t274=(3, [exif[18]]))]),
}


@pytest.mark.parametrize("kind", WITH_EXIF)
@pytest.mark.parametrize("orientation", TURNED)
def test_a_page_stands_as_its_camera_says(kind: str, orientation: int) -> None:
    (image,) = images(WITH_EXIF[kind](hostile.page(), hostile.exif(orientation)))
    assert image.shape == ((240, 320, 3) if orientation < 5 else (320, 240, 3))
    assert shows_the_page(image, TURNED[orientation])


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", bytes(40), hostile.exif(99)]
)
def test_a_broken_exif_block_does_not_cost_the_page(block: bytes) -> None:
    (image,) = images(hostile.jpeg_with_exif(hostile.page(), block))
    assert shows_the_page(image)


def test_the_pages_of_a_tiff_come_in_order_each_with_its_own_size() -> None:
    pages = [hostile.tiff_page(hostile.page(300 + k, 200)) for k in range(5)]
    assert [image.shape[1] for image in images(hostile.tiff_file(pages))] == [300, 301, 302, 303, 304]


def test_a_thumbnail_inside_a_tiff_is_no_page() -> None:
    small = hostile.tiff_page(hostile.page(80, 60), t254=(4, [1]))
    assert len(images(hostile.tiff_file([hostile.tiff_page(hostile.page()), small]))) == 1


def test_a_tiff_that_leads_back_to_its_first_page_ends() -> None:
    assert len(images(hostile.tiff_file([hostile.tiff_page(hostile.page())] * 2, loop=True))) == 2


def test_a_broken_page_of_a_tiff_does_not_cost_its_neighbours() -> None:
    tags, strip = hostile.tiff_page(hostile.page())
    broken = ({**tags, 257: (4, [2400])}, strip)  # ten times as many rows as there are
    assert [text[:4] for text in outcome(hostile.tiff_file([(tags, strip), broken, (tags, strip)]))] == [
        "read",
        "this",
        "read",
    ]


def test_a_tiff_that_is_cut_off_gives_the_pages_before_the_cut() -> None:
    whole = hostile.tiff_file([hostile.tiff_page(hostile.page())] * 3)
    first, second, *_ = outcome(whole[: len(whole) * 5 // 6])
    assert (first, second) == ("read", "read")
    assert "cut off" in outcome(whole[: len(whole) * 5 // 6])[-1]


def test_a_scanned_pdf_page_has_the_pixels_of_its_scan_exactly() -> None:
    coded = jpeg(1240, 1754)
    (image,) = images(hostile.pdf_of([hostile.scanned(coded, 1240, 1754)]))
    assert np.array_equal(image, cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR))


def test_a_scan_that_something_is_drawn_on_keeps_at_least_200_dpi() -> None:
    draw = b"q 595.276 0 0 841.89 0 0 cm /I Do Q 0 0 0 RG 10 10 m 500 800 l S"
    (coarse,) = images(hostile.pdf_of([scan(620, 877)], draw=draw))
    (fine,) = images(hostile.pdf_of([scan(2480, 3508)], draw=draw))
    assert abs(coarse.shape[1] - 1654) <= 1
    assert abs(fine.shape[1] - 2480) <= 1


def test_a_drawn_pdf_page_has_200_dpi() -> None:
    (image,) = images(hostile.drawn_pdf(1))
    assert abs(image.shape[0] - 842 * 200 / 72) <= 1
    assert image.min() < 50


@pytest.mark.parametrize(("turn", "corner"), [(90, (30, -30)), (180, (-30, -30)), (270, (-30, 30))])
def test_a_pdf_page_stands_as_the_pdf_says(turn: int, corner: tuple[int, int]) -> None:
    pdf = hostile.pdf_of([scan()]).replace(b"/Type/Page/Parent", b"/Type/Page/Rotate %d/Parent" % turn)
    (image,) = images(pdf)
    assert shows_the_page(image, corner)


def test_what_was_typed_into_a_fillable_pdf_is_seen() -> None:
    look = hostile.stream(b"0 0 0 rg 0 0 100 40 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 100 40]")
    widget = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(x)/F 4/Rect[100 400 200 440]/P 3 0 R/AP<</N 5 0 R>>>>"
    catalog = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>"
    leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[4 0 R]>>"
    (image,) = images(hostile.pdf_file([catalog, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", leaf, widget, look]))
    assert image[(842 - 420) * 200 // 72, 150 * 200 // 72].tolist() == [0, 0, 0]


def test_a_missing_page_of_a_pdf_does_not_cost_its_neighbours() -> None:
    results = outcome(hostile.pdf_of([scan(), scan(), None, scan()]))
    assert [text[:4] for text in results] == ["read", "read", "this", "read"]
    assert "damaged" in results[2]


CUT_SCANS = {
    "jpeg": hostile.scanned(jpeg()[:-700], 320, 240),
    "deflate": hostile.scanned(zlib.compress(bytes(range(256)) * 900)[:-60], 320, 240, filter_=b"FlateDecode"),
    "nothing": hostile.scanned(b"", 320, 240, filter_=b"FlateDecode"),
}


@pytest.mark.parametrize("kind", CUT_SCANS)
def test_a_pdf_page_whose_scan_is_cut_off_is_not_read_half(kind: str) -> None:
    first, second, third = outcome(hostile.pdf_of([scan(), CUT_SCANS[kind], scan()]))
    assert (first, third) == ("read", "read")
    assert "damaged or cut off" in second


def test_a_page_that_takes_too_long_or_too_much_is_given_up_and_the_next_is_read() -> None:
    forms = [b"/F Do " * 10] * 9 + [b"0 0 m 9 9 l S"]
    name = b"/Type/XObject/Subtype/Form/BBox[0 0 600 900]/Resources<</XObject<</F %d 0 R>>>>"
    leaf = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Contents %d 0 R/Resources<</XObject<</F 6 0 R>>>>>>"
    bombs = [hostile.stream(body, name % (8 + k)) for k, body in enumerate(forms)]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>", leaf % 5, leaf % 7]
    pdf = hostile.pdf_file(
        [*objects, hostile.stream(b"/F Do"), bombs[0], hostile.stream(b"9 9 m 90 90 l S"), *bombs[1:]]
    )
    begun = time.monotonic()
    first, second = (page for page in read_pages(pdf, "scan", Limits(seconds=6)))
    assert isinstance(first, PageResult)
    assert "too complicated" in (first.reason or "")
    assert isinstance(second, Page)
    assert second.number == 2
    assert time.monotonic() - begun < 40


def chunk_of(kind: str, share: float) -> bytes:
    whole = READABLE[kind](hostile.page())
    return whole[: int(len(whole) * share)]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", [kind for kind in READABLE if "tiff" not in kind])
def test_a_file_that_is_cut_off_is_not_read_half(kind: str, share: float) -> None:
    assert "cut off" in reason(chunk_of(kind, share))


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "webp", "png"])
def test_a_copy_that_broke_off_and_was_filled_with_zeros_is_not_read_half(kind: str) -> None:
    whole = READABLE[kind](hostile.page())
    assert "once more" in reason(whole[: len(whole) // 2].ljust(len(whole), b"\0"))


def test_a_jpeg_that_ends_early_yet_has_an_end_mark_is_not_read_half() -> None:
    whole = jpeg()
    assert "damaged" in reason(whole[: len(whole) // 2] + b"\xff\xd9")


def test_a_page_on_a_grey_ground_is_read() -> None:
    page = np.full((240, 320, 3), 128, np.uint8)
    page[10:50, 10:50] = RED
    assert len(images(hostile.encoded(page, ".jpg"))) == 1


def small_png(width: int, height: int, depth: int = 8) -> bytes:
    return hostile.png_file(width, height, depth=depth, colour=0, rows=bytes(1000))


LARGE = {
    "png": small_png(20_000, 20_000),
    "16-bit png": small_png(8000, 8000, 16),
    "jpeg": jpeg().replace(struct.pack(">HH", 240, 320), struct.pack(">HH", 60_000, 60_000)),
    "webp": b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + b"\1" * 5,
    "tiff": hostile.tiff_file([({256: (4, [50_000]), 257: (4, [50_000])}, b"abc")]),
    "pdf": hostile.drawn_pdf(1, box=b"0 0 14400 14400"),
    "scan in a pdf": hostile.pdf_of([hostile.scanned(b"abc", 20_000, 20_000, filter_=b"JBIG2Decode", grey=True)]),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_page_too_large_is_refused_with_its_size(kind: str) -> None:
    said = reason(LARGE[kind])
    assert "at most 75 million" in said or "at most 38 million" in said or "too large" in said
    assert "scan it at 300 dpi" in said or "A4" in said


@pytest.mark.parametrize("data", [small_png(3, 900), hostile.drawn_pdf(1, box=b"0 0 1 1")], ids=["png", "pdf"])
def test_a_page_too_small_to_hold_writing_is_refused(data: bytes) -> None:
    assert "only" in reason(data)


REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"Weight: 71 kg\n" * 9, "text"),
    "csv": ("name,date\nJosé,1908\n".encode(), "text"),
    "noise": (bytes(range(256)), "no picture"),
    "gif": (b"GIF89a\1\0\1\0\0\0", "GIF"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
    "docx": (b"PK\3\4\x14\0word/document.xml\0\0", "Word"),
    "xlsx": (b"PK\3\4\x14\0xl/workbook.xml\0\0", "Excel"),
    "zip": (b"PK\3\4\x14\0scans/1.jpg\0\0", "unpack"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "Office"),
    "bmp": (b"BM\x9a\0\0\0\0\0\0\0\0", "BMP"),
    "locked pdf": (hostile.locked_pdf(), "locked with a password; save a copy without it"),
    "pdf without pages": (hostile.drawn_pdf(0), "PDF"),
    "pdf of 5,000 pages": (hostile.drawn_pdf(5000), "5000 pages"),
    "tiff of 1,001 pages": (
        hostile.tiff_file([hostile.tiff_page(hostile.page(20, 20))] * 1001),
        "more than 1000 pages",
    ),
    "jpeg of no size": (jpeg().replace(struct.pack(">HH", 240, 320), bytes(4)), "damaged"),
    "tiff without pages": (b"II*\0\0\0\0\0", "damaged"),
    "animation": (
        hostile.webp_with_exif(hostile.page(), b"").replace(b"VP8X\n\0\0\0\x08", b"VP8X\n\0\0\0\x02"),
        "animated",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_scan_is_refused_with_the_cure(kind: str) -> None:
    data, expected = REFUSED[kind]
    said = reason(data)
    assert expected in said
    assert any(cure in said for cure in ("save", "scan it", "send", "split", "unpack")), said


def test_a_file_too_large_is_refused_with_its_size() -> None:
    assert "more than" in reason(bytes(1_000_001), Limits(bytes=1_000_000))


def test_the_page_limit_is_inclusive() -> None:
    assert len(images(hostile.tiff_file([hostile.tiff_page(hostile.page(20, 20))] * 1000))) == 1000


LOOPS = {
    "its own child": [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 3>>"],
    "too deep": [b"<</Type/Catalog/Pages 2 0 R>>"]
    + [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % k for k in range(3, 2000)],
}


@pytest.mark.parametrize("kind", LOOPS)
def test_a_page_tree_without_leaves_is_refused(kind: str) -> None:
    assert set(outcome(hostile.pdf_file(LOOPS[kind]))) == {
        "this page of the PDF is damaged; save the PDF again, or scan the page once more"
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from([kind for kind in READABLE if "pdf" not in kind]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
    share=st.sampled_from([1.0, 1.0, 0.98, 0.5]),
)
def test_whatever_the_bytes_are_each_page_is_read_or_refused(
    kind: str, changes: list[tuple[float, int]], share: float
) -> None:
    data = bytearray(chunk_of(kind, share))
    for place, value in changes:
        data[int(place * len(data))] = value
    results = list(read_pages(bytes(data), "scan"))
    assert results
    for result in results:
        assert isinstance(result, Page) or (result.status == "unreadable" and result.reason)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"II*\0", b"II+\0" + b"\xff" * 40, b"RIFF\4\0\0\0WEBP", b"%PDF-", b"\x89PNG\r\n\x1a\n"],
)
def test_nothing_but_a_magic_number_is_refused(data: bytes) -> None:
    assert reason(data)


def peak_megabytes(program: str) -> float:
    """The most memory that a fresh process, and any child of it, held while it ran a program."""
    code = textwrap.dedent(program) + textwrap.dedent("""
        import resource
        # not ru_maxrss of this process itself: Linux counts in what pytest, which it was forked from, held before exec
        own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
        print((own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)
    """)
    done = subprocess.run([sys.executable, "-c", code], cwd=TESTS, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


@pytest.mark.parametrize("kind", ["tiff", "pdf"])
def test_memory_does_not_grow_with_the_number_of_pages(kind: str) -> None:
    program = """
        import hostile, zlib
        from formlens.pages import read_pages
        page = hostile.page(1000, 1400)
        coded = hostile.encoded(page, ".jpg")
        tags, strip = hostile.tiff_page(page)
        data = {{
            "tiff": lambda: hostile.tiff_file([({{**tags, 259: (3, [8])}}, zlib.compress(strip))] * {0}),
            "pdf": lambda: hostile.pdf_of([hostile.scanned(coded, 1000, 1400)] * {0}),
        }}["{1}"]()
        assert sum(page.number > 0 for page in read_pages(data, "scan")) == {0}
    """
    assert peak_megabytes(program.format(60, kind)) - peak_megabytes(program.format(6, kind)) < 30


BOMBS = {
    "png of the largest size": "hostile.png_file(8600, 8600, depth=8, colour=2, rows=bytes(8600 * (8600 * 3 + 1)))",
    "pdf of a picture filled with nothing": """hostile.pdf_of([hostile.scanned(
        zlib.compress(bytes(8600 * 8600 * 3), 1), 8600, 8600, filter_=b"FlateDecode")])""",
    "pdf whose drawing is a bomb": """hostile.pdf_file([b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        hostile.stream(zlib.compress(b"0 0 m 5 8 l S " * 2 * 10**6, 1), b"/Filter/FlateDecode")])""",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_no_file_takes_more_than_a_gigabyte(kind: str) -> None:
    made = f"import hostile, zlib, pathlib, sys; sys.stdout.buffer.write({BOMBS[kind]})"
    data = subprocess.run([sys.executable, "-c", made], cwd=TESTS, capture_output=True, check=True).stdout
    program = f"""
        import zlib
        from formlens.pages import read_pages
        data = zlib.decompress({zlib.compress(data, 9)!r})
        assert len(list(read_pages(data, "scan"))) == 1
    """
    assert peak_megabytes(program) < 1000


def test_pages_are_drawn_as_they_are_asked_for() -> None:
    begun = time.monotonic()
    first = next(iter(read_pages(hostile.drawn_pdf(1000), "scan")))
    assert isinstance(first, Page)
    assert time.monotonic() - begun < 10


def test_a_reader_that_stops_early_leaves_no_process_behind() -> None:
    pages = read_pages(hostile.drawn_pdf(50), "scan")
    assert len(list(itertools.islice(pages, 2))) == 2
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    pages.close()  # type: ignore[attr-defined]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > before, "the child was not waited for"
