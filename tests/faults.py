"""A camera whose power, disk, clock, network and credentials fail as a seed says: `python tests/faults.py 1000`.

Sheets are laid under it one after the other; the keeper takes one away when it is said to be done. Whatever failed on
the way, in the end the bucket has each of them once. What is simulated: the power and the disk (`FailingDisk`: what was
not synced may be gone), the bucket (`FailingS3`). What is real: the spool, the outbox, how the loop keeps a page, the
keys and claims of the function that reads.
"""

import errno
import importlib
import logging
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, NoReturn

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from fakes import FakeS3
from formlens.disk import Disk
from formlens.outbox import Outbox
from formlens.spool import Spool

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "lambda"))

here = importlib.import_module("here")
loop = importlib.import_module("loop")
store_ = importlib.import_module("store")

KINDS = ("power", "disk", "network", "answer", "credentials", "clock")
SHEETS = 6
LIMIT = 9_000
"""Bytes of the spool: four sheets or so."""


class PowerCut(BaseException):
    """Nothing runs on after it."""


class FailingDisk(Disk):
    """Loses its power at a call, and with it any of the latest names that were not synced; or has no room."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.cut_after: int | None = None
        self.full = False
        self._undo: list[Any] = []

    def write(self, path: Path, data: bytes) -> None:
        self._cut(lambda: path.write_bytes(data[: self.rng.randrange(len(data))]))
        if self.full:
            path.write_bytes(data[: self.rng.randrange(len(data))])
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(data)
        self._undo.append(lambda: path.unlink(missing_ok=True))

    def rename(self, path: Path, to: Path) -> None:
        self._cut()
        path.replace(to)
        self._undo.append(lambda: to.replace(path) if to.exists() else None)

    def remove(self, path: Path) -> None:
        self._cut()
        if path.exists():
            data = path.read_bytes()
            path.unlink()
            self._undo.append(lambda: path.write_bytes(data))

    def sync(self, folder: Path) -> None:
        self._cut()
        self._undo.clear()

    def _cut(self, half_done: Any = lambda: None) -> None:
        if self.cut_after is None:
            return
        self.cut_after -= 1
        if self.cut_after < 0:
            self.cut_after = None
            half_done()
            for undo in self._undo[::-1][: self.rng.randint(0, len(self._undo))]:
                undo()
            self._undo.clear()
            raise PowerCut


class FailingS3(FakeS3):
    """Cannot be reached, refuses credentials, or does what it was asked and the answer is lost."""

    def __init__(self, rng: Random, faults: Counter[str]) -> None:
        super().__init__()
        self.rng, self.faults = rng, faults
        self.gone: str | None = None
        self.losing = 0.0

    def put_object(self, Bucket: str, Key: str, Body: bytes, **options: Any) -> dict[str, Any]:
        if self.gone:
            self.faults[self.gone] += 1
            _raise(self.gone)
        answer = super().put_object(Bucket, Key, Body, **options)
        if self.rng.random() < self.losing:
            self.faults["answer"] += 1
            raise ReadTimeoutError(endpoint_url="https://s3")
        return answer


def _raise(what: str) -> NoReturn:
    if what == "network":
        raise EndpointConnectionError(endpoint_url="https://s3")
    answer: Any = {"Error": {"Code": "ExpiredToken"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    raise ClientError(answer, "PutObject")


class Silent:
    """A display that nobody looks at."""

    def show(self, *_: Any) -> None: ...

    def add(self, *_: Any) -> None: ...


def run(seed: int, folder: Path, kinds: tuple[str, ...] = KINDS) -> tuple[FakeS3, Counter[str]]:
    """One camera's life until every sheet was taken away and everything sent; the bucket, and what failed how often."""
    rng, faults = Random(seed), Counter[str]()  # noqa: S311
    disk, s3 = FailingDisk(rng), FailingS3(rng, faults)
    reads = here.Here("cam1", "intake", SimpleNamespace(version="none"), lambda name: [])
    sheet, clock, turns, done = 0, 1.7e9, 0, False

    def spell() -> None:
        """The world changes a little."""
        s3.gone = next((kind for kind in ("network", "credentials") if kind in kinds and rng.random() < 0.3), None)
        s3.losing = 0.3 if "answer" in kinds and rng.random() < 0.3 else 0.0
        disk.full = "disk" in kinds and rng.random() < 0.15
        if "power" in kinds and disk.cut_after is None and rng.random() < 0.4:
            disk.cut_after = rng.randrange(14)

    while not done:
        turns += 1
        assert turns < 2000, "it does not end"
        try:
            spool = Spool(folder, LIMIT, disk)
        except PowerCut:
            faults["power"] += 1
            continue
        try:
            outbox = Outbox(spool, lambda: lambda key, data: store_.Store(s3, "b").put_over(key, data, None))

            def waits(_: float, outbox: Outbox = outbox) -> None:
                faults["full"] += 1
                spell()
                outbox.send()

            last = next((parts[loop.PORTRAIT] for parts in spool.newest()), b"")
            while not done:
                spell()
                if sheet < SHEETS:
                    under = f"sheet {sheet} ".encode() * 60
                    if last != under:  # else it is known: it was kept before the power went, and is only taken away
                        if "clock" in kinds and rng.random() < 0.3:
                            faults["clock"] += 1
                            clock = rng.uniform(0, 4e9)
                        clock += 20
                        _, parts = reads.read(under, datetime.fromtimestamp(clock, UTC))
                        loop.keep(spool, parts | {loop.PORTRAIT: under}, Silent(), lambda _: None, waits)
                        last = under
                    sheet += 1
                if rng.random() < 0.6 or sheet == SHEETS:
                    done = outbox.send() and sheet == SHEETS
        except PowerCut:
            faults["power"] += 1
        finally:
            spool.close()
    return s3, faults


def results(s3: FakeS3) -> Counter[str]:
    """How often each sheet is in the bucket, by the digest in its name."""
    return Counter(key.rsplit("-", 2)[1] for key in s3.objects if key.startswith("results/"))


def main() -> None:
    """Many runs, each with one kind of fault, or all together; what was lost and what came twice."""
    logging.disable()
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    began = time.process_time()
    table: dict[str, Counter[str]] = {}
    for seed in range(runs):
        kinds = KINDS if seed % 2 else (KINDS[seed // 2 % len(KINDS)],)
        name = "all together" if seed % 2 else kinds[0]
        with tempfile.TemporaryDirectory() as folder:
            s3, faults = run(seed, Path(folder), kinds)
        found = results(s3)
        row = table.setdefault(name, Counter())
        row.update(runs=1, sheets=SHEETS, lost=SHEETS - len(found), doubled=sum(found.values()) - len(found))
        row.update(faults=sum(faults.values()))
    for name, row in table.items():
        print(f"{name:14}", "  ".join(f"{key} {row[key]:6}" for key in ("runs", "faults", "sheets", "lost", "doubled")))
    print(f"{time.process_time() - began:.0f} s of processor time")
    if any(row["lost"] or row["doubled"] for row in table.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
