"""What a pull request does to an AWS account is told, the dangerous part on top, and nothing where nothing changes."""

import copy
import json
import re
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from changes.assembly import AssemblyError, Stack, read_assembly
from changes.finding import Matter
from changes.markdown import comment
from changes.review import review
from seeds import ACCESS, COST, DATA, HARMLESS, put
from templates import ROOT, assembly


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    return read_assembly(assembly())


def changed(stacks: dict[str, Stack], name: str, change: Any) -> dict[str, Stack]:
    stack = stacks[f"FormLens-{name}"]
    template = copy.deepcopy(stack.template)
    change(template)
    return stacks | {stack.name: replace(stack, template=template)}


def told(before: dict[str, Stack], after: dict[str, Stack]) -> dict[Matter, list[str]]:
    findings, _ = review(before, after)
    return {matter: [one.text for one in findings if one.matter is matter] for matter in Matter}


def test_there_are_more_than_forty_seeded_changes() -> None:
    assert len(DATA) + len(ACCESS) + len(COST) >= 80
    assert len(HARMLESS) >= 35


@pytest.mark.parametrize(
    ("matter", "name", "change", "words"),
    [
        pytest.param(matter, name, change, words, id=f"{matter.name}-{what}")
        for matter, seeds in ((Matter.DATA, DATA), (Matter.ACCESS, ACCESS), (Matter.COST, COST))
        for what, name, change, words in seeds
    ],
)
def test_each_seeded_danger_is_told(
    stacks: dict[str, Stack], matter: Matter, name: str, change: Any, words: str
) -> None:
    after = changed(stacks, name, change)
    assert words in "\n".join(told(stacks, after)[matter])


@pytest.mark.parametrize(("what", "name", "change"), HARMLESS, ids=[what for what, *_ in HARMLESS])
def test_nothing_harmless_is_called_dangerous(stacks: dict[str, Stack], what: str, name: str, change: Any) -> None:
    found = told(stacks, changed(stacks, name, change))
    assert not [line for matter in (Matter.DATA, Matter.ACCESS, Matter.COST) for line in found[matter]]


def test_a_rebuild_that_changes_nothing_says_nothing(stacks: dict[str, Stack]) -> None:
    assert comment(*review(stacks, copy.deepcopy(stacks))) == ""


def test_another_code_is_one_line_for_all_stages_and_nothing_else(stacks: dict[str, Stack]) -> None:
    """The digests of the functions, of the layer and of the template itself, as after a change of formlens/."""
    after = dict(stacks)
    for stage in ("dev", "prod"):
        name = f"FormLens-{stage}-Reading"
        text = re.sub(
            r"(?<![0-9a-f])[0-9a-f]{8}([0-9a-f]{56})(?![0-9a-f])", r"00000000\1", json.dumps(stacks[name].template)
        )
        after[name] = replace(stacks[name], template=json.loads(text))
    assert after != stacks
    findings, dearer = review(stacks, after)
    assert dearer == 0
    (line,) = [line for line in comment(findings).splitlines() if line.startswith("- ")]
    assert line.startswith("- `FormLens-dev-Reading`, `FormLens-prod-Reading`: code: ")
    assert "Libraries" in line
    assert "Read0389503C" in line


def test_a_version_of_a_function_named_by_its_code_is_code_too(stacks: dict[str, Stack]) -> None:
    def versioned(digest: str) -> dict[str, Stack]:
        id = f"ReadCurrentVersion1A2B3C4D{digest * 32}"
        version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Read0389503C"}}}
        alias = {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionVersion": {"Fn::GetAtt": [id, "Version"]}}}
        return changed(stacks, "dev-Reading", lambda t: t["Resources"].update({id: version, "Alias": alias}))

    (line,) = [line for line in comment(*review(versioned("a"), versioned("b"))).splitlines() if line.startswith("- ")]
    assert "code:" in line


def test_what_is_the_same_in_two_stages_is_told_once(stacks: dict[str, Stack]) -> None:
    change = put("AWS::S3::Bucket", "Properties.VersioningConfiguration", None)
    after = changed(changed(stacks, "dev-Storage", change), "prod-Storage", change)
    told = comment(*review(stacks, after))
    assert told.count("it was `Enabled`") == 1
    assert "`FormLens-dev-Storage`, `FormLens-prod-Storage`" in told
    assert "**1 to look at before this is merged.**" in told


def test_a_stack_that_leaves_the_app_is_told_and_one_that_comes_is_looked_at_whole(stacks: dict[str, Stack]) -> None:
    without = {name: stack for name, stack in stacks.items() if name != "FormLens-both-Studio"}
    assert "a deploy leaves it" in "\n".join(told(stacks, without)[Matter.DATA])
    new = told(without, stacks)
    assert any("**new** `NotebookRole" in line for line in new[Matter.ACCESS])
    assert any("544.57 USD" in line for line in new[Matter.COST])
    assert not new[Matter.DATA]


def test_a_stack_that_moves_or_loses_its_protection_is_told(stacks: dict[str, Stack]) -> None:
    name = "FormLens-prod-Storage"
    kept = stacks | {name: replace(stacks[name], protected=True)}
    assert any("termination protection is off" in line for line in told(kept, stacks)[Matter.DATA])
    moved = stacks | {name: replace(stacks[name], environment="aws://1/eu-west-1")}
    assert any("moves from" in line for line in told(stacks, moved)[Matter.DATA])


def test_what_a_stranger_writes_into_a_template_stays_text(stacks: dict[str, Stack]) -> None:
    evil = "`</details> @everyone [x](https://x.test) <!-- formlens --> ![](https://x.test/i.png)\n\n# Approved"
    after = changed(stacks, "dev-Reading", put("AWS::Lambda::Function", "Properties.Description", evil, "Read"))
    (line,) = [line for line in comment(*review(stacks, after)).splitlines() if "everyone" in line]
    inside = "".join(line.split("`")[1::2])
    assert "@everyone" in inside
    assert not any(word in "".join(line.split("`")[0::2]) for word in ("@", "](", "<"))


def test_a_comment_is_never_longer_than_github_takes(stacks: dict[str, Stack]) -> None:
    many = {f"R{n}": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "x" * 200}} for n in range(2000)}
    after = changed(stacks, "dev-Watch", lambda template: template["Resources"].update(many))
    told = comment(*review(stacks, after))
    assert len(told) < 65_000
    assert "more" in told.splitlines()[-3]


def test_a_folder_that_is_no_assembly_or_leads_elsewhere_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"no manifest\.json"):
        read_assembly(tmp_path)
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    inside = tmp_path / "assembly"
    inside.mkdir()
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../outside.json"}}
    (inside / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
    with pytest.raises(AssemblyError, match="leads out"):
        read_assembly(inside)
    (inside / "t.json").symlink_to(outside)
    artifact["properties"] = {"templateFile": "t.json"}
    (inside / "manifest.json").write_text(json.dumps({"artifacts": {"s": artifact}}))
    with pytest.raises(AssemblyError, match="leads out"):
        read_assembly(inside)


def test_the_command_compares_in_time_and_says_what_it_cannot_read(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "changes", "compare"]
    began = _children_s()
    same = subprocess.run([*run, assembly(), assembly()], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    assert _children_s() - began < 30
    wrong = subprocess.run([*run, tmp_path, assembly()], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert str(tmp_path) in wrong.stderr


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
