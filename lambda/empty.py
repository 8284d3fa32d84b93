"""CloudFormation's custom resource requests go in; when the stack is destroyed, the bucket comes out empty."""

import logging
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from answer import respond

ALLOWED = "formlens:empty-on-removal"
"""Tag without which nothing is deleted: stacks/storage.py sets it, a stage that keeps its data does not."""
SPARE_MS = 30_000

logger = logging.getLogger()
logger.setLevel(logging.INFO)
s3 = boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 8}))


def handler(event: dict[str, Any], context: Any) -> None:
    """Always answers: CloudFormation waits for it."""
    bucket = event["ResourceProperties"].get("Bucket", "")
    answer = {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", bucket)}
    try:
        # the physical id, not the property: after a replacement the old bucket goes, not the new one
        if event["RequestType"] == "Delete" and may_empty(s3, event["PhysicalResourceId"]):
            empty(s3, event["PhysicalResourceId"], context.get_remaining_time_in_millis)
        elif event["RequestType"] == "Update":
            answer["PhysicalResourceId"] = bucket
    except Exception as error:
        logger.exception("the bucket could not be emptied")
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}; destroy the stack again to go on"}
    respond(event, answer)


def may_empty(s3: Any, bucket: str) -> bool:
    """Whether the bucket is there and carries the tag."""
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "NoSuchTagSet"):
            return False
        raise
    return any(tag["Key"] == ALLOWED for tag in tags)


def empty(s3: Any, bucket: str, time_left: Any) -> None:
    """Delete every version and every delete marker. Raises TimeoutError before Lambda would cut it off."""
    while True:
        got = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
        found = [*got.get("Versions", []), *got.get("DeleteMarkers", [])]
        if not found:
            return
        if time_left() < SPARE_MS:
            raise TimeoutError("there is more in the bucket than could be deleted in this time")
        which = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": which, "Quiet": True}).get("Errors", [])
        if len(errors) == len(which):
            raise RuntimeError(f"{errors[0]['Code']}: {errors[0].get('Message', '')}")
