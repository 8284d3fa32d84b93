"""The process that is the cloud: listening sockets and an empty folder go in, AWS on 127.0.0.1 comes out.

Run by `local.cloud` on the interpreter of the cloud's own environment: `python -m local.server FD FD FD FOLDER`, with
the sockets of AWS itself, of IoT's broker, and of what else devices call. Everything else is in its environment
variables, because the emulator reads them while it is imported and its functions inherit them. It ends when its
standard input closes, and so with the process that started it, however that ended.
"""

import asyncio
import datetime
import ipaddress
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypercorn.asyncio import serve  # type: ignore[import-not-found]
from hypercorn.config import Config  # type: ignore[import-not-found]

CERTIFICATE, KEY = "certificate.pem", "key.pem"


def write_certificate(folder: Path) -> None:
    """Write a throw-away certificate and its key for this machine alone; both live as long as the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "embedded cloud")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    unencrypted = serialization.NoEncryption()
    (folder / KEY).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    )
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def end_with_parent(folder: Path) -> None:
    """When standard input closes, remove the folder and end this process with every function it started."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    # Nothing here outlives the process, so there is nothing to wait for.
    os.killpg(0, signal.SIGKILL)


def install(folder: Path) -> None:
    """Make the emulator as strict as AWS, and give it what it lacks; `folder` is where it writes.

    Raises AttributeError or KeyError, naming it, when something that is replaced no longer exists.
    """
    from local import (
        adopt,
        alarms,
        budgets,
        greengrass,
        logged,
        quotas,
        redrive,
        sagemaker,
        served,
        strict,
        things,
        witness,
    )

    for addition in (strict, redrive, adopt, alarms, budgets, logged, things):
        addition.install()
    witness.install(folder)
    for service in (sagemaker.SERVICE, quotas.SERVICE, things.SERVICE, greengrass.SERVICE):
        served.install(service)


def main(listening: int, broker: int, devices: int, folder: Path) -> None:
    """Serve until standard input closes."""
    write_certificate(folder)
    # Imported here: the emulator reads its settings, the certificate among them, while it is imported.
    from ministack.app import app

    from local import devices as calls
    from local import things

    called, certificate, key = socket.socket(fileno=devices), folder / CERTIFICATE, folder / KEY
    things.places.append(things.Places(socket.socket(fileno=broker), certificate, key, called.getsockname()[1]))
    install(folder)
    calls.serve(called, certificate, key)
    config = Config()
    config.bind = [f"fd://{listening}"]
    config.certfile, config.keyfile = str(folder / CERTIFICATE), str(folder / KEY)
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    threading.Thread(target=end_with_parent, args=(folder,), daemon=True).start()
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    first, second, third = (int(number) for number in sys.argv[1:4])
    main(first, second, third, Path(sys.argv[4]))
