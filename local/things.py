"""What the emulator lacks of AWS IoT: role aliases, and a broker that is as strict about certificates as AWS.

Its MQTT broker takes its socket from the process that starts it, listens on 127.0.0.1 with the cloud's own certificate,
and serves nobody without one. `DescribeEndpoint` names the two places where devices find AWS: `local.devices`.
"""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core.responses import json_response
from ministack.services import iam, iot, lambda_svc, sts

from local import greengrass
from local.kinds import Kind, Record, Refused
from local.served import Service
from local.strict import swap

TRUSTED = "credentials.iot.amazonaws.com"
"""Whom a role must trust that devices are given."""
DATA, CREDENTIALS = "iot:Data-ATS", "iot:CredentialProvider"

ROLE_ALIASES = Kind(
    "RoleAlias",
    ("roleAlias",),
    "rolealias/{roleAlias}",
    service="iot",
    type="AWS::IoT::RoleAlias",
    arn="roleAliasArn",
    replaced_by=("RoleAlias",),
    missing=("ResourceNotFoundException", "Role alias not found. {name}"),
)
SERVICE = Service(
    "iot",
    "iot",
    (ROLE_ALIASES,),
    does={
        "DescribeRoleAlias": lambda asked: {"roleAliasDescription": ROLE_ALIASES.find(asked)},
        "ListRoleAliases": lambda asked: {"roleAliases": [one["roleAlias"] for one in ROLE_ALIASES.all()]},
    },
)


USED = (
    (iot, ("_MtlsAcceptor", "_mqtt_policy_allows", "_mqtt_policy_context", "_mtls_resolve_identity", "_things")),
    (iam, ("_gen_secret", "_gen_session_access_key", "_gen_session_token")),
    (sts, ("_role_id", "register_session")),
    (lambda_svc, ("_functions",)),
)
"""What devices and Greengrass take from the emulator, each a private name of a pinned version."""


@dataclass
class Places:
    """Where the broker listens, with which certificate, and on which port devices find all else."""

    broker: socket.socket
    certificate: Path
    key: Path
    devices: int


places: list[Places] = []
"""One, put here by the process that has the sockets, before it serves."""


def install() -> None:
    """Have the broker listen on its socket, and `DescribeEndpoint` name the port of `local.devices`.

    Raises AttributeError, naming it, when something that is replaced or used here no longer exists.
    """
    for module, names in USED:
        for name in names:
            getattr(module, name)

    def endpoint(before: Callable[[Record], Any]) -> Callable[[Record], Any]:
        def here(query: Record) -> Any:
            if query.get("endpointType", DATA) in (DATA, CREDENTIALS):
                return json_response({"endpointAddress": f"127.0.0.1:{places[0].devices}"})
            return before(query)

        return here

    def listen(_: Any) -> Any:
        async def start() -> None:
            if iot._mtls_server is None:
                loop = asyncio.get_running_loop()
                iot._mtls_server = await loop.create_server(iot._MtlsAcceptor, sock=places[0].broker)
                iot._mtls_loop = loop

        return start

    def require(build: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
        def strict() -> ssl.SSLContext:
            context = build()
            context.verify_mode = ssl.CERT_REQUIRED  # there, who has none is served as the account's root
            return context

        return strict

    def ours(_: Any) -> Callable[[], tuple[str, str]]:
        return lambda: (places[0].certificate.read_text(), places[0].key.read_text())

    swap(iot, "_describe_endpoint", endpoint)
    swap(iot, "_mtls_start_locked", listen)
    swap(iot, "_mtls_build_ssl_context", require)
    swap(iot, "_mtls_ensure_server_cert", ours)
    on_message(greengrass.hear)


def session_for(alias: str, certificate: str) -> dict[str, str]:
    """Credentials of the role behind an alias, as AWS IoT's credential provider gives them to a certificate's owner.

    Raises Refused where the alias is not there, or its role does not trust the provider.
    """
    found = ROLE_ALIASES.find({"roleAlias": alias})
    arn, seconds = str(found["roleArn"]), int(found.get("credentialDurationSeconds", 3600))
    role = iam._roles.get(arn.rpartition("/")[2])
    trust = role.get("AssumeRolePolicyDocument", "{}") if role else "{}"
    statements = (json.loads(trust) if isinstance(trust, str) else trust).get("Statement", [])
    if not any(s["Effect"] == "Allow" and TRUSTED in s.get("Principal", {}).get("Service", ()) for s in statements):
        raise Refused("AccessDenied", f"{arn} does not trust {TRUSTED}")
    keys = {"SecretAccessKey": iam._gen_secret(), "SessionToken": iam._gen_session_token()}
    access_key, account = iam._gen_session_access_key(), arn.split(":")[4]
    assumed = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{arn.rpartition('/')[2]}/{certificate}",
        "UserId": f"{sts._role_id(arn)}:{certificate}",
        "Expiration": time.time() + seconds,
        "AccountId": account,
        "PrincipalType": "AssumedRole",
        "SessionTags": [],
    }
    sts.register_session(access_key, assumed | keys)
    return {
        "accessKeyId": access_key,
        "secretAccessKey": keys["SecretAccessKey"],
        "sessionToken": keys["SessionToken"],
        "expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)),
    }


def on_message(heard: Callable[[str, bytes], None]) -> None:
    """Have something told of each message that is published, by whatever way."""

    def listening(publish: Callable[..., Any]) -> Callable[..., Any]:
        async def told(account: str, region: str, topic: str, payload: bytes, *args: Any, **kwargs: Any) -> None:
            await publish(account, region, topic, payload, *args, **kwargs)
            with suppress(ValueError, KeyError), iot.request_scope(account, region):
                heard(topic, payload)

        return told

    swap(iot, "broker_publish", listening)
