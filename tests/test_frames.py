import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from formlens.frames import Frame, SourceError, newest, open_frames
from formlens.jpegs import split_jpegs
from formlens.types import CallError


def picture(number: int) -> NDArray[np.uint8]:
    image = np.full((240, 320, 3), 40, np.uint8)
    cv2.putText(image, str(number), (100, 160), cv2.FONT_HERSHEY_SIMPLEX, 3, (250, 250, 250), 8)
    return image


def jpeg(number: int, thumbnail: bool = False) -> bytes:
    data = cv2.imencode(".jpg", picture(number))[1].tobytes()
    if thumbnail:  # a whole small picture inside the header, as photos carry it
        inside = b"Exif\0\0" + cv2.imencode(".jpg", picture(number)[::8, ::8])[1].tobytes()
        data = data[:2] + b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside + data[2:]
    return data


def mean_difference(frame: Frame, number: int) -> float:
    full = frame.full()
    assert full is not None
    return float(np.abs(full.astype(float) - picture(number)).mean())


@pytest.mark.parametrize("step", [1, 7, 1000, 10**6])
@pytest.mark.parametrize("between", [b"", b"\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n", b"\xff\xd8\xff\xff\xff"])
def test_jpegs_come_whole_out_of_any_stream(step: int, between: bytes) -> None:
    pictures = [jpeg(number, thumbnail=number == 1) for number in range(3)]
    stream = between.join([b"", *pictures, b""])
    pieces = iter([stream[at : at + step] for at in range(0, len(stream), step)])
    assert list(split_jpegs(lambda: next(pieces, b""))) == pictures


def test_a_picture_that_was_broken_off_does_not_take_the_next_with_it() -> None:
    broken, whole = jpeg(1)[:300], jpeg(2)
    pieces = iter([broken, whole, whole])
    assert list(split_jpegs(lambda: next(pieces, b"")))[-1] == whole


def test_a_stream_that_never_ends_a_picture_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formlens.jpegs.MOST", 10_000)
    pieces = iter([jpeg(1)[:600] + bytes(20_000), jpeg(2)])
    assert list(split_jpegs(lambda: next(pieces, b""))) == [jpeg(2)]


def test_a_recording_and_a_folder_give_every_frame(tmp_path: Path) -> None:
    (tmp_path / "film.mjpeg").write_bytes(b"".join(jpeg(number) for number in range(5)))
    (tmp_path / "frames").mkdir()
    for number in range(12):
        (tmp_path / "frames" / f"{number}.jpg").write_bytes(jpeg(number))
    for uri, count in ((f"file:{tmp_path}/film.mjpeg", 5), (f"folder:{tmp_path}/frames", 12)):
        frames = list(open_frames(uri))
        assert len(frames) == count
        assert all(mean_difference(frame, number) < 6 for number, frame in enumerate(frames))


def test_a_fifo_is_read_while_it_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.mjpeg")

    def write() -> None:
        with (tmp_path / "out.mjpeg").open("wb") as stream:
            for number in range(8):
                stream.write(jpeg(number))

    writer = threading.Thread(target=write)
    writer.start()
    frames = list(open_frames(f"fifo:{tmp_path}/out.mjpeg"))
    writer.join()
    assert mean_difference(frames[-1], 7) < 6


def test_a_camera_in_the_network_sends_jpegs() -> None:
    class Camera(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
            self.end_headers()
            for number in range(4):
                self.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg(number) + b"\r\n")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        frames = list(open_frames(f"http://127.0.0.1:{server.server_port}/"))
        thread.join()
    assert mean_difference(frames[-1], 3) < 6


def test_who_asks_slowly_gets_the_newest_frame() -> None:
    asked, sent = threading.Event(), threading.Event()

    def camera() -> Iterator[Frame]:
        yield Frame(jpeg=b"first")
        asked.wait(5)
        yield from (Frame(jpeg=bytes([number])) for number in range(50))
        sent.set()

    frames = newest(camera())
    assert next(frames).jpeg == b"first"
    asked.set()
    sent.wait(5)
    assert [frame.jpeg for frame in frames] == [bytes([49])]


def test_a_source_that_fails_says_so_and_a_wrong_address_names_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"v4l2:/dev/video0.*folder:PATH"):
        open_frames("webcam")
    with pytest.raises(CallError, match="no such file"):
        open_frames(f"file:{tmp_path}/none.mjpeg")
    with pytest.raises(SourceError, match="cannot be read"):
        next(open_frames(f"fifo:{tmp_path}/none"))
    with pytest.raises(SourceError, match="cannot be opened"):
        next(open_frames(f"v4l2:{tmp_path}/video9"))


def test_a_small_frame_says_how_large_its_pixels_are_and_a_broken_one_is_none() -> None:
    large = cv2.imencode(".jpg", np.zeros((1200, 1600, 3), np.uint8))[1].tobytes()
    for frame in (Frame(jpeg=large), Frame(pixels=np.zeros((1200, 1600, 3), np.uint8))):
        small = frame.small(320)
        assert small is not None
        assert (small[0].shape, small[1]) == ((240, 320, 3), 5.0)
    assert Frame(jpeg=b"\xff\xd8\xff nothing").small(320) is None
    assert Frame(jpeg=b"").full() is None
