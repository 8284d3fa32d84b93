import importlib
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:greengrass:eu-central-1:1:components:formlens.dev.hall"
CORE = {
    "Thing": "formlens-dev-hall",
    "Bucket": "b",
    "State": "cameras/formlens-dev-hall.json",
    "Component": ARN,
    "Target": "arn:thing",
    "Version": "f:3",
}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "operation")


class Aws:
    """Greengrass, the thing's shadow, and the bucket, with one camera's things in them."""

    def __init__(self, versions: int, named: tuple[int, ...] = (), installed: tuple[int, ...] | None = ()) -> None:
        self.versions = [f"{number}.0.0" for number in range(1, versions + 1)]
        self.named, self.installed = named, installed
        self.gone: list[str] = []
        self.refuses = ""

    def get_paginator(self, operation: str) -> Any:
        def pages(**which: str) -> Any:
            if operation == "list_component_versions":
                assert which == {"arn": ARN}
                yield {"componentVersions": [{"componentVersion": one} for one in self.versions]}
            elif operation == "list_deployments":
                assert which == {"targetArn": "arn:thing", "historyFilter": "ALL"}
                yield {"deployments": [{"deploymentId": str(number)} for number in self.named]}
            elif self.installed is None:
                raise error("ResourceNotFoundException")
            else:
                have = [{"componentName": "formlens.dev.hall", "componentVersion": f"{n}.0.0"} for n in self.installed]
                yield {"installedComponents": [*have, {"componentName": "other", "componentVersion": "1.0.0"}]}

        return SimpleNamespace(paginate=pages)

    def get_deployment(self, deploymentId: str) -> Any:
        component = {"componentVersion": f"{deploymentId}.0.0"}
        return {"components": {"formlens.dev.hall": component, "aws.greengrass.Nucleus": {"componentVersion": "2.0.0"}}}

    def _delete(self, what: str) -> None:
        if self.refuses in what and self.refuses:
            raise error("ThrottlingException")
        if what in self.gone:
            raise error("ResourceNotFoundException")
        self.gone.append(what)

    def delete_component(self, arn: str) -> None:
        version = arn.removeprefix(f"{ARN}:versions:")
        self.versions.remove(version)
        self._delete(version)

    def delete_core_device(self, coreDeviceThingName: str) -> None:
        self._delete(f"core {coreDeviceThingName}")

    def delete_thing_shadow(self, thingName: str, shadowName: str) -> None:
        self._delete(f"shadow {thingName} {shadowName}")

    def delete_object(self, Bucket: str, Key: str) -> None:
        self._delete(f"{Bucket}/{Key}")


def request(monkeypatch: pytest.MonkeyPatch, aws: Aws, kind: str, properties: dict[str, str] | None = None) -> Any:
    """Send a request as CloudFormation does; returns what it is told."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    forget, told = importlib.import_module("forget"), list[Any]()
    for name in ("greengrass", "shadows", "s3"):
        monkeypatch.setattr(forget, name, aws)
    monkeypatch.setattr(forget, "respond", lambda event, answer: told.append(answer))
    forget.handler({"RequestType": kind, "ResourceProperties": properties or CORE}, None)
    (answer,) = told
    return answer


def test_of_a_core_that_goes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(3)
    assert request(monkeypatch, aws, "Delete")["Status"] == "SUCCESS"
    assert aws.versions == []
    assert {"core formlens-dev-hall", "b/cameras/formlens-dev-hall.json"} < set(aws.gone)
    assert "shadow formlens-dev-hall AWSManagedGreengrassV2Deployment" in aws.gone
    # what was broken off is begun again
    assert request(monkeypatch, aws, "Delete")["Status"] == "SUCCESS"


def test_of_a_service_only_what_it_said_of_itself_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(0)
    request(monkeypatch, aws, "Delete", {name: CORE[name] for name in ("Thing", "Bucket", "State")})
    assert aws.gone == ["b/cameras/formlens-dev-hall.json"]


@pytest.mark.parametrize(
    ("named", "installed", "left"),
    [
        ((4,), (4,), ["4.0.0"]),
        ((4,), (1,), ["1.0.0", "4.0.0"]),  # it was off since the first deploy
        ((2, 4), (4,), ["2.0.0", "4.0.0"]),
        ((4,), None, ["4.0.0"]),  # it was never online
    ],
)
def test_versions_stay_as_long_as_a_deployment_names_them_or_the_camera_has_them(
    monkeypatch: pytest.MonkeyPatch, named: tuple[int, ...], installed: tuple[int, ...] | None, left: list[str]
) -> None:
    aws = Aws(4, named, installed)
    assert request(monkeypatch, aws, "Update")["Status"] == "SUCCESS"
    assert aws.versions == left


def test_the_first_deploy_takes_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(1)
    assert request(monkeypatch, aws, "Create") == {"Status": "SUCCESS", "PhysicalResourceId": "formlens-dev-hall"}
    assert aws.versions == ["1.0.0"]


def test_what_cannot_be_taken_away_fails_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(1)
    aws.refuses = "core"
    answer = request(monkeypatch, aws, "Delete")
    assert answer["Status"] == "FAILED"
    assert "ThrottlingException" in answer["Reason"]
