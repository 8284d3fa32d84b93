"""A domain, a notebook or a pipeline that was closed goes in; what SageMaker logged for it is deleted.

SageMaker makes these log groups by itself, one for a whole account, and CloudFormation knows nothing of them. Of each
only the streams are deleted whose names begin as ours; and the group, where no stream is left in it.
"""

from typing import Any

from botocore.exceptions import ClientError

GROUPS = {
    "domain": ("/aws/sagemaker/studio",),
    "notebook": ("/aws/sagemaker/NotebookInstances",),
    "pipeline": ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"),
}
AT_ONCE = 200
"""Streams deleted at one look: CloudWatch Logs takes some ten a second."""
GONE = ("ResourceNotFoundException", "ResourceNotFound")


def still_logged(logs: Any, id: str) -> list[str]:
    """Delete some of what was logged for `<kind>/<name>`; returns what is left, as groups with their prefix.

    Raises ClientError for what waiting does not cure.
    """
    kind, _, name = id.partition("/")
    # the jobs of a pipeline are called after it: `<pipeline>-<step>-…`
    prefix = f"{name}-" if kind == "pipeline" else f"{name}/"
    return [left for group in GROUPS.get(kind, ()) if name for left in _swept(logs, group, prefix)]


def _swept(logs: Any, group: str, prefix: str) -> list[str]:
    try:
        streams = _streams(logs, group, AT_ONCE, logStreamNamePrefix=prefix)
        for stream in streams:
            logs.delete_log_stream(logGroupName=group, logStreamName=stream)
        if streams and not _streams(logs, group, 1):
            logs.delete_log_group(logGroupName=group)
        elif len(streams) == AT_ONCE:
            return [f"{group}, {prefix}…"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
    return []


def _streams(logs: Any, group: str, most: int, **which: str) -> list[str]:
    found: list[str] = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **which):
        found += [stream["logStreamName"] for stream in page["logStreams"]]
        if len(found) >= most:
            break
    return found[:most]
