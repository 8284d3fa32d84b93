"""Instead of a nucleus: what Greengrass has deployed to a thing goes in; it runs, as a core device would run it.

It knows nothing of the repository. With the thing's certificate it looks into the thing's shadow for its deployment,
asks for the recipes, fetches the artifacts and checks them, unpacks them into an empty folder, and starts the function
with the declared interpreter, without any package of this environment, and with the declared variables and no others.
The function gets its credentials from a token exchange service on this machine, which gets them by the certificate.
"""

import base64
import importlib
import json
import secrets
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from broker import Broker

link = importlib.import_module("link")

NUCLEUS = "aws.greengrass.Nucleus"
HERE = {"os": "linux", "architecture": "amd64"}
EXCHANGE = "/2016-11-01/credentialprovider/"
# What Greengrass' Python runtime for Lambda functions does: load the handler, once, and wait for messages.
RUNTIME = """
import importlib, sys, threading
sys.path.insert(0, sys.argv[1])
module, function = sys.argv[2].split(".")
handler = getattr(importlib.import_module(module), function)
print(handler({}, None), flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True)
class Component:
    """A component as it lies on the device."""

    name: str
    version: str
    folder: Path
    recipe: Mapping[str, Any]
    configuration: Mapping[str, Any]
    """The recipe's, with the deployment's update merged into it."""


@dataclass(frozen=True)
class Core:
    """A core device: a thing with its certificate, and a broker to ask."""

    identity: Any
    """As lambda/link.py has it."""
    broker: int
    """The port of AWS IoT's broker."""
    folder: Path

    def deployed(self) -> dict[str, Any]:
        """What this thing is to run, as its shadow says."""
        shadow = f"$aws/things/{self.identity.thing}/shadow/name/AWSManagedGreengrassV2Deployment"
        with self.connected() as broker:
            broker.subscribe(f"{shadow}/get/accepted")
            broker.publish(f"{shadow}/get", "")
            _, said = broker.message()
        found: dict[str, Any] = json.loads(json.loads(said)["state"]["desired"]["fleetConfig"])
        return found

    def install(self) -> list[Component]:
        """Fetch and unpack every component of the deployment that is not AWS' own."""
        wanted = {name: one for name, one in self.deployed()["components"].items() if not name.startswith("aws.")}
        asked = [{"componentName": name, "componentVersion": one["version"]} for name, one in wanted.items()]
        body = {"platform": {"attributes": HERE}, "componentCandidates": asked}
        found = json.loads(self._ask("POST", "/greengrass/v2/resolveComponentCandidates", body))
        return [
            self._install(one, wanted[one["componentName"]]["configurationUpdate"])
            for one in found["resolvedComponentVersions"]
        ]

    def tell(self, components: list[Component], state: str = "HEALTHY") -> None:
        """Say how this core is, as the nucleus does when a deployment is done and every day."""
        said = {
            "ggcVersion": self.deployed()["components"][NUCLEUS]["version"],
            "platform": "linux",
            "architecture": "amd64",
            "thing": self.identity.thing,
            "overallDeviceStatus": state,
            "timestamp": int(time.time() * 1000),
            "components": [
                {"componentName": one.name, "version": one.version, "status": "RUNNING", "isRoot": True}
                for one in components
            ],
        }
        with self.connected() as broker:
            broker.publish(f"$aws/things/{self.identity.thing}/greengrassv2/health/json", json.dumps(said))

    @contextmanager
    def running(
        self, component: Component, python: Path, reach: Mapping[str, str]
    ) -> Iterator["subprocess.Popen[str]"]:
        """The function, as long as the block. ``reach``: how AWS is reached here, which on a device is the network."""
        setenv = component.recipe["Lifecycle"]["setenv"]
        assert setenv["AWS_GREENGRASS_LAMBDA_RUNTIME"] == f"python3{python.name.removeprefix('python3')}"
        with self._exchange() as (address, token):
            told = {
                **component.configuration["lambdaExecutionParameters"]["EnvironmentVariables"],
                "AWS_IOT_THING_NAME": self.identity.thing,
                "AWS_REGION": reach["AWS_REGION"],
                "AWS_DEFAULT_REGION": reach["AWS_REGION"],
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
                **{name: reach[name] for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE")},
            }
            words = [
                python,
                "-I",
                "-S",
                "-c",
                RUNTIME,
                component.folder,
                setenv["AWS_GREENGRASS_LAMBDA_FUNCTION_HANDLER"],
            ]
            log = self.folder / "function.log"
            with (
                log.open("w") as written,
                subprocess.Popen(
                    [str(word) for word in words], env=told, cwd=self.folder, stdout=written, stderr=written, text=True
                ) as process,
            ):
                try:
                    yield process
                finally:
                    process.kill()

    def connected(self) -> Broker:
        """A connection to the broker under the thing's own name."""
        who = self.identity
        return Broker(self.broker, who.thing, Path(who.certificate), Path(who.key), Path(who.authority))

    def _install(self, found: Mapping[str, Any], update: Mapping[str, Any]) -> Component:
        recipe = json.loads(base64.b64decode(found["recipe"]))
        name, version = found["componentName"], found["componentVersion"]
        assert (recipe["ComponentName"], recipe["ComponentVersion"]) == (name, version)
        folder = self.folder / "packages" / name / version
        folder.mkdir(parents=True)
        manifest = next(one for one in recipe["Manifests"] if one["Platform"].items() <= HERE.items())
        for artifact in manifest["Artifacts"]:
            path = f"/greengrass/v2/components/{quote(found['arn'], safe='')}/artifacts/"
            where = json.loads(self._ask("GET", path + artifact["Uri"].removeprefix("greengrass:")))["preSignedUrl"]
            data = self._ask("GET", urlsplit(where).path)
            assert sha256(data).hexdigest() == artifact["Digest"]
            assert artifact["Unarchive"] == "ZIP"
            with zipfile.ZipFile(BytesIO(data)) as archive:
                archive.extractall(folder)
        merged = _merged(
            recipe["ComponentConfiguration"]["DefaultConfiguration"], json.loads(update.get("merge", "{}"))
        )
        assert merged["containerMode"] == "NoContainer"  # a container would need a kernel that this stand-in has not
        return Component(name, version, folder, recipe, merged)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        host = self.identity.data_host
        data: bytes = link._ask(self.identity, host, self.identity.port, method, path, body)
        return data

    @contextmanager
    def _exchange(self) -> Iterator[tuple[str, str]]:
        """The token exchange service: its address, and the word that it wants to hear."""
        identity, token = self.identity, secrets.token_urlsafe()

        class Exchange(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if (self.path, self.headers["Authorization"]) != (EXCHANGE, token):
                    return self.send_error(403)
                found = link.credentials(identity)
                names = {"AccessKeyId": "access_key", "SecretAccessKey": "secret_key", "Token": "token"}
                said = {name: found[ours] for name, ours in names.items()} | {"Expiration": found["expiry_time"]}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())
                return None

            def log_message(self, *_: object) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Exchange) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://localhost:{server.server_port}{EXCHANGE}", token
            server.shutdown()


def _merged(before: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with an update merged into it, as Greengrass does: maps are joined, all else takes the place."""
    joined = dict(before)
    for name, value in update.items():
        inside = joined.get(name)
        joined[name] = _merged(inside, value) if isinstance(value, dict) and isinstance(inside, dict) else value
    return joined
