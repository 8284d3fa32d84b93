"""The bucket goes in; the reader and the forms that are in use at this moment come out, loaded once a release."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from formlens.form import Form, load_form
from formlens.reader import Reader
from formlens.released import POINTER, Pointer, Released, ReleasedForm, read_pointer
from objects import Readable


class Damaged(Exception):
    """A released file is not the one that was released."""


@dataclass(frozen=True)
class Use:
    """What a page is read with, beside the forms that were learned in the bucket."""

    reader: Reader
    version: str = ""
    """Of the release; empty for the shipped reader."""
    forms: Mapping[str, ReleasedForm] = field(default_factory=dict)


class Current:
    """Follows the pointer: one listing each time, and a look at the object only where it has changed."""

    def __init__(self, store: Readable) -> None:
        self._store = store
        self._shipped = Use(Reader())
        self._etag: str | None = None
        self._use = self._shipped

    def use(self) -> Use:
        """What is in use now. Raises Damaged, CallError or ReaderError where that cannot be loaded."""
        etag = self._store.etag(POINTER)
        if etag != self._etag:
            pointer = read_pointer(self._store.get(POINTER).data) if etag else Pointer()
            if pointer.now is None:
                self._use = self._shipped
            elif pointer.now.version != self._use.version:
                self._use = load_release(pointer.now, self._store)
            self._etag = etag
        return self._use


def load_release(release: Released, store: Readable) -> Use:
    """The reader of a release. Raises Damaged or ReaderError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reader.onnx"
        path.write_bytes(fetch(release.reader, release.sha256, store))
        return Use(Reader(path), release.version, release.forms)


def load_released_form(name: str, form: ReleasedForm, store: Readable) -> Form:
    """A form of a release. Raises Damaged, and CallError for a file that is not a form."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.form"
        path.write_bytes(fetch(form.key, form.sha256, store))
        return load_form(path)


def fetch(key: str, digest: str, store: Readable) -> bytes:
    """An object of this digest. Raises Damaged for another."""
    data = store.get(key).data
    if sha256(data).hexdigest() != digest:
        raise Damaged(f"{key} is not the file that was released; approve its model package again")
    return data
