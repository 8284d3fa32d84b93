"""A camera's certificate goes in; credentials for the bucket, and messages on the camera's own topic, come out.

Both over mutual TLS with what every Python has. The credentials are those of the role that the camera's role alias
names (AWS IoT credential provider); messages are published over HTTPS (AWS IoT Core, port 8443). Greengrass, which
keeps the certificate to itself, gives credentials by its token exchange service, which boto3 asks of its own accord.
"""

import json
import logging
import queue
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import quote

log = logging.getLogger(__name__)

_SECONDS = 20.0
_HELD = 100
"""Messages that wait for the network; more are dropped, the oldest first: what counts is in the spool."""


@dataclass(frozen=True)
class Identity:
    """Who a camera is, and where AWS IoT is for its account."""

    thing: str
    certificate: str
    """Paths of PEM files."""
    key: str
    authority: str
    data_host: str
    """As AWS IoT names its endpoints; `host:port` where one is not at the port below."""
    credentials_host: str = ""
    role_alias: str = ""
    port: int = 8443
    credentials_port: int = 443

    @property
    def topic(self) -> str:
        """Where its messages go."""
        return topic_of(self.thing)


def topic_of(thing: str) -> str:
    """Where a camera's messages go."""
    return f"formlens/{thing}/events"


class LinkError(Exception):
    """AWS IoT refused, and the answer's status."""


def credentials(identity: Identity) -> dict[str, str]:
    """Temporary credentials, named as botocore's refresh wants them. Raises OSError, HTTPException or LinkError."""
    path = f"/role-aliases/{quote(identity.role_alias)}/credentials"
    answer = _ask(identity, identity.credentials_host, identity.credentials_port, "GET", path)
    found = json.loads(answer)["credentials"]
    return {
        "access_key": found["accessKeyId"],
        "secret_key": found["secretAccessKey"],
        "token": found["sessionToken"],
        "expiry_time": found["expiration"],
    }


def publish(identity: Identity, message: dict[str, Any]) -> None:
    """Put one message on the camera's topic, at least once. Raises as `credentials` does."""
    _ask(identity, identity.data_host, identity.port, "POST", f"/topics/{quote(identity.topic)}?qos=1", message)


def session(identity: Identity) -> Any:
    """A boto3 session whose credentials are asked for anew before they expire."""
    import boto3  # a camera that only keeps its pages does without
    from botocore.credentials import RefreshableCredentials
    from botocore.session import get_session

    made = get_session()
    found = RefreshableCredentials.create_from_metadata(
        credentials(identity), lambda: credentials(identity), "iot-credential-provider"
    )
    vars(made)["_credentials"] = found  # botocore has no public way to give a session its own
    return boto3.Session(botocore_session=made)


class Teller:
    """Sends messages in the order given, in a thread of its own; what cannot be sent is dropped, never waited for."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send_one = send
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue(_HELD)
        threading.Thread(target=self._send, daemon=True, name="messages").start()

    def tell(self, message: dict[str, Any]) -> None:
        """Have a message sent when it can be."""
        while True:
            try:
                self._messages.put_nowait(message)
                return
            except queue.Full:
                self._messages.get_nowait()

    def _send(self) -> None:
        while True:
            message = self._messages.get()
            try:
                self._send_one(message)
            except Exception as error:  # no network, no credentials: the spool has what counts
                log.warning("a message was not sent: %s", type(error).__name__)


def _ask(
    identity: Identity, host: str, port: int, method: str, path: str, message: dict[str, Any] | None = None
) -> bytes:
    context = ssl.create_default_context(cafile=identity.authority)
    context.load_cert_chain(identity.certificate, identity.key)
    connection = HTTPSConnection(host, None if ":" in host else port, timeout=_SECONDS, context=context)
    try:
        body = None if message is None else json.dumps(message, ensure_ascii=False).encode()
        connection.request(method, path, body, {"x-amzn-iot-thingname": identity.thing})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise LinkError(f"AWS IoT answers {answer.status} to {path.partition('?')[0]}: {data[:200]!r}")
    return data
