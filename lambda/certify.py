"""CloudFormation's custom resource requests go in; key and certificate of a camera come out, kept in Secrets Manager.

For cameras of which Settings ask for it; any other makes its key itself. AWS IoT makes the pair and tells the key this
once: it goes from its answer into the secret, and is in no log, no answer and no template. A request that comes again
finds what it made. When the camera goes, the certificate is deactivated and deleted, and the secret with it.
"""

import json
import logging
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from answer import respond

GONE = "ResourceNotFoundException"
NONE = "no certificate"
"""The physical id of a request that failed before there was one."""

logger = logging.getLogger()
logger.setLevel(logging.INFO)
config = Config(retries={"mode": "standard", "max_attempts": 8})
iot, secrets = boto3.client("iot", config=config), boto3.client("secretsmanager", config=config)


def handler(event: dict[str, Any], context: Any) -> None:
    """Always answers: CloudFormation waits for it."""
    properties = event["ResourceProperties"]
    known = event.get("PhysicalResourceId", NONE)
    answer = {"Status": "SUCCESS", "PhysicalResourceId": known}
    try:
        if event["RequestType"] == "Delete":
            # the physical id, not what the secret says: after a replacement the old one goes, not the new one
            take_back(known, properties["Secret"])
        else:
            made = certify(properties["Secret"], properties["Key"], known)
            answer |= {"PhysicalResourceId": made["id"], "Data": {"Arn": made["arn"]}}
    except Exception as error:
        # by its kind and code alone: the text of an error could quote what was sent
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        logger.error("no certificate: %s %s", type(error).__name__, code)
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__} {code}: deploy again to go on"}
    respond(event, answer)


def certify(secret: str, number: str, known: str = NONE) -> dict[str, str]:
    """The certificate of this number, made where there is none: its `id` and `arn`.

    ``known`` is the one that CloudFormation has so far, and takes back when it has another.
    """
    held = _held(secret)
    if held is None:
        secrets.create_secret(Name=secret, Description="Private key and certificate of a camera, for `formlens enroll`")
    elif held.get("number") == number and _status(held["id"]):
        return _active(held)
    elif held.get("id", known) != known:
        _delete(held["id"])  # of a request that failed halfway: nobody else knows of it
    made = iot.create_keys_and_certificate(setAsActive=False)
    named = {"number": number, "id": made["certificateId"], "arn": made["certificateArn"]}
    kept = {**named, "certificate": made["certificatePem"], "key": made["keyPair"]["PrivateKey"]}
    try:
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(kept))
    except Exception:
        _delete(named["id"])  # its key is lost
        raise
    return _active(named)


def take_back(id: str, secret: str) -> None:
    """Deactivate and delete a certificate; and the secret, unless it holds the key of a newer one."""
    held = _held(secret)
    if held is not None and id in (NONE, held.get("id", id)):
        id = held.get("id", id)
        # at once, or the name stays taken for a week and the camera could not be registered again
        secrets.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    if id != NONE:
        _delete(id)


def _active(named: dict[str, str]) -> dict[str, str]:
    if _status(named["id"]) == "INACTIVE":  # one that was revoked stays so
        iot.update_certificate(certificateId=named["id"], newStatus="ACTIVE")
    return named


def _delete(id: str) -> None:
    if _status(id):
        iot.update_certificate(certificateId=id, newStatus="INACTIVE")
        iot.delete_certificate(certificateId=id)


def _held(secret: str) -> dict[str, str] | None:
    """What the secret holds; nothing in it yet, or None where there is none."""
    try:
        secrets.describe_secret(SecretId=secret)
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        return None
    try:
        found: dict[str, str] = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:  # a secret without a value
            raise
        return {}
    return found


def _status(id: str) -> str:
    """Of a certificate; empty where there is none."""
    try:
        return str(iot.describe_certificate(certificateId=id)["certificateDescription"]["status"])
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        return ""
