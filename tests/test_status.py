"""An operator is told what is deployed and what needs a person."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws import Aws, account
from formlens.account.checks import Check, State
from formlens.account.status import status
from formlens.types import CallError

WHEN = datetime(2026, 11, 25, 14, 3, tzinfo=UTC)


def stack(name: str, state: str = "UPDATE_COMPLETE", **more: Any) -> dict[str, Any]:
    return {"StackName": f"FormLens-dev-{name}", "StackStatus": state, "CreationTime": WHEN} | more


def resource(kind: str, id: str) -> dict[str, Any]:
    same = {"LogicalResourceId": "L", "LastUpdatedTimestamp": WHEN, "ResourceStatus": "CREATE_COMPLETE"}
    return {"ResourceType": kind, "PhysicalResourceId": id} | same


READING = [
    resource("AWS::Lambda::Function", "read"),
    resource("AWS::SQS::Queue", "https://sqs/1/Scans"),
    resource("AWS::SQS::Queue", "https://sqs/1/ScansSetAside"),
]
WATCH = [resource("AWS::CloudWatch::Alarm", "late")]
HEALTHY: dict[str, Any] = {
    "cloudformation__DescribeStacks": {
        "Stacks": [stack("Reading"), stack("Watch"), stack("Storage"), stack("x") | {"StackName": "Other"}]
    },
    "cloudformation__ListStackResources": lambda asked: {
        "StackResourceSummaries": {"FormLens-dev-Reading": READING, "FormLens-dev-Watch": WATCH}.get(
            asked["StackName"], []
        )
    },
    "lambda__GetFunctionConfiguration": {
        "State": "Active",
        "Runtime": "python3.14",
        "MemorySize": 3008,
        "LastUpdateStatus": "Successful",
    },
    "lambda__ListEventSourceMappings": {"EventSourceMappings": [{"State": "Enabled"}]},
    "sqs__GetQueueAttributes": {
        "Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
    },
    "cloudwatch__DescribeAlarms": {"MetricAlarms": [{"AlarmName": "late", "StateValue": "OK"}]},
    "s3__ListObjectsV2": {"CommonPrefixes": [{"Prefix": "forms/intake/"}, {"Prefix": "forms/field log/"}]},
}


def answers(**changed: Any) -> dict[str, Check]:
    return {check.what: check for check in status(account(Aws(**(HEALTHY | changed))))}


def test_what_is_healthy_has_nothing_to_do() -> None:
    said = answers()
    assert State.todo not in {check.state for check in said.values()}
    assert said["FormLens-dev-Reading"].text == "update complete, 2026-11-25 14:03"
    assert said["read"].text == "active, python3.14, 3008 MB"
    assert said["Scans"].text == "0 waiting, 0 being worked on"
    assert said["alarms"].text == "none of 1 rings"
    assert said["forms"].text == "field log, intake"
    assert "Other" not in said


@pytest.mark.parametrize(
    ("changed", "what", "words"),
    [
        (
            {
                "cloudformation__DescribeStacks": {
                    "Stacks": [stack("Storage", "UPDATE_ROLLBACK_COMPLETE", StackStatusReason="no quota")]
                }
            },
            "FormLens-dev-Storage",
            "no quota; deploy again",
        ),
        (
            {"lambda__GetFunctionConfiguration": {"State": "Failed", "StateReason": "the role is gone"}},
            "read",
            "failed",
        ),
        (
            {"lambda__ListEventSourceMappings": {"EventSourceMappings": [{"State": "Disabled"}]}},
            "read",
            "its queue is disabled",
        ),
        (
            {"sqs__GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "3"}}},
            "ScansSetAside",
            "3 set aside",
        ),
        (
            {
                "cloudwatch__DescribeAlarms": {
                    "MetricAlarms": [{"AlarmName": "late", "StateValue": "ALARM", "AlarmDescription": "Scans wait"}]
                }
            },
            "late",
            "Scans wait",
        ),
        ({"s3__ListObjectsV2": "NoSuchBucket"}, "forms", "make deploy STAGE=dev"),
    ],
)
def test_what_needs_a_person_is_named(changed: dict[str, Any], what: str, words: str) -> None:
    said = answers(**changed)[what]
    assert said.state == State.todo
    assert words in said.text


def test_a_stack_that_is_being_deployed_is_waited_for() -> None:
    busy = {"cloudformation__DescribeStacks": {"Stacks": [stack("Storage", "UPDATE_IN_PROGRESS")]}}
    assert answers(**busy)["FormLens-dev-Storage"].state == State.wait


def test_studio_the_notebook_and_the_quotas_are_told_where_a_stage_has_them() -> None:
    studio = [
        resource("AWS::SageMaker::Domain", "d-1"),
        resource("AWS::SageMaker::NotebookInstance", "arn:x:notebook-instance/n"),
    ]
    outputs = [{"OutputKey": "Quotas", "OutputValue": "ml.g4dn.xlarge for training job usage: pending"}]
    said = answers(
        cloudformation__DescribeStacks={"Stacks": [stack("Quota", Outputs=outputs)]},
        cloudformation__ListStackResources={"StackResourceSummaries": studio},
        sagemaker__DescribeDomain={"Status": "InService", "Url": "https://d-1.studio"},
        sagemaker__DescribeNotebookInstance={
            "NotebookInstanceStatus": "Failed",
            "InstanceType": "ml.g4dn.xlarge",
            "FailureReason": "no quota",
        },
    )
    assert said["studio d-1"].text == "https://d-1.studio"
    assert said["quotas at deploy"].text.endswith("pending")
    assert (said["notebook n"].state, said["notebook n"].text) == (State.todo, "failed, ml.g4dn.xlarge: no quota")


def test_a_stage_that_is_not_deployed_is_a_call_error_with_the_cure() -> None:
    with pytest.raises(CallError, match="make deploy STAGE=dev"):
        answers(cloudformation__DescribeStacks={"Stacks": []})


HALL, CERTIFICATE = "formlens-dev-hall", "c1" * 32
CAMERA = [
    resource("AWS::IoT::Thing", HALL),
    resource(
        "AWS::GreengrassV2::ComponentVersion", "arn:aws:greengrass:x:1:components:formlens.dev.hall:versions:3.0.0"
    ),
]
SAID = {
    "form": "intake",
    "function": "3.0.0",
    "reader": "v7",
    "waiting": 2,
    "last": {"source": "a.jpg", "form": "intake", "status": "read", "at": "2026-11-25 14:03:12"},
}


def camera(said: dict[str, Any] | None = None, minutes: int = 1, **changed: Any) -> Check:
    """The line about a camera that said this of itself so many minutes ago."""
    body, when = json.dumps(SAID | (said or {})).encode(), datetime.now(UTC) - timedelta(minutes=minutes)
    healthy: dict[str, Any] = {
        "cloudformation__ListStackResources": {"StackResourceSummaries": CAMERA},
        "iot__ListThingPrincipals": {"principals": [f"arn:aws:iot:x:1:cert/{CERTIFICATE}"]},
        "iot__DescribeCertificate": {"certificateDescription": {"certificateId": CERTIFICATE, "status": "ACTIVE"}},
        "s3__GetObject": lambda asked: {"Body": io.BytesIO(body), "LastModified": when},
        "greengrassv2__GetCoreDevice": {"status": "HEALTHY"},
        "cloudformation__DescribeStacks": {"Stacks": [stack("Camera")]},
    }
    return answers(**(healthy | changed))["camera hall"]


def test_a_camera_is_told_with_what_it_runs_and_what_waits() -> None:
    said = camera()
    assert said.state == State.good
    assert said.text == (
        "registered, online, last page 2026-11-25 14:03:12 (intake), function 3.0.0, reader v7, 2 pages wait"
    )


@pytest.mark.parametrize(
    ("changed", "state", "words"),
    [
        ({"minutes": 40}, State.todo, "is it on, and in the network?"),
        ({"s3__GetObject": "NoSuchKey"}, State.todo, "never online: run `formlens enroll`"),
        (
            {
                "iot__DescribeCertificate": {
                    "certificateDescription": {"certificateId": CERTIFICATE, "status": "REVOKED"}
                }
            },
            State.todo,
            "its certificate is revoked",
        ),
        ({"iot__ListThingPrincipals": {"principals": []}}, State.todo, "no active certificate"),
        ({"said": {"function": "2.0.0"}}, State.wait, "function 2.0.0 (3.0.0 is on its way)"),
        ({"said": {"last": None}}, State.good, "no page yet"),
        ({"said": {"last": SAID["last"] | {"status": "unreadable"}}}, State.good, "(intake, not read)"),  # type: ignore[operator]
        ({"greengrassv2__GetCoreDevice": {"status": "UNHEALTHY"}}, State.todo, "Greengrass says unhealthy"),
        ({"greengrassv2__GetCoreDevice": "ResourceNotFoundException"}, State.todo, "Greengrass says nothing"),
    ],
)
def test_how_a_camera_is_and_what_to_do(changed: dict[str, Any], state: State, words: str) -> None:
    said = camera(**changed)
    assert said.state == state
    assert words in said.text


def test_of_a_camera_that_is_a_service_of_its_own_greengrass_is_not_asked() -> None:
    only: dict[str, Any] = {"cloudformation__ListStackResources": {"StackResourceSummaries": CAMERA[:1]}}
    said = camera({"function": "0a1b2c"}, **only, greengrassv2__GetCoreDevice="AccessDenied")
    assert (said.state, "function 0a1b2c," in said.text) == (State.good, True)
