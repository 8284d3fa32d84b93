"""A rendered pipeline, its parameters and folders instead of buckets go in; its steps run here as SageMaker runs them.

Only what the definition says happens: inputs are copied where it says, the container's first command is run with its
arguments, outputs are taken from where it says, conditions look at the property files. So a step that reads what no
step wrote, or that writes where nobody looks, fails here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Content = dict[str, Any]


class Failed(Exception):
    """A job failed, or the pipeline came to a step that says so."""


@dataclass
class Run:
    """One execution. ``s3`` is the folder of the buckets, ``scratch`` the one of the containers."""

    definition: Content
    parameters: Mapping[str, Any]
    s3: Path
    scratch: Path
    container: Callable[["Run", str, list[str], Path], None]
    """Runs a command in the container whose /opt/ml is the folder; of a step of this name."""
    id: str = "execution1"
    executed: list[str] = field(default_factory=list)
    described: dict[str, Content] = field(default_factory=dict)
    registered: Content | None = None

    def start(self) -> "Run":
        """Run all steps. Raises Failed."""
        defaults = {one["Name"]: one.get("DefaultValue") for one in self.definition["Parameters"]}
        self.parameters = {**defaults, **self.parameters}
        assert None not in self.parameters.values(), "a parameter without a value"
        self._steps(self.definition["Steps"])
        return self

    def _steps(self, steps: list[Content]) -> None:
        for step in steps:
            name, kind, arguments = step["Name"], step["Type"], step["Arguments"]
            self.executed.append(name)
            if kind == "Condition":
                passed = all(self._holds(one) for one in arguments["Conditions"])
                self._steps(arguments["IfSteps" if passed else "ElseSteps"])
            elif kind == "Fail":
                raise Failed(self.value(arguments["ErrorMessage"]))
            elif kind == "RegisterModel":
                self.registered = self.value(arguments)
            else:
                (self._process if kind == "Processing" else self._train)(name, self.value(arguments), step)

    def _process(self, name: str, request: Content, step: Content) -> None:
        ml = self.scratch / name / "ml"
        for one in request["ProcessingInputs"]:
            self._download(one["S3Input"]["S3Uri"], self._inside(ml, one["S3Input"]["LocalPath"]))
        outputs = [one["S3Output"] for one in request["ProcessingOutputConfig"]["Outputs"]]
        for one in outputs:
            self._inside(ml, one["LocalPath"]).mkdir(parents=True, exist_ok=True)
        app = request["AppSpecification"]
        self.container(self, name, [*app["ContainerEntrypoint"], *app["ContainerArguments"]], ml)
        for one in outputs:
            shutil.copytree(self._inside(ml, one["LocalPath"]), self.place(one["S3Uri"]), dirs_exist_ok=True)
        self.described[name] = request | {"PropertyFiles": step.get("PropertyFiles", [])}

    def _train(self, name: str, request: Content, step: Content) -> None:
        ml = self.scratch / name / "ml"
        channels = {one["ChannelName"]: one for one in request["InputDataConfig"]}
        for channel, one in channels.items():
            self._download(one["DataSource"]["S3DataSource"]["S3Uri"], ml / "input" / "data" / channel)
        assert all(isinstance(value, str) for value in request["HyperParameters"].values())
        count = request["ResourceConfig"]["InstanceCount"]
        hosts = [f"algo-{number + 1}" for number in range(count)]
        config = ml / "input" / "config"
        config.mkdir(parents=True)
        for file, content in (
            ("hyperparameters", request["HyperParameters"]),
            ("inputdataconfig", channels),
            ("resourceconfig", {"current_host": hosts[0], "hosts": hosts}),
        ):
            (config / f"{file}.json").write_text(json.dumps(content))
        for folder in ("model", "output/data", "checkpoints"):
            (ml / folder).mkdir(parents=True)
        self.container(self, name, request["AlgorithmSpecification"]["ContainerEntrypoint"], ml)
        uri = f"{request['OutputDataConfig']['S3OutputPath']}/{request['TrainingJobName']}/output/model.tar.gz"
        self.place(uri).parent.mkdir(parents=True)
        with tarfile.open(self.place(uri), "w:gz") as archive:
            for path in (ml / "model").iterdir():
                archive.add(path, path.name)
        self.described[name] = request | {"ModelArtifacts": {"S3ModelArtifacts": uri}}

    def place(self, uri: str) -> Path:
        """Where an object or prefix lies here."""
        assert uri.startswith("s3://")
        return self.s3 / uri.removeprefix("s3://")

    def _download(self, uri: str, into: Path) -> None:
        source = self.place(uri)
        if not source.exists() or (source.is_dir() and not any(path.is_file() for path in source.rglob("*"))):
            raise Failed(f"no S3 objects found under {uri}")
        if source.is_dir():
            shutil.copytree(source, into)
        else:
            into.mkdir(parents=True)
            shutil.copy(source, into)

    @staticmethod
    def _inside(ml: Path, path: str) -> Path:
        assert path.startswith("/opt/ml/processing/"), "SageMaker mounts nothing elsewhere"
        return ml / path.removeprefix("/opt/ml/")

    def value(self, of: Any) -> Any:
        """What an expression of the definition stands for at this moment."""
        if isinstance(of, list):
            return [self.value(one) for one in of]
        if not isinstance(of, dict):
            return of
        if "Get" in of:
            return self._get(of["Get"])
        if "Std:Join" in of:
            return of["Std:Join"]["On"].join(str(self.value(one)) for one in of["Std:Join"]["Values"])
        if "Std:JsonGet" in of:
            return self._measured(of["Std:JsonGet"])
        return {name: self.value(one) for name, one in of.items()}

    def _get(self, path: str) -> Any:
        kind, _, rest = path.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]
        if kind == "Execution":
            return {"PipelineExecutionId": self.id}[rest]
        step, _, rest = rest.partition(".")
        found: Any = self.described[step]
        for name, key in re.findall(r"(\w+)(?:\['(\w+)'\])?", rest):
            found = found[name]
            if key:
                found = next(one for one in found if one["OutputName"] == key)
        return found

    def _measured(self, of: Content) -> Any:
        step, _, name = of["PropertyFile"]["Get"].removeprefix("Steps.").partition(".PropertyFiles.")
        file = next(one for one in self.described[step]["PropertyFiles"] if one["PropertyFileName"] == name)
        outputs = self.described[step]["ProcessingOutputConfig"]["Outputs"]
        uri = next(one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == file["OutputName"])
        found = json.loads((self.place(uri) / file["FilePath"]).read_text())
        for part in of["Path"].split("."):
            found = found[part]
        return found

    def _holds(self, condition: Content) -> bool:
        left, right = self.value(condition["LeftValue"]), self.value(condition["RightValue"])
        return bool(
            {
                "Equals": left == right,
                "GreaterThan": left > right,
                "GreaterThanOrEqualTo": left >= right,
            }[condition["Type"]]
        )


def definition(**filled: str) -> Content:
    """The rendered pipeline, its placeholders filled in."""
    text = json.dumps(json.loads((ROOT / "model" / "pipeline.json").read_text())["definition"])
    found: Content = json.loads(re.sub(r"\$\{(\w+)\}", lambda match: filled.get(match[1], match[1]), text))
    return found


def zip_code(path: Path) -> None:
    """What the stack's asset holds: the packages that the jobs run."""
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for package in ("formlens", "model"):
            for file in (ROOT / package).rglob("*"):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(ROOT))


def as_process(run: Run, name: str, command: list[str], ml: Path) -> None:
    """The container is a process of this machine: `python3` is this Python, and its paths are in a folder."""
    here = ml.parent
    (here / "bin").mkdir()
    python = here / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    words = [
        re.sub(r"s3://", f"{run.s3}/", word).replace("/opt/ml", str(ml)).replace("/tmp/formlens", str(here / "code"))  # noqa: S108
        for word in command
    ]
    environment = {
        "PATH": f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(here),
        "FORMLENS_OPT_ML": str(ml),
        "FORMLENS_INSTALLED": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(words, env=environment, cwd=here, capture_output=True, text=True, check=False)
    (here / "log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr[-3000:]}")
