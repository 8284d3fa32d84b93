import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.exceptions import EXEMPT, WILDCARD
from templates import EVERY, ROOT, assembly, resources, statements


def test_every_finding_of_cdk_nag_is_an_exception_with_a_reason_and_every_exception_a_finding() -> None:
    (report,) = json.loads((assembly() / "validation-report.json").read_text())["pluginReports"]
    assert report["pluginName"] == "AwsSolutions"
    found = {
        _finding(violation["ruleName"], construct["constructPath"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found == {(e.rule, e.where, e.what) for e in EXEMPT if e.rule.startswith("AwsSolutions")}


def _finding(rule: str, path: str) -> tuple[str, str, str]:
    """`AwsSolutions-IAM5[Resource::<Id.Arn>/inbox/*]` at `FormLens-dev-Reading/ReadRole/…` without stage and ids."""
    rule, _, resource = rule.partition("[")
    stack, construct, *_ = path.split("/")
    end = re.split("[>}]", resource.removeprefix("Resource::").removesuffix("]"))[-1]
    if end.startswith("FormLens-"):  # what another stack exports, with its name before it
        end = end[end.find("/") :]
    stage = stack.split("-")[1]
    return rule, f"{stack.split('-')[2]}/{construct}", _any_stage(end, stage)


def _any_stage(text: str, stage: str) -> str:
    """What a stage names by itself, as the table says it of every stage."""
    return text.replace(f"formlens-{stage}", "formlens-<stage>").replace(f"formlens.{stage}.", "formlens.<stage>.")


def test_nothing_is_allowed_by_a_wildcard_that_is_not_in_the_table() -> None:
    found = set()
    for stage, name in EVERY:
        topics = resources(stage, name, "AWS::IoT::Policy")  # those tests/test_stacks_camera.py looks at
        for id, statement in statements(stage, name):
            if statement["Effect"] == "Allow" and id not in topics:
                assert "*" not in json.dumps(statement["Action"])
                assert "*" not in json.dumps(statement.get("Principal", ""))
                ends = _wildcards(statement.get("Resource", ""))
                found |= {(f"{name}/{id}", _any_stage(end, stage)) for end in ends}
    table = {(e.where, e.what) for e in EXEMPT if e.rule == WILDCARD}
    assert {(where[: where.find("Role") + 4], what) for where, what in found} == table


def _wildcards(resource: Any) -> list[str]:
    if isinstance(resource, list):
        return [end for one in resource for end in _wildcards(one)]
    text = resource["Fn::Join"][1][-1] if isinstance(resource, dict) and "Fn::Join" in resource else resource
    return [text] if isinstance(text, str) and "*" in text else []


def test_cfn_lint_finds_nothing_but_the_exceptions() -> None:
    paths = {str(assembly() / f"FormLens-{stage}-{name}.template.json"): name for stage, name in EVERY}
    lint = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", *paths]
    answer = subprocess.run(lint, capture_output=True, text=True, check=False)
    found = set()
    for match in json.loads(answer.stdout):
        name = paths[match["Filename"]]
        logical_id = match["Location"]["Path"][1]
        found.add((match["Rule"]["Id"], f"{name}/{logical_id[:-8]}", ""))  # without the hash that CDK appends
    assert found == {(e.rule, e.where, e.what) for e in EXEMPT if e.rule.startswith(("W", "E", "I"))}


def test_checkov_finds_nothing_but_the_exceptions_in_templates_and_workflows() -> None:
    checkov = ROOT / ".cache" / "checkov" / "bin" / "checkov"
    if not checkov.exists():
        pytest.skip("checkov is not at hand: `make checkov` installs it into an environment of its own")
    folders = [word for folder in (assembly(), ROOT / ".github") for word in ("--directory", str(folder))]
    quiet = ["--framework", "cloudformation", "github_actions", "--skip-download", "--compact", "--output", "json"]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run([str(checkov), *folders, *quiet], capture_output=True, text=True, check=False, env=alone)
    reports = list(_reports(answer.stdout))
    assert {report["check_type"] for report in reports} == {"cloudformation", "github_actions"}
    found = set()
    for report in reports:
        assert report["summary"]["parsing_errors"] == 0
        for failed in report["results"]["failed_checks"]:
            stack = failed["file_path"].rpartition("/")[2].split(".")[0].split("-")[-1]
            construct = re.sub(r"[0-9A-F]{8}$", "", failed["resource"].split(".")[-1])
            found.add((failed["check_id"], f"{stack}/{construct}", ""))
    assert found == {(e.rule, e.where, e.what) for e in EXEMPT if e.rule.startswith("CKV")}


def _reports(text: str) -> Iterator[dict[str, Any]]:
    """Checkov prints a document a folder: one report, or a list of them."""
    text = text.strip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        # of a folder without anything to check there is only a summary
        yield from (one for one in (document if isinstance(document, list) else [document]) if "check_type" in one)
        text = text[end:].strip()
