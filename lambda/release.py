"""What somebody decided about a model package goes in, and alarms; the pointer that readers follow is moved.

A package that cannot be released is rejected in the registry, with the reason as its description; so is the one in use
when an alarm goes off soon after it was released, and the one before is in use again.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from environment import read_environment
from rollout import Refused, decide, move, package_of, read, young
from store import Store

logger = Logger()
environment = read_environment(os.environ)
store = Store(boto3.client("s3"), environment.bucket)
sagemaker = boto3.client("sagemaker")
watched = timedelta(hours=int(os.environ.get("WATCH_HOURS", "72")))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> str:
    """Returns what was done, for the log and for whoever calls it by hand."""
    done = _after_alarm(event["detail"]) if event["source"] == "aws.cloudwatch" else _after_decision(event["detail"])
    logger.info("done", outcome=done)
    return done


def _after_decision(detail: dict[str, Any]) -> str:
    if "ModelApprovalStatus" not in detail.get("UpdatedModelPackageFields", ["ModelApprovalStatus"]):
        return "another field was changed"
    arn = detail["ModelPackageArn"]
    package = package_of(sagemaker.describe_model_package(ModelPackageName=arn))
    try:
        return decide(package, store, bucket=environment.bucket, now=datetime.now(UTC))
    except Refused as reason:
        _reject(arn, str(reason))
        return f"refused: {reason}"


def _after_alarm(detail: dict[str, Any]) -> str:
    pointer, etag = read(store)
    release = young(pointer, datetime.now(UTC), watched)
    if detail["state"]["value"] != "ALARM" or release is None:
        return "nothing was released lately"
    # in this order: whoever dies in between is made good by the event that the rejection sends
    _reject(release.package, f"alarm {detail['alarmName']}: {detail['state'].get('reason', '')}")
    move(pointer.back(), etag, store)
    return f"moved back from {release.version}"


def _reject(arn: str, reason: str) -> None:
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription=reason[:1024]
    )
