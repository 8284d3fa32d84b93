"""Cameras on the embedded cloud: registered, deployed, read from, revoked, taken out, and registered again.

The tests share one deployment and run in the order in which they stand here; the last one destroys it. `hall` is a
Greengrass core, `desk` a service of its own, and the key of `till` is made in the account.
"""

import contextlib
import importlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cv2
import numpy as np
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

import stacks.camera
from broker import Broker, Refused
from formlens.cli import app
from formlens.released import Pointer, Released, pointer_json
from local import stage
from local.cloud import Cloud
from local.install import ROOT
from local.pile import fetch, keys
from model.recordings import film, lying, placed
from nucleus import Component, Core
from stacks import build
from stacks.settings import LOCAL, Camera
from waiting import eventually

pytestmark = pytest.mark.cloud

link = importlib.import_module("link")

NAMES = ("hall", "desk", "till")
CARD = ROOT / "samples" / "tables" / "card.png"
COMPONENT = "formlens.local.hall"
PATIENCE = 120
"""Seconds that a page may take from the desk to the sheet, on a machine that is busy."""


def thing(name: str) -> str:
    return f"formlens-local-{name}"


@dataclass
class Yard:
    """The account, and the folders of the cameras."""

    cloud: Cloud
    folder: Path
    before: set[str]
    cameras: dict[str, Camera]
    outputs: dict[str, str]

    def formlens(self, *words: str) -> Any:
        """A command, with an operator's credentials for this account."""
        with pytest.MonkeyPatch.context() as patched:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patched.delenv(name)
            for name, value in self.cloud.access.items():
                patched.setenv(name, value)
            return CliRunner().invoke(app, [*words, "--stage", "local"])

    def enroll(self, name: str, *more: str) -> Any:
        """`formlens enroll` on a camera, which trusts the embedded cloud."""
        words = ["--name", name, "--folder", str(self.folder / name), "--authority", str(self.cloud.certificate)]
        return self.formlens("enroll", *words, *(["--account-key"] if name == "till" else []), *more)

    def deploy(self, *names: str, parameters: dict[str, Any] | None = None) -> None:
        """Deploy the stage with these cameras in its Settings; ``parameters`` make another version of the function."""
        assembly = self.folder / "assembly"
        shutil.rmtree(assembly, ignore_errors=True)
        context = json.loads((ROOT / "cdk.json").read_text())["context"]
        with pytest.MonkeyPatch.context() as patched:
            for parameter, value in (parameters or {}).items():
                patched.setitem(stacks.camera.PARAMETERS, parameter, value)
            made = cdk.App(outdir=str(assembly), context=context)
            cameras = tuple(self.cameras[name] for name in names)
            build(made, replace(LOCAL, cameras=cameras, camera_python=LOCAL.python))
            made.synth()
        self.outputs = stage.deploy(self.cloud, assembly)

    def identity(self, name: str) -> Any:
        """What a camera that is enrolled knows of itself."""
        told = dict(line.split("=", 1) for line in (self.folder / name / "camera.env").read_text().splitlines())
        files = [told[each] for each in ("CERTIFICATE", "PRIVATE_KEY", "AUTHORITY")]
        hosts = told["DATA_HOST"], told["CREDENTIALS_HOST"], told["ROLE_ALIAS"]
        return link.Identity(told["AWS_IOT_THING_NAME"], *files, *hosts)

    def core(self, folder: str = "core") -> Core:
        """The Greengrass core device `hall`."""
        (self.folder / folder).mkdir(exist_ok=True)
        return Core(self.identity("hall"), self.cloud.broker, self.folder / folder)

    def broker(self, name: str, client_id: str | None = None) -> Broker:
        """A connection to the broker with a camera's certificate, under its own name or another."""
        who = self.identity(name)
        files = Path(who.certificate), Path(who.key), Path(who.authority)
        return Broker(self.cloud.broker, client_id or who.thing, *files)

    def status(self, name: str) -> str:
        """The line about a camera."""
        lines = [line for line in self.formlens("status").stdout.splitlines() if f"camera {name} " in line]
        return " ".join(" ".join(lines).split())

    def failures(self) -> list[str]:
        """What went wrong in the stack Camera, though the deploy may have gone through: old resources that stay."""
        events = self.cloud.client("cloudformation").describe_stack_events(StackName="FormLens-local-Camera")
        return [str(one) for one in events["StackEvents"] if "FAILED" in one["ResourceStatus"]]

    def versions(self) -> set[str]:
        """The versions that there are of the component of `hall`."""
        account, region = self.cloud.client("sts").get_caller_identity()["Account"], self.cloud.access["AWS_REGION"]
        arn = f"arn:aws:greengrass:{region}:{account}:components:{COMPONENT}"
        found = self.cloud.client("greengrassv2").list_component_versions(arn=arn)["componentVersions"]
        return {one["componentVersion"] for one in found}


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("yard")
    os.mkfifo(folder / "camera.mjpeg")
    with Cloud() as cloud:
        stage.bootstrap(cloud)
        yard = Yard(cloud, folder, stage.inventory(cloud), {}, {})
        for name in NAMES:
            asked = yard.enroll(name)
            assert asked.exit_code == 1  # it is not deployed yet; what to put into Settings is printed
            yard.cameras[name] = eval(asked.stdout.strip().rstrip(","), {"Camera": Camera})  # noqa: S307
        yard.cameras["hall"] = replace(
            yard.cameras["hall"],
            greengrass=True,
            source=f"fifo:{folder / 'camera.mjpeg'}",
            folder=str(folder / "kept"),
            preview_port=-1,
        )
        yard.deploy(*NAMES)
        yield yard


def test_enrolling_again_after_the_deploy_goes_through_whatever_failed_before(yard: Yard) -> None:
    for name in NAMES:
        wrong = yard.enroll(name, "--authority", str(ROOT / "README.md"))
        assert wrong.exit_code == 1, wrong.output
        right = yard.enroll(name)
        assert right.exit_code == 0, right.output
        assert "PRIVATE" not in wrong.output + right.output
        assert (yard.folder / name / "private.key").stat().st_mode & 0o777 == 0o600


def test_the_key_that_the_account_made_is_in_its_secret_and_nowhere_else(yard: Yard) -> None:
    cloudformation, logs = yard.cloud.client("cloudformation"), yard.cloud.client("logs")
    stack = "FormLens-local-Camera"
    seen = [
        json.dumps(cloudformation.get_template(StackName=stack)["TemplateBody"]),
        json.dumps(cloudformation.describe_stacks(StackName=stack)["Stacks"], default=str),
        json.dumps(cloudformation.describe_stack_events(StackName=stack)["StackEvents"], default=str),
        json.dumps(cloudformation.describe_stack_resources(StackName=stack)["StackResources"], default=str),
        yard.cloud.log(),
    ]
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            seen += [event["message"] for event in page["events"]]
    key = (yard.folder / "till" / "private.key").read_text()
    middle = key.splitlines()[len(key.splitlines()) // 2]
    assert not [text for text in seen if middle in text or "PRIVATE KEY" in text]
    secret = yard.cloud.client("secretsmanager").get_secret_value(SecretId=f"formlens/{thing('till')}")
    assert json.loads(secret["SecretString"])["key"] == key


def test_a_certificate_opens_its_own_topics_under_its_own_name(yard: Yard) -> None:
    for name in NAMES:
        with yard.broker(name) as broker:
            broker.publish(f"formlens/{thing(name)}/events", "{}")
    with yard.broker("hall") as broker:
        broker.subscribe(f"$aws/things/{thing('hall')}/shadow/name/x/get/accepted")
    link.publish(yard.identity("desk"), {"event": "hello"})


@pytest.mark.parametrize(
    ("what", "topic"),
    [
        ("publish", f"formlens/{thing('desk')}/events"),
        ("publish", f"$aws/things/{thing('desk')}/shadow/update"),
        ("subscribe", f"formlens/{thing('desk')}/events"),
        ("subscribe", f"$aws/things/{thing('desk')}/shadow/get/accepted"),
        ("subscribe", "#"),
    ],
)
def test_another_devices_topics_are_refused(yard: Yard, what: str, topic: str) -> None:
    with yard.broker("hall") as broker:
        asked = partial(broker.publish, topic, "{}") if what == "publish" else partial(broker.subscribe, topic)
        with pytest.raises(Refused):
            asked()


def test_another_devices_name_alias_and_topic_are_refused_and_so_is_a_stranger(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(Refused), yard.broker("hall", thing("desk")):
        pass
    hall = yard.identity("hall")
    with pytest.raises(link.LinkError, match="answers 403"):
        link.credentials(replace(hall, role_alias=thing("desk")))
    with pytest.raises(link.LinkError, match="answers 403"):
        link.credentials(replace(hall, thing=thing("desk")))
    with pytest.raises(link.LinkError, match="answers 403"):
        link.publish(replace(hall, thing=thing("desk")), {})
    enroll = importlib.import_module("test_enroll")
    stranger = enroll.Iot(tmp_path)
    files = {"certificate": str(tmp_path / "ca.pem"), "key": str(tmp_path / "ca.key")}
    assert stranger.certificates == {}
    with pytest.raises(OSError):  # noqa: PT011  # TLS says in many ways that it does not know somebody
        link.credentials(replace(hall, **files))
    with (
        pytest.raises(Refused),
        Broker(yard.cloud.broker, hall.thing, tmp_path / "ca.pem", tmp_path / "ca.key", Path(hall.authority)),
    ):
        pass


def test_a_cameras_credentials_add_its_own_pages_and_change_none(yard: Yard) -> None:
    found = link.credentials(yard.identity("desk"))
    names = {"access_key": "aws_access_key_id", "secret_key": "aws_secret_access_key", "token": "aws_session_token"}
    s3 = yard.cloud.client("s3", **{theirs: found[ours] for ours, theirs in names.items()})
    bucket = yard.outputs[stage.BUCKET]

    def put(key: str, **more: str) -> str:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=b"{}", **more)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    new = {"IfNoneMatch": "*"}
    probe = f"inbox/any/{thing('desk')}/probe"
    assert put(probe, **new) == "done"
    assert put(probe, **new) == "PreconditionFailed"
    assert put(probe) == "AccessDenied"
    assert put(f"cameras/{thing('desk')}.json") == "done"
    refused = [
        f"cameras/{thing('hall')}.json",
        f"inbox/any/{thing('hall')}/x",
        "forms/x/x.form",
        "models/current.json",
        "sheets/any/x.csv",
    ]
    assert {put(key, **new) for key in refused} == {"AccessDenied"}
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=probe)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key=probe)
    for key in (probe, f"cameras/{thing('desk')}.json"):
        yard.cloud.client("s3").delete_object(Bucket=bucket, Key=key)


def test_before_it_is_started_a_camera_is_told_to_be_registered_and_never_online(yard: Yard) -> None:
    assert "registered, never online" in yard.status("hall")


@pytest.fixture(scope="module")
def released(yard: Yard) -> str:
    """The version of a reader that is released after the cameras were deployed, and with no deploy after it."""
    data = (ROOT / "formlens" / "reader.onnx").read_bytes()
    s3, bucket = yard.cloud.client("s3"), yard.outputs[stage.BUCKET]
    moment = "2026-11-25T12:00:00+00:00"
    release = Released("v7", "models/v7/reader.onnx", sha256(data).hexdigest(), "package", moment, moment)
    s3.put_object(Bucket=bucket, Key=release.reader, Body=data)
    s3.put_object(Bucket=bucket, Key="models/current.json", Body=pointer_json(Pointer(release)))
    return release.version


@pytest.fixture(scope="module")
def installed(yard: Yard) -> Component:
    """What Greengrass has deployed to `hall`, on the core device."""
    core = yard.core()
    (component,) = core.install()
    core.tell([component])
    return component


def test_the_deployed_component_reads_a_page_under_its_camera_and_the_row_arrives(
    yard: Yard, installed: Component, released: str
) -> None:
    assert installed.version == "1.0.0"
    page = np.asarray(cv2.imread(str(CARD)), np.uint8)
    scene = placed(lying(page, tall=0.4), hunts=False, still=24)
    recording = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in film(page, scene, size=(1440, 1080))]
    python = Path(sys.base_prefix) / "bin" / f"python{LOCAL.python}"
    (yard.folder / "kept").mkdir()
    core = yard.core()

    def sheets() -> list[str]:
        return [key for key in keys(yard.cloud, yard.outputs, "sheets/any/") if key.endswith(".csv")]

    with (
        yard.core().running(installed, python, yard.cloud.environment) as process,
        fed(yard.folder / "camera.mjpeg", recording),
    ):
        done = eventually(lambda: bool(sheets()) or process.poll() is not None, PATIENCE)
        log = (core.folder / "function.log").read_text()
        assert done, log + yard.cloud.log()[-3000:]
        assert process.poll() is None, log
        assert eventually(lambda: f"reader {released}" in yard.status("hall"), PATIENCE), yard.status("hall")
        assert eventually(lambda: "0 pages wait" in yard.status("hall"), PATIENCE), yard.status("hall")
    assert "'running': True" in (core.folder / "function.log").read_text()
    (sheet,) = sheets()
    typed = CARD.with_suffix(".csv").read_text().split()
    read = fetch(yard.cloud, yard.outputs, sheet).decode().split()
    cells = [
        pair
        for one, other in zip(read, typed, strict=True)
        for pair in zip(one.split(","), other.split(","), strict=True)
    ]
    assert sum(one != other for one, other in cells) <= 1
    assert "registered, online, last page" in yard.status("hall")
    assert "function 1.0.0," in yard.status("hall")


@contextlib.contextmanager
def fed(fifo: Path, recording: list[bytes]) -> Iterator[None]:
    """A camera that writes its frames into a FIFO, again and again, as the stock DeepLens does."""
    stop = threading.Event()

    def write() -> None:
        with fifo.open("wb", buffering=0) as camera, contextlib.suppress(BrokenPipeError):
            for at in range(10**6):
                if stop.wait(0.12):
                    return
                camera.write(recording[at % len(recording)])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
        writer.join(10)


def test_one_command_makes_a_stolen_cameras_certificate_useless(yard: Yard) -> None:
    with yard.broker("desk") as broker:
        broker.publish(f"formlens/{thing('desk')}/events", "{}")
    assert yard.formlens("revoke", "--name", "desk").exit_code == 0
    with pytest.raises(Refused), yard.broker("desk"):
        pass
    with pytest.raises(link.LinkError, match="answers 403"):
        link.credentials(yard.identity("desk"))
    assert "its certificate is revoked" in yard.status("desk")


def test_cameras_that_are_taken_out_of_settings_leave_nothing(yard: Yard, installed: Component) -> None:
    before = {one for one in stage.inventory(yard.cloud) if "desk" in one or "till" in one}
    assert {one.split(":")[0] for one in before} >= {"thing", "role alias", "role", "certificate's policy", "secret"}
    certificates = len(yard.cloud.client("iot").list_certificates()["certificates"])
    bucket = yard.outputs[stage.BUCKET]
    yard.cloud.client("s3").put_object(Bucket=bucket, Key=f"cameras/{thing('desk')}.json", Body=b"{}")
    yard.deploy("hall", parameters={"timeout_in_seconds": 61})
    assert not yard.failures()
    assert not {one for one in stage.inventory(yard.cloud) if "desk" in one or "till" in one}
    assert len(yard.cloud.client("iot").list_certificates()["certificates"]) == certificates - 2
    assert not keys(yard.cloud, yard.outputs, f"cameras/{thing('desk')}")
    # another version was deployed; the camera still has the one before, which therefore stays
    assert yard.versions() == {installed.version, "2.0.0"}
    assert "function 1.0.0 (2.0.0 is on its way)" in yard.status("hall")


def test_a_camera_is_registered_again_with_another_key_and_old_versions_go_when_nobody_has_them(yard: Yard) -> None:
    core = yard.core("again")
    (component,) = core.install()
    assert component.version == "2.0.0"
    core.tell([component])
    shutil.rmtree(yard.folder / "desk")
    asked = yard.enroll("desk")
    assert asked.exit_code == 1
    yard.cameras["desk"] = eval(asked.stdout.strip().rstrip(","), {"Camera": Camera})  # noqa: S307
    yard.deploy("hall", "desk", parameters={"timeout_in_seconds": 62})
    assert not yard.failures()
    assert yard.versions() == {"2.0.0", "3.0.0"}
    assert yard.enroll("desk").exit_code == 0
    with yard.broker("desk") as broker:
        broker.publish(f"formlens/{thing('desk')}/events", "{}")


def test_what_is_destroyed_leaves_nothing_behind(yard: Yard) -> None:
    stage.destroy(yard.cloud, yard.folder / "assembly")
    assert stage.inventory(yard.cloud) == yard.before
    shadows = yard.cloud.client("iot-data")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        shadows.get_thing_shadow(thingName=thing("hall"), shadowName="AWSManagedGreengrassV2Deployment")
