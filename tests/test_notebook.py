"""What runs on the notebook instance, run here: its first minutes with the commands it calls replaced, and idleness."""

import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from model.idle import idle_minutes
from templates import ROOT

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=9)


def session(minutes: float, **more: Any) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"last_activity": at, **more}


@pytest.mark.parametrize(
    ("sessions", "started", "load", "idle"),
    [
        ([], LONG_AGO, 0.0, 540),
        ([], NOW - timedelta(minutes=3), 0.0, 3),
        ([session(70, execution_state="idle"), session(20)], LONG_AGO, 0.1, 20),
        ([session(70, execution_state="busy")], LONG_AGO, 0.0, 0),
        ([session(70, execution_state="idle"), session(90, execution_state="starting")], LONG_AGO, 0.0, 0),
        ([session(70, execution_state="idle")], LONG_AGO, 0.9, 0),
    ],
    ids=["nobody came", "just started", "a terminal", "busy", "starting", "training in a shell"],
)
def test_only_an_instance_on_which_nothing_happens_is_idle(
    sessions: list[dict[str, Any]], started: datetime, load: float, idle: float
) -> None:
    assert idle_minutes(sessions, started, NOW, load) == pytest.approx(idle)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the script is one for bash")
@pytest.mark.parametrize("edited", [False, True])
def test_its_start_brings_the_code_and_the_notebook_and_keeps_what_people_changed(tmp_path: Path, edited: bool) -> None:
    home, commands = tmp_path / "SageMaker", tmp_path / "bin"
    home.mkdir()
    commands.mkdir()
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("model/train.ipynb", "ours")
        archive.writestr("model/idle.py", "print('idle')")
    if edited:
        (home / "train.ipynb").write_text("theirs")
        (home / "formlens" / "code").mkdir(parents=True)
        (home / "formlens" / "code" / "old.py").write_text("")
    log = tmp_path / "log"
    for name, body in {
        "aws": f'cp "{tmp_path}/code.zip" "${{@: -1}}"; echo aws "$@" >> {log}',
        "systemd-run": f'echo systemd-run "$@" >> {log}',
        "chown": f'echo chown "$@" >> {log}',
        "python3": f'exec {sys.executable} "$@"',
    }.items():
        (commands / name).write_text(f"#!/bin/bash\n{body}\n")
        (commands / name).chmod(0o755)
    script = (ROOT / "model" / "on_start.sh").read_text()
    for name, value in {
        "${Code}": "s3://assets/code.zip",
        "${IdleMinutes}": "60",
        "/home/ec2-user/SageMaker": str(home),
        "/tmp/formlens": str(tmp_path / "formlens"),  # noqa: S108
    }.items():
        assert name in script
        script = script.replace(name, value)
    environment = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (home / "train.ipynb").read_text() == ("theirs" if edited else "ours")
    assert (home / "formlens" / "code" / "model" / "idle.py").exists()
    assert not (home / "formlens" / "code" / "old.py").exists()
    called = log.read_text()
    assert "s3 cp --only-show-errors s3://assets/code.zip" in called
    assert f"{home}/formlens/code/model/idle.py --minutes 60" in called
    assert "--unit=formlens-environment --uid=ec2-user" in called


def test_the_training_environment_pins_onnx_as_the_rest_does() -> None:
    pinned = [
        {line for line in (ROOT / name).read_text().splitlines() if line.startswith("onnx==")}
        for name in ("requirements.in", "model/requirements-train.txt")
    ]
    assert pinned[0] == pinned[1]
