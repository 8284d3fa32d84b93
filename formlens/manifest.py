"""The list of what a form is to be learned from, written beside the scans and CSVs when they are all there.

It is what starts the learning, so it goes up last; and what is learned is what it names, byte for byte.
"""

import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from formlens.types import CallError

NAME = "manifest.json"
FORM_NAME = re.compile(r"\w[\w .-]{0,63}")
"""What a form may be called in the bucket."""
MOST_FILES = 200
"""What is learned at once; a dozen scans make a good form, and each takes its time and memory."""
MOST_BYTES = 400_000_000

_VERSION = 1


@dataclass(frozen=True)
class Part:
    """One file: a scan, its CSV or the blank."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal."""


def part_of(name: str, data: bytes) -> Part:
    """What a manifest says of a file."""
    return Part(name, len(data), sha256(data).hexdigest())


def write_manifest(parts: list[Part]) -> bytes:
    """The manifest of these files, the same bytes for the same files. Raises CallError for more than can be learned."""
    if len(parts) > MOST_FILES or sum(part.size for part in parts) > MOST_BYTES:
        size = sum(part.size for part in parts) / 1e6
        most = f"{MOST_FILES} files of {MOST_BYTES / 1e6:.0f} MB together"
        raise CallError(
            f"{len(parts)} files of {size:.0f} MB are more than is learned at once, {most}: take fewer scans"
        )
    files = [asdict(part) for part in sorted(parts, key=lambda part: part.name)]
    return json.dumps({"version": _VERSION, "files": files}, ensure_ascii=False, indent=1).encode()


def read_manifest(data: bytes) -> list[Part]:
    """The files that a manifest names. Raises CallError for anything that `write_manifest` would not have written."""
    try:
        content = json.loads(data)
        parts = [Part(str(file["name"]), int(file["size"]), str(file["sha256"])) for file in content["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CallError(f"{NAME} is not what `formlens upload` writes; upload the folder with it") from error
    names = [part.name for part in parts]
    if content.get("version") != _VERSION or len(set(names)) < len(names) or not all(map(_is_plain, names)):
        raise CallError(f"{NAME} is not what `formlens upload` writes; upload the folder with it")
    write_manifest(parts)
    return parts


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and path.parts != () and ".." not in path.parts and str(path) == name
