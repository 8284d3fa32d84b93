"""`models/current.json` goes in; which reader and forms are in use comes out, for whoever follows it, and back.

One small object that is moved as a whole, so that a camera, a function and a training see the same at any moment. What
it names lies below `models/<version>/` and is never changed. Without it the shipped reader is in use.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from formlens.types import CallError

POINTER = "models/current.json"
KEPT = 5
"""Releases that the pointer remembers; going back further is approving an older one."""


@dataclass(frozen=True)
class ReleasedForm:
    """A form that was learned with the reader that it is released with."""

    key: str
    sha256: str
    over: str | None = None
    """ETag of the learned form that it takes the place of: one that is learned later counts again."""


@dataclass(frozen=True)
class Released:
    """One release: where its files lie, and where they came from."""

    version: str
    reader: str
    """Key of the ONNX file."""
    sha256: str
    """Of that file, hexadecimal."""
    package: str
    """ARN of the model package that was approved."""
    approved: str
    """When it was, ISO 8601 in UTC."""
    moved: str
    """When the pointer was moved to it."""
    forms: Mapping[str, ReleasedForm] = field(default_factory=dict)


@dataclass(frozen=True)
class Pointer:
    """What is in use, and what was before, the latest first."""

    now: Released | None = None
    before: tuple[Released, ...] = ()

    def to(self, release: Released) -> "Pointer":
        """The pointer moved on; a release that was in use before is in use again, and no longer before itself."""
        others = (self.now, *self.before) if self.now else self.before
        return Pointer(release, tuple(one for one in others if one.version != release.version)[:KEPT])

    def back(self) -> "Pointer":
        """The pointer moved back by one; where nothing was before, to the shipped reader."""
        return Pointer(self.before[0], self.before[1:]) if self.before else Pointer()


def pointer_json(pointer: Pointer) -> bytes:
    """The pointer as it lies in the bucket."""
    return json.dumps(asdict(pointer), indent=1).encode()


def read_pointer(data: bytes) -> Pointer:
    """The pointer that `pointer_json` wrote. Raises CallError for anything else."""
    try:
        content = json.loads(data)
        return Pointer(
            _released(content["now"]) if content["now"] else None, tuple(_released(one) for one in content["before"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CallError(f"{POINTER} is not what a release writes; approve a model package to write it anew") from error


def _released(content: dict[str, Any]) -> Released:
    forms = {name: ReleasedForm(**one) for name, one in content["forms"].items()}
    return Released(**{**content, "forms": forms})
