"""One scan in the inbox goes in; the results of its pages come out, once, however often it comes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from formlens.cells import page_json
from formlens.form import Form
from formlens.pages import Limits, read_pages
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.types import PageResult
from keys import UNKNOWN_FORM, Place, Upload, claim_of
from objects import Objects, Stored

COPY_LIMIT = 5_000_000_000
"""Bytes that S3 copies in one call; a larger scan stays where it is."""


class OutOfTime(Exception):
    """The function's time is nearly over. What is read is kept; the scan goes on when its message comes again."""


@dataclass(frozen=True)
class Outcome:
    """What one delivery of a scan led to."""

    digest: str
    duplicate: bool = False
    """All was done before."""
    read: int = 0
    failed: int = 0
    cells: int = 0
    flagged: int = 0


def read_scan(
    upload: Upload,
    version: str | None,
    *,
    store: Objects,
    reader: Reader,
    forms: Callable[[str], Sequence[Form]],
    may_go_on: Callable[[], bool],
) -> Outcome:
    """Read every page that has no result yet; ``forms`` gives those that a scan of that name may be.

    Raises OutOfTime when ``may_go_on`` says so before a page.

    The claim is written first and completed last: who finds it complete does nothing, who finds it begun goes on from
    the pages that are there. Two that read the same page at the same moment write the same, and one write counts.
    """
    scan = store.get(upload.key, version=version, at_most=Limits().bytes + 1)
    digest = sha256(scan.data if scan.size == len(scan.data) else f"{scan.etag} {scan.size}".encode()).hexdigest()
    claim = {"source": upload.source, "arrived": scan.modified.astimezone(UTC).isoformat()}
    key = claim_of(upload.form, digest)
    begun = store.put_over(key, json.dumps(claim).encode(), None) is None
    if begun:
        claim = json.loads(store.get(key).data)
        if "pages" in claim:
            return Outcome(digest, duplicate=True)
    place = Place(upload.form, claim["source"], digest, datetime.fromisoformat(claim["arrived"]))
    known = forms(upload.form)
    there = _pages_there(place, [form.name for form in known], store) if begun else frozenset()
    outcome, pages = Outcome(digest), 0
    for page in read_pages(scan.data, place.source):
        pages += 1
        if pages in there:
            continue
        if not may_go_on():
            raise OutOfTime(f"{pages - 1} pages of {digest[:8]} are read, the rest follows")
        result = page if isinstance(page, PageResult) else read_page(page, reader, known)
        data = json.dumps({"pages": [page_json(result)], "reader": reader.version}, ensure_ascii=False).encode()
        if result.status == "unreadable":
            _set_aside(data, pages, upload, version, scan, place, store)
        # a page of `inbox/any/` is a row of the form that it turned out to be, and that form's sheets have its columns
        if store.put_over(place.of(result.form or upload.form).result(pages), data, None) is not None:
            outcome = _count(outcome, result)
    store.put(key, json.dumps({**claim, "pages": pages}).encode())
    return outcome


def _pages_there(place: Place, forms: list[str], store: Objects) -> frozenset[int]:
    """The pages that have a result already, in whichever form."""
    names = {place.form, *forms} if place.form == UNKNOWN_FORM else {place.form}
    keys = (key for name in names for key in store.list(place.of(name).results))
    return frozenset(int(key.rpartition("-")[2].removesuffix(".json")) for key in keys)


def _set_aside(
    reason: bytes, page: int, upload: Upload, version: str | None, scan: Stored, place: Place, store: Objects
) -> None:
    if scan.size <= COPY_LIMIT:
        store.copy(upload.key, place.failed, version=version)
    store.put(place.reason(page), reason)


def _count(outcome: Outcome, result: PageResult) -> Outcome:
    if result.status == "unreadable":
        return replace(outcome, failed=outcome.failed + 1)
    cells, flagged = len(result.cells), sum(cell.flagged for cell in result.cells)
    return replace(outcome, read=outcome.read + 1, cells=outcome.cells + cells, flagged=outcome.flagged + flagged)
