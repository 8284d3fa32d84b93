"""A folder on a camera goes in; its private key and the request for a certificate are in it when it comes out.

Made with the system's openssl, on the camera: the key is readable by its owner alone, and goes nowhere; unless the
account was to make it, and it comes from there. What is there already is checked and kept, so that enrolling can be
broken off at any step and begun again.
"""

import os
import subprocess
from pathlib import Path

from formlens.types import CallError

KEY, REQUEST, CERTIFICATE, VARIABLES = "private.key", "request.csr", "certificate.pem", "camera.env"


def make_request(folder: Path, name: str) -> str:
    """The certificate signing request of this camera, PEM; makes key and request where they are missing.

    Raises CallError where openssl is missing, or a file in the folder is not what its name says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key, request = folder / KEY, folder / REQUEST
    if not key.exists():
        unfinished = _for_its_owner(key)
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(unfinished))
        unfinished.replace(key)
    public = public_of(key)
    if not request.exists() or _openssl("req", "-in", str(request), "-noout", "-pubkey") != public:
        unfinished = request.with_suffix(".unfinished")
        _openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-out", str(unfinished))
        unfinished.replace(request)
    return request.read_text()


def keep_key(folder: Path, pem: str) -> None:
    """Write the key that the account has made; readable by its owner alone. Raises CallError for what is no key."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = _for_its_owner(folder / KEY)
    unfinished.write_text(pem)
    public_of(unfinished)
    unfinished.replace(folder / KEY)


def keep_certificate(folder: Path, pem: str) -> None:
    """Write the certificate that was made for the key of this folder. Raises CallError for another one's."""
    unfinished = folder / f"{CERTIFICATE}.unfinished"
    unfinished.write_text(pem)
    if _openssl("x509", "-in", str(unfinished), "-noout", "-pubkey") != public_of(folder / KEY):
        unfinished.unlink()
        raise CallError(
            f"the deployed certificate is not for the key in {folder}: put the request that was just printed into "
            "Settings, and deploy again"
        )
    unfinished.replace(folder / CERTIFICATE)


def write_variables(folder: Path, variables: dict[str, str]) -> Path:
    """The file that the service reads what it is told from; lines that a person added there stay."""
    path = folder / VARIABLES
    before = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in before if line.partition("=")[0] not in variables]
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text("".join(f"{line}\n" for line in [*kept, *(f"{k}={v}" for k, v in variables.items())]))
    unfinished.chmod(0o600)
    unfinished.replace(path)
    return path


def public_of(key: Path) -> str:
    """The public half of a private key, PEM. Raises CallError for a file that is none."""
    return _openssl("pkey", "-in", str(key), "-pubout")


def _for_its_owner(path: Path) -> Path:
    """An empty file beside it that nobody else can read."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return unfinished


def _openssl(*words: str) -> str:
    try:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError as error:
        raise CallError("openssl is not installed on this machine: apt install openssl") from error
    if done.returncode:
        file = next((word for word in words if "/" in word), words[0])
        raise CallError(
            f"openssl cannot use {file}: {done.stderr.strip().splitlines()[-1]}; move it away and try again"
        )
    return done.stdout
