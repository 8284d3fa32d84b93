"""Paths from the command line go in, scans come out: files, and folders of them, in an order a person expects."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from formlens.pages import Limits
from formlens.types import CallError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf", ".webp"})


@dataclass(frozen=True)
class Scan:
    """One file to read, and the name under which it is reported."""

    path: Path
    source: str

    def read_bytes(self) -> bytes:
        """The file's bytes; one byte more than the limit at most, so that a huge file is refused, not loaded."""
        with self.path.open("rb") as stream:
            return stream.read(Limits().bytes + 1)


def find_scans(paths: Iterable[Path]) -> tuple[list[Scan], list[Path]]:
    """All scans among files and folders (folders in natural order: page2 before page10), and the files left alone.

    A file named on its own is always taken; in a folder those with a scan's suffix are. Raises CallError for a path
    that does not exist, and where there is no scan at all.
    """
    paths = list(paths)
    found: list[Path] = []
    left: list[Path] = []
    for path in paths:
        if path.is_dir():
            for inside in _files_in(path):
                (found if inside.suffix.lower() in SUFFIXES else left).append(inside)
        elif path.exists():
            found.append(path)
        else:
            raise CallError(f"{path}: no such file or folder")
    if not found:
        raise CallError(f"no scan in {', '.join(map(str, paths))}; FormLens reads {', '.join(sorted(SUFFIXES))}")
    names = Counter(path.name for path in found)
    return [Scan(path, path.name if names[path.name] == 1 else str(path)) for path in found], left


def _files_in(folder: Path) -> Iterator[Path]:
    visible = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    yield from sorted(visible, key=lambda path: _natural(str(path.relative_to(folder))))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]
