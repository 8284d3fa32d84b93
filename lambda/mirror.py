"""What a camera needs of the bucket goes in; it lies in a folder, and is asked for there as the bucket is asked.

So the camera follows releases and learned forms with the function's own code, and without a network goes on with what
it has. Files are checked and complete before the pointer that names them is there, and the pointer before the list.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from formlens.disk import Disk
from formlens.released import POINTER, Pointer, read_pointer
from formlens.types import CallError
from keys import form_of, forms_under
from objects import Readable, Stored

LIST = "objects.json"
"""ETag of each object, as the bucket gave it."""

log = logging.getLogger(__name__)


class Mirror:
    """Part of the bucket, in a folder; read by `Forms` and `Current`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._disk = folder, Disk()
        self._etags: dict[str, str] = {}
        if (folder / LIST).is_file():
            self._etags = json.loads((folder / LIST).read_text())

    def get(self, key: str, *, version: str | None = None, at_most: int | None = None) -> Stored:
        """Read an object. Raises OSError where it is not here."""
        data = (self._folder / key).read_bytes()
        return Stored(data[:at_most], self._etags[key], len(data), datetime.now(UTC))

    def etag(self, key: str) -> str | None:
        """The ETag of an object, None if it is not here."""
        return self._etags.get(key)

    def etags(self, prefix: str, *, after: str = "") -> Iterator[tuple[str, str]]:
        """Keys under a prefix in their order, each with its ETag."""
        return (item for item in sorted(self._etags.items()) if item[0].startswith(prefix) and item[0] > after)

    def put(self, key: str, data: bytes) -> str:
        """Put an object here, whatever was there: for a camera without a bucket."""
        etag = sha256(data).hexdigest()
        self._write(key, data)
        self._write_list(self._etags | {key: etag})
        return etag

    def sync(self, store: Readable, form: str) -> bool:
        """Fetch what changed: the forms that pages of ``form`` may be, and what is released. Whether anything had.

        Raises what the store raises, and CallError for a pointer that is none: then what was here stays.
        """
        found = {key: etag for key, etag in store.etags(forms_under(form)) if form_of(key)}
        pointer = Pointer()
        if etag := store.etag(POINTER):
            pointer = read_pointer(data := store.get(POINTER).data)
            found[POINTER] = etag
        if pointer.now is not None:
            names = [(pointer.now.reader, pointer.now.sha256)]
            names += [(one.key, one.sha256) for name, one in pointer.now.forms.items() if form in (name, "any")]
            for key, digest in names:
                found[key] = digest
                if self._etags.get(key) != digest:
                    if sha256(file := store.get(key).data).hexdigest() != digest:
                        raise CallError(f"{key} is not the file that was released; approve its model package again")
                    self._write(key, file)
        if found == self._etags:
            return False
        for key, etag in found.items():
            if form_of(key) and self._etags.get(key) != etag:
                self._write(key, store.get(key).data)
        if POINTER in found:
            self._write(POINTER, data)
        gone = self._etags.keys() - found.keys()
        self._write_list(found)
        for key in gone:
            self._disk.remove(self._folder / key)
        return True

    def follow(self, connect: Callable[[], Readable], form: str, seconds: float, stop: threading.Event) -> None:
        """Sync again and again until ``stop`` is set; ``connect`` gives the bucket over a new connection."""
        while not stop.is_set():
            try:
                if self.sync(connect(), form):
                    log.info("forms or reader have changed")
            except Exception as error:  # no network, or a release that is not whole: what is here goes on
                log.warning("forms and reader stay as they are: %s", error)
            stop.wait(seconds)

    def _write(self, key: str, data: bytes) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.unfinished")
        self._disk.write(unfinished, data)
        self._disk.rename(unfinished, path)
        self._disk.sync(path.parent)

    def _write_list(self, etags: dict[str, str]) -> None:
        self._write(LIST, json.dumps(etags, indent=1).encode())
        self._etags = etags
