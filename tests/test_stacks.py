import json
import os
import re
from dataclasses import replace
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks import build
from stacks.settings import DEV, LOCAL, PROD, STAGES, settings_of
from templates import COMBINED, EVERY, NAMES, ROOT, assembly, only, resources, statements, template

REVIEWED = [
    (stage, name)
    for stage, name in EVERY
    if stage in ("dev", "prod") or (stage, name) in (("both", "Studio"), ("full", "Training"), ("cameras", "Camera"))
]
UNTRAINED = COMBINED[0]
BELOW = {
    "Storage": (),
    "Reading": ("Storage",),
    "Watch": ("Reading",),
    "Training": ("Storage", "Watch"),
    "Quota": (),
    "Camera": ("Storage",),
}


def test_each_stack_depends_on_those_below_it() -> None:
    artifacts = json.loads((assembly() / "manifest.json").read_text())["artifacts"]
    stacks = {id: item for id, item in artifacts.items() if item["type"] == "aws:cloudformation:stack"}
    graph = {id: {other for other in item["dependencies"] if other in stacks} for id, item in stacks.items()}
    assert graph == {
        f"FormLens-{stage}-{name}": {f"FormLens-{stage}-{other}" for other in _below(stage, name)}
        for stage, name in EVERY
    }


def _below(stage: str, name: str) -> tuple[str, ...]:
    if name == "Studio":  # its people are handed the roles of the pipeline, where there is one
        return ("Storage", "Training") if (stage, "Training") in EVERY else ("Storage",)
    return BELOW[name]


def test_an_unknown_stage_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no stage 'tset': choose one of dev, prod, local"):
        settings_of("tset")


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_has_the_name_that_the_contract_gives_it(stage: str) -> None:
    name = only(stage, "Storage", "AWS::S3::Bucket")["Properties"]["BucketName"]
    parts = [f"deeplens-sagemaker-{stage}-", {"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]
    assert name == {"Fn::Join": ["", parts]}


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_is_encrypted_private_and_versioned_and_speaks_tls_only(stage: str) -> None:
    bucket = only(stage, "Storage", "AWS::S3::Bucket")["Properties"]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (policy,) = only(stage, "Storage", "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert policy["Effect"] == "Deny"
    assert policy["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("stage", STAGES)
def test_old_versions_and_unfinished_uploads_go_away(stage: str) -> None:
    rules = only(stage, "Storage", "AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    by_name = {rule["Id"]: rule for rule in rules}
    days = by_name["old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert days == STAGES[stage].old_version_days
    assert by_name["unfinished-uploads"]["AbortIncompleteMultipartUpload"]
    # nothing that is current ever expires
    assert not any("ExpirationInDays" in rule or "ExpirationDate" in rule for rule in rules)


def test_destroying_prod_keeps_the_bucket_and_holds_nothing_that_could_empty_it() -> None:
    bucket = only("prod", "Storage", "AWS::S3::Bucket")
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert not resources("prod", "Storage", "Custom::EmptyBucket")
    assert not resources("prod", "Storage", "AWS::Lambda::Function")
    assert "Tags" not in bucket["Properties"]


@pytest.mark.parametrize("stage", ["dev", "local"])
def test_destroying_dev_empties_the_bucket_before_it_goes(stage: str) -> None:
    bucket = only(stage, "Storage", "AWS::S3::Bucket")
    emptied = only(stage, "Storage", "Custom::EmptyBucket")
    (policy,) = resources(stage, "Storage", "AWS::IAM::Policy")
    assert bucket["DeletionPolicy"] == "Delete"
    assert bucket["Properties"]["Tags"] == [{"Key": "formlens:empty-on-removal", "Value": "yes"}]
    assert policy in emptied["DependsOn"]  # so that what deletes may still do so
    assert int(emptied["Properties"]["ServiceTimeout"]) <= 900


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_but_the_bucket_and_the_registry_survive(stage: str) -> None:
    kept = {
        resource["Type"]
        for of, name in EVERY
        if of == stage
        for resource in template(stage, name)["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == ({"AWS::S3::Bucket", "AWS::SageMaker::ModelPackageGroup"} if stage == "prod" else set())


@pytest.mark.parametrize("stage", STAGES)
def test_a_message_is_hidden_six_times_as_long_as_its_function_may_run(stage: str) -> None:
    functions = resources(stage, "Reading", "AWS::Lambda::Function")
    queues = resources(stage, "Reading", "AWS::SQS::Queue")
    mappings = resources(stage, "Reading", "AWS::Lambda::EventSourceMapping").values()
    assert len(mappings) == 3
    for mapping in mappings:
        queue = queues[mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
        function = functions[mapping["Properties"]["FunctionName"]["Ref"]]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"] >= 2


@pytest.mark.parametrize("stage", STAGES)
def test_what_fails_too_often_is_set_aside_where_an_alarm_looks_and_can_go_back(stage: str) -> None:
    queues = resources(stage, "Reading", "AWS::SQS::Queue")
    alarms = resources(stage, "Watch", "AWS::CloudWatch::Alarm").values()
    watched = {
        _imported(alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in alarms
        if alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    aside = {
        queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]: queue["Properties"]["QueueName"]
        for queue in queues.values()
        if "RedrivePolicy" in queue["Properties"]
    }
    assert {id for id in aside if any(id in name for name in watched)} == set(aside)
    assert len(watched) == len(aside)
    assert len(queues) == 6
    for id, name in aside.items():
        allowed = queues[id]["Properties"]["RedriveAllowPolicy"]
        assert allowed["redrivePermission"] == "byQueue"
        assert allowed["sourceQueueArns"][0]["Fn::Join"][1][-1] == name["Fn::Join"][1][-1]
        assert queues[id]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def _imported(value: Any) -> str:
    name: str = value["Fn::ImportValue"]
    return name


@pytest.mark.parametrize("stage", STAGES)
def test_every_alarm_tells_the_one_topic_which_cloudwatch_may_reach(stage: str) -> None:
    (topic,) = resources(stage, "Watch", "AWS::SNS::Topic")
    alarms = resources(stage, "Watch", "AWS::CloudWatch::Alarm")
    assert len(alarms) == 3 * 2 + 3 + 2
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [{"Ref": topic}]
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"
        assert alarm["Properties"]["AlarmDescription"]
    policy = only(stage, "Watch", "AWS::SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]
    allowed = [statement for statement in policy if statement["Effect"] == "Allow"]
    assert [statement["Principal"] for statement in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
    assert allowed[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_mail_address_brings_a_subscription_and_a_budget_and_none_leaves_no_trace() -> None:
    def kinds(settings: Any) -> dict[str, Any]:
        app = cdk.App(context={"aws:cdk:bundling-stacks": []})
        build(app, settings)
        found = Template.from_stack(cast(cdk.Stack, app.node.find_child("FormLens-dev-Watch"))).to_json()
        return {resource["Type"]: resource.get("Properties", {}) for resource in found["Resources"].values()}

    without, with_ = kinds(DEV), kinds(replace(DEV, mail="who@example.org", budget_usd=7))
    assert with_.keys() - without.keys() == {"AWS::SNS::Subscription", "AWS::Budgets::Budget"}
    assert with_["AWS::SNS::Subscription"]["Endpoint"] == "who@example.org"
    assert with_["AWS::Budgets::Budget"]["Budget"]["BudgetLimit"] == {"Amount": 7, "Unit": "USD"}


@pytest.mark.parametrize(("stage", "name"), EVERY)
def test_every_function_owns_its_role_and_its_log(stage: str, name: str) -> None:
    functions = resources(stage, name, "AWS::Lambda::Function").values()
    roles = [function["Properties"]["Role"]["Fn::GetAtt"][0] for function in functions]
    logs = [function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for function in functions]
    every = resources(stage, name, "AWS::IAM::Role")
    assert set(roles) == {id for id, role in every.items() if "lambda.amazonaws.com" in json.dumps(role)}
    assert set(logs) == set(resources(stage, name, "AWS::Logs::LogGroup"))
    assert len(set(roles)) == len(set(logs)) == len(functions)
    for log in resources(stage, name, "AWS::Logs::LogGroup").values():
        assert log["Properties"]["RetentionInDays"] > 0
    for role in resources(stage, name, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_only_the_sheet_function_writes_sheets_and_only_the_read_function_reads_scans() -> None:
    may = {(id[:5], text) for id, text in _allowed("dev", "Reading")}
    assert ("Sheet", "s3:PutObject /sheets/*") in may
    assert ("ReadR", "s3:GetObjectVersion /inbox/*") in may
    assert ("ReadR", "s3:PutObject /sheets/*") not in may
    assert ("Sheet", "s3:GetObject /inbox/*") not in may
    assert ("Sheet", "s3:PutObject /results/*") not in may
    assert {(who, text) for who, text in may if "training/" in text or (" /forms/" in text and "Put" in text)} == {
        ("Learn", "s3:GetObject /training/*"),
        ("Learn", "s3:PutObject /forms/*"),
    }
    assert not any("Delete" in text and "s3:" in text for _, text in may)


def _allowed(stage: str, name: str) -> list[tuple[str, str]]:
    found = []
    for id, statement in statements(stage, name):
        for action in _each(statement["Action"]):
            for resource in _each(statement.get("Resource", "")):
                end = resource["Fn::Join"][1][-1] if isinstance(resource, dict) and "Fn::Join" in resource else ""
                found.append((id, f"{action} {end}"))
    return found


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_stages_differ_only_where_settings_do() -> None:
    """The embedded cloud runs what AWS runs, on another Python."""
    assert replace(UNTRAINED, stage="dev", training=DEV.training) == DEV
    for name in NAMES:
        dev, local = (
            re.sub(rf"(-|/|FormLens){settings.stage}|Created\w{{8}}", r"\1", _scrubbed(settings.stage, name))
            .replace(f"python{settings.python}", "python")
            .replace(f'"MaximumConcurrency": {settings.read.concurrency}', "")
            for settings in (UNTRAINED, LOCAL)
        )
        assert dev.replace(f'"MaximumConcurrency": {DEV.sheet.concurrency}', "") == local
    assert PROD.keep_data
    assert not DEV.keep_data


@pytest.mark.parametrize(("stage", "name"), EVERY)
def test_a_template_holds_no_account_and_no_path(stage: str, name: str) -> None:
    # but those from which AWS gives its images
    text = json.dumps({part: content for part, content in template(stage, name).items() if part != "Mappings"})
    assert not re.search(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)
    assert str(ROOT) not in text


@pytest.mark.parametrize(("stage", "name"), REVIEWED)
def test_the_template_is_the_one_that_was_reviewed(stage: str, name: str) -> None:
    """A change of infrastructure shows in the diff; UPDATE_SNAPSHOTS=1 pytest writes it down."""
    path = ROOT / "tests" / "snapshots" / f"{stage}-{name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(_scrubbed(stage, name))
    assert _scrubbed(stage, name) == path.read_text()


def _scrubbed(stage: str, name: str) -> str:
    text = json.dumps(template(stage, name), indent=1, sort_keys=True) + "\n"
    text = re.sub(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}", r"\1HASH", text)  # a version's name depends on its code
    return re.sub(r"[0-9a-f]{64}", "HASH", text)
