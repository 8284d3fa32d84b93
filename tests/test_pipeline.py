"""The rendered pipeline: it is what the module defines, branches as it says, and runs for real on real pages."""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline_run import ROOT, Failed, Run, as_process, definition, zip_code

BUCKET = "deeplens-sagemaker-test"
FILLED = {"Bucket": BUCKET, "Stage": "test", "Group": "formlens-test", "CodeBucket": "assets", "CodeKey": "code.zip"}


def absent(*modules: str) -> str | None:
    return next((name for name in modules if importlib.util.find_spec(name) is None), None)


@pytest.mark.skipif(absent("sagemaker") is not None, reason="the SageMaker SDK is not in this environment")
def test_the_file_is_what_the_module_defines_wherever_it_is_rendered(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path), "AWS_DEFAULT_REGION": "eu-north-1"}
    command = [sys.executable, "-m", "model.pipeline", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def measured(evaluation: dict[str, Any]) -> Any:
    """A container that only leaves a file in each of its outputs."""

    def container(run: Run, name: str, command: list[str], ml: Path) -> None:
        for folder in (ml / "processing" / "output").glob("*"):
            (folder / "file").write_text("")
        if name.startswith("Evaluate"):
            (ml / "processing" / "output" / "evaluation" / "evaluation.json").write_text(json.dumps(evaluation))

    return container


def start(tmp_path: Path, container: Any, **parameters: Any) -> Run:
    training = tmp_path / "s3" / BUCKET / "training" / "births"
    if not training.is_dir():
        shutil.copytree(ROOT / "samples" / "register", training)
        zip_code(tmp_path / "s3" / "assets" / "code.zip")
    run = Run(
        definition(**FILLED), {"Form": "births", **parameters}, tmp_path / "s3", tmp_path / "containers", container
    )
    return run.start()


GOOD = {"exact": 0.9, "gain": 0.1, "gain_low": 0.01}


@pytest.mark.parametrize(("spot", "ending"), [(False, ""), (True, "OnSpot")])
def test_the_steps_come_in_their_order(tmp_path: Path, spot: bool, ending: str) -> None:
    run = start(tmp_path, measured(GOOD), Spot=spot)
    assert run.executed == [
        "Prepare",
        "Spot",
        *(f"{name}{ending}" for name in ("Train", "Evaluate", "Gate", "Register")),
    ]
    request = run.described[f"Train{ending}"]
    assert request["EnableManagedSpotTraining"] is spot
    # SageMaker refuses the one without the other
    assert ("MaxWaitTimeInSeconds" in request["StoppingCondition"]) is spot
    assert run.registered is not None
    assert run.registered["ModelApprovalStatus"] == "PendingManualApproval"
    assert run.registered["CustomerMetadataProperties"] == {"form": "births", "run": run.id}
    (container,) = run.registered["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == f"s3://{BUCKET}/runs/{run.id}/package/model.tar.gz"


def test_both_ways_are_alike_but_for_the_capacity(tmp_path: Path) -> None:
    choice = definition(**FILLED)["Steps"][1]["Arguments"]
    spot, plain = json.dumps(choice["IfSteps"]), json.dumps(choice["ElseSteps"])
    spot = spot.replace("OnSpot", "").replace(', "MaxWaitTimeInSeconds": 86400', "")
    assert spot.replace('ManagedSpotTraining": true', 'ManagedSpotTraining": false') == plain


@pytest.mark.parametrize(
    "change", [{"gain_low": 0.0}, {"gain_low": -0.02}, {"exact": 0.79}], ids=["no better", "worse", "not good enough"]
)
def test_a_reader_that_is_not_better_and_good_enough_is_not_registered(
    tmp_path: Path, change: dict[str, float]
) -> None:
    with pytest.raises(Failed, match=r"^Not registered\. Share of exact cells: 0\.\d+, wanted 0\.8\. Gain"):
        start(tmp_path, measured(GOOD | change))


def test_a_form_without_scans_fails_before_anything_is_paid_for(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=f"no S3 objects found under s3://{BUCKET}/training/other/"):
        start(tmp_path, measured(GOOD), Form="other")


MISSING = absent("torch", "faker", "fontTools", "onnx")


@pytest.mark.skipif(MISSING is not None, reason=f"training needs {MISSING}: model/requirements-train.txt")
def test_the_pipeline_runs_on_real_pages_and_what_it_registers_can_be_released(tmp_path: Path) -> None:
    """Lyon's register: one double page to train on, one held out; the reader in use is a spoilt one."""
    from collections_drawn import draw_collections
    from formlens.reader import SHIPPED, Reader
    from formlens.released import POINTER, Pointer, Released, pointer_json

    bucket = tmp_path / "s3" / BUCKET
    draw_collections(bucket / "runs" / "data")
    (bucket / "models" / "0001-bad").mkdir(parents=True)
    spoil(bucket / "models" / "0001-bad" / "reader.onnx")
    then = "2026-11-23T09:00:00+00:00"
    bad = Released("0001-bad", "models/0001-bad/reader.onnx", "", "arn/1", then, then)
    (bucket / POINTER).write_bytes(pointer_json(Pointer(bad)))

    run = start(tmp_path, as_process, BaseReader="shipped", Steps=2, HeldOut=2, Threshold=0.3)

    assert run.executed == ["Prepare", "Spot", "Train", "Evaluate", "Gate", "Register"]
    outputs = bucket / "runs" / run.id
    evaluation = json.loads((outputs / "evaluation" / "evaluation.json").read_text())
    assert evaluation["released"] == "formlens-spoilt"
    assert (evaluation["pages"], evaluation["cells"] > 50) == (1, True)
    assert evaluation["exact"] > evaluation["released_exact"]
    assert 0 < evaluation["gain_low"] <= evaluation["gain"]
    held = {path.stem for path in (outputs / "pages" / "held" / "births").glob("*.jpg")}
    learn = {path.stem for path in (outputs / "pages" / "learn" / "births").glob("*.jpg")}
    assert held | learn == {"page101_T", "page62_KL"}
    assert not held & learn
    assert (tmp_path / "containers" / "Train" / "ml" / "checkpoints" / "log.txt").is_file()

    assert run.registered is not None
    url = run.registered["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert run.place(url).is_file()
    assert run.place(run.registered["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]).is_file()
    pytest.importorskip("boto3", reason="releasing it needs boto3")
    from fakes import FakeS3

    rollout, store, current = (importlib.import_module(name) for name in ("rollout", "store", "current"))
    s3 = FakeS3()
    s3.put_object(BUCKET, url.removeprefix(f"s3://{BUCKET}/"), run.place(url).read_bytes())
    package = rollout.Package("arn/2", 2, "Approved", url, datetime(2026, 11, 24, tzinfo=UTC))
    bucket_ = store.Store(s3, BUCKET)

    def decide(status: str) -> Any:
        return rollout.decide(replace(package, status=status), bucket_, bucket=BUCKET, now=datetime.now(UTC))

    assert decide("Approved") == "released"
    use = current.Current(bucket_).use()
    assert use.reader.version == evaluation["reader"] != Reader(SHIPPED).version
    assert set(use.forms) == {"births"}
    assert decide("Rejected") == "moved back"


def spoil(path: Path) -> None:
    """The shipped reader with noise on its last layer."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    from formlens.reader import SHIPPED

    model = onnx.load(SHIPPED)
    (last,) = [one for one in model.graph.initializer if one.name.startswith("linear_8.w_0")]
    weights = numpy_helper.to_array(last).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 0.6 * weights.std(), weights.shape)
    last.CopyFrom(numpy_helper.from_array((weights + noise).astype(np.float16), last.name))
    for entry in model.metadata_props:
        if entry.key == "version":
            entry.value = "formlens-spoilt"
    onnx.save(model, path)
