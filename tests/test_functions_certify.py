import importlib
import json
import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError

SECRET = "formlens/formlens-dev-hall"  # noqa: S105  # its name
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": PEM}}, "operation")


class Aws:
    """IoT's certificates and Secrets Manager's secrets; `fails` names an operation that fails once."""

    def __init__(self) -> None:
        self.certificates: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.made, self.fails = 0, ""

    def _may(self, operation: str) -> None:
        if self.fails == operation:
            self.fails = ""
            raise error("ThrottlingException")

    def create_keys_and_certificate(self, setAsActive: bool) -> Any:
        self._may("create")
        assert not setAsActive  # not before its key is kept
        self.made += 1
        id = f"c{self.made}"
        self.certificates[id] = "INACTIVE"
        pair = {"PrivateKey": f"{PEM}{id}", "PublicKey": ""}
        return {"certificateId": id, "certificateArn": f"arn:{id}", "certificatePem": "C", "keyPair": pair}

    def describe_certificate(self, certificateId: str) -> Any:
        if certificateId not in self.certificates:
            raise error("ResourceNotFoundException")
        return {"certificateDescription": {"status": self.certificates[certificateId]}}

    def update_certificate(self, certificateId: str, newStatus: str) -> None:
        self._may("update")
        self.certificates[certificateId] = newStatus

    def delete_certificate(self, certificateId: str) -> None:
        assert self.certificates[certificateId] == "INACTIVE"  # AWS refuses any other
        del self.certificates[certificateId]

    def create_secret(self, Name: str, Description: str) -> None:
        self.secrets[Name] = ""

    def describe_secret(self, SecretId: str) -> None:
        if SecretId not in self.secrets:
            raise error("ResourceNotFoundException")

    def get_secret_value(self, SecretId: str) -> Any:
        if not self.secrets.get(SecretId):
            raise error("ResourceNotFoundException")
        return {"SecretString": self.secrets[SecretId]}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:
        self._may("put")
        self.secrets[SecretId] = SecretString

    def delete_secret(self, SecretId: str, ForceDeleteWithoutRecovery: bool) -> None:
        assert ForceDeleteWithoutRecovery
        del self.secrets[SecretId]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    certify, made = importlib.import_module("certify"), Aws()
    monkeypatch.setattr(certify, "iot", made)
    monkeypatch.setattr(certify, "secrets", made)
    return made


def request(monkeypatch: pytest.MonkeyPatch, kind: str, number: str = "1", id: str | None = None) -> dict[str, Any]:
    """Send a request as CloudFormation does; returns what it is told."""
    certify, told = importlib.import_module("certify"), list[dict[str, Any]]()
    monkeypatch.setattr(certify, "respond", lambda event, answer: told.append(answer))
    event = {"RequestType": kind, "ResourceProperties": {"Secret": SECRET, "Key": number}}
    certify.handler(event | ({"PhysicalResourceId": id} if id else {}), None)
    (answer,) = told
    return answer


def test_a_key_is_made_kept_and_told_to_nobody(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = request(monkeypatch, "Create")
    assert answer == {"Status": "SUCCESS", "PhysicalResourceId": "c1", "Data": {"Arn": "arn:c1"}}
    assert aws.certificates == {"c1": "ACTIVE"}
    assert json.loads(aws.secrets[SECRET])["key"] == f"{PEM}c1"
    assert "PRIVATE" not in caplog.text


@pytest.mark.parametrize("step", ["create", "put", "update"])
def test_what_fails_at_any_step_is_begun_again_and_leaves_one_certificate(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    aws.fails = step
    failed = request(monkeypatch, "Create")
    assert failed["Status"] == "FAILED"
    assert "PRIVATE" not in json.dumps(failed) + caplog.text
    if step != "update":  # Lambda hands the same request over once more, or CloudFormation takes it back
        assert not aws.certificates
    assert request(monkeypatch, "Create")["Status"] == "SUCCESS"
    assert list(aws.certificates.values()) == ["ACTIVE"]
    request(monkeypatch, "Delete", id=next(iter(aws.certificates)))
    assert (aws.certificates, aws.secrets) == ({}, {})


def test_a_create_that_failed_is_taken_back_whole(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.fails = "update"
    failed = request(monkeypatch, "Create")
    request(monkeypatch, "Delete", id=failed["PhysicalResourceId"])
    assert (aws.certificates, aws.secrets) == ({}, {})


def test_another_number_is_another_key_and_the_old_certificate_goes_alone(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    request(monkeypatch, "Create")
    again = request(monkeypatch, "Update", id="c1")
    assert (again["PhysicalResourceId"], aws.made) == ("c1", 1)
    other = request(monkeypatch, "Update", "2", id="c1")
    assert other["PhysicalResourceId"] == "c2"
    request(monkeypatch, "Delete", id="c1")
    assert aws.certificates == {"c2": "ACTIVE"}
    assert json.loads(aws.secrets[SECRET])["id"] == "c2"


def test_a_certificate_that_was_revoked_is_not_made_active_by_a_deploy(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    request(monkeypatch, "Create")
    aws.certificates["c1"] = "REVOKED"
    request(monkeypatch, "Update", id="c1")
    assert aws.certificates == {"c1": "REVOKED"}
    request(monkeypatch, "Delete", id="c1")
    assert (aws.certificates, aws.secrets) == ({}, {})
