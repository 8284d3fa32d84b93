"""AWS IoT's MQTT broker as a device sees it: a certificate goes in; what it may and may not do comes out."""

import queue
import ssl
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

SECONDS = 10.0


class Refused(Exception):
    """The broker does not let this client in, or has thrown it out."""


class Broker:
    """One connection under mutual TLS, as long as a `with` block. Raises Refused where there is none to be had."""

    def __init__(self, port: int, client_id: str, certificate: Path, key: Path, authority: Path) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self._client.tls_set(str(authority), str(certificate), str(key), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self._port, self._said = port, queue.Queue[tuple[str, Any]]()
        self._messages = queue.Queue[tuple[str, Any]]()  # apart: one may come before the answer to what asked for it
        self._client.on_connect = lambda *said: self._said.put(("connected", said[3]))
        self._client.on_disconnect = lambda *said: self._said.put(("disconnected", said[3]))
        self._client.on_subscribe = lambda *said: self._said.put(("subscribed", said[3]))
        self._client.on_publish = lambda *said: self._said.put(("published", said[2]))
        self._client.on_message = lambda *said: self._messages.put(("message", said[2]))

    def __enter__(self) -> Self:
        try:
            self._client.connect("127.0.0.1", self._port)
        except OSError as error:
            raise Refused(str(error)) from error
        self._client.loop_start()
        try:
            self._wait("connected")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: str) -> None:
        """Put a message on a topic, at least once."""
        self._client.publish(topic, payload, qos=1)
        self._wait("published")

    def subscribe(self, topic: str) -> None:
        """Ask for what is on a topic."""
        self._client.subscribe(topic, qos=1)
        (granted,) = self._wait("subscribed")
        if granted.is_failure:
            raise Refused(str(granted))

    def message(self) -> tuple[str, bytes]:
        """The next message that comes: its topic and what it says."""
        found = self._wait("message", self._messages)
        return found.topic, found.payload

    def _wait(self, what: str, among: "queue.Queue[tuple[str, Any]] | None" = None) -> Any:
        heard = among or self._said
        try:
            event, said = heard.get(timeout=SECONDS)
            while event not in (what, "disconnected"):
                event, said = heard.get(timeout=SECONDS)
        except queue.Empty:
            raise Refused(f"not {what} in {SECONDS} s") from None
        if event != what or (event == "connected" and said.is_failure):
            raise Refused(str(said))
        return said
