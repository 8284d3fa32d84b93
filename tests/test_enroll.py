import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from formlens import identity
from formlens.account import enroll, session
from formlens.cli import app
from formlens.types import CallError
from stacks.settings import Camera

ROOT = Path(__file__).parents[1]
AUTHORITY = ROOT / "README.md"


class Iot:
    """The part of AWS IoT that enrolling asks, with one camera; `sign` is what a deploy does."""

    class exceptions:
        class ResourceNotFoundException(Exception): ...

    def __init__(self, folder: Path) -> None:
        self.folder, self.certificates = folder, dict[str, dict[str, str]]()
        self.kept: str | None = None
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")

    def openssl(self, *words: str) -> str:
        return subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def sign(self, request: str) -> None:
        (self.folder / "csr").write_text(request)
        pem = self.openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        self.certificates = {"c1": {"certificateId": "c1", "status": "ACTIVE", "certificatePem": pem}}

    def get_secret_value(self, SecretId: str) -> Any:
        assert SecretId == "formlens/formlens-dev-hall"
        if self.kept is None:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": json.dumps({"key": self.kept})}

    def list_thing_principals(self, thingName: str) -> Any:
        if thingName != "formlens-dev-hall" or not self.certificates:
            raise self.exceptions.ResourceNotFoundException
        return {"principals": [f"arn:aws:iot:eu-central-1:1:cert/{id}" for id in self.certificates]}

    def describe_certificate(self, certificateId: str) -> Any:
        return {"certificateDescription": self.certificates[certificateId]}

    def describe_endpoint(self, endpointType: str) -> Any:
        return {"endpointAddress": f"{endpointType.split(':')[1]}.example"}

    def update_certificate(self, certificateId: str, newStatus: str) -> None:
        self.certificates[certificateId]["status"] = newStatus


@pytest.fixture
def iot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iot:
    (tmp_path / "aws").mkdir()
    made = Iot(tmp_path / "aws")
    clients: Any = {
        "iot": made,
        "secretsmanager": made,
        "sts": SimpleNamespace(get_caller_identity=lambda: {"Account": "1"}),
    }
    account = session.Account(
        "dev", SimpleNamespace(region_name="eu-central-1", client=lambda name, **_: clients[name])
    )
    monkeypatch.setattr(session, "connect", lambda stage: account)
    return made


def call(folder: Path) -> Any:
    words = ["enroll", "--name", "hall", "--folder", str(folder), "--authority", str(AUTHORITY), "--form", "intake"]
    return CliRunner().invoke(app, words)


def test_enrolling_is_two_calls_with_a_deploy_between(
    iot: Iot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    link = importlib.import_module("link")
    monkeypatch.setattr(link, "credentials", lambda who: asked.append(who.role_alias))
    monkeypatch.setattr(link, "publish", lambda who, message: asked.append(who.topic))
    folder = tmp_path / "etc"
    first = call(folder)
    assert first.exit_code == 1
    # what is printed goes into Settings as it is
    camera = eval(first.stdout.strip().rstrip(","), {"Camera": Camera})  # noqa: S307
    assert (camera.name, camera.form) == ("hall", "intake")
    iot.sign(camera.csr)
    second = call(folder)
    assert second.exit_code == 0, second.output
    assert asked == ["formlens-dev-hall", "formlens/formlens-dev-hall/events"]
    told = dict(line.split("=", 1) for line in (folder / "camera.env").read_text().splitlines())
    assert told["BUCKET"] == "deeplens-sagemaker-dev-1-eu-central-1"
    assert told["CREDENTIALS_HOST"] == "CredentialProvider.example"
    deployed = importlib.import_module("camera").read_deployed(told)
    assert deployed.identity.certificate == str(folder / "certificate.pem")


def test_enrolling_can_be_broken_off_at_any_step_and_begun_again(iot: Iot, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    request = identity.make_request(folder, "hall")
    key = (folder / identity.KEY).read_bytes()
    assert identity.make_request(folder, "hall") == request
    (folder / identity.REQUEST).unlink()
    (folder / "private.unfinished").write_text("half")
    assert identity.make_request(folder, "hall").startswith("-----BEGIN CERTIFICATE REQUEST")
    assert (folder / identity.KEY).read_bytes() == key


def test_the_key_is_for_its_owner_alone_and_is_never_printed(iot: Iot, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    output = call(folder).output
    assert os.stat(folder / identity.KEY).st_mode & 0o777 == 0o600  # noqa: PTH116
    assert "PRIVATE" not in output


STEPS = ("key", "account", "certificate", "alias", "topic")


@pytest.mark.parametrize("broken", STEPS)
def test_enrolling_goes_through_once_what_failed_is_mended(
    iot: Iot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    link, folder, fails = importlib.import_module("link"), tmp_path / "etc", {broken}

    def step(name: str) -> Any:
        def asked(*_: Any) -> None:
            if name in fails:
                raise link.LinkError(f"AWS IoT answers 403 to the {name}")

        return asked

    monkeypatch.setattr(link, "credentials", step("alias"))
    monkeypatch.setattr(link, "publish", step("topic"))
    iot.sign(identity.make_request(folder, "hall"))
    whole = iot.certificates
    if broken == "key":
        (folder / identity.KEY).rename(tmp_path / "key")
        (folder / identity.KEY).write_text("half a key")
    if broken == "account":
        iot.certificates = {}
    if broken == "certificate":
        iot.sign(identity.make_request(tmp_path / "other", "hall"))
    first = call(folder)
    assert first.exit_code != 0
    assert not (folder / "camera.env").exists() or broken in ("alias", "topic")
    # mended as the command says, it goes through; and the key is the one that was there
    if broken == "key":
        (tmp_path / "key").rename(folder / identity.KEY)
    key, iot.certificates = (folder / identity.KEY).read_bytes(), whole
    fails.clear()
    for _ in range(2):
        again = call(folder)
        assert again.exit_code == 0, again.output
    assert (folder / identity.KEY).read_bytes() == key
    assert not list(folder.glob("*.unfinished"))


def test_a_key_that_the_account_made_comes_from_its_secret(
    iot: Iot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, folder = importlib.import_module("link"), tmp_path / "etc"
    for name in ("credentials", "publish"):
        monkeypatch.setattr(link, name, lambda *_: None)
    words = ["enroll", "--name", "hall", "--folder", str(folder), "--authority", str(AUTHORITY), "--account-key"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 1
    camera = eval(first.stdout.strip().rstrip(","), {"Camera": Camera})  # noqa: S307
    assert (camera.account_key, camera.csr) == (1, "")
    iot.sign(identity.make_request(tmp_path / "account", "hall"))
    iot.kept = None
    assert "the account has no key for hall" in CliRunner().invoke(app, words).output
    iot.kept = (tmp_path / "account" / identity.KEY).read_text()
    folder.mkdir()
    (folder / "private.unfinished").write_text("half")
    second = CliRunner().invoke(app, words)
    assert second.exit_code == 0, second.output
    assert "PRIVATE" not in second.output
    assert (folder / identity.KEY).read_text() == iot.kept
    assert (folder / identity.KEY).stat().st_mode & 0o777 == 0o600


def test_a_certificate_for_another_key_is_refused_and_the_old_one_stays(iot: Iot, tmp_path: Path) -> None:
    for name in ("one", "two"):
        identity.make_request(tmp_path / name, "hall")
    iot.sign((tmp_path / "one" / identity.REQUEST).read_text())
    pem = iot.certificates["c1"]["certificatePem"]
    identity.keep_certificate(tmp_path / "one", pem)
    with pytest.raises(CallError, match="not for the key in"):
        identity.keep_certificate(tmp_path / "two", pem)
    assert not (tmp_path / "two" / identity.CERTIFICATE).exists()


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / identity.KEY).write_text("not a key")
    with pytest.raises(CallError, match=r"private\.key.*move it away"):
        identity.make_request(tmp_path, "hall")


def test_what_a_person_added_to_the_cameras_file_stays(tmp_path: Path) -> None:
    (tmp_path / identity.VARIABLES).write_text("PREVIEW_PORT=9000\nFORM=old\n")
    identity.write_variables(tmp_path, {"FORM": "intake"})
    assert (tmp_path / identity.VARIABLES).read_text() == "PREVIEW_PORT=9000\nFORM=intake\n"


def test_one_command_revokes_a_stolen_camera(iot: Iot, tmp_path: Path) -> None:
    iot.sign(identity.make_request(tmp_path / "etc", "hall"))
    assert CliRunner().invoke(app, ["revoke", "--name", "hall"]).exit_code == 0
    assert iot.certificates["c1"]["status"] == "REVOKED"
    with pytest.raises(CallError, match="no active certificate"):
        enroll.find_enrolled(session.connect("dev"), "hall")


def test_the_installer_puts_a_service_together_that_starts_the_functions_own_file(tmp_path: Path) -> None:
    environment = {**os.environ, "ROOT": str(tmp_path), "NO_PACKAGES": "1"}
    for _ in range(2):  # again: brought up to date, the one before kept
        subprocess.run([str(ROOT / "device" / "install.sh")], env=environment, check=True, capture_output=True)
    home = tmp_path / "opt" / "formlens"
    assert (home / "lambda" / "camera.py").read_bytes() == (ROOT / "lambda" / "camera.py").read_bytes()
    assert (tmp_path / "opt" / "formlens.before" / "start.py").is_file()
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["formlens", "formlens.before"]
    unit = (tmp_path / "etc" / "systemd" / "system" / "formlens-camera.service").read_text()
    lines = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    assert lines["ExecStart"].split() == ["/opt/formlens/venv/bin/python", "-I", "/opt/formlens/start.py"]
    assert (lines["Type"], lines["User"], lines["Restart"]) == ("notify", "formlens", "always")
    assert int(lines["WatchdogSec"]) >= 30
    assert lines["EnvironmentFile"] == "/etc/formlens/camera.env"
    assert (home / Path(lines["ExecStart"].split()[-1]).name).is_file()


def test_a_camera_is_started_without_the_users_own_folders_on_its_path(tmp_path: Path) -> None:
    subprocess.run(
        [str(ROOT / "device" / "install.sh")],
        env={**os.environ, "ROOT": str(tmp_path), "NO_PACKAGES": "1"},
        check=True,
        capture_output=True,
    )
    start = tmp_path / "opt" / "formlens" / "start.py"
    done = subprocess.run([sys.executable, "-I", str(start)], env={}, capture_output=True, text=True, check=False)
    assert "SOURCE is not set" in done.stderr
