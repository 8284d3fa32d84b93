"""The training stack: the pipeline that is rendered, who may do what for it, how it starts, and what destroys it."""

import json
import re
from dataclasses import replace
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks import build
from stacks.settings import DEV, Training
from templates import EVERY, ROOT, assembly, only, resources, statements, template

STAGES = [stage for stage, name in EVERY if name == "Training"]
PEOPLE = [stage for stage, name in EVERY if name == "Studio" and stage in STAGES]


def definition(stage: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline's definition, its placeholders not filled in, and what they are filled with."""
    body = only(stage, "Training", "AWS::SageMaker::Pipeline")["Properties"]["PipelineDefinition"]
    text, filled = body["PipelineDefinitionBody"]["Fn::Sub"]
    return json.loads(text), filled


@pytest.mark.parametrize("retired", ["ml.p2.xlarge", "ml.p3.2xlarge"])
def test_a_retired_instance_is_refused_by_the_name_of_its_replacement(retired: str) -> None:
    with pytest.raises(ValueError, match=rf"{retired} is retired.*ml\.g4dn\.xlarge"):
        replace(DEV, training=Training(instance_type=retired))
    with pytest.raises(ValueError, match="use ml"):
        Training(processing_type=retired)


def test_a_schedule_without_a_form_is_refused() -> None:
    with pytest.raises(ValueError, match="a schedule needs the form"):
        Training(schedule="rate(7 days)")


def test_what_is_off_leaves_no_trace() -> None:
    assert ("local", "Training") not in EVERY
    for stage, name in EVERY:
        if stage == "local":
            assert not re.search(r"sagemaker:(?!us)|Pipeline|Release", json.dumps(template(stage, name)["Resources"]))
    on = json.dumps(template("dev", "Training"))
    assert "ScheduleRole" not in on
    assert "Corrected" not in on


@pytest.mark.parametrize("stage", STAGES)
def test_the_definition_is_the_rendered_one_with_every_placeholder_filled(stage: str) -> None:
    found, filled = definition(stage)
    rendered = json.loads((ROOT / "model" / "pipeline.json").read_text())["definition"]
    assert found["Steps"] == rendered["Steps"]
    placeholders = set(re.findall(r"\$\{(\w+)\}", json.dumps(found)))
    assert placeholders == set(filled)
    assert [one["Name"] for one in found["Parameters"]] == [one["Name"] for one in rendered["Parameters"]]


def test_the_parameters_begin_with_what_settings_say() -> None:
    found, _ = definition("full")
    defaults = {one["Name"]: one.get("DefaultValue") for one in found["Parameters"]}
    assert defaults["Form"] == "intake"
    assert defaults["Spot"] is True
    assert defaults["InstanceCount"] == 2
    assert {one["Name"]: one for one in definition("dev")[0]["Parameters"]}["Form"].keys() == {"Name", "Type"}


@pytest.mark.parametrize("stage", STAGES)
def test_jobs_are_named_so_that_the_roles_know_them(stage: str) -> None:
    names = re.findall(r'"(?:Training|Processing)JobName": "([^"]+)"', json.dumps(definition(stage)[0]))
    assert len(names) == 5
    assert all(name.startswith("formlens-${Stage}-") for name in names)
    assert all(len(name.replace("${Stage}", stage)) <= 63 - 21 for name in names), "SageMaker puts an ending to it"


def allowed(stage: str, name: str, role: str) -> dict[str, list[Any]]:
    """What a role may do: action to resources, each with its condition."""
    may: dict[str, list[Any]] = {}
    for id, statement in statements(stage, name):
        if id.startswith(role) and "Resource" in statement:
            for action in _each(statement["Action"]):
                may.setdefault(action, []).extend(
                    (_text(one), statement.get("Condition")) for one in _each(statement["Resource"])
                )
    return may


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("role", "reads"), [("TrainingRole", {"runs"}), ("ProcessingRole", {"training", "labels", "models", "runs"})]
)
def test_a_job_reads_its_prefixes_and_writes_runs_alone(stage: str, role: str, reads: set[str]) -> None:
    may = allowed(stage, "Training", role)
    objects = {text.rpartition("/")[0].rpartition("/")[2] for text, _ in may["s3:GetObject"] if text.endswith("/*")}
    assert objects == reads
    assert [text.endswith("/runs/*") for text, _ in may["s3:PutObject"]] == [True]
    assert not any(action.startswith(("iam:", "sagemaker:", "s3:Delete")) for action in may)
    ((_, condition),) = may["cloudwatch:PutMetricData"]
    kind = role.removesuffix("Role")
    assert condition == {"StringEquals": {"cloudwatch:namespace": f"/aws/sagemaker/{kind}Jobs"}}
    ((log, _),) = may["logs:PutLogEvents"]
    assert log.endswith(f":log-group:/aws/sagemaker/{kind}Jobs:log-stream:formlens-{stage}-*")


@pytest.mark.parametrize("stage", STAGES)
def test_roles_are_passed_to_sagemaker_alone_and_named_one_by_one(stage: str) -> None:
    passed = allowed(stage, "Training", "PipelineRole")["iam:PassRole"]
    every = [(one, "Training") for one in passed]
    if stage in PEOPLE:
        people = allowed(stage, "Studio", "StudioRole") or allowed(stage, "Studio", "NotebookRole")
        every += [(one, "Studio") for one in people["iam:PassRole"]]
    assert len(passed) == 2
    for (text, condition), _ in every:
        assert re.search(r"(Training|Processing|Pipeline)Role\w*Arn|(Training|Processing|Pipeline)Role\w+\.Arn", text)
        assert condition == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    others = {id for id, one in statements(stage, "Training") if "iam:PassRole" in _each(one["Action"])}
    assert {id[:12] for id in others} == {"PipelineRole"}


@pytest.mark.parametrize("stage", PEOPLE)
def test_people_may_start_the_pipeline_read_its_logs_and_approve(stage: str) -> None:
    for role in ("StudioRole", "NotebookRole"):
        may = allowed(stage, "Studio", role)
        if not may:
            continue
        assert may["sagemaker:StartPipelineExecution"][0][0].endswith(f":pipeline/formlens-{stage}")
        assert may["sagemaker:UpdateModelPackage"][0][0].endswith("/*")
        assert len(may["logs:GetLogEvents"]) == 2
        if role == "StudioRole":
            assert any("/aws/sagemaker/studio:log-stream:" in text for text, _ in may["logs:PutLogEvents"])


@pytest.mark.parametrize("stage", STAGES)
def test_what_somebody_decides_and_alarms_reach_the_release_function(stage: str) -> None:
    patterns = [
        rule["Properties"].get("EventPattern", {})
        for rule in resources(stage, "Training", "AWS::Events::Rule").values()
    ]
    decided, alarmed = (
        next(one for one in patterns if one.get("source") == [source]) for source in ("aws.sagemaker", "aws.cloudwatch")
    )
    group = only(stage, "Training", "AWS::SageMaker::ModelPackageGroup")["Properties"]["ModelPackageGroupName"]
    assert decided["detail"]["ModelPackageGroupName"] == [group]
    prefixes = [one["prefix"] for one in alarmed["detail"]["alarmName"]]
    assert all(one.startswith(f"FormLens-{stage}-Watch-") for one in prefixes)
    watched = resources(stage, "Watch", "AWS::CloudWatch::Alarm")
    for prefix in prefixes:  # CloudFormation names an alarm by its stack and its logical id
        assert sum(f"FormLens-{stage}-Watch-{id}".startswith(prefix) for id in watched) == 1


def test_destroying_prod_keeps_the_registry_and_dev_empties_it() -> None:
    for stage, kept in (("prod", "Retain"), ("dev", "Delete")):
        group = only(stage, "Training", "AWS::SageMaker::ModelPackageGroup")
        assert group["DeletionPolicy"] == kept
        assert bool(resources(stage, "Training", "Custom::CloseRegistry")) == (kept == "Delete")
        assert resources(stage, "Training", "Custom::ClosePipeline")
    # a group that was kept has a name that no later stack takes
    name = only("prod", "Training", "AWS::SageMaker::ModelPackageGroup")["Properties"]["ModelPackageGroupName"]
    assert "AWS::StackId" in json.dumps(name)
    delete = allowed("prod", "Training", "Close")
    assert "sagemaker:DeleteModelPackage" not in delete


@pytest.mark.parametrize("stage", STAGES)
def test_running_trainings_and_packages_are_closed_before_what_holds_them(stage: str) -> None:
    every = template(stage, "Training")["Resources"]
    for kind, held in (("Pipeline", "AWS::SageMaker::Pipeline"), ("Registry", "AWS::SageMaker::ModelPackageGroup")):
        for closed in resources(stage, "Training", f"Custom::Close{kind}").values():
            assert {every[id]["Type"] for id in closed["DependsOn"]} == {held, "AWS::IAM::Policy"}


def test_it_starts_by_schedule_and_by_corrections_only_where_settings_say_so() -> None:
    (schedule,) = [
        rule["Properties"]
        for rule in resources("full", "Training", "AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
    ]
    assert schedule["ScheduleExpression"] == "rate(7 days)"
    (target,) = schedule["Targets"]
    assert target["SageMakerPipelineParameters"] == {"PipelineParameterList": [{"Name": "Form", "Value": "intake"}]}
    start = next(
        one["Properties"]["Environment"]["Variables"]
        for one in resources("full", "Training", "AWS::Lambda::Function").values()
        if one["Properties"]["Handler"] == "start.handler"
    )
    assert (start["PIPELINE"], start["NEW_LABELS"]) == ("formlens-full", "20")
    may = allowed("full", "Training", "StartRole")
    assert [text.partition(":pipeline/")[2] for text, _ in may["sagemaker:StartPipelineExecution"]] == ["formlens-full"]


def test_a_change_of_code_changes_the_pipeline_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> dict[str, Any]:
        app = cdk.App(context={"aws:cdk:bundling-stacks": []})
        build(app, replace(DEV, studio=None))
        return dict(Template.from_stack(cast(cdk.Stack, app.node.find_child("FormLens-dev-Training"))).to_json())

    first = body()
    assert body() == first
    assert re.search(r"[0-9a-f]{64}\.zip", json.dumps(only("dev", "Training", "AWS::SageMaker::Pipeline")))


def test_synthesizing_does_not_load_the_sdk() -> None:
    import subprocess
    import sys

    script = "import stacks, sys; sys.exit(any(name.split('.')[0] == 'sagemaker' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
    assert assembly()


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: Any) -> str:
    """A resource as one text, with what is only known later between angle brackets."""
    if isinstance(resource, dict) and "Fn::Join" in resource:
        return "".join(part if isinstance(part, str) else f"<{_text(part)}>" for part in resource["Fn::Join"][1])
    if isinstance(resource, dict):
        return ".".join(_text(value) for value in resource.values())
    return ".".join(map(_text, resource)) if isinstance(resource, list) else str(resource)
