"""Before a deploy and after it, an operator is told what is missing, by name and with what to do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import Aws, account
from formlens.account import preflight, prices
from formlens.account.checks import Check, State
from stacks.settings import DEV
from templates import resources

TYPE = "ml.g4dn.xlarge"
TRAIN = f"{TYPE} for training job usage"
NEW: dict[str, Any] = {  # an account that has just been made
    "ssm__GetParameter": "ParameterNotFound",
    "s3__HeadBucket": "404",
    "cloudformation__DescribeStacks": {"Stacks": []},
    "ec2__DescribeInstanceTypeOfferings": {
        "InstanceTypeOfferings": [{"InstanceType": "g4dn.xlarge", "Location": "eu-central-1b"}]
    },
    "lambda__GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 10}},
    "service-quotas__ListServiceQuotas": {
        "Quotas": [
            {"QuotaName": f"{TYPE} for {usage} usage", "QuotaCode": f"L-{place}", "Value": 0.0}
            for place, usage in enumerate(preflight.USAGES)
        ]
    },
    "service-quotas__ListRequestedServiceQuotaChangeHistoryByQuota": {"RequestedQuotas": []},
}


def answers(aws: Aws, *types: str) -> dict[str, Check]:
    return {check.what: check for check in preflight.preflight(account(aws), types or (TYPE,))}


def test_a_new_account_is_told_all_that_is_missing_and_how_to_get_it() -> None:
    said = answers(Aws(**NEW))
    assert said["credentials"].text == "account 123456789012 as arn:aws:iam::123456789012:user/operator"
    assert (said["region"].state, said["region"].text) == (State.good, "eu-central-1")
    assert said["bootstrap"].state == State.todo
    assert "cdk bootstrap" in said["bootstrap"].text
    assert said["bucket"].text == "deeplens-sagemaker-dev-123456789012-eu-central-1 is free"
    assert said[TRAIN].state == State.todo
    assert "not asked for" in said[TRAIN].text
    assert said[TYPE].text == "in eu-central-1b"
    assert said["concurrency"].state == State.wait
    assert "USD" in said["a month at rest"].text
    assert "0.74 USD an hour" in said[f"{TYPE}, an hour"].text


def test_an_account_that_is_ready_has_nothing_to_do() -> None:
    ready = NEW | {
        "ssm__GetParameter": {"Parameter": {"Name": preflight.BOOTSTRAP, "Value": "30"}},
        "s3__HeadBucket": {},
        "lambda__GetAccountSettings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
        "service-quotas__ListServiceQuotas": lambda _: {
            "Quotas": [quota | {"Value": 1.0} for quota in NEW["service-quotas__ListServiceQuotas"]["Quotas"]]
        },
    }
    aws = Aws(**ready)
    said = answers(aws)
    assert {check.state for check in said.values()} == {State.good, State.told}
    assert said[TRAIN].text == "granted, 1"
    assert said["bucket"].text.endswith("is ours, kept from before: a deploy takes it up again")
    (head,) = [params for name, params in aws.calls if name == "s3.HeadBucket"]
    assert head["ExpectedBucketOwner"] == "123456789012"


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ("PENDING", State.wait, "pending, 1 asked for, case 42"),
        ("CASE_OPENED", State.wait, "pending"),
        ("APPROVED", State.wait, "decided"),
        ("DENIED", State.todo, "denied"),
        ("NOT_APPROVED", State.todo, "AWS Support"),
    ],
)
def test_a_quota_is_granted_pending_or_denied_by_name(status: str, state: State, words: str) -> None:
    request = {"Status": status, "DesiredValue": 1.0, "CaseId": "42", "QuotaCode": "L-0"}
    history = {"service-quotas__ListRequestedServiceQuotaChangeHistoryByQuota": {"RequestedQuotas": [request]}}
    said = answers(Aws(**(NEW | history)))[TRAIN]
    assert said.state == state
    assert words in said.text


def test_an_instance_that_the_region_does_not_have_is_named() -> None:
    nowhere: dict[str, Any] = {
        "ec2__DescribeInstanceTypeOfferings": {"InstanceTypeOfferings": []},
        "service-quotas__ListServiceQuotas": {"Quotas": []},
        "service-quotas__ListAWSDefaultServiceQuotas": {"Quotas": []},
    }
    said = answers(Aws(**(NEW | nowhere)), "ml.g6.xlarge")
    assert "not offered in eu-central-1" in said["ml.g6.xlarge"].text
    assert "no such quota" in said["ml.g6.xlarge for training job usage"].text


def test_a_bucket_that_somebody_else_has_is_no_bucket_for_us() -> None:
    said = answers(Aws(**(NEW | {"s3__HeadBucket": "403"})))["bucket"]
    assert said.state == State.todo
    assert "another account" in said.text


def test_an_old_bootstrap_is_not_enough_and_an_unknown_region_is_told() -> None:
    old = {"ssm__GetParameter": {"Parameter": {"Name": preflight.BOOTSTRAP, "Value": "5"}}}
    said = answers(Aws(region="eu-nowhere-1", **(NEW | old)))
    assert said["bootstrap"].text == "version 5, 6 is needed: run `cdk bootstrap` again"
    assert said["region"].state == State.todo


def test_what_these_credentials_may_not_ask_keeps_no_other_answer_back() -> None:
    said = answers(Aws())  # AccessDenied to everything but who is asking
    assert {"bootstrap", "quotas", "instances", "concurrency", "cost"} <= set(said)
    assert "refuses GetParameter" in said["bootstrap"].text
    with pytest.raises(ClientError):
        answers(Aws(sts__GetCallerIdentity="ExpiredToken"))


def test_after_a_deploy_what_is_there_is_counted_and_a_notebook_costs() -> None:
    stack = {"StackName": "FormLens-dev-Watch", "StackStatus": "CREATE_COMPLETE", "CreationTime": "2026-11-25"}
    kinds = ["AWS::CloudWatch::Alarm"] * 3 + ["AWS::CloudWatch::Dashboard", "AWS::SageMaker::NotebookInstance"]
    there: dict[str, Any] = {
        "cloudformation__DescribeStacks": {"Stacks": [stack]},
        "cloudformation__ListStackResources": {
            "StackResourceSummaries": [
                {"ResourceType": kind, "PhysicalResourceId": f"arn:x:notebook-instance/n{place}"}
                | {"LogicalResourceId": "L", "LastUpdatedTimestamp": "2026-11-25", "ResourceStatus": "CREATE_COMPLETE"}
                for place, kind in enumerate(kinds)
            ]
        },
        "sagemaker__DescribeNotebookInstance": {
            "NotebookInstanceName": "n4",
            "InstanceType": TYPE,
            "VolumeSizeInGB": 50,
        },
    }
    said = answers(Aws(**(NEW | there)))
    assert said["a month at rest"].text.startswith("3.30 USD: 3 alarms, 1 dashboard")
    assert said["notebook n4"].text == "7.00 USD a month for its 50 GB, 0.74 an hour while it runs"


def test_what_is_assumed_before_a_deploy_is_what_the_templates_have() -> None:
    """Give or take a few alarms: the sum is to the dollar, not to the cent."""
    alarms, boards = (len(resources("dev", "Watch", f"AWS::CloudWatch::{kind}")) for kind in ("Alarm", "Dashboard"))
    assumed = prices.at_rest(preflight.ALARMS, preflight.DASHBOARDS)
    assert abs(prices.at_rest(alarms, boards) - assumed) < 1.5
    assert sum(worker.concurrency for worker in (DEV.read, DEV.sheet, DEV.learn)) <= preflight.CONCURRENCY
    assert round(DEV.read.memory_mb / 1024, 3) == round(prices.READ_GB, 3)


def test_a_thousand_pages_cost_cents_and_mostly_for_reading() -> None:
    assert 0.1 < prices.thousand_pages() < 0.5
    reading = 1000 * prices.READ_S * prices.READ_GB * prices.GB_SECOND
    assert reading > prices.thousand_pages() / 2
