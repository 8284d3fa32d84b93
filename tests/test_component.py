"""What would fail on a camera is found in the template and the zip file; and the function runs from that zip file."""

import copy
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from local.archive import LIMIT
from local.component import check
from model.recordings import film, lying, placed
from stacks.bundle import device_bundle, function_bundle
from stacks.camera import FILES, LEFT_OUT
from templates import ROOT, template

Files = dict[str, bytes]
Found = dict[str, Any]


@pytest.fixture(scope="module")
def files() -> Files:
    """The function's own files, and of each package its beginning."""
    bundle = function_bundle(*(f"lambda/{name}.py" for name in FILES), packages=("formlens",), without=LEFT_OUT)
    with zipfile.ZipFile(bundle.path) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".onnx")}
    found |= {"formlens/reader.onnx": b"", "formlens/marks.onnx": b""}
    packages = ("numpy", "cv2", "onnxruntime", "pypdfium2", "boto3", "botocore")
    return (
        found | {f"{name}/__init__.py": b"" for name in packages} | {"numpy/_core.cpython-312-x86_64-linux-gnu.so": b""}
    )


def write(files: Files, path: Path, **entry: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, entry.get("date", (1980, 1, 1, 0, 0, 0)))
            info.external_attr = entry.get("mode", 0o644) << 16
            archive.writestr(info, data)
    return path


def faults(found: Found, path: Path, has: tuple[str, ...] = ("3.12",)) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return check(found, archive, has)


@pytest.fixture(scope="module")
def whole(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(files, tmp_path_factory.mktemp("whole") / "a.zip")


def test_the_real_thing_raises_no_alarm(whole: Path) -> None:
    assert faults(template("cameras", "Camera"), whole) == []


def of(found: Found, kind: str, id: str = "") -> Any:
    return next(
        one["Properties"] for name, one in found["Resources"].items() if one["Type"].endswith(kind) and id in name
    )


def recipe(found: Found) -> Any:
    return of(found, "ComponentVersion")["LambdaFunction"]


def parameters(found: Found) -> Any:
    return recipe(found)["ComponentLambdaParameters"]


def components(found: Found) -> Any:
    return of(found, "V2::Deployment")["Components"]


def drop(found: Found, kind: str, id: str = "hall") -> None:
    (name,) = (n for n, one in found["Resources"].items() if one["Type"].endswith(kind) and id in n)
    del found["Resources"][name]


def deny(found: Found, kind: str, id: str, action: str) -> None:
    for statement in of(found, kind, id)["PolicyDocument"]["Statement"]:
        if action in json.dumps(statement["Action"]):
            statement["Action"] = [
                a for a in statement["Action"] if a != action and isinstance(statement["Action"], list)
            ]


TEMPLATE: dict[str, tuple[Callable[[Found], Any], str]] = {
    "latest": (lambda f: recipe(f).update(LambdaArn="arn:aws:lambda:x:1:function:f:$LATEST"), "never $LATEST"),
    "the function itself": (lambda f: recipe(f).update(LambdaArn={"Ref": "CameraA68A97AE"}), "never $LATEST"),
    "a name that is a token": (lambda f: recipe(f).update(ComponentName={"Ref": "X"}), "must be written out"),
    "a version typed in": (lambda f: recipe(f).update(ComponentVersion="1.0.0"), "no version is used twice"),
    "Lambda's name of a processor": (
        lambda f: recipe(f)["ComponentPlatforms"][0]["Attributes"].update(architecture="x86_64"),
        "architecture amd64",
    ),
    "another processor": (
        lambda f: recipe(f)["ComponentPlatforms"][0]["Attributes"].update(architecture="arm64"),
        "architecture amd64",
    ),
    "another system": (
        lambda f: recipe(f)["ComponentPlatforms"][0]["Attributes"].update(os="Linux"),
        "os linux",
    ),
    "no platform": (lambda f: recipe(f).update(ComponentPlatforms=[]), "must name linux"),
    "no launcher": (
        lambda f: recipe(f)["ComponentDependencies"].pop("aws.greengrass.LambdaLauncher"),
        "LambdaLauncher",
    ),
    "no credentials": (
        lambda f: recipe(f)["ComponentDependencies"].pop("aws.greengrass.TokenExchangeService"),
        "TokenExchangeService",
    ),
    "a soft dependency": (
        lambda f: recipe(f)["ComponentDependencies"]["aws.greengrass.LambdaManager"].update(DependencyType="SOFT"),
        "must be a HARD dependency",
    ),
    "not pinned": (lambda f: parameters(f).update(Pinned=False), "Pinned must be true"),
    "a container": (
        lambda f: parameters(f)["LinuxProcessParams"].update(IsolationMode="GreengrassContainer"),
        "must be NoContainer",
    ),
    "memory of no container": (
        lambda f: parameters(f)["LinuxProcessParams"].update(ContainerParams={"MemorySizeInKB": 16}),
        "no meaning",
    ),
    "no time": (lambda f: parameters(f).update(StatusTimeoutInSeconds=5), "time to load the reader"),
    "layers": (lambda f: of(f, "Lambda::Function").update(Layers=["l"]), "layers, which Greengrass does not know"),
    "an image": (lambda f: of(f, "Lambda::Function").update(PackageType="Image"), "a container image"),
    "a missing interpreter": (lambda f: of(f, "Lambda::Function").update(Runtime="python3.13"), "wants python3.13"),
    "no handler": (lambda f: of(f, "Lambda::Function").update(Handler="camera.run"), "there is no camera.run"),
    "another module": (lambda f: of(f, "Lambda::Function").update(Handler="cam.handler"), "there is no cam.handler"),
    "no deployment": (lambda f: drop(f, "V2::Deployment"), "no deployment names"),
    "a deployment before its version": (
        lambda f: components(f)["formlens.cameras.hall"].update(ComponentVersion="1.0.0"),
        "must take the version from it",
    ),
    "a nucleus that is not held": (lambda f: components(f).pop("aws.greengrass.Nucleus"), "must hold"),
    "no way back": (
        lambda f: of(f, "V2::Deployment")["DeploymentPolicies"].update(FailureHandlingPolicy="DO_NOTHING"),
        "must roll back",
    ),
    "another target": (
        lambda f: of(f, "V2::Deployment").update(TargetArn="arn:aws:iot:x:1:thing/t"),
        "must be a thing",
    ),
    "a merge that is no JSON": (
        lambda f: components(f)["formlens.cameras.hall"]["ConfigurationUpdate"].update(Merge="{SOURCE}"),
        "is no JSON",
    ),
    "a source not told": (
        lambda f: components(f)["formlens.cameras.hall"]["ConfigurationUpdate"].update(
            Merge='{"lambdaExecutionParameters": {"EnvironmentVariables": {"FORM": "a", "FOLDER": "/f"}}}'
        ),
        "does not tell it SOURCE",
    ),
    "no exchange": (
        lambda f: deny(f, "IoT::Policy", "hall", "iot:AssumeRoleWithCertificate"),
        "no certificate may exchange itself",
    ),
    "no publishing": (lambda f: deny(f, "IoT::Policy", "desk", "iot:Publish"), "may not connect and publish"),
    "half of Greengrass": (
        lambda f: deny(f, "IoT::Policy", "hall", "greengrass:ResolveComponentCandidates"),
        "ResolveComponentCandidates too",
    ),
    "a role for another service": (
        lambda f: of(f, "IAM::Role", "hallRole").update(AssumeRolePolicyDocument={"Statement": []}),
        "trusted by credentials.iot",
    ),
    "a role that writes nothing": (
        lambda f: of(f, "IAM::Policy", "hallRole")["PolicyDocument"].update(Statement=[]),
        "lacks s3:PutObject below results/",
    ),
    "a core that can say nothing": (
        lambda f: deny(f, "IAM::Policy", "hallRole", "iot:Publish"),
        "lacks iot:Publish",
    ),
    "a certificate without a request": (
        lambda f: of(f, "Certificate", "hall").pop("CertificateSigningRequest"),
        "made from the camera's request",
    ),
    "a certificate of no thing": (lambda f: drop(f, "ThingPrincipalAttachment"), "no ThingPrincipalAttachment"),
    "a certificate that opens nothing": (
        lambda f: drop(f, "PolicyPrincipalAttachment"),
        "no PolicyPrincipalAttachment",
    ),
}


@pytest.mark.parametrize("fault", TEMPLATE)
def test_a_fault_in_the_template_is_found(fault: str, whole: Path) -> None:
    seeded = copy.deepcopy(template("cameras", "Camera"))
    change, says = TEMPLATE[fault]
    change(seeded)
    found = faults(seeded, whole)
    assert any(says in one for one in found), found


ARCHIVE: dict[str, tuple[Callable[[Files], Any], dict[str, Any], str]] = {
    "a time": (lambda f: None, {"date": (2026, 11, 25, 14, 0, 0)}, "carries the time of its making"),
    "permissions": (lambda f: None, {"mode": 0o600}, "read by its owner alone"),
    "too large": (lambda f: f.update(big=bytes(LIMIT)), {}, "holds more than"),
    "no reader": (lambda f: f.pop("formlens/reader.onnx"), {}, "formlens/reader.onnx is missing"),
    "a module left out": (lambda f: f.pop("held.py"), {}, "imports held"),
    "a module of the core left out": (lambda f: f.pop("formlens/watching.py"), {}, "imports formlens.watching"),
    "a package left out": (lambda f: f.pop("cv2/__init__.py"), {}, "imports cv2"),
    "boto3 left out": (lambda f: f.pop("boto3/__init__.py"), {}, "imports boto3"),
    "wheels for another Python": (
        lambda f: f.update({"numpy/_core.cpython-311-x86_64-linux-gnu.so": b""}),
        {},
        "another Python than python3.12",
    ),
    "wheels for another processor": (
        lambda f: f.update({"cv2/cv2.cpython-312-aarch64-linux-gnu.so": b""}),
        {},
        "another processor",
    ),
    "a way out": (lambda f: f.update({"../camera.py": b""}), {}, "unpacked elsewhere"),
}


@pytest.mark.parametrize("fault", ARCHIVE)
def test_a_fault_in_the_zip_file_is_found(fault: str, files: Files, tmp_path: Path) -> None:
    change, entry, says = ARCHIVE[fault]
    seeded = dict(files)
    change(seeded)
    found = faults(template("cameras", "Camera"), write(seeded, tmp_path / "a.zip", **entry))
    assert any(says in one for one in found), found[:5]


@pytest.mark.cloud  # slow: fetches and unpacks the packages
def test_the_function_reads_a_page_with_nothing_but_what_is_in_its_zip_file(tmp_path: Path) -> None:
    """Instead of a device: an empty folder, this Python without its packages, and what the component is told."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    bundle = device_bundle(python, *(f"lambda/{name}.py" for name in FILES), without=LEFT_OUT)
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(tmp_path / "function")
    card = np.asarray(cv2.imread(str(ROOT / "samples" / "tables" / "card.png")), np.uint8)
    moments = placed(lying(card, tall=0.4), hunts=False, still=20)
    recording = tmp_path / "card.mjpeg"
    frames = film(card, moments, size=(1440, 1080))
    recording.write_bytes(b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames))
    told = {"SOURCE": f"file:{recording}", "AWS_IOT_THING_NAME": "cam1", "FOLDER": str(tmp_path), "PREVIEW_PORT": "-1"}
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'function')!r}); import runpy; "
    start += "import boto3, store; runpy.run_module('camera', run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", start]
    done = subprocess.run(command, env=told | {"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (entry,) = (tmp_path / "spool").glob("*.waiting")
    with zipfile.ZipFile(entry) as kept:
        (name,) = (name for name in kept.namelist() if name.startswith("results/"))
        cells = json.loads(kept.read(name))["pages"][0]["cells"]
    assert (
        ",".join(cell["text"] for cell in cells[:5])
        == (ROOT / "samples" / "tables" / "card.csv").read_text().split()[0]
    )
