"""Object keys: what a key in `inbox/`, `training/` or `forms/` says, and where everything about a scan is put.

EventBridge gives keys as they are, not URL-encoded: a plus is a plus and a space is a space.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

from formlens.manifest import FORM_NAME, NAME

UNKNOWN_FORM = "any"

_NOT_IN_A_NAME = re.compile(r"[^\w.]+")


@dataclass(frozen=True)
class Upload:
    """A scan as it lies in the inbox."""

    key: str
    form: str
    source: str
    """The file's name, under which its pages are reported."""


def parse_upload(key: str) -> Upload | None:
    """What a key in `inbox/` names; None for the folder markers that consoles and sync tools leave.

    A scan beside the form folders, or in one that cannot be a form, is read as a scan whose form is not known.
    """
    _, _, path = key.partition("/")
    if key.endswith("/") or not path:
        return None
    form, _, below = path.partition("/")
    known = below and FORM_NAME.fullmatch(form)
    return Upload(key, form if known else UNKNOWN_FORM, path.rpartition("/")[2])


@dataclass(frozen=True)
class Place:
    """Where everything about one scan goes; the same bytes for the same form have one place, whenever they come."""

    form: str
    source: str
    digest: str
    """SHA-256 of the scan, hexadecimal."""
    arrived: datetime
    """When these bytes were first seen for this form, UTC."""

    @property
    def stem(self) -> str:
        """Sorts by arrival, then by name: `<form>/YYYY/MM/DD/HHMMSS-<name>-<digest>`."""
        name = _NOT_IN_A_NAME.sub("_", PurePosixPath(self.source).stem)[:60]
        return f"{self.form}/{self.arrived:%Y/%m/%d/%H%M%S}-{name}-{self.digest[:8]}"

    def of(self, form: str) -> "Place":
        """The same scan's place in another form: pages of `inbox/any/` go to the form that they turn out to be."""
        return replace(self, form=form)

    @property
    def results(self) -> str:
        """What the results of all pages begin with."""
        return f"results/{self.stem}-"

    def result(self, page: int) -> str:
        """The JSON of one page."""
        return f"{self.results}{page:04}.json"

    def reason(self, page: int) -> str:
        """Why one page could not be read."""
        return f"failed/{self.stem}-{page:04}.json"

    @property
    def failed(self) -> str:
        """The copy of a scan of which a page could not be read."""
        suffix = _NOT_IN_A_NAME.sub("_", PurePosixPath(self.source).suffix)[:10]
        return f"failed/{self.stem}{suffix}"


def claim_of(form: str, digest: str) -> str:
    """The object that fixes when, and under which name, a scan was first seen."""
    return f"claims/{form}/{digest}.json"


def form_key(form: str) -> str:
    """Where a learned form lies."""
    return f"forms/{form}/{form}.form"


def report_key(form: str) -> str:
    """What became of the last folder that was to be learned, beside the form."""
    return f"forms/{form}/report.json"


def form_of(key: str) -> str | None:
    """The name of the form whose file this is; None for anything else below `forms/`."""
    _, _, path = key.partition("/")
    form, _, _ = path.partition("/")
    return form if FORM_NAME.fullmatch(form) and key == form_key(form) else None


def forms_under(name: str) -> str:
    """What the keys of the forms begin with that a scan of this form may be."""
    return "forms/" if name == UNKNOWN_FORM else f"forms/{name}/"


def parse_manifest(key: str) -> str | None:
    """The form that a key in `training/` is the manifest of; None for any other key, and for `any`, which is none."""
    _, _, path = key.partition("/")
    form, _, name = path.partition("/")
    return form if name == NAME and FORM_NAME.fullmatch(form) and form != UNKNOWN_FORM else None
