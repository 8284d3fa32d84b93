import importlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.types import CallError
from model.recordings import film, lying, placed

camera = importlib.import_module("camera")

ROOT = Path(__file__).parents[1]
CARD = ROOT / "samples" / "tables" / "card.png"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "card.mjpeg"
    page = np.asarray(cv2.imread(str(CARD)), np.uint8)
    moments = placed(lying(page, tall=0.4), hunts=False, still=20)
    frames = film(page, moments, size=(1440, 1080))
    path.write_bytes(b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames))
    return path


def test_the_command_reads_a_recording_into_a_spreadsheet_and_keeps_the_pages(recording: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "formlens", "camera", "--source", f"file:{recording}", "--port", "-1"]
    command += ["--out", str(tmp_path / "rows.csv"), "--folder", str(tmp_path / "camera")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=200)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rows.csv").read_text() == CARD.with_suffix(".csv").read_text()
    assert "1 pages read, 0 not" in done.stderr
    assert len(list((tmp_path / "camera" / "spool").glob("*.waiting"))) == 1


def test_the_service_runs_the_same_file_shows_a_preview_and_pings_its_watchdog(recording: Path, tmp_path: Path) -> None:
    fifo, notified = tmp_path / "out.mjpeg", tmp_path / "notify"
    os.mkfifo(fifo)
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "lambda")))
    told = {"SOURCE": f"fifo:{fifo}", "AWS_IOT_THING_NAME": "cam1", "FOLDER": str(tmp_path), "PREVIEW_PORT": "18473"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(str(notified))
        listens.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "lambda" / "camera.py")],
            env={**os.environ, "PYTHONPATH": paths, "NOTIFY_SOCKET": str(notified)} | told,
        )
        try:
            assert listens.recv(100) == b"READY=1"
            with fifo.open("wb") as stream:
                stream.write(recording.read_bytes())
            assert listens.recv(100) == b"WATCHDOG=1"
            for _ in range(100):
                with urllib.request.urlopen("http://127.0.0.1:18473/state") as answer:
                    if b'"hint"' in answer.read():
                        break
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_the_watchdog_waits_for_a_page_that_takes_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(str(tmp_path / "notify"))
        listens.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")

        def read(jpeg: bytes, moment: object) -> str:
            assert listens.recv(100) == b"WATCHDOG_USEC=900000000"
            if jpeg == b"odd":
                raise ValueError
            return "read"

        assert camera.patient(read)(b"page", None) == "read"
        assert listens.recv(100) == b"WATCHDOG_USEC=60000000\nWATCHDOG=1"
        with pytest.raises(ValueError):  # noqa: PT011
            camera.patient(read)(b"odd", None)
        assert listens.recv(100) == b"WATCHDOG_USEC=60000000\nWATCHDOG=1"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "SOURCE is not set"),
        ({"SOURCE": "v4l2:/dev/video0"}, "AWS_IOT_THING_NAME is not set"),
        ({"SOURCE": "x", "AWS_IOT_THING_NAME": "c", "FOLDER": "/f", "BUCKET": "mine"}, "must name the deeplens"),
        ({"SOURCE": "x", "CERTIFICATE": "/none.pem"}, "PRIVATE_KEY is not set"),
        ({"CERTIFICATE": "/none.pem", "PRIVATE_KEY": "/k", "AUTHORITY": "/a"}, "/none.pem is missing"),
    ],
)
def test_what_a_camera_was_not_told_is_named_when_it_starts(variables: dict[str, str], says: str) -> None:
    with pytest.raises(CallError, match=says):
        camera.read_deployed(variables)
