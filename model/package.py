"""A reader, the form learned with it and pages that both read go in; the archive that is registered comes out.

    reader.onnx
    forms/<form>.form
    golden/<n>.jpg, golden/<n>.json    a page, and what was read on it: what lambda/release.py checks the copy by
    package.json                       which form, which reader, and how it was measured

The same contents give the same bytes.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLDEN = 3
"""Pages; each takes the release function a few seconds."""
GOLDEN_BYTES = 8_000_000


@dataclass(frozen=True)
class Golden:
    """A page as it lies in its file, and the page of the cells JSON that it is read as."""

    source: str
    data: bytes
    page: dict[str, Any]


def choose_golden(pages: Sequence[Golden]) -> list[Golden]:
    """The smallest pages on which something was read."""
    fit = [one for one in pages if one.page["status"] == "read" and len(one.data) <= GOLDEN_BYTES]
    return sorted(fit, key=lambda one: (len(one.data), one.source))[:GOLDEN]


def write_package(
    path: Path, reader: Path, forms: Mapping[str, bytes], golden: Sequence[Golden], about: Mapping[str, Any]
) -> None:
    """Write the archive, as SageMaker wants a model: tar, gzipped."""
    contents = {"package.json": _json(about), "reader.onnx": reader.read_bytes()}
    contents |= {f"forms/{name}.form": data for name, data in forms.items()}
    for number, one in enumerate(golden, 1):
        contents[f"golden/{number}{Path(one.source).suffix.lower()}"] = one.data
        contents[f"golden/{number}.json"] = _json(one.page)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, data in sorted(contents.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
