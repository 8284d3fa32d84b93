"""A model package and what somebody decided about it go in; the pointer that readers follow is moved, once, or not.

An event is a nudge: what counts is what the registry says of the package when this looks, and the latest approval wins.
So an event that comes twice, late or out of order changes nothing, and whoever approves an older package gets that one.
The files are copied below `models/<version>/`, and read back from there: golden pages must be read on them as they were
when the package was evaluated. Only then the pointer is moved, over the version that was there (conditional write).
"""

import json
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from current import Damaged, load_release, load_released_form
from formlens.form import load_form
from formlens.manifest import FORM_NAME
from formlens.pages import read_pages
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.released import POINTER, Pointer, Released, ReleasedForm, pointer_json, read_pointer
from formlens.types import FormLensError, Page
from keys import form_key
from store import Store

PACKAGES = "runs/"
"""Where packages lie; what lies elsewhere did not come out of the pipeline."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".pdf", ".webp")
MOST_BYTES = 200_000_000


class Refused(Exception):
    """The package cannot be released, and why."""


class Moved(Exception):
    """Another run moved the pointer meanwhile; the event comes again."""


@dataclass(frozen=True)
class Package:
    """A model package as the registry describes it."""

    arn: str
    number: int
    status: str
    """Approved, Rejected or PendingManualApproval."""
    url: str
    modified: datetime


def decide(package: Package, store: Store, *, bucket: str, now: datetime) -> str:
    """Do what the registry says of a package; returns what was done. Raises Refused, with the reason."""
    pointer, etag = read(store)
    mine = pointer.now is not None and pointer.now.package == package.arn
    if package.status == "Rejected" and mine:
        move(pointer.back(), etag, store)
        return "moved back"
    if package.status != "Approved":
        return "not approved"
    if pointer.now and package.modified <= datetime.fromisoformat(pointer.now.approved):
        return "in use" if mine else "approved before the one in use"
    if mine:
        return "in use"
    release = copy(package, store, bucket=bucket, now=now)
    carried = pointer.now.forms if pointer.now else {}
    move(pointer.to(Released(**{**vars(release), "forms": {**carried, **release.forms}})), etag, store)
    return "released"


def young(pointer: Pointer, now: datetime, watched: timedelta) -> Released | None:
    """The release in use, while an alarm is still its fault."""
    release = pointer.now
    return release if release and now - datetime.fromisoformat(release.moved) < watched else None


def read(store: Store) -> tuple[Pointer, str | None]:
    """The pointer and its ETag; where there is none, the shipped reader is in use."""
    if store.etag(POINTER) is None:
        return Pointer(), None
    there = store.get(POINTER)
    return read_pointer(there.data), there.etag


def move(pointer: Pointer, etag: str | None, store: Store) -> None:
    """Write the pointer over the one that was read. Raises Moved if somebody else was quicker."""
    if store.put_over(POINTER, pointer_json(pointer), etag) is None:
        raise Moved


def copy(package: Package, store: Store, *, bucket: str, now: datetime) -> Released:
    """Copy a package's files below `models/`, and check the copies. Raises Refused."""
    place = urlsplit(package.url)
    if place.netloc != bucket or not place.path.startswith(f"/{PACKAGES}"):
        raise Refused(f"{package.url} did not come out of the training pipeline of this stage")
    with tempfile.TemporaryDirectory() as folder:
        archive = store.get(place.path[1:]).data
        unpack(archive, Path(folder))
        release = _put(package, sha256(archive).hexdigest()[:8], Path(folder), store, now)
        check(release, Path(folder), store)
    return release


def unpack(data: bytes, folder: Path) -> None:
    """The files of an archive. Raises Refused for one that no package is."""
    archive = folder / "package"
    archive.write_bytes(data)
    try:
        with tarfile.open(archive) as opened:
            members = opened.getmembers()
            if sum(member.size for member in members) > MOST_BYTES:
                raise Refused(f"the package holds more than {MOST_BYTES / 1e6:.0f} MB")
            opened.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Refused(f"the package cannot be unpacked: {error}") from error
    archive.unlink()


def check(release: Released, folder: Path, store: Store) -> None:
    """Read the golden pages with the copies. Raises Refused where a cell that was sure is another."""
    pages = [path for path in sorted((folder / "golden").glob("*")) if path.suffix in SUFFIXES]
    if not pages:
        raise Refused("the package holds no golden page to check it by")
    try:
        use = load_release(release, store)
        forms = [load_released_form(name, form, store) for name, form in release.forms.items()]
    except (FormLensError, Damaged) as error:
        raise Refused(str(error)) from error
    for path in pages:
        wanted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        (page,) = read_pages(path.read_bytes(), wanted["source"])
        result = read_page(page, use.reader, forms) if isinstance(page, Page) else page
        found = {(cell.row, cell.column): cell.text for cell in result.cells}
        wrong = [cell for cell in wanted["cells"] if found.get((cell["row"], cell["column"])) != cell["text"]]
        if sure := [cell for cell in wrong if not cell["flagged"]]:
            read_as = found.get((sure[0]["row"], sure[0]["column"]))
            raise Refused(
                f"golden page {wanted['source']}: {len(sure)} cells are read otherwise than in the evaluation, "
                f"{sure[0]['column']} of row {sure[0]['row'] + 1} as {read_as!r} and not {sure[0]['text']!r}"
            )


def _put(package: Package, digest: str, folder: Path, store: Store, now: datetime) -> Released:
    """Write reader and forms below `models/`: the same package, the same keys and bytes."""
    try:
        version = f"{package.number:04}-{Reader(folder / 'reader.onnx').version}-{digest}"
        paths = {
            path.stem: path for path in sorted((folder / "forms").glob("*.form")) if FORM_NAME.fullmatch(path.stem)
        }
        for path in paths.values():
            load_form(path)
    except FormLensError as error:
        raise Refused(str(error).replace(f"{folder}/", "")) from error
    reader = (folder / "reader.onnx").read_bytes()
    store.put(f"models/{version}/reader.onnx", reader)
    forms = {}
    for name, path in paths.items():
        key = f"models/{version}/{name}.form"
        store.put(key, path.read_bytes())
        forms[name] = ReleasedForm(key, sha256(path.read_bytes()).hexdigest(), store.etag(form_key(name)))
    return Released(
        version,
        f"models/{version}/reader.onnx",
        sha256(reader).hexdigest(),
        package.arn,
        package.modified.isoformat(),
        now.isoformat(),
        forms,
    )


def package_of(described: dict[str, Any]) -> Package:
    """What SageMaker's DescribeModelPackage says."""
    (container,) = described["InferenceSpecification"]["Containers"]
    return Package(
        described["ModelPackageArn"],
        described["ModelPackageVersion"],
        described["ModelApprovalStatus"],
        container["ModelDataUrl"],
        described.get("LastModifiedTime", described["CreationTime"]),
    )
