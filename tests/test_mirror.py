import importlib
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeS3
from formlens.reader import SHIPPED
from formlens.released import POINTER, Pointer, Released, pointer_json
from formlens.types import CallError

current = importlib.import_module("current")
mirror_ = importlib.import_module("mirror")
store_ = importlib.import_module("store")


@pytest.fixture
def s3() -> FakeS3:
    made = FakeS3()
    made.put_object("b", "forms/intake/intake.form", b"intake 1")
    made.put_object("b", "forms/intake/report.json", b"{}")
    made.put_object("b", "forms/other/other.form", b"other")
    return made


def sync(s3: FakeS3, folder: Path, form: str = "any") -> Any:
    mirror = mirror_.Mirror(folder)
    mirror.sync(store_.Store(s3, "b"), form)
    return mirror


def release(s3: FakeS3, version: str, data: bytes) -> Released:
    key = f"models/{version}/reader.onnx"
    s3.put_object("b", key, data)
    return Released(version, key, sha256(data).hexdigest(), "arn", "2026-11-25", "2026-11-25")


def test_a_camera_has_the_forms_that_its_pages_may_be_and_follows_them(s3: FakeS3, tmp_path: Path) -> None:
    assert [key for key, _ in sync(s3, tmp_path / "one", "intake").etags("forms/")] == ["forms/intake/intake.form"]
    mirror = sync(s3, tmp_path / "any")
    assert mirror.get("forms/other/other.form").data == b"other"
    s3.put_object("b", "forms/intake/intake.form", b"intake 2")
    del s3.objects["forms/other/other.form"]
    assert mirror.sync(store_.Store(s3, "b"), "any")
    assert mirror.get("forms/intake/intake.form").data == b"intake 2"
    assert not (tmp_path / "any" / "forms" / "other" / "other.form").exists()
    assert mirror.etag("forms/intake/intake.form") == store_.Store(s3, "b").etag("forms/intake/intake.form")


def test_what_did_not_change_is_not_fetched_again(s3: FakeS3, tmp_path: Path) -> None:
    mirror = sync(s3, tmp_path)
    before = s3.calls["get"]
    assert not mirror.sync(store_.Store(s3, "b"), "any")
    assert s3.calls["get"] == before


def test_a_release_reaches_the_camera_and_goes_back_and_stays_without_a_network(s3: FakeS3, tmp_path: Path) -> None:
    data = SHIPPED.read_bytes()
    first = release(s3, "one", data)
    s3.put_object("b", POINTER, pointer_json(Pointer(first)))
    sync(s3, tmp_path)
    assert current.Current(mirror_.Mirror(tmp_path)).use().version == "one"
    s3.put_object("b", POINTER, pointer_json(Pointer(release(s3, "two", data), (first,))))
    sync(s3, tmp_path)
    again = mirror_.Mirror(tmp_path)  # another process, no network
    assert current.Current(again).use().version == "two"
    s3.put_object("b", POINTER, pointer_json(Pointer(first)))
    sync(s3, tmp_path)
    assert current.Current(mirror_.Mirror(tmp_path)).use().version == "one"
    assert not (tmp_path / "models" / "two").exists() or not list((tmp_path / "models" / "two").iterdir())


def test_a_release_that_is_not_whole_changes_nothing(s3: FakeS3, tmp_path: Path) -> None:
    first = release(s3, "one", SHIPPED.read_bytes())
    s3.put_object("b", POINTER, pointer_json(Pointer(first)))
    mirror = sync(s3, tmp_path)
    second = release(s3, "two", b"a reader")
    s3.put_object("b", second.reader, b"cut off")
    s3.put_object("b", POINTER, pointer_json(Pointer(second, (first,))))
    with pytest.raises(CallError, match="not the file that was released"):
        mirror.sync(store_.Store(s3, "b"), "any")
    assert current.Current(mirror).use().version == "one"
    s3.put_object("b", POINTER, b"{}")
    with pytest.raises(CallError, match="not what a release writes"):
        mirror.sync(store_.Store(s3, "b"), "any")
    assert json.loads((tmp_path / POINTER).read_text())["now"]["version"] == "one"
