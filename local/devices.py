"""Where devices find AWS, with a client certificate: credentials, messages, and what Greengrass has them run.

HTTPS on a port of 127.0.0.1, and behind it the paths of AWS' three endpoints for devices (IoT's data and credential
provider, Greengrass' data). Served is whose certificate is active, with what the policies on it allow.
"""

import json
import ssl
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ministack import app
from ministack.core.responses import request_scope
from ministack.services import iot, iot_data

from local import greengrass, things
from local.kinds import Refused
from local.shapes import answer, called


def serve(listening: socket, certificate: Path, key: Path) -> None:
    """Serve in a thread of its own, as long as the process lives."""

    class Devices(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Whose certificate TLS refuses has nothing to be told."""

    server = Devices(listening.getsockname(), Device, bind_and_activate=False)
    server.socket = listening
    server.context = None  # type: ignore[attr-defined]
    server.files = certificate, key  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True, name="devices").start()


class Device(BaseHTTPRequestHandler):
    """One connection of a device."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """TLS, in this connection's own thread. The authority that signs device certificates is made at the first."""
        server: Any = self.server
        if server.context is None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=iot.get_ca_cert_pem())
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_cert_chain(*server.files)
            server.context = context
        self.request = server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        """Answer."""
        self._answer("GET", b"")

    def do_POST(self) -> None:
        """Answer."""
        self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, method: str, body: bytes) -> None:
        der = self.connection.getpeercert(binary_form=True)
        owner = iot._mtls_resolve_identity(der)
        if owner is None:
            return self._send(403, {"message": "Access Denied"})
        with request_scope(owner[0], owner[1]):
            self._certificate, self._owner = sha256(der).hexdigest(), owner
            try:
                status, data = self._routed(method, urlsplit(self.path).path, body)
            except Refused as refused:
                status, data = 403 if refused.code == "AccessDenied" else 404, {"message": str(refused)}
        return self._send(status, data)

    def _routed(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        kind, _, rest = path[1:].partition("/")
        if (method, kind) == ("GET", "role-aliases") and rest.endswith("/credentials"):
            alias = unquote(rest.removesuffix("/credentials"))
            self._must("iot:AssumeRoleWithCertificate", f"rolealias/{alias}")
            return 200, {"credentials": things.session_for(alias, self._certificate)}
        if (method, kind) == ("POST", "topics"):
            self._must("iot:Publish", f"topic/{unquote(rest)}")
            query, scope = parse_qs(urlsplit(self.path).query), f"/topics/{unquote(rest)}"
            status, _, data = app.call_service_handler_sync(iot_data.handle_request, method, scope, {}, body, query)
            return status, data
        if kind == "artifact":
            return 200, greengrass.artifact(rest)
        operation, asked = called("greengrassv2", method, path, {}, body, {})
        if operation is None or operation.name not in greengrass.FOR_DEVICES:
            raise Refused("ResourceNotFoundException", f"{method} {path}")
        self._must(f"greengrass:{operation.name}", "*")
        host = f"https://{self.headers['Host']}/artifact/"
        done = greengrass.FOR_DEVICES[operation.name]({**asked, "#artifacts": host})
        return 200, answer(done, operation.output_shape)

    def _must(self, action: str, resource: str) -> None:
        """Raises Refused where the policies on the certificate do not allow it, or it is not the thing's that asks."""
        account, region, _ = self._owner
        thing = self.headers.get("x-amzn-iot-thingname", "")
        context = iot._mqtt_policy_context(account, region, self._certificate, thing)
        if thing and context["iot:connection.thing.isattached"] != "true":
            raise Refused("AccessDenied", "Access Denied")
        if not iot._mqtt_policy_allows(account, region, self._certificate, context, action, resource):
            raise Refused("AccessDenied", "Access Denied")

    def _send(self, status: int, content: Any) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
