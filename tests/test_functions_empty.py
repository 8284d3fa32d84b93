import importlib
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError


class Bucket:
    """Versions and delete markers, and whether the bucket may be emptied."""

    def __init__(self, versions: int, *, tagged: bool = True, there: bool = True) -> None:
        self.left = [{"Key": f"k{i}", "VersionId": f"v{i}"} for i in range(versions)]
        self.tagged, self.there = tagged, there

    def get_bucket_tagging(self, Bucket: str) -> dict[str, Any]:
        if not self.there or not self.tagged:
            code = "NoSuchTagSet" if self.there else "NoSuchBucket"
            raise ClientError({"Error": {"Code": code}}, "GetBucketTagging")
        return {"TagSet": [{"Key": "formlens:empty-on-removal", "Value": "yes"}]}

    def list_object_versions(self, Bucket: str, MaxKeys: int) -> dict[str, Any]:
        half = self.left[:MaxKeys]
        return {"Versions": half[::2], "DeleteMarkers": half[1::2]}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        self.left = [item for item in self.left if item not in Delete["Objects"]]
        return {}


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return importlib.import_module("empty")


def request(empty: Any, monkeypatch: pytest.MonkeyPatch, kind: str, bucket: Bucket, left_ms: int = 900_000) -> Any:
    """Send a request as CloudFormation does; returns what it is told."""
    told: list[Any] = []
    monkeypatch.setattr(empty, "s3", bucket)

    def urlopen(request: Any, timeout: int) -> io.BytesIO:
        told.append(request.data)
        return io.BytesIO()

    monkeypatch.setattr("answer.urlopen", urlopen)
    event: dict[str, Any] = {"RequestType": kind, "ResponseURL": "https://x/", "StackId": "s", "RequestId": "r"}
    event |= {"LogicalResourceId": "Emptied", "ResourceProperties": {"Bucket": "new"}}
    if kind != "Create":
        event["PhysicalResourceId"] = "old"
    empty.handler(event, SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms))
    (answer,) = told
    return json.loads(answer)


def test_everything_goes_with_the_stack(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket(2500)
    assert request(empty, monkeypatch, "Delete", bucket)["Status"] == "SUCCESS"
    assert bucket.left == []


@pytest.mark.parametrize("bucket", [Bucket(3, tagged=False), Bucket(3, there=False)])
def test_a_bucket_that_is_gone_or_to_be_kept_is_left_alone(
    empty: Any, monkeypatch: pytest.MonkeyPatch, bucket: Bucket
) -> None:
    assert request(empty, monkeypatch, "Delete", bucket)["Status"] == "SUCCESS"
    assert len(bucket.left) == 3


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_goes_while_the_stack_stays(empty: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    bucket = Bucket(3)
    answer = request(empty, monkeypatch, kind, bucket)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "new")
    assert len(bucket.left) == 3


def test_what_takes_too_long_fails_in_time_and_says_what_to_do(empty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = request(empty, monkeypatch, "Delete", Bucket(3), left_ms=1000)
    assert answer["Status"] == "FAILED"
    assert "destroy the stack again" in answer["Reason"]
