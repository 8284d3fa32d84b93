import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from stacks.exceptions import EXEMPT, WILDCARD
from templates import EVERY, assembly, statements


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
    return text.replace(f"formlens-{stage}", "formlens-<stage>")


def test_nothing_is_allowed_by_a_wildcard_that_is_not_in_the_table() -> None:
    found = set()
    for stage, name in EVERY:
        for id, statement in statements(stage, name):
            if statement["Effect"] == "Allow":
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
