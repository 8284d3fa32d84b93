"""Quotas are asked for once, nobody waits for AWS, and no deploy fails over it."""

import importlib
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

TRAIN, NOTE = "ml.g4dn.xlarge for training job usage", "ml.g4dn.xlarge for notebook instance usage"


class ServiceQuotas:
    """Quotas with what holds, what was asked and how many requests may be open; it answers page by page."""

    def __init__(self, applied: dict[str, float], default: dict[str, float] | None = None, most_open: int = 20) -> None:
        self.applied, self.default, self.most_open = applied, default or {}, most_open
        self.history: list[dict[str, Any]] = []
        self.refuse: Exception | None = None
        self.looked: list[str] = []

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **arguments: self._pages(operation, **arguments))

    def _pages(self, operation: str, ServiceCode: str, QuotaCode: str = "") -> Any:
        assert ServiceCode == "sagemaker"
        self.looked.append(operation)
        if self.refuse:
            raise self.refuse
        if operation == "list_requested_service_quota_change_history_by_quota":
            yield {"RequestedQuotas": [one for one in self.history if one["QuotaCode"] == QuotaCode]}
            return
        values = self.applied if operation == "list_service_quotas" else self.default
        for name, value in {"another": 9.0, **values}.items():
            yield {"Quotas": [{"QuotaName": name, "QuotaCode": code(name), "Value": value}]}

    def request_service_quota_increase(self, ServiceCode: str, QuotaCode: str, DesiredValue: float) -> None:
        waiting = [one for one in self.history if one["Status"] == "PENDING"]
        if any(one["QuotaCode"] == QuotaCode for one in waiting):
            raise error("ResourceAlreadyExistsException")
        if len(waiting) >= self.most_open:
            raise error("QuotaExceededException")
        self.history.append({"QuotaCode": QuotaCode, "DesiredValue": DesiredValue, "Status": "PENDING"})


def code(name: str) -> str:
    return f"L-{sum(map(ord, name)):X}"


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "operation")


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return importlib.import_module("quota")


def deploy(quota: Any, monkeypatch: pytest.MonkeyPatch, quotas: Any, *names: str, wanted: int = 1, **event: Any) -> str:
    """Send a request as CloudFormation does; returns what the stack's output says."""
    told: list[Any] = []
    monkeypatch.setattr(quota, "quotas", quotas)

    def urlopen(request: Any, timeout: int) -> io.BytesIO:
        told.append(json.loads(request.data))
        return io.BytesIO()

    monkeypatch.setattr("answer.urlopen", urlopen)
    base: dict[str, Any] = {"RequestType": "Create", "ResponseURL": "https://x/", "StackId": "s", "RequestId": "r"}
    base |= {"LogicalResourceId": "Raised", "ResourceProperties": {"Wanted": dict.fromkeys(names, str(wanted))}}
    quota.handler(base | event, SimpleNamespace())
    (answer,) = told
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"]
    said: str = answer["Data"]["Said"]
    return said


def test_what_is_too_low_is_requested_and_what_suffices_is_left_alone(
    quota: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = ServiceQuotas({TRAIN: 0.0, NOTE: 2.0})
    said = deploy(quota, monkeypatch, quotas, TRAIN, NOTE)
    assert said == f"{TRAIN}: requested, 1; {NOTE}: granted, 2"
    assert [(one["QuotaCode"], one["DesiredValue"]) for one in quotas.history] == [(code(TRAIN), 1.0)]


def test_a_second_deploy_asks_for_nothing_twice(quota: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas = ServiceQuotas({TRAIN: 0.0})
    deploy(quota, monkeypatch, quotas, TRAIN)
    for status in ("PENDING", "CASE_OPENED"):
        quotas.history[0]["Status"] = status
        assert deploy(quota, monkeypatch, quotas, TRAIN, RequestType="Update") == f"{TRAIN}: pending"
    assert len(quotas.history) == 1


def test_what_was_denied_is_asked_for_again_only_with_another_value(
    quota: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = ServiceQuotas({TRAIN: 0.0})
    quotas.history = [{"QuotaCode": code(TRAIN), "DesiredValue": 4.0, "Status": "DENIED"}]
    assert "denied" in deploy(quota, monkeypatch, quotas, TRAIN, wanted=4)
    assert "requested, 1" in deploy(quota, monkeypatch, quotas, TRAIN, wanted=1)


def test_a_quota_that_the_account_never_changed_is_found_among_the_defaults(
    quota: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = ServiceQuotas({}, default={TRAIN: 0.0})
    assert "requested" in deploy(quota, monkeypatch, quotas, TRAIN)
    assert "no quota of this name" in deploy(quota, monkeypatch, quotas, "ml.x9.huge for training job usage")


def test_an_account_that_takes_one_request_at_a_time_is_told_what_was_not_asked(
    quota: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = deploy(quota, monkeypatch, ServiceQuotas({TRAIN: 0.0, NOTE: 0.0}, most_open=1), TRAIN, NOTE)
    assert said == f"{TRAIN}: requested, 1; {NOTE}: not asked for: QuotaExceededException no"


@pytest.mark.parametrize("refused", [error("AccessDenied"), EndpointConnectionError(endpoint_url="x"), ValueError("x")])
def test_nothing_that_goes_wrong_fails_a_deploy(
    quota: Any, monkeypatch: pytest.MonkeyPatch, refused: Exception
) -> None:
    quotas = ServiceQuotas({TRAIN: 0.0})
    quotas.refuse = refused
    assert "not asked for" in deploy(quota, monkeypatch, quotas, TRAIN)


def test_properties_that_are_none_fail_no_deploy_either(quota: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not asked for" in deploy(quota, monkeypatch, ServiceQuotas({}), ResourceProperties={})


def test_destroying_asks_for_nothing_and_looks_at_nothing(quota: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas = ServiceQuotas({TRAIN: 0.0})
    assert deploy(quota, monkeypatch, quotas, TRAIN, RequestType="Delete", PhysicalResourceId="q") == "-"
    assert not quotas.looked
    assert not quotas.history


def test_an_answer_is_never_longer_than_cloudformation_takes(quota: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"ml.x{number}.{'large' * 20} for training job usage" for number in range(100)]
    assert len(deploy(quota, monkeypatch, ServiceQuotas({}), *names)) <= 3000


def test_nothing_hangs_longer_than_the_function_may_run(quota: Any) -> None:
    assert (quota.config.connect_timeout + quota.config.read_timeout) * 3 < 60
