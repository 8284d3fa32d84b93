import json
from dataclasses import replace
from typing import Any

import pytest

from stacks.settings import DEV, PROD, Notebook
from templates import EVERY, only, resources, statements, template

STUDIO = [stage for stage, name in EVERY if name == "Studio" and stage not in ("notebook", "jobs")]
EVERY_STUDIO = [stage for stage, name in EVERY if name == "Studio"]
NOTEBOOK = ["notebook", "both", "jobs", "full"]


@pytest.mark.parametrize("retired", ["ml.p2.xlarge", "ml.p2.16xlarge", "ml.p3.2xlarge"])
def test_a_retired_instance_is_refused_by_the_name_of_its_replacement(retired: str) -> None:
    with pytest.raises(ValueError, match=rf"{retired} is retired.*ml\.g4dn\.xlarge"):
        replace(DEV, notebook=Notebook(instance_type=retired))


def test_what_is_off_leaves_no_trace() -> None:
    assert (PROD.studio, PROD.notebook) == (None, None)
    assert ("prod", "Studio") not in EVERY
    assert not any("SageMaker" in json.dumps(template("local", name)) for stage, name in EVERY if stage == "local")
    assert not resources("dev", "Studio", "AWS::SageMaker::NotebookInstance")
    assert "otebook" not in json.dumps(template("dev", "Studio")["Resources"])
    alone = {resource["Type"] for resource in template("notebook", "Studio")["Resources"].values()}
    assert not alone & {"AWS::SageMaker::Domain", "AWS::SageMaker::UserProfile", "AWS::EC2::VPC"}


@pytest.mark.parametrize("stage", STUDIO)
def test_the_domain_is_the_new_studio_without_a_file_system_and_shuts_down_what_idles(stage: str) -> None:
    domain = only(stage, "Studio", "AWS::SageMaker::Domain")["Properties"]
    user = domain["DefaultUserSettings"]
    assert (domain["AuthMode"], domain["HomeEfsFileSystemCreation"]) == ("IAM", "Disabled")
    assert (user["StudioWebPortal"], user["DefaultLandingUri"]) == ("ENABLED", "studio::")
    for app in ("JupyterLab", "CodeEditor"):
        idle = user[f"{app}AppSettings"]["AppLifecycleManagement"]["IdleSettings"]
        assert idle["LifecycleManagement"] == "ENABLED"
        assert idle["IdleTimeoutInMinutes"] == idle["MaxIdleTimeoutInMinutes"] == 60


@pytest.mark.parametrize("stage", STUDIO)
def test_nothing_in_the_network_costs_while_nobody_works(stage: str) -> None:
    network = {r["Type"] for r in template(stage, "Studio")["Resources"].values() if r["Type"].startswith("AWS::EC2")}
    assert network == {"AWS::EC2::VPC", "AWS::EC2::Subnet"}


@pytest.mark.parametrize("stage", NOTEBOOK)
def test_the_notebook_instance_gives_no_root_speaks_the_second_metadata_version_and_stops_itself(stage: str) -> None:
    notebook = only(stage, "Studio", "AWS::SageMaker::NotebookInstance")["Properties"]
    assert (notebook["InstanceType"], notebook["PlatformIdentifier"]) == ("ml.g4dn.xlarge", "notebook-al2023-v1")
    assert notebook["RootAccess"] == "Disabled"
    assert notebook["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    (hook,) = only(stage, "Studio", "AWS::SageMaker::NotebookInstanceLifecycleConfig")["Properties"]["OnStart"]
    script, filled = hook["Content"]["Fn::Base64"]["Fn::Sub"]
    assert filled["IdleMinutes"] == "60"
    assert "${IdleMinutes}" in script
    assert len(script) < 11_000  # 16,384 as base64, after what is filled in


@pytest.mark.parametrize("stage", EVERY_STUDIO)
def test_what_people_left_open_is_closed_before_what_it_holds(stage: str) -> None:
    every = template(stage, "Studio")["Resources"]
    for kind, held in (
        ("CloseDomain", "AWS::SageMaker::UserProfile"),
        ("CloseNotebook", "AWS::SageMaker::NotebookInstance"),
    ):
        for closed in resources(stage, "Studio", f"Custom::{kind}").values():
            before = {every[id]["Type"] for id in closed["DependsOn"]}
            assert before == {held, "AWS::IAM::Policy"}
            assert int(closed["Properties"]["ServiceTimeout"]) == 3600
    closing = {r["Type"] for r in every.values() if r["Type"].startswith("Custom::Close")}
    assert closing == {
        *(["Custom::CloseDomain"] if stage in STUDIO else []),
        *(["Custom::CloseNotebook"] if stage in NOTEBOOK else []),
    }


@pytest.mark.parametrize("stage", EVERY_STUDIO)
def test_who_trains_may_read_what_training_needs_and_write_two_prefixes(stage: str) -> None:
    may: dict[str, set[str]] = {}
    for id, statement in statements(stage, "Studio"):
        if id.startswith(("StudioRole", "NotebookRole")) and "Resource" in statement:
            for action in _each(statement["Action"]):
                may.setdefault(action, set()).update(_end(one) for one in _each(statement["Resource"]))
    prefixes = {f"/{prefix}/*" for prefix in ("training", "labels", "forms", "models", "runs")}
    assert may["s3:GetObject"] - {"code"} == prefixes
    assert may["s3:PutObject"] == {"/training/*", "/runs/*"}
    forbidden = {action for action in may if action.startswith(("iam:", "s3:Delete", "sts:"))}
    # the roles of the pipeline's jobs, and only to SageMaker: tests/test_stacks_training.py
    assert forbidden == ({"iam:PassRole"} if (stage, "Training") in EVERY else set())


@pytest.mark.parametrize("stage", EVERY_STUDIO)
def test_a_role_is_taken_by_sagemaker_for_this_account_only_and_carries_no_policy_of_others(stage: str) -> None:
    roles = resources(stage, "Studio", "AWS::IAM::Role")
    for id, role in roles.items():
        assert "ManagedPolicyArns" not in role["Properties"]
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if not id.startswith("Close"):
            assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
            assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _end(resource: Any) -> str:
    if isinstance(resource, dict) and "Fn::Join" in resource:
        end = str(resource["Fn::Join"][1][-1])
        return "code" if end.endswith(".zip") else end
    return "code" if isinstance(resource, dict) and "Fn::Sub" in resource else str(resource)
