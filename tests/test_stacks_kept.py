"""The production stage on the embedded cloud: updated from its first release, destroyed, and taken up again.

What its bucket and its registry hold outlives both. It is deployed, compared and destroyed by the commands of the
Makefile; only their questions are answered beforehand.
"""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import hostile
from changes.data import HOLDS
from draw import Style, draw_table
from first import first_assembly
from local import stage
from local.cdk import cdk
from local.cloud import ACCOUNT, REGION, Cloud
from local.install import ROOT
from local.pile import account, fetch, keys, put_scan
from stacks.bundle import layer_bundle
from stacks.settings import LOCAL
from waiting import eventually

pytestmark = pytest.mark.cloud

BUCKET = f"deeplens-sagemaker-prod-{ACCOUNT}-{REGION}"
PATIENCE = 60
ROWS = 3
# The stage as it is, but for the interpreter: functions run on that of the embedded cloud, whatever AWS has.
PROD = """
import runpy
from dataclasses import replace
from stacks.settings import LOCAL, PROD, STAGES
STAGES["prod"] = replace(PROD, python=LOCAL.python, read=LOCAL.read)
runpy.run_path("app.py")
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        stage.bootstrap(cloud)
        yield cloud


def test_prod_is_updated_destroyed_but_for_its_data_and_taken_up_again(cloud: Cloud, tmp_path: Path) -> None:
    before, assembly = stage.inventory(cloud), tmp_path / "out"
    layer_bundle(LOCAL.python)  # fetched here: in the cloud's environment nobody but the cloud is trusted
    # In the cloud's environment all the same: the account that cdk finds there is written into the bucket's name.
    app = f"python -c {shlex.quote(PROD)}"
    cdk(["synth", "--quiet", "--app", app, "-c", "stage=prod", "--output", str(assembly)], cloud.environment)

    def make(target: str, *answers: str, of: Path = assembly) -> dict[str, str]:
        cdk([*recipe(target), "--app", str(of), *answers], cloud.environment)
        return stage.deployed(cloud)

    first_assembly(assembly, "prod", tmp_path / "first")
    outputs = make("deploy", "--require-approval", "never", of=tmp_path / "first")
    registry = outputs["RegistryName"]
    package = cloud.client("sagemaker").create_model_package(ModelPackageGroupName=registry)["ModelPackageArn"]
    assert outputs[stage.BUCKET] == BUCKET
    put_scan(cloud, outputs, "first.png", scan(1))
    assert eventually(lambda: sources(cloud, outputs) == ["first.png"], PATIENCE), cloud.log()
    then, held, rows = holding(cloud), contents(cloud), sheet(cloud, outputs)

    outputs = make("deploy", "--require-approval", "never")
    assert holding(cloud) == then
    assert (contents(cloud), sheet(cloud, outputs)) == (held, rows)
    policy = policy_of(cloud)
    assert len(rows) == ROWS
    assert "aws:SecureTransport" in policy
    assert {key.split("/")[0] for key, *_ in held} == {"inbox", "claims", "results", "sheets"}

    make("destroy", "--force")
    kept = {f"bucket: {BUCKET}", f"registry: {registry}", f"package: {package}"}
    assert stage.inventory(cloud) - before == kept
    assert contents(cloud) == held
    assert policy_of(cloud) == ""  # belongs to the stack, as docs/aws.md says

    outputs = make("deploy", "--require-approval", "never")
    assert contents(cloud) == held
    assert policy_of(cloud) == policy
    assert "There were no differences" in cdk([*recipe("diff"), "--app", str(assembly), "--fail"], cloud.environment)
    put_scan(cloud, outputs, "first.png", scan(1))
    put_scan(cloud, outputs, "second.png", scan(2))
    assert eventually(lambda: sources(cloud, outputs) == ["first.png", "second.png"], PATIENCE), cloud.log()
    assert len(keys(cloud, outputs, "results/")) == 2
    assert sheet(cloud, outputs)[:ROWS] == rows
    assert len(sheet(cloud, outputs)) == 2 * ROWS
    assert set(contents(cloud)) > set(held)

    held = contents(cloud)
    make("destroy", "--force")
    assert stage.inventory(cloud) - before == kept | {f"registry: {outputs['RegistryName']}"}
    assert contents(cloud) == held


def holding(cloud: Cloud) -> set[tuple[str, str, str]]:
    """What of the stage would lose something if it were made anew: type, logical id and physical id."""
    client = cloud.client("cloudformation")
    names = [one["StackName"] for one in client.describe_stacks()["Stacks"] if one["StackName"].startswith("FormLens-")]
    listed = [one for name in names for one in client.list_stack_resources(StackName=name)["StackResourceSummaries"]]
    return {
        (one["ResourceType"], one["LogicalResourceId"], one["PhysicalResourceId"])
        for one in listed
        if one["ResourceType"] in HOLDS
    }


def recipe(target: str) -> list[str]:
    """The arguments with which `make` calls cdk for the production stage."""
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, "STAGE=prod"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("cdk ")]
    return shlex.split(line)[1:]


def scan(seed: int) -> bytes:
    """A small drawn table, every seed another one."""
    return hostile.encoded(draw_table(Style(rows=ROWS, columns=4, filled=1.0), seed).image, ".png")


def sources(cloud: Cloud, outputs: dict[str, str]) -> list[str]:
    """The scans that the spreadsheets know of, once nothing moves any more."""
    now = account(cloud, outputs)
    return [] if now.waiting else [page["source"] for page in now.pages]


def sheet(cloud: Cloud, outputs: dict[str, str]) -> list[str]:
    """The rows of the spreadsheets, in the order in which their pages came."""
    books = [key for key in keys(cloud, outputs, "sheets/") if key.endswith(".csv")]
    return [row for key in books for row in fetch(cloud, outputs, key).decode().splitlines()]


def contents(cloud: Cloud) -> list[tuple[str, str, str]]:
    """Every version of every object: its key, its own name and the digest of its bytes."""
    listed: dict[str, Any] = cloud.client("s3").list_object_versions(Bucket=BUCKET)
    return sorted((entry["Key"], entry["VersionId"], entry["ETag"]) for entry in listed["Versions"])


def policy_of(cloud: Cloud) -> str:
    """The bucket's policy, empty if it has none."""
    try:
        policy: str = cloud.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return ""
    return policy
