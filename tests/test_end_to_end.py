"""A pile of scans, good and bad, through the stacks on the embedded cloud: nothing lost, nothing twice, nothing left.

The tests share one deployment and run in the order in which they stand here; the last one destroys it.
"""

import csv
import io
import json
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

import forms
import hostile
from draw import Style, draw_table
from local import stage
from local.cloud import REGION, Cloud
from local.install import ROOT
from local.pile import account, fetch, keys, put_scan
from local.show import show_pages
from waiting import eventually

pytestmark = pytest.mark.cloud

ROWS, COLUMNS = 3, 4
PATIENCE = 150


@dataclass
class Deployed:
    """The stacks, what was there before them, and what has gone into the inbox so far."""

    cloud: Cloud
    outputs: dict[str, str]
    assembly: Path
    before: set[str]
    expected: Counter[tuple[str, int, str]]
    """How many results there must be for a source, a page and a status."""

    def put(self, name: str, data: bytes, *status: str) -> None:
        """Drop a scan into the inbox; `status` is what its pages must come to, none if it was there before."""
        put_scan(self.cloud, self.outputs, name, data)
        # A scan goes by its file name, whatever folder it lies in.
        self.expected.update((Path(name).name, page, one) for page, one in enumerate(status, 1))

    def s3(self) -> Any:
        return self.cloud.client("s3")

    def settled(self) -> list[dict[str, Any]]:
        """The pages of the spreadsheets, once nothing moves any more."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            now = account(self.cloud, self.outputs)
            if not now.waiting and len(now.pages) >= self.expected.total():
                return list(now.pages)
            time.sleep(0.3)
        missing = self.expected - Counter(map(line, account(self.cloud, self.outputs).pages))
        raise AssertionError(f"not settled, missing: {missing}\n{self.cloud.log()[-6000:]}")

    def function(self, name: str) -> dict[str, Any]:
        """One of the deployed functions, by the id it has in its stack."""
        found = self.cloud.client("lambda").list_functions()["Functions"]
        (one,) = [function for function in found if f"-Reading-{name}" in function["FunctionName"]]
        return dict(one)


def line(page: dict[str, Any]) -> tuple[str, int, str]:
    return page["source"], page["page"], page["status"]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    assembly = tmp_path_factory.mktemp("assembly")
    with Cloud() as cloud:
        stage.synthesize(assembly)
        stage.bootstrap(cloud)
        before = stage.inventory(cloud)
        yield Deployed(cloud, stage.deploy(cloud, assembly), assembly, before, Counter())


def table(seed: int) -> Any:
    """A small drawn table, every seed another one."""
    return draw_table(Style(rows=ROWS, columns=COLUMNS, filled=1.0), seed).image


def picture(seed: int, suffix: str = ".png") -> bytes:
    return hostile.encoded(table(seed), suffix)


def on_paper(seed: int) -> bytes:
    """A drawn table as the picture of a PDF page."""
    image = table(seed)
    return hostile.scanned(hostile.encoded(image, ".jpg"), image.shape[1], image.shape[0])


def test_the_stacks_deploy_and_a_diff_finds_no_differences(deployed: Deployed) -> None:
    assert deployed.outputs[stage.BUCKET].startswith("deeplens-sagemaker-local-")
    assert "There were no differences" in stage.differences(deployed.cloud, deployed.assembly)


def test_every_page_of_a_mixed_pile_is_accounted_for(deployed: Deployed) -> None:
    names = [
        "plain.png",
        "with space.png",
        "grün+plus.jpg",
        "100%25.png",
        "日本.webp",
        "what & why.png",
        "deep/er/x.png",
    ]
    for seed, name in enumerate(names, 1):
        deployed.put(name, picture(seed, Path(name).suffix), "read")
    for seed in range(10, 17):
        deployed.put(f"pile-{seed}.jpg", picture(seed, ".jpg"), "read")
    deployed.put("three.pdf", hostile.pdf_of([on_paper(20), on_paper(21), on_paper(22)]), "read", "read", "read")
    deployed.put("gap.pdf", hostile.pdf_of([on_paper(23), None, on_paper(24)]), "read", "unreadable", "read")
    deployed.put(
        "two.tiff", hostile.tiff_file([hostile.tiff_page(table(25)), hostile.tiff_page(table(26))]), "read", "read"
    )
    whole = hostile.pdf_of([on_paper(27)])
    for name, data in {
        "torn.pdf": whole[: len(whole) // 2],
        "text.jpg": b"This is a letter, not a scan.\n" * 20,
        "empty.pdf": b"",
        "huge.png": hostile.png_file(20_000, 20_000, depth=8, colour=2, rows=b""),
        "locked.pdf": hostile.locked_pdf(),
        "blank.png": hostile.encoded(table(1)[:1, :1].repeat(600, 0).repeat(400, 1), ".png"),
    }.items():
        deployed.put(name, data, "unreadable")
    assert Counter(map(line, deployed.settled())) == deployed.expected


def test_the_same_scan_again_changes_nothing(deployed: Deployed) -> None:
    before, seen = results(deployed), duplicates(deployed)
    torn = fetch(deployed.cloud, deployed.outputs, "inbox/any/torn.pdf")
    for name, data in (("plain.png", picture(1)), ("a copy.png", picture(1)), ("torn again.pdf", torn)):
        deployed.put(name, data)
    bucket, key = deployed.outputs[stage.BUCKET], "inbox/any/three.pdf"
    version = deployed.s3().head_object(Bucket=bucket, Key=key)["VersionId"]
    event = {"detail": {"bucket": {"name": bucket}, "object": {"key": key, "version-id": version}}}
    for _ in range(3):
        message = json.dumps(event)
        deployed.cloud.client("sqs").send_message(QueueUrl=deployed.outputs["ScansQueue"], MessageBody=message)
    assert eventually(lambda: duplicates(deployed) == seen + 6, PATIENCE)
    assert Counter(map(line, deployed.settled())) == deployed.expected
    assert results(deployed) == before


def duplicates(deployed: Deployed) -> int:
    """How many deliveries the read function has found to be nothing new, as its metric counts them."""
    group = deployed.function("Read")["LoggingConfig"]["LogGroup"]
    events = deployed.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    messages = [event["message"] for page in events for event in page["events"]]
    counted = [json.loads(message)["Duplicates"] for message in messages if '"Duplicates"' in message]
    return int(sum(sum(count) for count in counted))


def test_two_scans_under_one_name_are_both_read(deployed: Deployed) -> None:
    deployed.put("one name.png", picture(40), "read")
    deployed.put("one name.png", picture(41), "read")
    assert Counter(map(line, deployed.settled())) == deployed.expected


def test_each_page_has_one_result_and_each_failure_its_reason_and_its_scan(deployed: Deployed) -> None:
    pages = [
        page for key in results(deployed) for page in json.loads(fetch(deployed.cloud, deployed.outputs, key))["pages"]
    ]
    assert Counter(map(line, pages)) == deployed.expected
    assert all(len(page["cells"]) == ROWS * COLUMNS for page in pages if page["status"] == "read")
    failed = keys(deployed.cloud, deployed.outputs, "failed/")
    reasons = [key for key in failed if key.endswith(".json")]
    told = [page for key in reasons for page in json.loads(fetch(deployed.cloud, deployed.outputs, key))["pages"]]
    lost = [page for page in pages if page["status"] == "unreadable"]
    assert sorted(map(line, told)) == sorted(map(line, lost))
    assert all(page["reason"] for page in told)
    scans = {fetch(deployed.cloud, deployed.outputs, key) for key in failed if key not in reasons}
    assert scans == {fetch(deployed.cloud, deployed.outputs, f"inbox/any/{page['source']}") for page in lost}


def test_the_spreadsheets_agree_with_the_results(deployed: Deployed) -> None:
    sheets = keys(deployed.cloud, deployed.outputs, "sheets/")
    cells = [key for key in sheets if key.endswith(".cells.json")]
    listed = list(results(deployed))
    pages: list[dict[str, Any]] = []
    for key in cells:
        held = json.loads(fetch(deployed.cloud, deployed.outputs, key))["pages"]
        rows = [[cell["text"] for cell in row] for page in held for row in rows_of(page)]
        text = fetch(deployed.cloud, deployed.outputs, key.replace(".cells.json", ".csv")).decode()
        assert list(csv.reader(io.StringIO(text))) == rows
        book = openpyxl.load_workbook(
            io.BytesIO(fetch(deployed.cloud, deployed.outputs, key.replace(".cells.json", ".xlsx")))
        )
        shown = [[str(value) if value is not None else "" for value in row] for row in book["Rows"].values]
        assert [len(row) for row in shown] == [len(row) for row in rows]
        flagged = sum(cell["flagged"] for page in held for cell in page["cells"])
        assert sum(cell.comment is not None for row in book["Rows"] for cell in row) == flagged
        unread = [(page["source"], page["page"]) for page in held if page["status"] == "unreadable"]
        assert [row[:2] for row in list(book["Not read"].values)[1:]] == unread
        pages += held
    assert pages == [
        page for key in listed for page in json.loads(fetch(deployed.cloud, deployed.outputs, key))["pages"]
    ]


def rows_of(page: dict[str, Any]) -> list[list[dict[str, Any]]]:
    rows: dict[int, list[dict[str, Any]]] = {}
    for cell in page["cells"]:
        rows.setdefault(cell["row"], []).append(cell)
    return list(rows.values())


def results(deployed: Deployed) -> dict[str, str]:
    """Every result with its ETag, in the order of the keys, old versions counted: a result is written once."""
    listed = deployed.s3().list_object_versions(Bucket=deployed.outputs[stage.BUCKET], Prefix="results/")
    versions = [(entry["Key"], entry["ETag"]) for entry in listed["Versions"]]
    assert len(dict(versions)) == len(versions)
    return dict(sorted(versions))


def test_the_demo_shows_every_page(deployed: Deployed) -> None:
    console = Console(file=io.StringIO(), width=100)
    pages = deployed.settled()
    show_pages(pages, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(f"{page['source']}, page {page['page']}" in shown for page in pages)
    assert shown.count(" ? ") == sum(cell["flagged"] for page in pages for cell in page["cells"])


def test_what_kills_the_function_is_set_aside_with_an_alarm_and_read_once_that_is_mended(deployed: Deployed) -> None:
    cloud, function = deployed.cloud, deployed.function("Read")
    sqs, queue, letters = cloud.client("sqs"), deployed.outputs["ScansQueue"], deployed.outputs["ScansSetAside"]
    patience = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    url = sqs.get_queue_url(QueueName=letters.rsplit(":", 1)[1])["QueueUrl"]

    def set_aside() -> bool:
        kind = "ApproximateNumberOfMessages"
        return bool(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[kind])["Attributes"][kind] == "1")

    handler = cloud.client("lambda").update_function_configuration
    handler(FunctionName=function["FunctionName"], Handler="gone.handler")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    deployed.put("late.png", picture(50), "read")
    assert eventually(set_aside, PATIENCE)
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    dimensions = [{"Name": "QueueName", "Value": letters.rsplit(":", 1)[1]}]
    (alarm,) = [alarm for alarm in alarms if alarm["Dimensions"] == dimensions]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")

    sqs.set_queue_attributes(QueueUrl=queue, Attributes=patience)
    handler(FunctionName=function["FunctionName"], Handler=function["Handler"])
    sqs.start_message_move_task(SourceArn=letters)
    assert Counter(map(line, deployed.settled())) == deployed.expected


@pytest.fixture(scope="module")
def learned(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A labelled folder goes up by the command; the report of what was learned from it."""
    folder = forms.write_labelled(tmp_path_factory.mktemp("labelled"), 2)
    command = ["upload", str(folder), "--form", "intake", "--stage", "local", "--wait"]
    environment = {**deployed.cloud.environment, "PYTHONPATH": str(ROOT)}
    called = [sys.executable, "-m", "formlens", *command]
    done = subprocess.run(called, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + deployed.cloud.log()[-4000:]
    assert "5 of 5 columns found" in done.stderr
    again = subprocess.run(called, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "0 files sent, 5 were there" in again.stderr
    report: dict[str, Any] = json.loads(fetch(deployed.cloud, deployed.outputs, "forms/intake/report.json"))
    return report


def test_a_labelled_folder_is_learned_and_new_scans_become_rows_under_its_columns(
    deployed: Deployed, learned: dict[str, Any]
) -> None:
    assert learned["status"] == "learned"
    columns = [column["name"] for column in learned["columns"]]
    new = [forms.scan(forms.fill(forms.draw_form(), forms.VALUES[at]), at).image for at in (2, 3)]
    put_scan(deployed.cloud, deployed.outputs, "third.png", hostile.encoded(new[0], ".png"), "intake")
    put_scan(deployed.cloud, deployed.outputs, "fourth.png", hostile.encoded(new[1], ".png"), "any")
    put_scan(deployed.cloud, deployed.outputs, "foreign.png", hostile.encoded(forms.draw_form(5), ".png"), "any")
    deployed.expected.update([(f"{name}.png", 1, "read") for name in ("third", "fourth")])
    deployed.expected.update([("foreign.png", 1, "unreadable")])
    pages = {page["source"]: page for page in deployed.settled()}
    assert pages["third.png"]["form"] == pages["fourth.png"]["form"] == "intake"
    assert pages["foreign.png"]["reason"] == 'this page does not look like form "intake"'
    (sheet,) = [key for key in keys(deployed.cloud, deployed.outputs, "sheets/intake/") if key.endswith(".csv")]
    header, *rows = csv.reader(io.StringIO(fetch(deployed.cloud, deployed.outputs, sheet).decode()))
    assert header == columns == [*forms.VALUES[0], "smoker"]
    assert sorted(rows) == sorted([*forms.VALUES[at].values(), "no"] for at in (2, 3))


def test_an_operator_is_told_how_it_stands_and_gets_every_row_in_one_file(
    deployed: Deployed, learned: dict[str, Any], tmp_path: Path
) -> None:
    def formlens(*command: str) -> subprocess.CompletedProcess[str]:
        environment = {**deployed.cloud.environment, "PYTHONPATH": str(ROOT)}
        called = [sys.executable, "-m", "formlens", *command, "--stage", "local"]
        return subprocess.run(called, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    told = formlens("status")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "to do" not in told.stdout
    assert all(f"FormLens-local-{name}" in told.stdout for name in ("Storage", "Reading", "Watch"))
    assert "nothing set aside" in told.stdout
    assert "intake" in told.stdout

    before = formlens("preflight")  # the embedded cloud knows no quotas: one answer less, and all others
    assert before.returncode == 1
    assert f"{deployed.outputs[stage.BUCKET]} is ours" in before.stdout
    assert "version" in before.stdout

    done = formlens("export", "intake", "--out", "rows.csv")
    assert done.returncode == 0, done.stderr
    header, *rows = csv.reader(io.StringIO((tmp_path / "rows.csv").read_text()))
    assert header == [*forms.VALUES[0], "smoker"]
    assert sorted(rows) == sorted([*forms.VALUES[at].values(), "no"] for at in (2, 3))


def test_a_folder_that_cannot_be_learned_says_why_and_leaves_the_form(
    deployed: Deployed, learned: dict[str, Any]
) -> None:
    s3, bucket = deployed.s3(), deployed.outputs[stage.BUCKET]
    before = s3.head_object(Bucket=bucket, Key="forms/intake/intake.form")["ETag"]
    s3.put_object(Bucket=bucket, Key="training/intake/page1.csv", Body=b"visit\n")
    csvs = {part["name"]: part for part in manifest(deployed)["files"]}
    csvs["page1.csv"] |= {"size": 6, "sha256": sha256(b"visit\n").hexdigest()}
    text = json.dumps({"version": 1, "files": list(csvs.values())})
    s3.put_object(Bucket=bucket, Key="training/intake/manifest.json", Body=text.encode())
    assert eventually(lambda: len(keys(deployed.cloud, deployed.outputs, "failed/intake/")) == 1, PATIENCE)
    (failed,) = keys(deployed.cloud, deployed.outputs, "failed/intake/")
    told = json.loads(fetch(deployed.cloud, deployed.outputs, failed))
    assert (told["status"], told["reason"].split(":")[0]) == ("not learned", "page1.csv")
    assert s3.head_object(Bucket=bucket, Key="forms/intake/intake.form")["ETag"] == before
    s3.delete_object(Bucket=bucket, Key=failed)


def manifest(deployed: Deployed) -> dict[str, Any]:
    """What the form's folder holds."""
    found: dict[str, Any] = json.loads(fetch(deployed.cloud, deployed.outputs, "training/intake/manifest.json"))
    return found


PROBE = """
import boto3, botocore
def handler(event, context):
    said = []
    for service, call, arguments in event:
        try:
            getattr(boto3.client(service), call)(**arguments)
            said.append("done")
        except botocore.exceptions.ClientError as error:
            said.append(error.response["Error"]["Code"])
    return said
"""


def test_the_role_of_the_learn_function_lets_it_do_its_work_and_nothing_else(
    deployed: Deployed, learned: dict[str, Any]
) -> None:
    bucket = deployed.outputs[stage.BUCKET]
    allowed = [
        ("s3", "get_object", {"Bucket": bucket, "Key": "training/intake/page2.csv"}),
        ("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": "training/intake/"}),
        ("s3", "get_object", {"Bucket": bucket, "Key": "forms/intake/report.json"}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "forms/probe/x", "Body": ""}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "failed/probe/x", "Body": ""}),
    ]
    refused = [
        ("s3", "put_object", {"Bucket": bucket, "Key": "training/intake/x", "Body": ""}),
        ("s3", "get_object", {"Bucket": bucket, "Key": "inbox/any/plain.png"}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "results/intake/x", "Body": ""}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "models/x.onnx", "Body": ""}),
        ("s3", "delete_object", {"Bucket": bucket, "Key": "forms/intake/intake.form"}),
        ("s3", "list_objects_v2", {"Bucket": bucket}),
        ("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": "inbox/"}),
        ("sqs", "send_message", {"QueueUrl": deployed.outputs["FoldersQueue"], "MessageBody": "{}"}),
        ("iam", "list_roles", {}),
    ]
    said = told_by(deployed, "Learn", [*allowed, *refused])
    assert said[: len(allowed)] == ["done"] * len(allowed)
    assert all("Denied" in code for code in said[len(allowed) :]), said
    for key in ("forms/probe/x", "failed/probe/x"):
        deployed.s3().delete_object(Bucket=bucket, Key=key)


def test_the_role_of_the_read_function_lets_it_do_its_work_and_nothing_else(deployed: Deployed) -> None:
    bucket, scan = deployed.outputs[stage.BUCKET], "inbox/any/plain.png"
    version = deployed.s3().head_object(Bucket=bucket, Key=scan)["VersionId"]
    calls = [
        ("s3", "get_object", {"Bucket": bucket, "Key": scan, "VersionId": version}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "inbox/any/x.png", "Body": ""}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "sheets/any/x.csv", "Body": ""}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "models/x.onnx", "Body": ""}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "forms/intake/intake.form", "Body": ""}),
        ("s3", "delete_object", {"Bucket": bucket, "Key": scan}),
        ("s3", "get_object", {"Bucket": bucket, "Key": keys(deployed.cloud, deployed.outputs, "sheets/")[0]}),
        ("s3", "list_objects_v2", {"Bucket": bucket}),
        ("s3", "create_bucket", {"Bucket": "more", "CreateBucketConfiguration": {"LocationConstraint": REGION}}),
        ("sqs", "send_message", {"QueueUrl": deployed.outputs["ScansQueue"], "MessageBody": "{}"}),
        ("lambda", "list_functions", {}),
        ("iam", "list_roles", {}),
    ]
    done, *refused = told_by(deployed, "Read", calls)
    assert done == "done"
    assert len(refused) == len(calls) - 1
    assert all("Denied" in code for code in refused), dict(zip([call[1:] for call in calls[1:]], refused, strict=True))


def told_by(deployed: Deployed, name: str, calls: list[Any]) -> list[str]:
    """What a function is told when it makes these calls, asked with the credentials of its role."""
    client, asked = deployed.cloud.client("lambda"), deployed.function(name)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("probe.py", PROBE)
    client.create_function(
        FunctionName="probe",
        Role=asked["Role"],
        Runtime=asked["Runtime"],
        Handler="probe.handler",
        Timeout=30,
        Code={"ZipFile": packed.getvalue()},
        LoggingConfig={"LogGroup": asked["LoggingConfig"]["LogGroup"]},
    )
    try:
        answer = client.invoke(FunctionName="probe", Payload=json.dumps(calls).encode())
        said: list[str] = json.loads(answer["Payload"].read())
    finally:
        client.delete_function(FunctionName="probe")
    return said


def test_a_destroyed_stage_leaves_nothing_in_any_service(deployed: Deployed) -> None:
    made = stage.inventory(deployed.cloud) - deployed.before
    kinds = {name.split(":")[0] for name in made}
    assert kinds >= {
        "stack",
        "bucket",
        "queue",
        "function",
        "layer",
        "event source",
        "role",
        "log group",
        "rule",
        "topic",
        "dashboard",
        "alarm",
    }
    stage.destroy(deployed.cloud, deployed.assembly)
    assert stage.inventory(deployed.cloud) == deployed.before
