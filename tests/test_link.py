import importlib
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

link = importlib.import_module("link")

ASKED: list[tuple[str, str, str | None, bytes]] = []


class Iot(BaseHTTPRequestHandler):
    """AWS IoT's two endpoints, as far as a camera asks them; it knows one role alias."""

    def do_GET(self) -> None:
        self._note(b"")
        if self.path != "/role-aliases/formlens-cam1/credentials":
            return self._answer(403, {"message": "Access Denied"})
        found = {
            "accessKeyId": "AKID",
            "secretAccessKey": "s",
            "sessionToken": "t",
            "expiration": "2999-01-01T00:00:00Z",
        }
        return self._answer(200, {"credentials": found})

    def do_POST(self) -> None:
        self._note(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, {"message": "OK"})

    def _note(self, body: bytes) -> None:
        ASKED.append((self.command, self.path, self.headers["x-amzn-iot-thingname"], body))

    def _answer(self, status: int, content: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def iot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server that wants a certificate of its own authority, and a camera that has one."""
    folder = tmp_path_factory.mktemp("certificates")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", *curve, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    for name, names in (("server", "IP:127.0.0.1"), ("cam1", "DNS:cam1")):
        openssl(folder, "req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "names").write_text(f"subjectAltName={names}")
        ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", *ca, "-out", f"{name}.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    class Server(HTTPServer):
        def handle_error(self, *_: Any) -> None: ...

    with Server(("127.0.0.1", 0), Iot) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        paths = [str(folder / name) for name in ("cam1.pem", "cam1.key", "ca.pem")]
        yield link.Identity("cam1", *paths, "127.0.0.1", "127.0.0.1", "formlens-cam1", port, port)
        server.shutdown()


def test_credentials_come_for_the_certificate_and_the_things_name(iot: Any) -> None:
    ASKED.clear()
    found = link.session(iot).get_credentials().get_frozen_credentials()
    assert (found.access_key, found.secret_key, found.token) == ("AKID", "s", "t")
    assert ASKED == [("GET", "/role-aliases/formlens-cam1/credentials", "cam1", b"")]


def test_a_stranger_gets_nothing(iot: Any) -> None:
    folder = Path(iot.certificate).parent
    stranger = replace(iot, certificate=str(folder / "stranger.pem"), key=str(folder / "stranger.key"))
    with pytest.raises(OSError):  # noqa: PT011  # TLS says in many ways that it does not know somebody
        link.credentials(stranger)
    with pytest.raises(ssl.SSLCertVerificationError):
        link.credentials(replace(iot, authority=str(folder / "stranger.pem")))


def test_another_cameras_role_alias_is_refused_in_words(iot: Any) -> None:
    with pytest.raises(link.LinkError, match="answers 403 to /role-aliases/formlens-cam2/credentials"):
        link.credentials(replace(iot, role_alias="formlens-cam2"))


def test_messages_go_to_the_cameras_own_topic_at_least_once(iot: Any) -> None:
    ASKED.clear()
    link.publish(iot, {"event": "read", "reason": "Größe"})
    ((method, path, _, body),) = ASKED
    assert (method, path) == ("POST", "/topics/formlens/cam1/events?qos=1")
    assert json.loads(body) == {"event": "read", "reason": "Größe"}


def test_a_message_without_a_network_holds_nobody_up(iot: Any) -> None:
    nowhere = replace(iot, port=9)
    teller = link.Teller(lambda message: link.publish(nowhere, message))
    for number in range(300):
        teller.tell({"number": number})
