"""A form's name goes in, the forms that its scans may be come out, as they are in the bucket at this moment."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from formlens.form import Form, load_form
from keys import UNKNOWN_FORM, form_of, forms_under
from objects import Objects


class Forms:
    """The learned forms, each loaded once for each version of it that the bucket has had."""

    def __init__(self, store: Objects) -> None:
        self._store = store
        self._held: dict[str, tuple[str, Form]] = {}

    def of(self, name: str) -> Sequence[Form]:
        """The form of this name, if it was learned; every form for scans whose form is not known.

        One listing each time. Raises CallError for a file that is not a form.
        """
        etags = {key: etag for key, etag in self._store.etags(forms_under(name)) if form_of(key)}
        if name == UNKNOWN_FORM:
            self._held = {key: held for key, held in self._held.items() if key in etags}
        return [self._form(key, etag) for key, etag in etags.items()]

    def _form(self, key: str, etag: str) -> Form:
        if key not in self._held or self._held[key][0] != etag:
            stored = self._store.get(key)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / Path(key).name
                path.write_bytes(stored.data)
                # where it lies says what it is called, whatever it was called when it was learned
                self._held[key] = stored.etag, replace(load_form(path), name=form_of(key) or "")
        return self._held[key][1]
