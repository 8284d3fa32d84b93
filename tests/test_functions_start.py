"""Corrections come one by one, twice, at once: one training is started for so many of them."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fakes import FakeS3

store_ = importlib.import_module("store")
CONTEXT = SimpleNamespace(function_name="start", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r")


class SageMaker:
    """Starts an execution for each token, once."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.down = False

    def start_pipeline_execution(self, **request: Any) -> dict[str, str]:
        if self.down:
            raise ConnectionError
        self.started.setdefault(request["ClientRequestToken"], request)
        return {"PipelineExecutionArn": f"execution/{list(self.started).index(request['ClientRequestToken'])}"}


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def start(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    environment = {
        "BUCKET": "deeplens-sagemaker-test",
        "PIPELINE": "formlens-test",
        "NEW_LABELS": "3",
        "POWERTOOLS_SERVICE_NAME": "start",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("start")
    monkeypatch.setattr(module, "store", store_.Store(s3, "b"))
    monkeypatch.setattr(module, "sagemaker", SageMaker())
    module.logger.registered_handler.setStream(io.StringIO())
    yield module
    sys.modules.pop("start")


def correct(start: Any, s3: FakeS3, name: str, data: bytes = b"a\n1\n", form: str = "intake") -> str:
    """Put a correction, scan and CSV, and tell the function."""
    s3.put_object("b", f"labels/{form}/{name}.jpg", b"scan")
    key = f"labels/{form}/{name}.csv"
    s3.put_object("b", key, data)
    done: str = start.handler({"detail": {"object": {"key": key}}}, CONTEXT)
    return done


def test_a_training_starts_when_enough_corrections_of_a_form_have_come(start: Any, s3: FakeS3) -> None:
    assert correct(start, s3, "1") == "1 of 3 new corrections"
    assert correct(start, s3, "1", form="other") == "1 of 3 new corrections"
    assert correct(start, s3, "2") == "2 of 3 new corrections"
    assert correct(start, s3, "3") == "started execution/0"
    (request,) = start.sagemaker.started.values()
    assert request["PipelineName"] == "formlens-test"
    assert request["PipelineParameters"] == [{"Name": "Form", "Value": "intake"}]


def test_the_count_begins_anew_and_a_correction_of_a_correction_counts(start: Any, s3: FakeS3) -> None:
    for name in "123":
        correct(start, s3, name)
    assert correct(start, s3, "3") == "0 of 3 new corrections"
    assert correct(start, s3, "3", b"a\n2\n") == "1 of 3 new corrections"
    correct(start, s3, "4")
    assert correct(start, s3, "5") == "started execution/1"


def test_of_two_events_at_once_one_starts(start: Any, s3: FakeS3) -> None:
    correct(start, s3, "1")
    correct(start, s3, "2")
    meanwhile = iter([True])

    def other(key: str) -> None:
        if key.startswith("runs/started/") and next(meanwhile, False):
            start.start("intake")

    s3.before_put = other
    assert correct(start, s3, "3") == "another run starts it"
    assert len(start.sagemaker.started) == 1


def test_a_function_that_dies_before_it_has_started_is_made_good(start: Any, s3: FakeS3) -> None:
    correct(start, s3, "1")
    correct(start, s3, "2")
    start.sagemaker.down = True
    with pytest.raises(ConnectionError):
        correct(start, s3, "3")
    start.sagemaker.down = False
    assert start.start("intake") == "started execution/0"
    assert start.start("intake") == "0 of 3 new corrections"
    assert json.loads(s3.objects["runs/started/intake.json"])["execution"] == "execution/0"


def test_a_key_that_names_no_form_starts_nothing(start: Any) -> None:
    assert start.handler({"detail": {"object": {"key": "labels//x.csv"}}}, CONTEXT) == "no form"
