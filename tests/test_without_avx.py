"""A processor without AVX, as cameras have, reads the same under a camera as this one; Debian's qemu-user plays it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from model.recordings import Moment, film, lying

EMULATOR = shutil.which("qemu-x86_64")
ROOT = Path(__file__).parents[1]
CARD = ROOT / "samples" / "tables" / "card.png"
SIZE = 1440, 1080


def read(folder: Path, recording: Path, *emulator: str) -> list[dict[str, Any]]:
    """The cells of the page that the camera's program finds in the recording, reads, and leaves in its spool."""
    told = {"SOURCE": f"file:{recording}", "AWS_IOT_THING_NAME": "cam1", "FOLDER": str(folder), "PREVIEW_PORT": "-1"}
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "lambda")))
    variables = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"} | told
    command = [*emulator, sys.executable, str(ROOT / "lambda" / "camera.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, env=variables)
    assert done.returncode == 0, done.stderr[-2000:]
    (entry,) = (folder / "spool").glob("*.waiting")
    with zipfile.ZipFile(entry) as kept:
        (name,) = (name for name in kept.namelist() if name.startswith("results/"))
        (page,) = json.loads(kept.read(name))["pages"]
    cells: list[dict[str, Any]] = page["cells"]
    return cells


@pytest.mark.cloud  # slow: minutes on a busy machine, as every instruction is translated
@pytest.mark.skipif(EMULATOR is None, reason="no qemu-x86_64: Debian's qemu-user")
def test_a_page_under_the_camera_is_read_the_same_without_avx(tmp_path: Path) -> None:
    card = np.asarray(cv2.imread(str(CARD)), np.uint8)
    desk, sheet = (
        cv2.imencode(".jpg", image)[1].tobytes()
        for image in film(card, [Moment(), Moment(lying(card, tall=0.4, turned=2))], size=SIZE)
    )
    recording = tmp_path / "recording.mjpeg"
    recording.write_bytes(b"".join([*[desk] * 2, *[sheet] * 40]))
    here = read(tmp_path / "here", recording)
    there = read(tmp_path / "there", recording, str(EMULATOR), "-cpu", "Denverton")
    typed = CARD.with_suffix(".csv").read_text().replace("\n", ",").strip(",").split(",")
    assert [cell["text"] for cell in here] == typed
    for one, other in zip(here, there, strict=True):
        assert (one["row"], one["column"], one["text"]) == (other["row"], other["column"], other["text"])
        assert one["flagged"] == other["flagged"]
        # sums are rounded in another order, in the picture that was put square as in the network
        assert np.abs(np.subtract(one["box"], other["box"])).max() <= 1
        assert abs(one["confidence"] - other["confidence"]) < 1e-2
