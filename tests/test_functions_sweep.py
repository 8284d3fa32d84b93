"""What SageMaker logged for us goes with what logged it; what it logged for others stays."""

import importlib
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

STUDIO, NOTEBOOKS, TRAINING, PROCESSING = (
    f"/aws/sagemaker/{name}" for name in ("studio", "NotebookInstances", "TrainingJobs", "ProcessingJobs")
)


class Logs:
    """Log groups with their streams, listed three at a time; deleting what is not there is an error, as at AWS."""

    def __init__(self, **groups: list[str]) -> None:
        self.groups: dict[str, list[str]] = dict(groups)

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_log_streams"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, logGroupName: str, logStreamNamePrefix: str = "") -> Any:
        there = self._of(logGroupName)
        found = [stream for stream in there if stream.startswith(logStreamNamePrefix)]
        for at in range(0, max(len(found), 1), 3):
            yield {"logStreams": [{"logStreamName": stream} for stream in found[at : at + 3]]}

    def delete_log_stream(self, logGroupName: str, logStreamName: str) -> None:
        if logStreamName not in self._of(logGroupName):
            raise error("ResourceNotFoundException")
        self.groups[logGroupName].remove(logStreamName)

    def delete_log_group(self, logGroupName: str) -> None:
        assert not self._of(logGroupName)
        del self.groups[logGroupName]

    def _of(self, group: str) -> list[str]:
        if group not in self.groups:
            raise error("ResourceNotFoundException")
        return self.groups[group]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "operation")


@pytest.fixture
def sweep() -> Any:
    return importlib.import_module("sweep")


@pytest.mark.parametrize(
    ("id", "group", "ours"),
    [
        ("domain/d-1", STUDIO, "d-1/somebody/JupyterLab/default"),
        ("notebook/formlens-dev", NOTEBOOKS, "formlens-dev/jupyter.log"),
        ("pipeline/formlens-dev", TRAINING, "formlens-dev-Train-x/algo-1"),
        ("pipeline/formlens-dev", PROCESSING, "formlens-dev-Prepare-x/algo-1"),
    ],
)
def test_our_streams_go_and_those_of_others_stay(sweep: Any, id: str, group: str, ours: str) -> None:
    theirs = ["d-10/else/JupyterLab/default", "formlens-devel/jupyter.log", "formlens-prod-Train-x/algo-1"]
    logs = Logs(**{group: [ours, *theirs]})
    assert sweep.still_logged(logs, id) == []
    assert logs.groups == {group: theirs}


@pytest.mark.parametrize("streams", [1, 10, 200])
def test_a_group_in_which_nothing_is_left_goes_too(sweep: Any, streams: int) -> None:
    logs = Logs(**{STUDIO: [f"d-1/{n}" for n in range(streams)]})
    assert sweep.still_logged(logs, "domain/d-1") == []
    assert logs.groups == {}


def test_what_is_too_much_for_one_look_is_said_and_goes_at_the_next(sweep: Any) -> None:
    logs = Logs(**{STUDIO: [f"d-1/{n}" for n in range(sweep.AT_ONCE + 7)]})
    assert sweep.still_logged(logs, "domain/d-1") == [f"{STUDIO}, d-1/…"]
    assert len(logs.groups[STUDIO]) == 7
    assert sweep.still_logged(logs, "domain/d-1") == []
    assert logs.groups == {}


@pytest.mark.parametrize("id", ["domain/d-1", "notebook/n", "pipeline/p", "notebook/", "FormLens-1", "registry/g"])
def test_where_nothing_was_ever_logged_nothing_is_to_do(sweep: Any, id: str) -> None:
    assert sweep.still_logged(Logs(), id) == []


def test_an_empty_group_that_was_never_ours_stays(sweep: Any) -> None:
    logs = Logs(**{TRAINING: []})
    assert sweep.still_logged(logs, "pipeline/p") == []
    assert logs.groups == {TRAINING: []}


def test_a_missing_permission_is_not_waited_for(sweep: Any) -> None:
    logs = Logs(**{STUDIO: ["d-1/x"]})

    def refuse(**arguments: str) -> None:
        raise error("AccessDeniedException")

    logs.delete_log_stream = refuse  # type: ignore[method-assign, assignment]
    with pytest.raises(ClientError, match="AccessDenied"):
        sweep.still_logged(logs, "domain/d-1")
