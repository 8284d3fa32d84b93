"""The manifest of a labelled folder goes in; the form that is learned from it, and a report, come out, once.

What is learned is always the manifest that is there now, however many events there were and in which order they come.
"""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from formlens.form import save_form
from formlens.labelled import read_folder
from formlens.learn import Learned, learn_form
from formlens.manifest import NAME, Part, part_of, read_manifest
from formlens.reader import Reader
from formlens.types import CallError
from keys import Place, form_key, report_key
from store import Store

Report = dict[str, Any]


class Moved(Exception):
    """Another function learned this form meanwhile; the message comes again and finds what is left to do."""


def learn(form: str, *, store: Store, reader: Reader, learner: str) -> Report | None:
    """Learn a form from the folder that its manifest names; the report, or None if that was done before.

    ``learner`` says which version of the program learns: another one learns the same folder anew. A folder that no form
    can be learned from is a report too, with its reason, in `failed/` as well; the form that was there stays.
    """
    there = store.get(f"training/{form}/{NAME}")
    digest = sha256(there.data).hexdigest()
    made_from = {"form": form, "manifest": digest, "learner": learner}
    etag = store.etag(report_key(form))
    if etag and json.loads(store.get(report_key(form)).data).items() >= made_from.items():
        return None
    before = store.etag(form_key(form))
    with tempfile.TemporaryDirectory() as scratch:
        folder, file = Path(scratch) / form, Path(scratch) / "learned"
        try:
            _fetch(form, read_manifest(there.data), folder, store)
            learned = learn_form(read_folder(folder), form, reader)
        except CallError as error:
            report = made_from | {"status": "not learned", "reason": str(error).replace(f"{folder}/", "")}
            failed = Place(form, NAME, digest, there.modified).reason(0)
            store.put(failed, _json(report))
        else:
            report = made_from | {"status": "learned"} | _told(learned)
            save_form(learned.form, file)
            if store.put_over(form_key(form), file.read_bytes(), before) is None:
                raise Moved(form)
    if store.put_over(report_key(form), _json(report), etag) is None:
        raise Moved(form)
    return report


def _fetch(form: str, parts: list[Part], folder: Path, store: Store) -> None:
    """Fetch the files of a folder. Raises CallError for one that is not what the manifest says."""

    def fetch(part: Part) -> None:
        key = f"training/{form}/{part.name}"
        found = store.get(key, at_most=part.size + 1).data if store.etag(key) else b""
        if part_of(part.name, found) != part:
            raise CallError(f"{part.name}: not the file that {NAME} names; upload the folder once more, to its end")
        path = folder / part.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, parts))


def _told(learned: Learned) -> Report:
    listing = learned.form.listing
    in_rows = {number for part in listing.parts for number in part.columns} if listing else set()
    columns = [
        {"name": column.name, "kind": column.kind.name, "found": column.place is not None or number in in_rows}
        for number, column in enumerate(learned.form.columns)
    ]
    return {"columns": columns, "doubts": list(learned.doubts)}


def _json(report: Report) -> bytes:
    return json.dumps(report, ensure_ascii=False, indent=1).encode()
