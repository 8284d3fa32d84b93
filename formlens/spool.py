"""Pages that were read go in and are safe on the disk when that returns; each comes out until the bucket has it.

An entry is one file, `<number>.waiting`, a zip file of what is to be put into the bucket, by key. It is written beside
its name, synced, and renamed; when the bucket has confirmed all of it, its name becomes `<number>.sent`. Numbers count
up, whatever the clock says. Sent entries stay until their room is needed, the oldest go first; waiting ones never go.
"""

import fcntl
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from formlens.disk import FULL, Disk
from formlens.types import CallError, FormLensError

Parts = Mapping[str, bytes]
"""What belongs to one page: keys in the bucket, and names without a slash for what stays here."""

WAITING, SENT, DAMAGED, UNFINISHED = ".waiting", ".sent", ".damaged", ".unfinished"


class SpoolFullError(FormLensError):
    """No page more can be kept: everything on the disk still waits for the bucket."""


class Spool:
    """The pages of one camera in one folder, for one process at a time.

    ``limit``: bytes that all entries may have together. One thread may keep while another sends. Raises CallError
    where another process has the folder.
    """

    def __init__(self, folder: Path, limit: int, disk: Disk | None = None) -> None:
        self._folder, self._limit, self._disk = folder, limit, disk or Disk()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise CallError(f"{folder} is used by another camera process: stop that one first") from error
        for path in folder.glob(f"*{UNFINISHED}"):
            self._disk.remove(path)
        self._busy = threading.Lock()
        self._sizes = {path: path.stat().st_size for path in self._files()}
        self._next = 1 + max((int(path.stem) for path in self._sizes), default=0)

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self._lock)

    def keep(self, parts: Parts) -> int:
        """Put a page's parts on the disk; when this returns, no power cut loses them. Returns the entry's number.

        Raises SpoolFullError where the limit or the disk has no room for it: then nothing of it is kept.
        """
        data = _pack(parts)
        with self._busy:
            self._make_room(len(data))
            path = self._path(self._next, WAITING)
            while not self._written(path, data):
                if not self._forget_oldest():
                    raise SpoolFullError(f"the disk of {self._folder} is full: make room on it")
            self._sizes[path] = len(data)
            self._next += 1
            return int(path.stem)

    def _written(self, path: Path, data: bytes) -> bool:
        """Whether the disk had room for it. Raises OSError for a disk that fails in another way."""
        unfinished = path.with_suffix(UNFINISHED)
        try:
            self._disk.write(unfinished, data)
            self._disk.rename(unfinished, path)
            self._disk.sync(self._folder)
        except OSError as error:
            for half in (unfinished, path):
                with suppress(OSError):
                    self._disk.remove(half)
            if error.errno not in FULL:
                raise
            return False
        return True

    def waiting(self) -> list[int]:
        """The entries that the bucket has not confirmed, oldest first."""
        with self._busy:
            return self._waiting()

    def load(self, number: int) -> Parts | None:
        """The parts of an entry that waits; None for one that the disk has damaged, which is set aside by that name."""
        path = self._path(number, WAITING)
        try:
            return _unpack(path.read_bytes())
        except (zipfile.BadZipFile, ValueError, EOFError):
            self._rename(path, DAMAGED)
            return None

    def confirm(self, number: int) -> None:
        """The bucket has all of an entry."""
        self._rename(self._path(number, WAITING), SENT)

    def newest(self, count: int = 1) -> Iterator[Parts]:
        """The parts of the entries that came last, sent or not, the newest first."""
        with self._busy:
            paths = sorted(self._sizes, key=lambda path: path.stem, reverse=True)[:count]
        for path in paths:
            with suppress(zipfile.BadZipFile, ValueError, EOFError, OSError):
                yield _unpack(path.read_bytes())

    def _waiting(self) -> list[int]:
        return sorted(int(path.stem) for path in self._sizes if path.suffix == WAITING)

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix in (WAITING, SENT) and path.stem.isdigit()]

    def _path(self, number: int, suffix: str) -> Path:
        return self._folder / f"{number:012}{suffix}"

    def _rename(self, path: Path, suffix: str) -> None:
        to = path.with_suffix(suffix)
        with self._busy:
            self._disk.rename(path, to)
            self._disk.sync(self._folder)
            size = self._sizes.pop(path)
            if suffix == SENT:
                self._sizes[to] = size

    def _make_room(self, size: int) -> None:
        while sum(self._sizes.values()) + size > self._limit:
            if not self._forget_oldest():
                count = len(self._waiting())
                raise SpoolFullError(
                    f"{count} pages wait for the bucket in {self._folder}, and it may hold no more: connect the network"
                )

    def _forget_oldest(self) -> bool:
        """Delete the oldest entry that was sent; False where there is none. The newest entry stays, whatever it is."""
        newest = max(self._sizes, key=lambda path: path.stem, default=None)
        sent = [path for path in self._sizes if path.suffix == SENT and path != newest]
        if not sent:
            return False
        oldest = min(sent, key=lambda path: path.stem)
        self._disk.remove(oldest)
        del self._sizes[oldest]
        return True


def _pack(parts: Parts) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, data in parts.items():
            archive.writestr(zipfile.ZipInfo(key), data)  # dated 1980: the clock has no say
    return buffer.getvalue()


def _unpack(data: bytes) -> dict[str, bytes]:
    """Raises BadZipFile where a bit is not as it was written."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
