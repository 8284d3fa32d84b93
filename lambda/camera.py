"""The function on a camera: what it was deployed with goes in (environment), and it reads until it is stopped.

Under Greengrass V2 it is a pinned component, which is loaded once and runs; as a service, `python camera.py` runs the
same. `formlens camera` runs it by hand, without a bucket: pages stay in the spool.
"""

import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from current import Current, Damaged
from formlens.frames import Frame, SourceError, is_live, open_frames
from formlens.outbox import Outbox, Put
from formlens.preview import ROWS, Preview
from formlens.spool import Spool
from formlens.types import CallError, FormLensError
from formlens.watching import Look
from here import Here
from keys import UNKNOWN_FORM
from learned import Forms
from link import Identity, Teller, publish, session, topic_of
from loop import Read, page_of, run
from mirror import Mirror
from report import digest_of, follow, state_of
from scan import Outcome

if TYPE_CHECKING:
    from store import Store

log = logging.getLogger(__name__)

Kept = Callable[[dict[str, Any]], None]

_FOLLOW = 60.0
"""Seconds from one look for other forms, or another reader, to the next."""
_PAGE_SECONDS = 900
"""That a page may take, whatever the watchdog gives a frame."""
_REOPEN = 5.0
"""Seconds after which a camera that went away is looked for again."""


@dataclass(frozen=True)
class Deployed:
    """What a camera is told when it is deployed."""

    source: str
    thing: str
    form: str
    folder: Path
    """Below it `spool/`, and in `bucket/` what it has of the bucket: forms, and the reader in use."""
    bucket: str = ""
    """Empty: nothing is sent, pages stay in the spool."""
    spool_mb: int = 2000
    port: int = 8080
    """Of the preview; negative for none."""
    identity: Identity | None = None
    """The camera's certificate; None under Greengrass, and where nothing is sent."""
    function: str = ""
    """The version that Greengrass has deployed; a service of its own goes by its files."""


def read_deployed(variables: Mapping[str, str]) -> Deployed:
    """Raises CallError, which names the variable, when the camera starts, and not at the first page."""

    def needed(name: str) -> str:
        if not variables.get(name):
            raise CallError(f"{name} is not set: see docs/camera.md for what a camera is told")
        return variables[name]

    identity = None
    if variables.get("CERTIFICATE"):
        files = [needed(name) for name in ("CERTIFICATE", "PRIVATE_KEY", "AUTHORITY")]
        for name in files:
            if not Path(name).is_file():
                raise CallError(f"{name} is missing: run formlens enroll again")
        hosts = needed("DATA_HOST"), needed("CREDENTIALS_HOST"), needed("ROLE_ALIAS")
        identity = Identity(needed("AWS_IOT_THING_NAME"), files[0], files[1], files[2], *hosts)
    bucket = variables.get("BUCKET", "")
    if bucket and not bucket.startswith("deeplens-sagemaker-"):
        raise CallError(f"BUCKET must name the deeplens-sagemaker bucket, it is {bucket!r}")
    return Deployed(
        source=needed("SOURCE"),
        thing=needed("AWS_IOT_THING_NAME"),
        form=variables.get("FORM") or UNKNOWN_FORM,
        folder=Path(needed("FOLDER")),
        bucket=bucket,
        spool_mb=int(variables.get("SPOOL_MB") or 2000),
        port=int(variables.get("PREVIEW_PORT") or 8080),
        identity=identity,
        function=variables.get("FUNCTION") or digest_of(Path(__file__).parent),
    )


class Screen:
    """The preview, where there is one, and the watchdog, which sees that frames still come."""

    def __init__(self, preview: Preview | None, kept: Kept) -> None:
        self._preview, self._kept = preview, kept

    def show(self, frame: Frame | None, look: Look) -> None:
        """As `loop.Display`."""
        notify("WATCHDOG=1")
        if self._preview:
            self._preview.show(frame, look)

    def add(self, page: dict[str, Any]) -> None:
        """As `loop.Display`."""
        self._kept(page)
        if self._preview:
            self._preview.add(page)


def work(deployed: Deployed, kept: Kept = lambda page: None) -> None:
    """Read what lies under the camera until its frames end, which a live one's never do.

    ``kept`` gets each page that is read or given up, in the shape of the cells JSON, when it is on the disk.
    """
    spool = Spool(deployed.folder / "spool", deployed.spool_mb * 1_000_000)
    preview = Preview(deployed.port) if deployed.port >= 0 else None
    screen = Screen(preview, kept)
    if preview:
        for parts in reversed(list(spool.newest(ROWS))):
            preview.add(page_of(parts))
    ready, stop, due = threading.Event(), threading.Event(), threading.Event()
    outbox = Outbox(spool, lambda: _connect(deployed))
    mirror = Mirror(deployed.folder / "bucket")

    def about() -> dict[str, Any]:
        return state_of(spool, mirror, form=deployed.form, function=deployed.function)

    if deployed.bucket:
        threading.Thread(target=outbox.run, args=(ready, stop), daemon=True, name="outbox").start()
        pull = (lambda: _bucket(deployed), deployed.form, _FOLLOW, stop)
        threading.Thread(target=mirror.follow, args=pull, daemon=True, name="mirror").start()
        report = (lambda: _bucket(deployed).put, deployed.thing, about, due, stop)
        threading.Thread(target=follow, args=report, daemon=True, name="report").start()
    teller = Teller(lambda message: _publish(deployed, message)) if deployed.identity or deployed.bucket else None

    def tell(message: dict[str, Any]) -> None:
        ready.set()
        due.set()
        if teller:
            teller.tell({"thing": deployed.thing} | message)

    notify("READY=1")
    try:
        run(
            _frames(deployed.source, screen),
            read=patient(reads_with(deployed, mirror)),
            spool=spool,
            display=screen,
            tell=tell,
            now=lambda: datetime.now(UTC),
        )
    finally:
        stop.set()
        ready.set()
        due.set()
        spool.close()
        if preview:
            preview.close()


def reads_with(deployed: Deployed, mirror: Mirror) -> Read:
    """What reads a page with the reader and the forms that are here at that moment."""
    current, forms = Current(mirror), Forms(mirror)
    use = current.use()

    def read(jpeg: bytes, moment: datetime) -> tuple[Outcome, dict[str, bytes]]:
        nonlocal use
        try:
            use = current.use()
        except (Damaged, FormLensError, OSError):
            log.exception("the released reader cannot be used; the one before goes on")
        released = use.forms
        here = Here(deployed.thing, deployed.form, use.reader, lambda name: forms.of(name, released))
        return here.read(jpeg, moment)

    return read


def patient(read: Read) -> Read:
    """The same, and systemd's watchdog waits for it: a page of many cells takes a slow processor minutes."""

    def waited_for(jpeg: bytes, moment: datetime) -> tuple[Outcome, dict[str, bytes]]:
        notify(f"WATCHDOG_USEC={_PAGE_SECONDS * 1_000_000}")
        try:
            return read(jpeg, moment)
        finally:
            notify(f"WATCHDOG_USEC={os.environ.get('WATCHDOG_USEC', 60_000_000)}\nWATCHDOG=1")

    return waited_for


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3)), where it listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


def _frames(source: str, screen: Screen) -> Iterator[Frame]:
    """The frames of a source, opened again and again where it is live."""
    while True:
        try:
            yield from open_frames(source)
        except SourceError as error:
            if not is_live(source):
                raise
            log.warning("%s", error)
            screen.show(None, Look(f"no picture: {error}"))
        if not is_live(source):
            return
        time.sleep(_REOPEN)


def _connect(deployed: Deployed) -> Put:
    """A new way to put objects, each only where there is none."""
    store = _bucket(deployed)
    return lambda key, data: store.put_over(key, data, None)


def _bucket(deployed: Deployed) -> "Store":
    """The bucket over a new connection, with new credentials."""
    from store import Store

    return Store(_client(deployed, "s3"), deployed.bucket)


def _publish(deployed: Deployed, message: dict[str, Any]) -> None:
    """Put one message on the camera's own topic. Raises OSError, HTTPException, LinkError, or what boto3 raises."""
    if deployed.identity:
        publish(deployed.identity, message)
    else:  # Greengrass keeps the certificate, and gives the role's credentials
        payload = json.dumps(message, ensure_ascii=False)
        _client(deployed, "iot-data").publish(topic=topic_of(deployed.thing), qos=1, payload=payload)


def _client(deployed: Deployed, service: str) -> Any:
    import boto3
    from botocore.config import Config

    patient = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 3})
    made: Any = session(deployed.identity) if deployed.identity else boto3.Session()
    return made.client(service, config=patient)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What Greengrass calls for a message; the camera works without any."""
    return {"running": _running.is_alive() if _running else False}


def _start() -> threading.Thread | None:
    """Under Greengrass the function is loaded once, and works from then on."""
    if "SOURCE" not in os.environ or __name__ == "__main__":
        return None
    thread = threading.Thread(target=_work_or_end, name="camera")
    thread.start()
    return thread


def _work_or_end() -> None:
    try:
        work(read_deployed(os.environ))
    except BaseException:
        log.exception("the camera stopped")
        os._exit(1)  # so that Greengrass starts it again


_running = _start()

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # all that counts is on the disk already
    try:
        work(read_deployed(os.environ))
    except CallError as error:
        raise SystemExit(f"formlens camera: {error}") from error
