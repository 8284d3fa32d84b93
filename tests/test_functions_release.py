"""A package is approved, twice, late, again, or rejected; it is damaged; an alarm goes off: where is the pointer?"""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from onnx import numpy_helper

import released
from fakes import FakeS3
from formlens.form import load_form, save_form
from formlens.reader import SHIPPED, Reader
from formlens.released import POINTER, Pointer, Released, pointer_json, read_pointer
from formlens.types import CallError
from model.package import write_package

current = importlib.import_module("current")
keys = importlib.import_module("keys")
learned = importlib.import_module("learned")
rollout = importlib.import_module("rollout")
store_ = importlib.import_module("store")

BUCKET = "deeplens-sagemaker-test"
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
FORM = "forms/intake/intake.form"


def store_of(s3: FakeS3) -> Any:
    return store_.Store(s3, BUCKET)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader of another version that reads otherwise: its matrices are turned around."""
    model = onnx.load(SHIPPED)
    for one in model.graph.initializer:
        if len(one.dims) == 2:
            one.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(one), one.name))
    for entry in model.metadata_props:
        if entry.key == "version":
            entry.value = "formlens-other"
    path = tmp_path_factory.mktemp("other") / "reader.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return released.make(tmp_path_factory.mktemp("labelled"))


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def package(
    s3: FakeS3, made: dict[str, Any], number: int, at: datetime, *, reader: Path = SHIPPED, **change: Any
) -> Any:
    """Put an archive below runs/, as the pipeline does; the registry's word on it comes back, approved."""
    key = f"runs/run{number}/package/model.tar.gz"
    path = Path(s3.scratch) / "model.tar.gz"  # type: ignore[attr-defined]
    made = {**made, **change}
    write_package(path, reader, {"intake": made["form"]}, made["golden"], {"run": number})
    s3.put_object(BUCKET, key, path.read_bytes())
    arn = f"arn:aws:sagemaker:eu-central-1:1:model-package/formlens-test/{number}"
    return rollout.Package(arn, number, "Approved", f"s3://{BUCKET}/{key}", at)


@pytest.fixture(autouse=True)
def scratch(s3: FakeS3, tmp_path: Path) -> None:
    s3.scratch = tmp_path  # type: ignore[attr-defined]


def decide(s3: FakeS3, package: Any, now: datetime = MONDAY) -> str:
    done: str = rollout.decide(package, store_of(s3), bucket=BUCKET, now=now)
    return done


def pointer(s3: FakeS3) -> Pointer:
    return read_pointer(s3.objects[POINTER]) if POINTER in s3.objects else Pointer()


def numbers(s3: FakeS3) -> list[int]:
    """The packages in use now and before, the latest first."""
    every = pointer(s3)
    return [int(one.package.rpartition("/")[2]) for one in (every.now, *every.before) if one]


def test_an_approved_package_is_copied_checked_and_pointed_at(s3: FakeS3, made: dict[str, Any]) -> None:
    assert decide(s3, package(s3, made, 3, MONDAY)) == "released"
    now = pointer(s3).now
    assert now is not None
    assert now.version.startswith(f"0003-{Reader(SHIPPED).version}-")
    assert s3.objects[now.reader] == SHIPPED.read_bytes()
    assert s3.objects[now.forms["intake"].key] == made["form"]
    assert numbers(s3) == [3]


def test_approving_twice_changes_nothing(s3: FakeS3, made: dict[str, Any]) -> None:
    approved = package(s3, made, 3, MONDAY)
    decide(s3, approved)
    before = dict(s3.objects)
    assert decide(s3, approved) == "in use"
    assert decide(s3, replace(approved, modified=MONDAY + timedelta(hours=1))) == "in use"
    assert s3.objects == before


def test_the_latest_approval_wins_in_whatever_order_the_events_come(s3: FakeS3, made: dict[str, Any]) -> None:
    older, newer = package(s3, made, 3, MONDAY), package(s3, made, 4, MONDAY + timedelta(hours=1))
    assert decide(s3, newer) == "released"
    assert decide(s3, older) == "approved before the one in use"
    assert numbers(s3) == [4]


def test_whoever_approves_an_older_one_gets_it(s3: FakeS3, made: dict[str, Any]) -> None:
    decide(s3, package(s3, made, 3, MONDAY))
    decide(s3, package(s3, made, 4, MONDAY + timedelta(hours=1)))
    assert decide(s3, package(s3, made, 3, MONDAY + timedelta(hours=2))) == "released"
    assert numbers(s3) == [3, 4]


def test_rejecting_the_one_in_use_brings_back_the_one_before(s3: FakeS3, made: dict[str, Any]) -> None:
    first, second = package(s3, made, 3, MONDAY), package(s3, made, 4, MONDAY + timedelta(hours=1))
    decide(s3, first)
    decide(s3, second)
    assert decide(s3, replace(first, status="Rejected")) == "not approved"
    assert decide(s3, replace(second, status="Rejected")) == "moved back"
    assert decide(s3, replace(second, status="Rejected")) == "not approved"
    assert numbers(s3) == [3]
    assert decide(s3, replace(first, status="Rejected")) == "moved back"
    assert pointer(s3).now is None  # the shipped reader


def test_a_package_that_waits_for_a_decision_is_left_alone(s3: FakeS3, made: dict[str, Any]) -> None:
    assert decide(s3, replace(package(s3, made, 3, MONDAY), status="PendingManualApproval")) == "not approved"
    assert POINTER not in s3.objects


def test_a_reader_that_reads_a_golden_page_otherwise_is_refused(s3: FakeS3, made: dict[str, Any], other: Path) -> None:
    decide(s3, package(s3, made, 3, MONDAY))
    with pytest.raises(rollout.Refused, match=r"golden page new\.png: \d+ cells are read otherwise"):
        decide(s3, package(s3, made, 4, MONDAY + timedelta(hours=1), reader=other))
    assert numbers(s3) == [3]


def test_a_copy_that_is_not_what_was_copied_is_refused(s3: FakeS3, made: dict[str, Any]) -> None:
    approved = package(s3, made, 3, MONDAY)
    put = s3.put_object

    def broken(Bucket: str, Key: str, Body: bytes, **options: Any) -> Any:
        return put(Bucket, Key, Body[:-1] if Key.endswith("reader.onnx") else Body, **options)

    s3.put_object = broken  # type: ignore[method-assign]
    with pytest.raises(rollout.Refused, match="is not the file that was released"):
        decide(s3, approved)
    assert POINTER not in s3.objects


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"golden": []}, "holds no golden page"),
        ({"form": b"no form"}, "intake.form"),
    ],
)
def test_a_package_that_cannot_be_checked_is_refused(
    s3: FakeS3, made: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(rollout.Refused, match=reason):
        decide(s3, package(s3, made, 3, MONDAY, **change))
    assert POINTER not in s3.objects


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x1f\x8b\x08\x00"])
def test_an_archive_that_is_none_is_refused(s3: FakeS3, made: dict[str, Any], data: bytes) -> None:
    approved = package(s3, made, 3, MONDAY)
    s3.put_object(BUCKET, approved.url.removeprefix(f"s3://{BUCKET}/"), data)
    with pytest.raises(rollout.Refused, match="cannot be unpacked"):
        decide(s3, approved)


@pytest.mark.parametrize("url", ["s3://other/runs/x/model.tar.gz", f"s3://{BUCKET}/inbox/model.tar.gz"])
def test_a_package_from_elsewhere_is_refused(s3: FakeS3, made: dict[str, Any], url: str) -> None:
    with pytest.raises(rollout.Refused, match="did not come out of the training pipeline"):
        decide(s3, replace(package(s3, made, 3, MONDAY), url=url))


def test_of_two_that_release_at_once_one_comes_again(s3: FakeS3, made: dict[str, Any]) -> None:
    approved = package(s3, made, 3, MONDAY)

    def meanwhile(key: str) -> None:
        if key == POINTER:
            s3.objects[POINTER], s3.times[POINTER] = pointer_json(Pointer()), s3.now

    s3.before_put = meanwhile
    with pytest.raises(rollout.Moved):
        decide(s3, approved)
    s3.before_put = lambda key: None
    assert decide(s3, approved) == "released"


def test_the_next_release_keeps_the_forms_of_the_one_before(s3: FakeS3, made: dict[str, Any], tmp_path: Path) -> None:
    decide(s3, package(s3, made, 3, MONDAY))
    path = tmp_path / "without-forms.tar.gz"
    write_package(path, SHIPPED, {}, [replace(made["golden"][0], page={**made["golden"][0].page, "cells": []})], {})
    approved = package(s3, made, 4, MONDAY + timedelta(hours=1))
    s3.put_object(BUCKET, approved.url.removeprefix(f"s3://{BUCKET}/"), path.read_bytes())
    assert decide(s3, approved) == "released"
    now = pointer(s3).now
    assert now is not None
    assert now.forms["intake"].key.startswith("models/0003-")


def test_readers_follow_the_pointer_and_load_each_release_once(s3: FakeS3, made: dict[str, Any], other: Path) -> None:
    follower = current.Current(store_of(s3))
    assert follower.use().version == ""
    decide(s3, package(s3, made, 3, MONDAY))
    use = follower.use()
    assert use.version == pointer(s3).now.version  # type: ignore[union-attr]
    gets = s3.calls["get"]
    assert follower.use() is use
    assert s3.calls["get"] == gets
    store_of(s3).put(POINTER, pointer_json(pointer(s3).back()))
    assert follower.use().reader.version == Reader(SHIPPED).version
    assert follower.use().version == ""


def test_a_released_file_that_was_changed_is_not_read_with(s3: FakeS3, made: dict[str, Any]) -> None:
    decide(s3, package(s3, made, 3, MONDAY))
    s3.objects[pointer(s3).now.reader] += b"\0"  # type: ignore[union-attr]
    with pytest.raises(current.Damaged, match="approve its model package again"):
        current.Current(store_of(s3)).use()


def test_a_released_form_takes_the_place_of_the_one_learned_before_it_and_not_after(
    s3: FakeS3, made: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "intake.form"
    path.write_bytes(made["form"])
    kept = replace(load_form(path), columns=load_form(path).columns[:2])
    save_form(kept, path)
    s3.put_object(BUCKET, FORM, path.read_bytes())
    decide(s3, package(s3, made, 3, MONDAY))
    forms, released = learned.Forms(store_of(s3)), pointer(s3).now.forms  # type: ignore[union-attr]
    for name in ("intake", "any"):
        (form,) = forms.of(name, released)
        assert (form.name, len(form.columns) > 2) == ("intake", True)
        assert len(forms.of(name)[0].columns) == 2
    assert forms.of("other", released) == []
    s3.put_object(BUCKET, FORM, path.read_bytes() + b"\0")  # learned anew
    assert len(forms.of("intake", released)[0].columns) == 2


def test_a_form_that_was_only_released_is_read_with(s3: FakeS3, made: dict[str, Any]) -> None:
    decide(s3, package(s3, made, 3, MONDAY))
    forms = learned.Forms(store_of(s3))
    assert [form.name for form in forms.of("any", pointer(s3).now.forms)] == ["intake"]  # type: ignore[union-attr]


def test_a_pointer_of_another_make_is_refused() -> None:
    for data in (b"", b"[]", b'{"now": null}', b'{"now": {"version": "x"}, "before": []}'):
        with pytest.raises(CallError, match=r"models/current\.json is not what a release writes"):
            read_pointer(data)


def test_the_pointer_remembers_a_few_releases_each_once() -> None:
    def release(number: int) -> Released:
        return Released(f"v{number}", "r", "s", f"p/{number}", "2026-11-23T09:00:00+00:00", "2026-11-23T09:00:00+00:00")

    moved = Pointer()
    for number in (1, 2, 1, 3, 4, 5, 6, 7, 8):
        moved = moved.to(release(number))
    assert [one.version for one in moved.before] == ["v7", "v6", "v5", "v4", "v3"]
    assert read_pointer(pointer_json(moved)) == moved
    assert moved.back().now == release(7)
    assert Pointer().back() == Pointer()


class Registry:
    """SageMaker's registry, as far as the function asks it."""

    def __init__(self) -> None:
        self.packages: dict[str, dict[str, Any]] = {}

    def add(self, package: Any) -> str:
        self.packages[package.arn] = {
            "ModelPackageArn": package.arn,
            "ModelPackageVersion": package.number,
            "ModelApprovalStatus": package.status,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": package.url}]},
            "CreationTime": package.modified,
            "LastModifiedTime": package.modified,
        }
        arn: str = package.arn
        return arn

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return self.packages[ModelPackageName]

    def update_model_package(self, ModelPackageArn: str, **change: str) -> None:
        self.packages[ModelPackageArn] |= change


@pytest.fixture
def release(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("BUCKET", BUCKET)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "release")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    module = importlib.import_module("release")
    monkeypatch.setattr(module, "store", store_of(s3))
    monkeypatch.setattr(module, "sagemaker", Registry())
    module.logger.registered_handler.setStream(io.StringIO())
    yield module
    sys.modules.pop("release")


def approval(arn: str, **more: Any) -> dict[str, Any]:
    return {"source": "aws.sagemaker", "detail": {"ModelPackageArn": arn, **more}}


ALARM = {
    "source": "aws.cloudwatch",
    "detail": {"alarmName": "FormLens-test-Watch-PagesFailing", "state": {"value": "ALARM", "reason": "too many"}},
}
CONTEXT = SimpleNamespace(
    function_name="release", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r"
)


def test_the_registry_is_asked_and_not_the_event(release: Any, s3: FakeS3, made: dict[str, Any]) -> None:
    arn = release.sagemaker.add(replace(package(s3, made, 3, MONDAY), status="Rejected"))
    assert release.handler(approval(arn, ModelApprovalStatus="Approved"), CONTEXT) == "not approved"
    release.sagemaker.packages[arn]["ModelApprovalStatus"] = "Approved"
    assert release.handler(approval(arn, UpdatedModelPackageFields=["ModelApprovalStatus"]), CONTEXT) == "released"


def test_a_change_of_anything_but_the_approval_releases_nothing(release: Any, s3: FakeS3, made: dict[str, Any]) -> None:
    arn = release.sagemaker.add(package(s3, made, 3, MONDAY))
    done = release.handler(approval(arn, UpdatedModelPackageFields=["CustomerMetadataProperties"]), CONTEXT)
    assert done == "another field was changed"
    assert POINTER not in s3.objects


def test_what_is_refused_is_rejected_with_its_reason(release: Any, s3: FakeS3, made: dict[str, Any]) -> None:
    arn = release.sagemaker.add(package(s3, made, 3, MONDAY, golden=[]))
    assert release.handler(approval(arn), CONTEXT).startswith("refused: ")
    assert release.sagemaker.packages[arn]["ModelApprovalStatus"] == "Rejected"
    assert "golden page" in release.sagemaker.packages[arn]["ApprovalDescription"]


def test_an_alarm_soon_after_a_release_takes_it_back(release: Any, s3: FakeS3, made: dict[str, Any]) -> None:
    arns = [release.sagemaker.add(package(s3, made, n, MONDAY + timedelta(hours=n))) for n in (3, 4)]
    for arn in arns:
        assert release.handler(approval(arn), CONTEXT) == "released"
    assert release.handler(ALARM, CONTEXT).startswith("moved back from 0004-")
    assert numbers(s3) == [3]
    assert release.sagemaker.packages[arns[1]]["ModelApprovalStatus"] == "Rejected"
    assert release.sagemaker.packages[arns[1]]["ApprovalDescription"] == (
        "alarm FormLens-test-Watch-PagesFailing: too many"
    )
    # the rejection's own event, and the approval's once more
    assert release.handler(approval(arns[1]), CONTEXT) == "not approved"
    assert numbers(s3) == [3]


def test_an_alarm_long_after_a_release_is_not_its_fault(release: Any, s3: FakeS3, made: dict[str, Any]) -> None:
    decide(s3, package(s3, made, 3, MONDAY), now=datetime.now(UTC) - timedelta(hours=73))
    assert release.handler(ALARM, CONTEXT) == "nothing was released lately"
    assert numbers(s3) == [3]


def test_a_function_that_dies_while_taking_back_is_made_good_by_the_rejections_event(
    release: Any, s3: FakeS3, made: dict[str, Any]
) -> None:
    arn = release.sagemaker.add(package(s3, made, 3, MONDAY))
    release.handler(approval(arn), CONTEXT)

    def dies(key: str) -> None:
        if key == POINTER:
            raise KeyboardInterrupt

    s3.before_put = dies
    with pytest.raises(KeyboardInterrupt):
        release.handler(ALARM, CONTEXT)
    s3.before_put = lambda key: None
    assert release.handler(approval(arn), CONTEXT) == "moved back"
    assert json.loads(s3.objects[POINTER])["now"] is None
