"""The embedded cloud, for as long as a `with` block: AWS on 127.0.0.1 goes up, and comes down with all it held.

    with Cloud() as cloud:
        cdk(["deploy", "--all"], cloud.environment)
        cloud.client("s3").list_buckets()

One process on free ports, HTTPS with a certificate of its own, IAM enforced, functions run. State is in memory.
"""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from local.install import ROOT, interpreter

ACCOUNT = "123456789012"
REGION = "eu-west-1"
PATIENCE = 60.0
"""Seconds that the cloud may take to answer for the first time."""
# The three places, beside variables, where an SDK looks for an account.
NO_ACCOUNT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# botocore's own settings with no variable to read them from: the user's profile and files are none of ours.
ALONE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class CloudError(Exception):
    """The cloud did not start, or ended by itself; the text carries the end of its log."""


class Cloud:
    """An AWS account on this machine.

    `folder` holds what it writes. `access` are the variables that lead here, `environment` is the whole environment of
    a child process (cdk, an AWS SDK) that uses this account and reaches no other.
    """

    folder: Path
    broker: int
    """The port of AWS IoT's MQTT broker, under mutual TLS."""
    access: dict[str, str]
    environment: dict[str, str]

    def __enter__(self) -> Self:
        """Start it, and wait until it answers. Raises CloudError, or InstallError when its packages are missing."""
        python = interpreter()
        self.folder = Path(tempfile.mkdtemp(prefix="embedded-cloud-"))
        try:
            self._start(python)
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, its functions included, and remove what it wrote."""
        self._stop()

    def client(self, service: str, **credentials: str) -> Any:
        """A boto3 client of this cloud: as the account's root, or with the `aws_…` credentials given."""
        return self._session.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            verify=str(self.certificate),
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
            **(credentials or {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "root"}),
        )

    @cached_property
    def _session(self) -> Any:
        return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=ALONE))

    def log(self) -> str:
        """What the cloud itself complained about so far."""
        return (self.folder / "log").read_text(errors="replace")

    def allowed(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """What IAM has let roles do so far: role, action, resource, and the condition keys of the request."""
        written = self.folder / "allowed.jsonl"
        return [tuple(json.loads(line)) for line in written.read_text().splitlines()] if written.exists() else []

    def _start(self, python: Path) -> None:
        with ExitStack() as opened:
            sockets = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
            log = opened.enter_context((self.folder / "log").open("wb"))
            numbers = [listening.fileno() for listening in sockets]
            port, self.broker, _ = (listening.getsockname()[1] for listening in sockets)
            self.endpoint = f"https://127.0.0.1:{port}"
            self.certificate = self.folder / "certificate.pem"
            self.access = self._access()
            self.environment = {**without_account(), **self.access}
            self._process = subprocess.Popen(  # noqa: S603
                [python, "-m", "local.server", *map(str, numbers), str(self.folder)],
                cwd=ROOT,
                env=self._own_environment(port),
                pass_fds=numbers,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise CloudError(f"The embedded cloud did not start.\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        if not self.certificate.exists():
            return False
        try:
            context = ssl.create_default_context(cafile=str(self.certificate))
            ready = f"{self.endpoint}/_ministack/ready"
            handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            urllib.request.build_opener(*handlers).open(ready, timeout=2).close()
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        process = getattr(self, "_process", None)
        if process is not None:
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _access(self) -> dict[str, str]:
        return {
            **NO_ACCOUNT,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "root",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1,localhost",
            **_trust(self.certificate),
        }

    def _own_environment(self, port: int) -> dict[str, str]:
        # Made from nothing: functions inherit it, and would find the settings and keys of whoever runs this.
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "AUTH": "true",
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificate),
            "MINISTACK_SSL_KEY": str(self.folder / "key.pem"),
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "1",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
            "LOG_LEVEL": "WARNING",
            **_trust(self.certificate),
        }


def without_account() -> dict[str, str]:
    """The environment of this process, but with no way to any AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | NO_ACCOUNT


def _trust(certificate: Path) -> dict[str, str]:
    # Every one of them: an ambient bundle that remains would win over ours in some client.
    return dict.fromkeys(
        ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(certificate)
    )
