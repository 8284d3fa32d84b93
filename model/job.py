"""A SageMaker container and the name of a module go in; that module runs as SageMaker's own images would run it.

    python -m model.job model.prepare --form intake …      a processing job: its arguments are the module's
    python -m model.job model.tune                         a training job: its hyperparameters are

A container of ours has the code and the image's Python alone: first the pinned libraries are installed, then, for a
training, what the files under /opt/ml say becomes SM_CHANNEL_*, SM_MODEL_DIR, SM_OUTPUT_DATA_DIR, SM_NUM_GPUS, SM_HOSTS
and SM_CURRENT_HOST. Several instances or GPUs run the module under torchrun, the first instance leading. Why a job
failed is left where SageMaker looks for it. Standard library only: nothing is installed when this starts.
"""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ROOT / "model" / "requirements-job.txt"
PORT = 7777

Files = Mapping[str, object]


def main(module: str, *arguments: str) -> None:
    """Run a module, and tell SageMaker why it failed if it did."""
    ml = Path(os.environ.get("FORMLENS_OPT_ML", "/opt/ml"))
    if not os.environ.get("FORMLENS_INSTALLED"):  # a laptop, and the tests, bring their own
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(LIBRARIES)]
        subprocess.run(pip, check=True)  # noqa: S603
    training = (ml / "input" / "config" / "resourceconfig.json").is_file()
    try:
        if training:
            os.environ |= environment(ml, gpus())
            arguments = (*options(_json(ml, "hyperparameters")), *arguments)
        command = torchrun(os.environ) if training else []
        if command:
            subprocess.run([*command, "-m", module, *arguments], check=True)  # noqa: S603
        else:
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and not error.code:
            raise
        said = ml / "output" / ("failure" if training else "message")
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(f"{module}: {error}"[:1024], encoding="utf-8")
        raise


def environment(ml: Path, gpu_count: int) -> dict[str, str]:
    """The variables that scripts find in SageMaker's own training images."""
    resources, channels = _json(ml, "resourceconfig"), _json(ml, "inputdataconfig")
    folders = {f"SM_CHANNEL_{name.upper()}": str(ml / "input" / "data" / name) for name in channels}
    return folders | {
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_MODEL_DIR": str(ml / "model"),
        "SM_OUTPUT_DATA_DIR": str(ml / "output" / "data"),
        "SM_CHECKPOINT_DIR": str(ml / "checkpoints"),
        "SM_HOSTS": json.dumps(resources["hosts"]),
        "SM_CURRENT_HOST": str(resources["current_host"]),
        "SM_NUM_GPUS": str(gpu_count),
    }


def options(hyperparameters: Files) -> list[str]:
    """Hyperparameters as a command line: SageMaker passes each on as a text, and the SDK as a text of JSON."""
    given = []
    for name, value in sorted(hyperparameters.items()):
        with suppress(ValueError):  # a text as it is
            value = json.loads(str(value))
        given += [f"--{name.replace('_', '-')}", str(value)]
    return given


def torchrun(variables: Mapping[str, str]) -> list[str]:
    """The command that runs a module in a process for each GPU of each instance; nothing where one process is all."""
    hosts = sorted(json.loads(variables["SM_HOSTS"]))
    each = max(1, int(variables["SM_NUM_GPUS"]))
    if len(hosts) * each == 1:
        return []
    number = hosts.index(variables["SM_CURRENT_HOST"])
    where = [f"--nnodes={len(hosts)}", f"--node_rank={number}", f"--master_addr={hosts[0]}", f"--master_port={PORT}"]
    return [sys.executable, "-m", "torch.distributed.run", *where, f"--nproc_per_node={each}"]


def gpus() -> int:
    """How many GPUs this instance has."""
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return 0
    return listed.stdout.count("GPU ") if listed.returncode == 0 else 0


def _json(ml: Path, name: str) -> dict[str, object]:
    path = ml / "input" / "config" / f"{name}.json"
    found: dict[str, object] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _main(arguments: Sequence[str]) -> None:
    if not arguments:
        raise SystemExit("usage: python -m model.job MODULE [ARGUMENT...]")
    main(*arguments)


if __name__ == "__main__":
    _main(sys.argv[1:])
