"""Object keys: what a key in `inbox/` says, and where everything about a scan is put.

EventBridge gives keys as they are, not URL-encoded: a plus is a plus and a space is a space.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

UNKNOWN_FORM = "any"

_FORM = re.compile(r"\w[\w .-]{0,63}")
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
    known = below and _FORM.fullmatch(form)
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
