"""One change goes in; what it deletes, replaces or no longer protects comes out.

`HOLDS` says what is lost with a resource, the tables below it which properties keep it.
"""

import re
from collections.abc import Iterator
from typing import Any

from changes.compare import Change
from changes.expiry import expires_sooner
from changes.finding import code
from changes.values import at, differences, listed, plain

HOLDS = {
    "AWS::S3::Bucket": "its objects",
    "AWS::SQS::Queue": "its messages",
    "AWS::SNS::Topic": "subscriptions that people confirmed",
    "AWS::SNS::Subscription": "a subscription that somebody confirmed",
    "AWS::Logs::LogGroup": "its log",
    "AWS::DynamoDB::Table": "its items",
    "AWS::DynamoDB::GlobalTable": "its items",
    "AWS::RDS::DBInstance": "its databases",
    "AWS::RDS::DBCluster": "its databases",
    "AWS::EFS::FileSystem": "its files",
    "AWS::EC2::Volume": "its files",
    "AWS::EC2::Instance": "its disk",
    "AWS::EC2::EIP": "its address",
    "AWS::KMS::Key": "whatever it encrypted",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::SSM::Parameter": "its value",
    "AWS::Cognito::UserPool": "its users",
    "AWS::ECR::Repository": "its images",
    "AWS::Kinesis::Stream": "its records",
    "AWS::OpenSearchService::Domain": "its indexes",
    "AWS::Events::Archive": "its events",
    "AWS::Backup::BackupVault": "its backups",
    "AWS::SageMaker::Domain": "the apps and spaces that people made in it",
    "AWS::SageMaker::UserProfile": "the spaces that its owner made",
    "AWS::SageMaker::Space": "its files",
    "AWS::SageMaker::NotebookInstance": "the files on its volume",
    "AWS::SageMaker::ModelPackageGroup": "the registered models",
    "AWS::SageMaker::ModelPackage": "a registered model",
    "AWS::SageMaker::FeatureGroup": "its features",
    "AWS::IoT::Thing": "the camera's registration",
    "AWS::IoT::Certificate": "the certificate that a camera signs in with",
}
_TAKES = {
    "AWS::Events::Rule": "events that it took are dropped",
    "AWS::Lambda::EventSourceMapping": "nobody works through what comes",
    "AWS::IoT::TopicRule": "messages that it took are dropped",
}
_EMPTIES = re.compile(r"^Custom::\w*(Empty|AutoDelete|DeleteObjects)")
_TAGS = ("formlens:empty-on-removal", "aws-cdk:auto-delete-objects")
"""Tags that let a function empty a bucket."""
# (type, path, what AWS takes where nothing is said): less of it loses what is older
_LASTS: tuple[tuple[str, str, float], ...] = (
    ("AWS::Logs::LogGroup", "RetentionInDays", float("inf")),
    ("AWS::SQS::Queue", "MessageRetentionPeriod", 345_600),
    ("AWS::Kinesis::Stream", "RetentionPeriodHours", 24),
    ("AWS::RDS::DBInstance", "BackupRetentionPeriod", 1),
    ("AWS::RDS::DBCluster", "BackupRetentionPeriod", 1),
    ("AWS::Events::Archive", "RetentionDays", float("inf")),
    ("AWS::Lambda::EventSourceMapping", "MaximumRetryAttempts", float("inf")),
    ("AWS::Lambda::EventSourceMapping", "MaximumRecordAgeInSeconds", float("inf")),
    ("AWS::Lambda::EventInvokeConfig", "MaximumRetryAttempts", 2),
)
# (type, path, the value that protects, what AWS takes where nothing is said)
_GUARDS: tuple[tuple[str, str, Any, Any], ...] = (
    ("AWS::S3::Bucket", "VersioningConfiguration.Status", "Enabled", None),
    ("AWS::S3::Bucket", "ObjectLockEnabled", True, None),
    ("AWS::DynamoDB::Table", "DeletionProtectionEnabled", True, None),
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", True, None),
    ("AWS::RDS::DBInstance", "DeletionProtection", True, None),
    ("AWS::RDS::DBCluster", "DeletionProtection", True, None),
    ("AWS::Cognito::UserPool", "DeletionProtection", "ACTIVE", None),
    ("AWS::EFS::FileSystem", "BackupPolicy.Status", "ENABLED", None),
    ("AWS::ECR::Repository", "ImageTagMutability", "IMMUTABLE", None),
    ("AWS::Events::Rule", "State", "ENABLED", "ENABLED"),
    ("AWS::Lambda::EventSourceMapping", "Enabled", True, True),
    ("AWS::IoT::Certificate", "Status", "ACTIVE", None),
)
_CAUGHT = re.compile(
    r"(^|\.)(RedrivePolicy|DeadLetterConfig|DeadLetterQueue|OnFailure|NotificationConfiguration|FunctionResponseTypes"
    r"|ReplicationConfiguration|EventBridgeConfiguration)(\.|$)"
)
_ENCRYPTED = re.compile(r"(Kms|KMS|Encrypt|Sse|SSE)")


def endangered(change: Change) -> Iterator[str]:
    """Each way in which this change loses something, in words."""
    holds, name = HOLDS.get(change.kind), f"{code(change.id)} ({code(change.kind)})"
    if not change.after:
        yield from _going(change, holds, name)
    elif not change.before:
        if _EMPTIES.match(change.kind) and not change.moved:
            yield f"{name} is new: it deletes what is in {code(plain(at(change.after, 'Properties') or {}))}"
    else:
        if holds and (change.replaced or change.perhaps):
            sure = "is **replaced**" if change.replaced else "may be **replaced**"
            why = ", ".join(code(path) for path in change.replaced or change.perhaps)
            yield f"{name} {sure}, since {why} changes: {holds} {_fate(change.before, 'UpdateReplacePolicy')}"
        elif change.replaced and change.kind.startswith("Custom::"):
            yield f"{name} is **replaced**: the function behind it is told to delete the old one"
        yield from _in_place(change, name)


def _going(change: Change, holds: str | None, name: str) -> Iterator[str]:
    if holds:
        again = f"; the same comes back, empty, as {code(change.moved)}" if change.moved else ""
        yield f"{name} is **deleted**: {holds} {_fate(change.before, 'DeletionPolicy')}{again}"
    elif change.kind in _TAKES and not change.moved:
        yield f"{name} is **deleted**: {_TAKES[change.kind]}"
    elif change.kind.startswith("Custom::"):
        yield f"{name} is **deleted**: the function behind it is told to delete what it made"


def _fate(resource: dict[str, Any], policy: str) -> str:
    said = resource.get(policy)
    if said in ("Retain", "RetainExceptOnCreate"):
        return "stay, outside of the stack"
    return "stay as a snapshot" if said == "Snapshot" else "are lost"


def _in_place(change: Change, name: str) -> Iterator[str]:
    was, now = change.properties
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        old, new = change.before.get(policy, "Delete"), change.after.get(policy, "Delete")
        if old != new and old in ("Retain", "RetainExceptOnCreate", "Snapshot") and not str(new).startswith("Retain"):
            yield f"{name}: {policy} is {code(str(new))}, it was {code(str(old))}"
    for kind, path, silent in _LASTS:
        old, new = (_number(at(of, path), silent) for of in (was, now))
        if kind == change.kind and old is not None and new is not None and new < old:
            yield f"{name}: {code(path)} falls from {code(_days(old))} to {code(_days(new))}"
    for kind, path, safe, silent in _GUARDS:
        old, new = (silent if at(of, path) is None else at(of, path) for of in (was, now))
        if kind == change.kind and old == safe and new != safe:
            yield f"{name}: {code(path)} is {code(plain(new))}, it was {code(plain(old))}"
    if change.kind == "AWS::S3::Bucket":
        yield from (f"{name}: {line}" for line in expires_sooner(was, now))
    if at(now, "TimeToLiveSpecification.Enabled") and not at(was, "TimeToLiveSpecification.Enabled"):
        yield f"{name}: items expire by themselves"
    yield from _protection_gone(was, now, name)
    if _EMPTIES.match(change.kind) and change.paths:
        yield f"{name} changes: what it emptied before is told to be deleted"
    new_tags = {_tag(tag) for tag in listed(now.get("Tags"))} - {_tag(tag) for tag in listed(was.get("Tags"))}
    for tag in sorted(new_tags & set(_TAGS)):
        yield f"{name}: the tag {code(tag)} lets a function delete everything in it"


def _protection_gone(was: dict[str, Any], now: dict[str, Any], name: str) -> Iterator[str]:
    for path, old, new in differences(was, now):
        parts = path.split(".")
        if old is not None and _ENCRYPTED.search(path) and not (old is False and new is True):
            yield f"{name}: encryption changes: {code(path)} is {code(plain(new))}, it was {code(plain(old))}"
        elif old is not None and new is None and _CAUGHT.search(path):
            yield f"{name}: {code(parts[-1])} is gone; what it caught is lost"
        elif isinstance(old, dict) and isinstance(new, type(None)) and _CAUGHT.search(plain(old)):
            yield f"{name}: {code(path)} is gone, with what it caught"
        elif isinstance(old, list) and _CAUGHT.search(str(old)) and not _CAUGHT.search(str(new)):
            yield f"{name}: {code(path)} no longer sets aside what fails"


def _number(value: Any, silent: float) -> float | None:
    if value is None:
        return silent
    return float(value) if isinstance(value, int | float) or str(value).isdecimal() else None


def _days(value: float) -> str:
    return "for ever" if value == float("inf") else f"{value:g}"


def _tag(tag: Any) -> str:
    return str(tag.get("Key")) if isinstance(tag, dict) else str(tag)
