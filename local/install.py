"""The embedded cloud's own environment: `local/requirements.txt` goes in, an interpreter comes out.

It is kept apart from the project's environment, because functions see the environment that the cloud runs in: with
numpy beside them they would run here although their layer forgot it, and fail on AWS.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = Path(__file__).with_name("requirements.txt")


class InstallError(Exception):
    """The cloud's environment could not be made; the text says why, and what to do."""


def interpreter(cache: Path = ROOT / ".cache") -> Path:
    """The Python of the cloud's environment, made on the first call for a lock file and an interpreter.

    Raises InstallError where packages are missing and cannot be fetched.
    """
    made_for = LOCK.read_bytes() + sys.version.encode() + sys.base_prefix.encode()
    folder = cache / f"cloud-{hashlib.sha256(made_for).hexdigest()[:12]}"
    if not folder.exists():
        _make(folder)
    return folder / "bin" / "python"


def _make(folder: Path) -> None:
    # Renamed into place when complete: an interrupted install leaves nothing that looks finished,
    # and of two that run at once the second to finish finds the first's.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as scratch:
        draft = Path(scratch) / "cloud"
        _run(sys.executable, "-m", "venv", "--without-pip", draft)
        _install(draft / "bin" / "python")
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _install(python: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if not uv:
        return _run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--require-hashes", "-r", LOCK)
    command = (uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", LOCK)
    try:
        # What is cached needs no index: quick, and works without a network.
        _run(*command, "--offline")
    except InstallError:
        _run(*command)
    return None


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=quiet)  # noqa: S603
    if done.returncode:
        raise InstallError(
            "The embedded cloud's packages could not be installed. The first time this needs the network (pypi.org).\n"
            f"{' '.join(words)}\n{(done.stderr or done.stdout).strip()}"
        )
