"""From the first release to today's templates: no update makes anew, or deletes, what holds something."""

import json

import pytest

from changes.assembly import Stack
from changes.data import HOLDS
from changes.finding import Matter
from changes.review import review
from first import first_release
from templates import template

FIRST = sorted(first_release())


def stack(name: str, found: object) -> dict[str, Stack]:
    return {name: Stack(name, "", False, json.loads(json.dumps(found)))}


@pytest.mark.parametrize("name", FIRST)
def test_an_update_from_the_first_release_keeps_what_every_resource_holds(name: str) -> None:
    stage, _, short = name.partition("-")
    findings, _ = review(stack(name, first_release()[name]), stack(name, template(stage, short)))
    assert [finding.text for finding in findings if finding.matter is Matter.DATA] == []


@pytest.mark.parametrize("name", FIRST)
def test_what_holds_something_has_the_logical_id_that_it_always_had(name: str) -> None:
    stage, _, short = name.partition("-")

    def holding(resources: dict[str, dict[str, object]]) -> set[tuple[str, object]]:
        return {(id, one["Type"]) for id, one in resources.items() if one["Type"] in HOLDS}

    then = holding(first_release()[name]["Resources"])
    assert then <= holding(template(stage, short)["Resources"])


def test_the_first_release_had_the_whole_account() -> None:
    kinds = {one["Type"] for found in first_release().values() for one in found["Resources"].values()}
    assert {
        f"AWS::SageMaker::{kind}" for kind in ("Domain", "NotebookInstance", "Pipeline", "ModelPackageGroup")
    } <= kinds
    assert {"AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::IoT::Thing", "AWS::CloudWatch::Dashboard"} <= kinds
