"""A registry and a bucket go in; the function that releases what is approved, and takes back what an alarm is about."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from stacks.jobs import Names, allow
from stacks.libraries import Libraries
from stacks.settings import Training
from stacks.storage import StorageStack
from stacks.watch import AT_LEAST, WatchStack

FAULTS = ("ReadErrors", "PagesFailing", "CellsInDoubt")
"""Alarms of stacks/watch.py that may be the fault of a reader."""


def add_release(
    stack: cdk.Stack,
    libraries: Libraries,
    names: Names,
    *,
    storage: StorageStack,
    watch: WatchStack,
    training: Training,
    stage: str,
) -> None:
    """Put function, rules and the alarm about it into a stack."""
    release = libraries.function(
        "Release",
        "lambda/release.py",
        "lambda/rollout.py",
        "lambda/current.py",
        "lambda/keys.py",
        description="Releases readers that were approved",
        memory_mb=3008,
        timeout_s=900,
        environment={"WATCH_HOURS": str(training.watch_hours)},
    )
    storage.grant(release, "s3:GetObject", prefix="runs")
    storage.grant(release, "s3:GetObject", "s3:PutObject", prefix="models")
    storage.grant_list(release, "models", "forms")
    allow(release, ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], names.packages)
    # one at a time would take a share of the account's concurrency; the pointer is written over what was read instead
    events.Rule(
        stack,
        "Decided",
        description="Somebody approved or rejected a reader",
        event_pattern=events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Model Package State Change"],
            detail={"ModelPackageGroupName": [names.group], "ModelApprovalStatus": ["Approved", "Rejected"]},
        ),
        targets=[targets.LambdaFunction(release)],
    )
    events.Rule(
        stack,
        "Alarmed",
        description="An alarm that may be the fault of a reader",
        event_pattern=events.EventPattern(
            source=["aws.cloudwatch"],
            detail_type=["CloudWatch Alarm State Change"],
            detail={
                # the beginnings of the names that CloudFormation gives them: an export could never change
                "alarmName": [{"prefix": f"{watch.stack_name}-{alarm}"} for alarm in FAULTS],
                "state": {"value": ["ALARM"]},
            },
        ),
        targets=[targets.LambdaFunction(release)],
    )
    alarm = cloudwatch.Alarm(
        stack,
        "ReleaseErrors",
        alarm_description="A reader was approved and not released; see the function's log, and approve it again",
        metric=release.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
        threshold=1,
        evaluation_periods=1,
        comparison_operator=AT_LEAST,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions.SnsAction(watch.topic))
    alarm.add_ok_action(actions.SnsAction(watch.topic))
