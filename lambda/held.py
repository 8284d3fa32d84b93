"""A bucket in memory, with what one page needs of a bucket: a camera reads into it, and then sends what is here."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from objects import Stored


class Held:
    """Objects by key, all of the same moment."""

    def __init__(self, moment: datetime) -> None:
        self.objects: dict[str, bytes] = {}
        self._moment = moment

    def get(self, key: str, *, version: str | None = None, at_most: int | None = None) -> Stored:
        """Read an object. Raises KeyError where there is none."""
        data = self.objects[key]
        return Stored(data[:at_most], _etag(data), len(data), self._moment)

    def put(self, key: str, data: bytes) -> str:
        """Write an object."""
        self.objects[key] = data
        return _etag(data)

    def put_over(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object only over the one with this ETag, or only where there is none."""
        return self.put(key, data) if self.etag(key) == etag else None

    def copy(self, key: str, to: str, *, version: str | None = None) -> None:
        """Copy an object."""
        self.objects[to] = self.objects[key]

    def etag(self, key: str) -> str | None:
        """The ETag of an object, None if there is none."""
        return _etag(self.objects[key]) if key in self.objects else None

    def etags(self, prefix: str, *, after: str = "") -> Iterator[tuple[str, str]]:
        """Keys under a prefix in their order, each with its ETag."""
        return ((key, _etag(self.objects[key])) for key in self.list(prefix, after=after))

    def list(self, prefix: str, *, after: str = "", upto: str | None = None) -> Iterator[str]:
        """Keys under a prefix in their order."""
        keys = (key for key in sorted(self.objects) if key.startswith(prefix) and key > after)
        return (key for key in keys if upto is None or key <= upto)


def _etag(data: bytes) -> str:
    return sha256(data).hexdigest()
