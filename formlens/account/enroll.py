"""A camera's name goes in; what the account has for it comes out: its certificate, and where AWS IoT is."""

import json
from dataclasses import dataclass
from typing import Any

from formlens.account.session import Account
from formlens.types import CallError


@dataclass(frozen=True)
class Enrolled:
    """What a camera is told of the account."""

    thing: str
    certificate: str
    """PEM."""
    data_host: str
    credentials_host: str
    bucket: str
    region: str


def thing_of(stage: str, name: str) -> str:
    """The thing's name, as stacks/camera.py gives it; its role alias and policy are called the same."""
    return f"formlens-{stage}-{name}"


def find_enrolled(account: Account, name: str) -> Enrolled:
    """Raises CallError, which says what to do, where the camera is not deployed or its certificate is revoked."""
    thing, iot = thing_of(account.stage, name), account.client("iot")
    active = [found for found in certificates(iot, thing) if found["status"] == "ACTIVE"]
    if not active:
        raise CallError(f"{thing} has no active certificate: put the camera into Settings, and deploy")

    def host(kind: str) -> str:
        return str(iot.describe_endpoint(endpointType=kind)["endpointAddress"])

    pem = str(active[-1]["certificatePem"])
    hosts = host("iot:Data-ATS"), host("iot:CredentialProvider")
    return Enrolled(thing, pem, *hosts, account.bucket(), account.region)


def revoke(account: Account, name: str) -> int:
    """Make every certificate of a camera useless at once; how many there were. The stack takes them away later."""
    iot = account.client("iot")
    found = certificates(iot, thing_of(account.stage, name))
    for certificate in found:
        iot.update_certificate(certificateId=certificate["certificateId"], newStatus="REVOKED")
    return len(found)


def key_of(account: Account, name: str) -> str:
    """The private key that the account has made for a camera, PEM. Raises CallError where it has made none."""
    secrets, secret = account.client("secretsmanager"), f"formlens/{thing_of(account.stage, name)}"
    try:
        return str(json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])["key"])
    except secrets.exceptions.ResourceNotFoundException:
        raise CallError(f"the account has no key for {name}: put it into Settings with account_key=1") from None


def certificates(iot: Any, thing: str) -> list[dict[str, Any]]:
    """Those of a thing, as AWS IoT describes them. Raises CallError where there is no such thing."""
    try:
        principals = iot.list_thing_principals(thingName=thing)["principals"]
    except iot.exceptions.ResourceNotFoundException:
        raise CallError(f"there is no camera {thing} in this account and region: deploy it first") from None
    ids = [arn.rpartition("/")[2] for arn in principals if ":cert/" in arn]
    return [iot.describe_certificate(certificateId=id)["certificateDescription"] for id in ids]
