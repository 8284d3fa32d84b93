"""What SageMaker leaves under /opt/ml becomes variables, options and torchrun's command; what fails says why."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.job import environment, options, torchrun

ROOT = Path(__file__).resolve().parent.parent


def container(ml: Path, **config: Any) -> Path:
    folder = ml / "input" / "config"
    folder.mkdir(parents=True)
    for name, content in config.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return ml


def test_channels_and_hosts_become_the_variables_of_the_contract(tmp_path: Path) -> None:
    hosts = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}
    ml = container(tmp_path, resourceconfig=hosts, inputdataconfig={"own": {}, "data": {}})
    found = environment(ml, 4)
    assert found["SM_CHANNEL_OWN"] == f"{ml}/input/data/own"
    assert (found["SM_MODEL_DIR"], found["SM_OUTPUT_DATA_DIR"]) == (f"{ml}/model", f"{ml}/output/data")
    assert (json.loads(found["SM_HOSTS"]), found["SM_CURRENT_HOST"]) == (["algo-1", "algo-2"], "algo-2")
    assert found["SM_NUM_GPUS"] == "4"


def test_hyperparameters_become_options_whether_or_not_the_sdk_quoted_them() -> None:
    given = {"steps": "400", "held_out": '"60"', "rate": "0.001", "name": "x y"}
    assert options(given) == ["--held-out", "60", "--name", "x y", "--rate", "0.001", "--steps", "400"]


@pytest.mark.parametrize(
    ("hosts", "gpus", "current", "expected"),
    [
        (["algo-1"], 0, "algo-1", []),
        (["algo-1"], 1, "algo-1", []),
        (["algo-1"], 4, "algo-1", ["--nnodes=1", "--node_rank=0", "--nproc_per_node=4"]),
        (["algo-2", "algo-1"], 1, "algo-2", ["--nnodes=2", "--node_rank=1", "--nproc_per_node=1"]),
    ],
)
def test_several_gpus_or_instances_run_under_torchrun_led_by_the_first(
    hosts: list[str], gpus: int, current: str, expected: list[str]
) -> None:
    command = torchrun({"SM_HOSTS": json.dumps(hosts), "SM_NUM_GPUS": str(gpus), "SM_CURRENT_HOST": current})
    assert [word for word in command if word.startswith("--n")] == expected
    assert not command or "--master_addr=algo-1" in command


@pytest.mark.parametrize(("training", "file"), [(True, "failure"), (False, "message")])
def test_why_a_job_failed_is_left_where_sagemaker_looks(tmp_path: Path, training: bool, file: str) -> None:
    ml = container(tmp_path, resourceconfig={"current_host": "a", "hosts": ["a"]}) if training else tmp_path
    done = run(ml, "model.nothing")
    assert done.returncode == 1
    assert "model.nothing: No module named" in (ml / "output" / file).read_text()


def test_a_module_gets_its_arguments(tmp_path: Path) -> None:
    done = run(tmp_path, "model.prepare", "--help")
    assert done.returncode == 0, done.stderr
    assert "held out" in done.stdout
    assert not (tmp_path / "output").exists()


def run(ml: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"FORMLENS_OPT_ML": str(ml), "FORMLENS_INSTALLED": "1"}
    command = [sys.executable, "-m", "model.job", *words]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def test_a_job_installs_the_versions_that_everything_else_has() -> None:
    def pins(name: str) -> set[str]:
        lines = (line.strip().strip('",') for line in (ROOT / name).read_text().splitlines())
        return {line.removeprefix('aws = ["').removesuffix('"]') for line in lines if "==" in line}

    known = pins("pyproject.toml") | pins("model/requirements-train.txt")
    assert pins("model/requirements-job.txt") <= known
    assert not any(line.startswith("torch") for line in pins("model/requirements-job.txt"))
