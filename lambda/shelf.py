"""A folder of learned forms goes in, the forms that a page may be come out, as they are at this moment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from formlens.form import Form, load_form
from keys import UNKNOWN_FORM


class Shelf:
    """Forms as files named by their form, each loaded once for each version of it that the folder has had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[Path, tuple[tuple[int, int], Form]] = {}

    def of(self, name: str) -> Sequence[Form]:
        """The form of this name, if it is there; every form for pages whose form is not known.

        Raises CallError for a file that is not a form.
        """
        paths = sorted(self._folder.rglob("*.form"))
        return [self._form(path) for path in paths if name in (UNKNOWN_FORM, path.stem)]

    def _form(self, path: Path) -> Form:
        about = path.stat()
        version = about.st_mtime_ns, about.st_size
        if path not in self._held or self._held[path][0] != version:
            self._held[path] = version, replace(load_form(path), name=path.stem)
        return self._held[path][1]
