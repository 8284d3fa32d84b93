"""The comment on a pull request: made once, updated in place; a stranger's code runs where no token can be had."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from templates import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
FOREIGN, OURS = "synthesize.yml", "changes.yml"


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_no_job_gets_leave_by_itself(path: Path) -> None:
    assert workflow(path.name)["permissions"] == {}
    for job in workflow(path.name)["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 15
    for step in steps(path.name):
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
            assert step["with"].get("persist-credentials") is False or "checkout" not in step["uses"]
        # what a stranger names (a branch) reaches a shell only as a variable
        assert "${{" not in step.get("run", "")
    assert "secrets." not in path.read_text()


def test_foreign_code_runs_only_where_nothing_can_be_written() -> None:
    started = workflow(FOREIGN)[True]  # `on` is a truth to YAML
    assert set(started) == {"pull_request"}
    assert [job["permissions"] for job in workflow(FOREIGN)["jobs"].values()] == [{"contents": "read"}]


def test_who_may_write_takes_no_code_from_the_pull_request() -> None:
    assert set(workflow(OURS)[True]) == {"workflow_run"}
    jobs = workflow(OURS)["jobs"]
    assert [name for name, job in jobs.items() if "write" in job["permissions"].values()] == ["comment"]
    assert jobs["comment"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    for step in steps(OURS):
        if "checkout" in step.get("uses", ""):
            assert step["with"].get("ref", "") in ("", "${{ steps.base.outputs.sha }}")
    commands = [step["run"] for step in steps(OURS) if "run" in step]
    assert not any("out/after" in run and "compare" not in run for run in commands)


GH = """#!/usr/bin/env python3
import json, os, sys
given = sys.argv[2:]
method, path = given[given.index("--method") + 1], next(one for one in given if one.startswith("repos/"))
body = next((open(one[6:]).read() for one in given if one.startswith("body=@")), "")
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([method, path, body]) + "\\n")
if method == "GET":
    print(os.environ["PULL"] if path.endswith("/pulls") else os.environ["COMMENT"])
"""


def comments(tmp_path: Path, text: str, *, pull: str = "7", comment: str = "") -> list[list[str]]:
    """What the script asks GitHub to write."""
    gh, calls, file = tmp_path / "gh", tmp_path / "calls", tmp_path / "changes.md"
    gh.write_text(GH)
    gh.chmod(0o755)
    file.write_text(text)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "PULL": pull,
        "COMMENT": comment,
        "REPOSITORY": "o/r",
        "HEAD": "somebody:a branch; $(touch x)",
        "HEAD_SHA": "c0ffee",
    }
    subprocess.run([ROOT / ".github" / "comment.sh", file], env=environment, cwd=tmp_path, check=True, timeout=60)
    assert not (tmp_path / "x").exists()
    return [call for call in map(json.loads, calls.read_text().splitlines()) if call[0] != "GET"]


def test_the_first_time_a_comment_is_made_and_then_it_is_updated_in_place(tmp_path: Path) -> None:
    ((method, path, body),) = comments(tmp_path, "## What this changes\n")
    assert (method, path) == ("POST", "repos/o/r/issues/7/comments")
    assert body.startswith("<!-- changes in AWS -->\n## What this changes\n")
    assert "c0ffee" in body
    (tmp_path / "calls").unlink()
    ((method, path, _),) = comments(tmp_path, "## Other\n", comment="99")
    assert (method, path) == ("PATCH", "repos/o/r/issues/comments/99")


def test_nothing_is_said_where_nothing_changes_unless_something_was_said_before(tmp_path: Path) -> None:
    assert comments(tmp_path, "") == []
    (tmp_path / "calls").unlink()
    ((method, _, body),) = comments(tmp_path, "", comment="99")
    assert method == "PATCH"
    assert "Nothing changes in AWS." in body


def test_a_commit_that_is_no_longer_the_last_is_not_spoken_of(tmp_path: Path) -> None:
    assert comments(tmp_path, "## What this changes\n", pull="") == []
