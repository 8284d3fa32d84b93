import importlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from formlens.released import Pointer, Released, pointer_json
from formlens.spool import Spool

mirror_ = importlib.import_module("mirror")
report = importlib.import_module("report")

RESULT = "results/intake/2026/11/25/140312-cam1-abcd-0001.json"
MOMENT = "2026-11-25T12:00:00+00:00"


def page(status: str = "read") -> dict[str, bytes]:
    found = {"source": "cam1-abcd.jpg", "page": 1, "form": "intake", "status": status, "cells": []}
    return {RESULT: json.dumps({"pages": [found], "reader": "r"}).encode(), "portrait.png": b""}


@pytest.fixture
def camera(tmp_path: Path) -> Any:
    return Spool(tmp_path / "spool", 10**6), mirror_.Mirror(tmp_path / "bucket")


def state(camera: Any) -> dict[str, Any]:
    found: dict[str, Any] = report.state_of(*camera, form="intake", function="3.0.0")
    return found


def test_a_camera_says_what_it_runs_what_waits_and_which_page_was_last(camera: Any) -> None:
    spool, mirror = camera
    assert state(camera) == {"form": "intake", "function": "3.0.0", "reader": "shipped", "waiting": 0, "last": None}
    number = spool.keep(page())
    mirror.put("models/current.json", pointer_json(Pointer(Released("v7", "k", "s", "p", MOMENT, MOMENT))))
    found = state(camera)
    assert (found["waiting"], found["reader"]) == (1, "v7")
    at = "2026-11-25 14:03:12"
    assert found["last"] == {"source": "cam1-abcd.jpg", "form": "intake", "status": "read", "at": at}
    spool.confirm(number)
    assert state(camera)["waiting"] == 0
    assert state(camera)["last"]["at"] == at  # that it was sent makes it no less the last


def test_a_pointer_that_cannot_be_read_is_no_reason_to_say_nothing(camera: Any) -> None:
    camera[1].put("models/current.json", b"{")
    assert state(camera)["reader"].startswith("unknown")


def test_it_reports_when_there_is_something_to_say_and_no_failure_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    due, stop, said, wanted = threading.Event(), threading.Event(), list[tuple[str, Any]](), threading.Semaphore(0)

    def put(key: str, data: bytes) -> None:
        said.append((key, json.loads(data)))
        wanted.release()
        if len(said) == 1:
            raise OSError("no network")

    follow = (lambda: put, "cam1", lambda: {"waiting": 0, "n": len(said)}, due, stop)
    thread = threading.Thread(target=report.follow, args=follow)
    thread.start()
    assert wanted.acquire(timeout=5)
    due.set()
    assert wanted.acquire(timeout=5)
    stop.set()
    due.set()
    thread.join(5)
    assert said[:2] == [("cameras/cam1.json", {"waiting": 0, "n": 0}), ("cameras/cam1.json", {"waiting": 0, "n": 1})]


def test_a_service_of_its_own_goes_by_what_its_files_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = report.digest_of(tmp_path)
    assert before == report.digest_of(tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert report.digest_of(tmp_path) != before
