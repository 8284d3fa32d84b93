import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import faults
from formlens.disk import Disk
from formlens.outbox import LONGEST, Outbox
from formlens.spool import Spool, SpoolFullError
from formlens.types import CallError

ROOT = Path(__file__).parents[1]


def page(number: int, size: int = 1000) -> dict[str, bytes]:
    return {f"results/{number}.json": bytes([number]) * size, "portrait.png": b"local"}


@pytest.mark.parametrize("seed", range(50))
def test_whatever_fails_each_sheet_is_in_the_bucket_once(seed: int, tmp_path: Path) -> None:
    kinds = faults.KINDS if seed % 2 else (faults.KINDS[seed // 2 % len(faults.KINDS)],)
    bucket, _ = faults.run(seed, tmp_path, kinds)
    assert list(faults.results(bucket).values()) == [1] * faults.SHEETS


def test_the_faults_find_a_spool_that_does_not_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults.FailingDisk, "sync", lambda self, folder: self._cut())
    lost = 0
    for seed in range(30):
        bucket, _ = faults.run(seed, tmp_path / str(seed), ("power", "network"))
        lost += faults.SHEETS - len(faults.results(bucket))
    assert lost > 0


def test_the_faults_find_a_camera_that_forgets_what_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "newest", lambda self, count=1: iter(()))
    doubled = 0
    for seed in range(30):
        bucket, _ = faults.run(seed, tmp_path / str(seed), ("power", "clock"))
        doubled += sum(faults.results(bucket).values()) - faults.SHEETS
    assert doubled > 0


@pytest.mark.parametrize("seed", range(2))
def test_a_process_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(seed: int, tmp_path: Path) -> None:
    rng, bucket = random.Random(seed), tmp_path / "bucket"  # noqa: S311
    bucket.mkdir()
    command = [sys.executable, str(ROOT / "tests" / "kept_by_camera.py"), str(tmp_path / "spool"), str(bucket)]
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "lambda")))
    killed = 0
    for life in range(50):
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})
        if life < 4:  # as soon as it works, at any moment
            known = len(list(bucket.iterdir()))
            while process.poll() is None and len(list(bucket.iterdir())) < known + rng.randint(1, 25):
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        killed += process.wait(60) == -signal.SIGKILL
        if process.returncode == 0:
            break
    assert killed
    found = Counter(path.name.rsplit("-", 2)[1] for path in bucket.glob("results|*"))
    assert len(found) == 40
    assert set(found.values()) == {1}


def test_the_oldest_that_was_sent_makes_room_and_what_waits_never_does(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 5000)
    numbers = [spool.keep(page(number)) for number in range(4)]
    spool.confirm(numbers[1])
    spool.confirm(numbers[2])
    spool.keep(page(4))
    assert sorted(path.name for path in tmp_path.glob("0*")) == [
        "000000000001.waiting",
        "000000000003.sent",
        "000000000004.waiting",
        "000000000005.waiting",
    ]


def test_a_full_spool_says_so_keeps_all_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 3000)
    first, second = spool.keep(page(0)), spool.keep(page(1))
    with pytest.raises(SpoolFullError, match=r"2 pages wait for the bucket.*connect the network"):
        spool.keep(page(2))
    assert spool.waiting() == [first, second]
    spool.confirm(first)
    assert spool.keep(page(2)) == 3


def test_a_disk_without_room_gives_up_what_was_sent_first(tmp_path: Path) -> None:
    class Small(Disk):
        def write(self, path: Path, data: bytes) -> None:
            if sum(file.stat().st_size for file in tmp_path.glob("0*")) + len(data) > 3000:
                path.write_bytes(data[:10])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(path, data)

    spool = Spool(tmp_path, 10**9, Small())
    spool.confirm(spool.keep(page(0)))
    spool.keep(page(1))
    spool.keep(page(2))
    assert spool.waiting() == [2, 3]
    with pytest.raises(SpoolFullError, match="is full: make room"):
        spool.keep(page(3))
    assert not list(tmp_path.glob("*.unfinished"))


def test_an_entry_that_the_disk_damaged_is_set_aside_and_those_behind_it_are_sent(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path, 10**6), dict[str, bytes]()
    for number in range(3):
        spool.keep(page(number))
    path = tmp_path / "000000000002.waiting"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert Outbox(spool, lambda: sent.__setitem__).send()
    assert list(sent) == ["results/0.json", "results/2.json"]
    assert (tmp_path / "000000000002.damaged").read_bytes() == data


def test_what_stays_on_the_camera_is_not_sent_and_the_newest_comes_first(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path, 10**6), dict[str, bytes]()
    for number in range(3):
        spool.keep(page(number))
    assert Outbox(spool, lambda: sent.__setitem__).send()
    assert set(sent) == {f"results/{number}.json" for number in range(3)}
    spool.close()
    again = Spool(tmp_path, 10**6)
    assert list(again.newest(2)) == [page(2), page(1)]
    assert again.keep(page(3)) == 4


def test_one_process_at_a_time_has_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6)
    with pytest.raises(CallError, match="another camera process"):
        Spool(tmp_path, 10**6)
    spool.close()
    Spool(tmp_path, 10**6).close()


def test_an_entry_that_the_bucket_refuses_does_not_hold_up_the_others(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path, 10**6), list[str]()

    def put(key: str, data: bytes) -> None:
        if key == "results/0.json":
            raise ValueError("refused")
        sent.append(key)

    for number in range(3):
        spool.keep(page(number))
    assert not Outbox(spool, lambda: put).send()
    assert (sent, spool.waiting()) == (["results/1.json", "results/2.json"], [1])


def test_pauses_grow_to_minutes_and_a_new_connection_is_made_each_time(tmp_path: Path) -> None:
    connections = []

    def refused(key: str, data: bytes) -> None:
        raise OSError("no route")

    spool = Spool(tmp_path, 10**6)
    spool.keep(page(0))
    outbox = Outbox(spool, lambda: connections.append(1) or refused)  # type: ignore[func-returns-value]
    pauses = []
    for _ in range(12):
        outbox.send()
        pauses.append(outbox.pause())
    assert pauses[0] <= 2 < 100 < pauses[-1] <= LONGEST
    assert len(connections) == 12


def test_what_is_kept_while_the_outbox_runs_is_sent_and_it_stops_when_told(tmp_path: Path) -> None:
    spool, sent = Spool(tmp_path, 10**6), dict[str, bytes]()
    work, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=Outbox(spool, lambda: sent.__setitem__).run, args=(work, stop))
    thread.start()
    for number in range(5):
        spool.keep(page(number))
        work.set()
    for _ in range(500):
        if len(sent) == 5:
            break
        time.sleep(0.01)
    stop.set()
    work.set()
    thread.join(5)
    assert len(sent) == 5
    assert not thread.is_alive()
