"""A form's name goes in, the forms that its scans may be come out, as they are in the bucket at this moment.

A form that was released with its reader takes the place of the learned one that was there then; one that is learned
later counts again.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from current import load_released_form
from formlens.form import Form, load_form
from formlens.released import ReleasedForm
from keys import UNKNOWN_FORM, form_key, form_of, forms_under
from objects import Readable


class Forms:
    """The learned forms, each loaded once for each version of it that the bucket has had."""

    def __init__(self, store: Readable) -> None:
        self._store = store
        self._held: dict[str, tuple[str, Form]] = {}

    def of(self, name: str, released: Mapping[str, ReleasedForm] | None = None) -> Sequence[Form]:
        """The form of this name, if it was learned or released; every form for scans whose form is not known.

        One listing each time. Raises CallError for a file that is not a form.
        """
        etags = {key: etag for key, etag in self._store.etags(forms_under(name)) if form_of(key)}
        mine = {
            form_key(form): one
            for form, one in (released or {}).items()
            if name in (form, UNKNOWN_FORM) and etags.get(form_key(form)) == one.over
        }
        keys = sorted({*etags, *mine})
        if name == UNKNOWN_FORM:
            self._held = {key: held for key, held in self._held.items() if key in keys}
        return [self._released(key, mine[key]) if key in mine else self._form(key, etags[key]) for key in keys]

    def _released(self, key: str, one: ReleasedForm) -> Form:
        if key not in self._held or self._held[key][0] != one.key:
            form = load_released_form(form_of(key) or "", one, self._store)
            self._held[key] = one.key, replace(form, name=form_of(key) or "")
        return self._held[key][1]

    def _form(self, key: str, etag: str) -> Form:
        if key not in self._held or self._held[key][0] != etag:
            stored = self._store.get(key)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / Path(key).name
                path.write_bytes(stored.data)
                # where it lies says what it is called, whatever it was called when it was learned
                self._held[key] = stored.etag, replace(load_form(path), name=form_of(key) or "")
        return self._held[key][1]
