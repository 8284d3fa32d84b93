import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import FakeS3
from formlens.form import Form
from formlens.frames import Frame
from formlens.likeness import portrait
from formlens.reader import Reader
from formlens.spool import Spool
from formlens.watching import READ, SEEN, Look
from model.recordings import film, lying, placed

books = importlib.import_module("books")
here = importlib.import_module("here")
keys = importlib.import_module("keys")
learned = importlib.import_module("learned")
loop = importlib.import_module("loop")
scan = importlib.import_module("scan")
store_ = importlib.import_module("store")

SAMPLES = Path(__file__).parents[1] / "samples"
NOW = datetime(2026, 11, 23, 17, 0, 12, tzinfo=UTC)


def no_forms(name: str) -> list[Form]:
    return []


class Screen:
    """A display that remembers."""

    def __init__(self) -> None:
        self.hints: list[str] = []
        self.pages: list[dict[str, Any]] = []

    def show(self, frame: Frame | None, look: Look) -> None:
        self.hints.append(look.hint)

    def add(self, page: dict[str, Any]) -> None:
        self.pages.append(page)


@pytest.fixture(scope="module")
def camera() -> Any:
    return here.Here("cam1", "intake", Reader(threads=1), no_forms)


def in_the_cloud(s3: FakeS3, key: str) -> Any:
    store = store_.Store(s3, "b")
    return scan.read_scan(
        keys.parse_upload(key),
        None,
        store=store,
        reader=Reader(threads=3),
        forms=learned.Forms(store).of,
        may_go_on=lambda: True,
    )


def pages() -> Iterator[bytes]:
    """Pages as a camera would keep them: real photos of tables, one of nothing, one that no table is on."""
    for name in ("tables/card.png", "tables/notebook.png", "tables/photo.jpg", "intake/labelled/page1.jpg"):
        yield loop.encoded(cv2.imread(str(SAMPLES / name)))
    yield loop.encoded(np.full((1200, 900, 3), 240, np.uint8))


def test_a_page_is_read_to_the_same_bytes_and_keys_here_and_in_the_cloud(camera: Any) -> None:
    read = 0
    for jpeg in pages():
        _, parts = camera.read(jpeg, NOW)
        (inbox,) = (key for key in parts if key.startswith("inbox/"))
        s3 = FakeS3()
        s3.now = NOW
        s3.put_object("b", inbox, jpeg)
        outcome = in_the_cloud(s3, inbox)
        read += outcome.read
        assert parts == s3.objects
    assert read == 3  # of two nothing can be read, and that is the same too


def test_a_page_that_a_camera_sent_is_one_row_however_often_it_comes(camera: Any) -> None:
    _, parts = camera.read(next(pages()), NOW)
    s3 = FakeS3()
    s3.now = NOW + timedelta(days=3)
    store = store_.Store(s3, "b")
    for _ in range(2):
        for key, data in parts.items():
            store.put_over(key, data, None)
            if key.startswith("inbox/"):
                assert in_the_cloud(s3, key).duplicate
    (result,) = (key for key in s3.objects if key.startswith("results/"))
    books.update_books(books.day_of(result), [result], store)
    (sheet,) = (data for key, data in s3.objects.items() if key.endswith(".csv"))
    assert sheet.decode().splitlines() == (SAMPLES / "tables" / "card.csv").read_text().splitlines()


def test_the_image_is_put_after_the_claim_and_the_claim_after_the_result(camera: Any) -> None:
    for jpeg in (next(pages()), loop.encoded(np.full((300, 200, 3), 240, np.uint8))):
        _, parts = camera.read(jpeg, NOW)
        order = [here.ORDER.index(key.partition("/")[0] + "/") for key in parts]
        assert order == sorted(order)
        assert order[0] == 0
        assert order[-1] == 3
        assert all(json.loads(data)["pages"] == 1 for key, data in parts.items() if key.startswith("claims/"))


def frames(page: np.ndarray[Any, Any], *, tall: float) -> Iterator[Frame]:
    where = lying(page, tall=tall, turned=2)
    for image in film(page, placed(where, hunts=False, still=20), size=(1440, 1080)):
        yield Frame(jpeg=cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def test_a_sheet_under_the_camera_becomes_a_row_and_is_on_the_disk_before_it_is_told(
    camera: Any, tmp_path: Path
) -> None:
    page = cv2.imread(str(SAMPLES / "tables" / "card.png"))
    recording = list(frames(page, tall=0.4))
    spool, screen, told = Spool(tmp_path, 10**8), Screen(), list[dict[str, Any]]()

    def tell(message: dict[str, Any]) -> None:
        assert len(list(tmp_path.glob("*.waiting"))) == len(told) + 1
        told.append(message)

    def once_more() -> list[dict[str, Any]]:
        told.clear()
        loop.run(recording, read=camera.read, spool=spool, display=screen, tell=tell, now=lambda: NOW)
        return told

    (message,) = once_more()
    assert (message["event"], message["waiting"]) == ("read", 1)
    assert READ in screen.hints
    (kept,) = screen.pages
    rows = [[cell["text"] for cell in kept["cells"] if cell["row"] == row] for row in range(message["rows"])]
    typed = (SAMPLES / "tables" / "card.csv").read_text().splitlines()
    wrong = sum(
        a != b for row, line in zip(rows, typed, strict=True) for a, b in zip(row, line.split(","), strict=True)
    )
    assert wrong <= 1
    # the power was cut, the sheet still lies there
    assert once_more() == []
    assert SEEN in screen.hints


def test_a_page_that_cannot_be_read_is_a_named_failure_after_three_tries(tmp_path: Path) -> None:
    spool, screen, told = Spool(tmp_path, 10**8), Screen(), list[dict[str, Any]]()
    nothing = here.Here("cam1", "intake", Reader(threads=1), no_forms)
    blank = np.full((1400, 1000, 3), 245, np.uint8)
    cv2.putText(blank, "no table", (200, 500), cv2.FONT_HERSHEY_SIMPLEX, 4, (60, 40, 30), 9)
    still = list(frames(blank, tall=0.66))[10:16]
    loop.run(still[:3] * 20, read=nothing.read, spool=spool, display=screen, tell=told.append, now=lambda: NOW)
    (message,) = told
    assert message["event"] == "unreadable"
    assert "no ruled table" in message["reason"]
    parts = spool.load(1)
    assert parts is not None
    assert [key.partition("/")[0] for key in parts if "/" in key] == ["results", "failed", "failed", "claims", "inbox"]


def test_a_full_disk_stops_the_camera_loudly_and_the_page_is_kept_when_there_is_room(tmp_path: Path) -> None:
    spool, screen, told = Spool(tmp_path, 1500), Screen(), list[dict[str, Any]]()
    first = spool.keep({"results/0.json": b"0" * 1000})
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            spool.confirm(first)
            spool.keep({"results/1.json": b""})  # the newest stays: the one before it may go

    loop.keep(spool, {"results/2.json": b"2" * 800}, screen, told.append, pause)
    assert len(pauses) == 3
    assert [message["event"] for message in told] == ["full"]
    assert all(hint.startswith("STOP: 1 pages wait") for hint in screen.hints)
    assert spool.waiting() == [2, 3]


def test_the_last_portrait_outlives_the_process(tmp_path: Path) -> None:
    page = np.asarray(cv2.imread(str(SAMPLES / "intake" / "labelled" / "page1.jpg")), np.uint8)
    spool = Spool(tmp_path, 10**8)
    assert loop.last_portrait(spool) is None
    spool.keep({"results/0.json": b"0", loop.PORTRAIT: cv2.imencode(".png", portrait(page))[1].tobytes()})
    found = loop.last_portrait(spool)
    assert found is not None
    assert np.array_equal(found, portrait(page))
