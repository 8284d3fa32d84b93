import importlib
import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

HOUR_MS = 3_600_000


class SageMaker:
    """A domain and a notebook that take two looks to close each thing, and refuse what is out of order."""

    def __init__(self, apps: int = 0, spaces: int = 0, notebook: str | None = None) -> None:
        self.apps: list[dict[str, Any]] = [
            {"AppName": f"a{i}", "AppType": "JupyterLab", "Status": "InService", "SpaceName": f"s{i}"}
            for i in range(apps)
        ]
        self.spaces: list[dict[str, Any]] = [{"SpaceName": f"s{i}", "Status": "InService"} for i in range(spaces)]
        self.notebook, self.there, self.asked = notebook, True, [""]
        self.busy = 0

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda DomainIdEquals: [getattr(self, operation)()])

    def list_apps(self) -> dict[str, Any]:
        if not self.there:
            raise error("ResourceNotFound")
        return {"Apps": self._look(self.apps, "Deleted")}

    def list_spaces(self) -> dict[str, Any]:
        self.spaces = [space for space in self.spaces if space["Status"] != "gone"]
        return {"Spaces": self._look(self.spaces, "gone")}

    def delete_app(self, DomainId: str, AppType: str, AppName: str, SpaceName: str) -> None:
        self._ask(f"app {AppName}", next(app for app in self.apps if app["AppName"] == AppName))

    def delete_space(self, DomainId: str, SpaceName: str) -> None:
        assert all(app["Status"] == "Deleted" for app in self.apps)
        self._ask(f"space {SpaceName}", next(space for space in self.spaces if space["SpaceName"] == SpaceName))

    def describe_notebook_instance(self, NotebookInstanceName: str) -> dict[str, Any]:
        if self.notebook is None:
            raise error("ValidationException", "RecordNotFound")
        now = self.notebook
        self.notebook = {"Stopping": "Stopped", "Pending": "InService"}.get(now, now)
        return {"NotebookInstanceStatus": now}

    def stop_notebook_instance(self, NotebookInstanceName: str) -> None:
        self.asked.append("stop")
        self.notebook = "Stopping"

    def _ask(self, what: str, thing: dict[str, Any]) -> None:
        if self.busy:
            self.busy -= 1
            raise error("ResourceInUse")
        self.asked.append(what)
        thing["Status"] = "Deleting"

    @staticmethod
    def _look(things: list[dict[str, Any]], end: str) -> list[dict[str, Any]]:
        seen = [dict(thing) for thing in things]
        for thing in things:
            if thing["Status"] == "Deleting":
                thing["Status"] = end
        return seen


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "operation")


class Logs:
    """What apps of a domain, and of another, have logged."""

    def __init__(self) -> None:
        self.streams = ["d-old/somebody/JupyterLab/default", "d-else/somebody/JupyterLab/default"]

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, logGroupName: str, logStreamNamePrefix: str = "") -> Any:
        if logGroupName != "/aws/sagemaker/studio":
            raise error("ResourceNotFoundException")
        yield {"logStreams": [{"logStreamName": s} for s in self.streams if s.startswith(logStreamNamePrefix)]}

    def delete_log_stream(self, logGroupName: str, logStreamName: str) -> None:
        self.streams.remove(logStreamName)


class Functions:
    def __init__(self) -> None:
        self.handed_on: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, InvocationType: str, Payload: str) -> None:
        assert (FunctionName, InvocationType) == ("me", "Event")
        self.handed_on.append(json.loads(Payload))


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    close = importlib.import_module("close")
    monkeypatch.setattr(close, "functions", Functions())
    monkeypatch.setattr(close, "logs", Logs())
    monkeypatch.setattr(close.time, "sleep", lambda seconds: None)
    return close


def request(
    close: Any, monkeypatch: pytest.MonkeyPatch, sagemaker: SageMaker, *, left_ms: int = HOUR_MS, **event: Any
) -> Any:
    """Send a request as CloudFormation does; returns what it is told, None if it is not told anything yet."""
    told: list[Any] = []
    monkeypatch.setattr(close, "sagemaker", sagemaker)

    def urlopen(request: Any, timeout: int) -> io.BytesIO:
        told.append(request.data)
        return io.BytesIO()

    monkeypatch.setattr("answer.urlopen", urlopen)
    base: dict[str, Any] = {"RequestType": "Delete", "ResponseURL": "https://x/", "StackId": "s", "RequestId": "r"}
    base |= {"LogicalResourceId": "Closed", "ResourceProperties": {"Domain": "d-new"}}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms, invoked_function_arn="me")
    close.handler(base | {"PhysicalResourceId": "domain/d-old"} | event, context)
    return json.loads(told[0]) if told else None


def test_apps_go_first_then_spaces_and_only_then_is_the_domain_closed(
    close: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = SageMaker(apps=2, spaces=3)
    answer = request(close, monkeypatch, sagemaker)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "domain/d-old")
    assert sagemaker.asked[1:] == ["app a0", "app a1", "space s0", "space s1", "space s2"]
    assert sagemaker.spaces == []
    assert close.logs.streams == ["d-else/somebody/JupyterLab/default"]  # and what it logged, and nothing else


def test_a_running_notebook_is_stopped_and_one_that_starts_is_waited_for(
    close: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = SageMaker(notebook="Pending")
    answer = request(close, monkeypatch, sagemaker, PhysicalResourceId="notebook/formlens-dev")
    assert answer["Status"] == "SUCCESS"
    assert (sagemaker.notebook, sagemaker.asked[1:]) == ("Stopped", ["stop"])


@pytest.mark.parametrize("id", ["domain/d-old", "notebook/formlens-dev", "FormLens-dev-Studio-1234"])
def test_what_is_gone_already_or_never_came_to_be_is_a_success(
    close: Any, monkeypatch: pytest.MonkeyPatch, id: str
) -> None:
    sagemaker = SageMaker()
    sagemaker.there = False
    assert request(close, monkeypatch, sagemaker, PhysicalResourceId=id)["Status"] == "SUCCESS"


def test_what_is_refused_for_the_moment_is_asked_for_again(close: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = SageMaker(apps=1)
    sagemaker.busy = 3
    assert request(close, monkeypatch, sagemaker)["Status"] == "SUCCESS"
    assert sagemaker.asked[1:] == ["app a0"]


def test_a_function_without_time_hands_the_request_on_and_says_nothing(
    close: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = SageMaker(apps=1)
    assert request(close, monkeypatch, sagemaker, left_ms=1000) is None
    (event,) = close.functions.handed_on
    assert event["Until"] > 0
    answer = request(close, monkeypatch, sagemaker, **event)
    assert answer["Status"] == "SUCCESS"


def test_what_does_not_close_in_time_is_named(close: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = SageMaker(apps=1)
    sagemaker.busy = 10
    answer = request(close, monkeypatch, sagemaker, Until=1.0)
    assert answer["Status"] == "FAILED"
    assert "app a0" in answer["Reason"]
    assert "destroy the stack again" in answer["Reason"]
    assert close.functions.handed_on == []


def test_a_missing_permission_fails_at_once(close: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = SageMaker(apps=1)

    def refuse(**arguments: Any) -> None:
        raise error("AccessDeniedException")

    monkeypatch.setattr(sagemaker, "delete_app", refuse)
    assert "AccessDenied" in request(close, monkeypatch, sagemaker)["Reason"]


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize(
    ("properties", "id"),
    [
        ({"Domain": "d-1"}, "domain/d-1"),
        ({"Notebook": "n"}, "notebook/n"),
        ({"Pipeline": "p"}, "pipeline/p"),
        ({"Registry": "g"}, "registry/g"),
    ],
)
def test_nothing_is_closed_while_the_stack_stays(
    close: Any, monkeypatch: pytest.MonkeyPatch, kind: str, properties: Any, id: str
) -> None:
    sagemaker = SageMaker(apps=1, spaces=1, notebook="InService")
    answer = request(close, monkeypatch, sagemaker, RequestType=kind, ResourceProperties=properties)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", id)
    assert sagemaker.asked[1:] == []


class Pipelines:
    """Executions and packages that take a look to end; each list comes on two pages."""

    def __init__(self, executions: int, packages: int) -> None:
        self.executions = {f"arn:aws:sagemaker:::pipeline/p/execution/e{i}": "Executing" for i in range(executions)}
        self.executions["arn:aws:sagemaker:::pipeline/p/execution/old"] = "Succeeded"
        self.packages = {f"arn:aws:sagemaker:::model-package/g/{i}": "Completed" for i in range(packages)}
        self.stopped: list[str] = []

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, operation))

    def list_pipeline_executions(self, PipelineName: str) -> Any:
        seen = dict(self.executions)
        self.executions = {arn: {"Stopping": "Stopped"}.get(now, now) for arn, now in self.executions.items()}
        every = [{"PipelineExecutionArn": arn, "PipelineExecutionStatus": now} for arn, now in seen.items()]
        return [{"PipelineExecutionSummaries": every[:1]}, {"PipelineExecutionSummaries": every[1:]}]

    def stop_pipeline_execution(self, PipelineExecutionArn: str) -> None:
        self.stopped.append(PipelineExecutionArn)
        self.executions[PipelineExecutionArn] = "Stopping"

    def list_model_packages(self, ModelPackageGroupName: str) -> Any:
        if ModelPackageGroupName != "g":
            raise error("ValidationException", "ModelPackageGroup arn:… does not exist.")
        seen = dict(self.packages)
        self.packages = {arn: now for arn, now in self.packages.items() if now != "Deleting"}
        every = [{"ModelPackageArn": arn, "ModelPackageStatus": now} for arn, now in seen.items()]
        return [{"ModelPackageSummaryList": every[:1]}, {"ModelPackageSummaryList": every[1:]}]

    def delete_model_package(self, ModelPackageName: str) -> None:
        assert self.packages[ModelPackageName] == "Completed"
        self.packages[ModelPackageName] = "Deleting"


def test_running_executions_are_stopped_and_others_left_alone(close: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker: Any = Pipelines(3, 0)
    answer = request(close, monkeypatch, sagemaker, PhysicalResourceId="pipeline/p")
    assert answer["Status"] == "SUCCESS"
    assert [arn.rpartition("/")[2] for arn in sagemaker.stopped] == ["e0", "e1", "e2"]
    assert set(sagemaker.executions.values()) == {"Stopped", "Succeeded"}


@pytest.mark.parametrize("group", ["g", "gone"])
def test_a_registry_is_emptied_and_one_that_is_gone_is_no_error(
    close: Any, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    sagemaker: Any = Pipelines(0, 3)
    answer = request(close, monkeypatch, sagemaker, PhysicalResourceId=f"registry/{group}")
    assert answer["Status"] == "SUCCESS"
    assert len(sagemaker.packages) == (0 if group == "g" else 3)
