"""A process that keeps and sends pages until it is killed; for tests/test_spool.py. Arguments: the spool, the bucket.

The bucket is a folder in which a file is created once. A sheet is taken away when it is announced, by a line in
`announced`; who starts again finds under the camera the first sheet that is not there.
"""

import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from formlens.outbox import Outbox
from formlens.spool import Spool
from here import Here
from loop import PORTRAIT, keep

SHEETS = 40


class Unused:
    version = "none"


class Silent:
    def show(self, *_: Any) -> None: ...

    def add(self, *_: Any) -> None: ...


def main() -> None:
    folder, bucket = Path(sys.argv[1]), Path(sys.argv[2])

    def put(key: str, data: bytes) -> None:
        fresh = bucket / f"{threading.get_native_id()}.fresh"
        fresh.write_bytes(data)
        with suppress(FileExistsError):
            (bucket / key.replace("/", "|")).hardlink_to(fresh)
        fresh.unlink()

    spool = Spool(folder, 10**8)
    work, stop = threading.Event(), threading.Event()
    unused: Any = Unused()
    reads: Any = Here("cam1", "intake", unused, lambda name: [])
    threading.Thread(target=Outbox(spool, lambda: put).run, args=(work, stop), daemon=True).start()
    announced = bucket / "announced"
    last = next((parts[PORTRAIT] for parts in spool.newest()), b"")
    taken = len(announced.read_text().splitlines()) if announced.exists() else 0
    for sheet in range(taken, SHEETS):
        under = f"sheet {sheet} ".encode() * 2000
        if under != last:
            _, parts = reads.read(under, datetime.now(UTC))
            keep(spool, parts | {PORTRAIT: under}, Silent(), lambda _: None, lambda _: None)
            last = under
        with announced.open("a") as stream:
            stream.write(f"{sheet}\n")
        work.set()
    while spool.waiting():
        work.set()


if __name__ == "__main__":
    main()
