"""What reading a scan asks of the place where it lies: the bucket in the cloud, memory on a camera."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Stored:
    """An object as it was read."""

    data: bytes
    etag: str
    size: int
    """Of the whole object, in bytes; more than ``len(data)`` if only its beginning was read."""
    modified: datetime


class Readable(Protocol):
    """Bytes by key, to be read."""

    def get(self, key: str, *, version: str | None = None, at_most: int | None = None) -> Stored:
        """Read an object, or no more than its first ``at_most`` bytes."""

    def etag(self, key: str) -> str | None:
        """The ETag of an object, None if there is none."""

    def etags(self, prefix: str, *, after: str = "") -> Iterator[tuple[str, str]]:
        """Keys under a prefix in their order, each with its ETag."""


class Objects(Readable, Protocol):
    """Bytes by key, to be read and written."""

    def put(self, key: str, data: bytes) -> str:
        """Write an object, whatever was there; returns its ETag."""

    def put_over(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object only over the one with this ETag (None: only where there is none); None where it was not."""

    def copy(self, key: str, to: str, *, version: str | None = None) -> None:
        """Copy an object."""

    def list(self, prefix: str, *, after: str = "", upto: str | None = None) -> Iterator[str]:
        """Keys under a prefix in their order."""
