"""A source's address goes in, frames come out: a camera, a FIFO or address of JPEGs, a video, a folder.

    v4l2:/dev/video0    a camera of this machine
    fifo:PATH           JPEGs one after the other, as the stock DeepLens writes them to /opt/awscam/out/ch2_out.mjpeg
    http://, https://   a camera in the network that sends JPEGs (multipart/x-mixed-replace, or one after the other)
    rtsp://             a camera in the network that sends video
    file:PATH           a recording: .mjpeg, or any video that OpenCV opens
    folder:PATH         pictures in natural order, each a frame

A live source gives its newest frame whenever it is asked, however long the last one took; a recording gives all.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.headers import pictures
from formlens.jpegs import split_jpegs
from formlens.scans import find_scans
from formlens.types import CallError, FormLensError, Image, UnreadableError

LIVE = ("v4l2", "fifo", "http", "https", "rtsp")
_SECONDS = 15.0
"""After which a source that says nothing counts as gone."""
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


class SourceError(FormLensError):
    """A source that cannot be opened, or that fell silent; it may come back."""


@dataclass(frozen=True)
class Frame:
    """One frame: the JPEG that the camera sent, or its pixels."""

    jpeg: bytes | None = None
    pixels: Image | None = None

    def small(self, side: int) -> tuple[Image, float] | None:
        """The frame with ``side`` pixels along its longer side, and how many of its own pixels one of them is.

        None for a broken JPEG. Of a JPEG only the coarse part is decoded.
        """
        if self.pixels is not None:
            whole, longest = self.pixels, max(self.pixels.shape[:2])
        else:
            longest = self._longest()
            reduced = max((by for by in _REDUCED if longest // by >= side), default=1)
            found = self._decoded(_REDUCED.get(reduced, cv2.IMREAD_COLOR))
            if found is None:
                return None
            whole = found
        scale = side / max(whole.shape[:2])
        how = cv2.INTER_AREA if scale < 0.75 else cv2.INTER_LINEAR  # which is much faster, and as good for a little
        return np.asarray(cv2.resize(whole, None, fx=scale, fy=scale, interpolation=how), np.uint8), longest / side

    def glance(self) -> NDArray[np.uint8] | None:
        """As `glance_of` this frame, with as little decoded as can be; None for a broken JPEG."""
        if self.pixels is not None:
            step = max(1, max(self.pixels.shape[:2]) // 400)
            return glance_of(np.ascontiguousarray(self.pixels[::step, ::step]))
        found = self._decoded(cv2.IMREAD_REDUCED_GRAYSCALE_8)
        return None if found is None else glance_of(found)

    def detail(self) -> float:
        """How much fine detail there is, to tell which of several frames of one scene is the sharpest.

        Of a JPEG its length says it.
        """
        if self.pixels is None:
            return float(len(self.jpeg or b""))
        height, width = self.pixels.shape[:2]
        middle = self.pixels[height // 4 : height - height // 4, width // 4 : width - width // 4]
        return float(np.abs(cv2.Laplacian(cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY), cv2.CV_16S)).mean())

    def full(self) -> Image | None:
        """All pixels; None for a broken JPEG."""
        return self.pixels if self.pixels is not None else self._decoded(cv2.IMREAD_COLOR)

    def _longest(self) -> int:
        with suppress(UnreadableError):
            for picture in pictures(self.jpeg or b"", "jpeg"):
                return max(picture.width, picture.height)
        return 0

    def _decoded(self, how: int) -> Image | None:
        try:
            # the camera stands as it stands: what a frame says of its orientation is not asked
            found = cv2.imdecode(np.frombuffer(self.jpeg or b"", np.uint8), how | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            return None
        return None if found is None else np.asarray(found, np.uint8)


def glance_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A whole picture, grey or in colour, in 60 x 80 greys: what moves is seen in it."""
    gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(gray, (80, 60), interpolation=cv2.INTER_AREA), np.uint8)


def is_live(uri: str) -> bool:
    """Whether a source goes on for ever, and is to be opened again when it ends."""
    return uri.partition(":")[0] in LIVE


def open_frames(uri: str) -> Iterator[Frame]:
    """Every frame of a source. Raises CallError for an address that cannot be one, SourceError for one that is gone."""
    kind, _, rest = uri.partition(":")
    openers: dict[str, Callable[[], Iterator[Frame]]] = {
        "v4l2": lambda: _video(rest, cv2.CAP_V4L2),
        "fifo": lambda: _stream(lambda: Path(rest).open("rb", buffering=0), uri),  # noqa: SIM115
        "http": lambda: _stream(lambda: urlopen(uri, timeout=_SECONDS), uri),  # noqa: S310
        "https": lambda: _stream(lambda: urlopen(uri, timeout=_SECONDS), uri),  # noqa: S310
        "rtsp": lambda: _video(uri, cv2.CAP_FFMPEG),
        "file": lambda: _recording(Path(rest)),
        "folder": lambda: (Frame(jpeg=scan.read_bytes()) for scan in find_scans([Path(rest)])[0]),
    }
    if kind not in openers or not rest:
        raise CallError(
            f"--source {uri}: give v4l2:/dev/video0, fifo:PATH, http://…, rtsp://…, file:PATH or folder:PATH"
        )
    frames = openers[kind]()
    return newest(frames) if kind in LIVE else frames


def newest(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The newest frame each time; those that came while nobody asked are dropped. A source's error comes out too."""
    held: list[Frame] = []
    ended: list[BaseException | None] = []
    changed, closed = threading.Condition(), threading.Event()

    def take() -> None:
        error: BaseException | None = None
        try:
            for frame in frames:
                with changed:
                    held[:] = [frame]
                    changed.notify()
                if closed.is_set():
                    return
        except Exception as reason:
            error = reason
        with changed:
            ended.append(error)
            changed.notify()

    threading.Thread(target=take, daemon=True, name="frames").start()
    try:
        while True:
            with changed:
                if not changed.wait_for(lambda: held or ended, _SECONDS):
                    raise SourceError("the camera sends nothing: is it plugged in and switched on?")
                frame = held.pop() if held else None
            if frame is None:
                if ended[0] is not None:
                    raise ended[0]
                return
            yield frame
    finally:
        closed.set()


def _stream(opened: Callable[[], IO[bytes] | Any], uri: str) -> Iterator[Frame]:
    try:
        with closing(opened()) as stream:
            read = getattr(stream, "read1", stream.read)
            yield from (Frame(jpeg=jpeg) for jpeg in split_jpegs(lambda: read(1 << 16)))
    except OSError as error:
        raise SourceError(f"{uri} cannot be read: {error.strerror or error}") from error


def _recording(path: Path) -> Iterator[Frame]:
    if not path.is_file():
        raise CallError(f"file:{path}: no such file")
    if path.suffix.lower() in (".mjpeg", ".mjpg"):
        return _stream(lambda: path.open("rb"), f"file:{path}")
    return _video(str(path), cv2.CAP_ANY)


def _video(name: str, how: int) -> Iterator[Frame]:
    video = cv2.VideoCapture(name, how)
    try:
        if not video.isOpened():
            raise SourceError(f"{name} cannot be opened: is it there, and may this user read it?")
        if how == cv2.CAP_V4L2:  # JPEGs as the camera makes them, as large as it can, and not decoded
            video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            video.set(cv2.CAP_PROP_FRAME_WIDTH, 3840)
            video.set(cv2.CAP_PROP_FRAME_HEIGHT, 2160)
            video.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        while True:
            there, picture = video.read()
            if not there:
                return
            raw = picture.ndim == 2 and 1 in picture.shape
            yield Frame(jpeg=picture.tobytes()) if raw else Frame(pixels=np.asarray(picture, np.uint8))
    finally:
        video.release()
