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


def still_logged(logs: Any, sagemaker: Any, id: str) -> list[str]:
    """Delete some of what was logged for `<kind>/<name>`; returns what is left, as groups with their prefixes.

    Raises ClientError for what waiting does not cure.
    """
    kind, _, name = id.partition("/")
    if not name:
        return []
    prefixes = _of_jobs(sagemaker, name) if kind == "pipeline" else [f"{name}/"]
    return [left for group in GROUPS.get(kind, ()) for left in _swept(logs, group, prefixes)]


def _of_jobs(sagemaker: Any, pipeline: str) -> list[str]:
    """What the names of a pipeline's jobs begin with: `pipelines-<execution>-`."""
    try:
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
        arns = [one["PipelineExecutionArn"] for page in pages for one in page["PipelineExecutionSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE or "does not exist" in error.response["Error"].get("Message", ""):
            return []
        raise
    return [f"pipelines-{arn.rpartition('/')[2]}-" for arn in arns]


def _swept(logs: Any, group: str, prefixes: list[str]) -> list[str]:
    left, spare = [], AT_ONCE
    try:
        for prefix in prefixes:
            streams = _streams(logs, group, spare, logStreamNamePrefix=prefix)
            for stream in streams:
                logs.delete_log_stream(logGroupName=group, logStreamName=stream)
            spare -= len(streams)
            if spare <= 0:
                left = [f"{group}, {prefix}…"]
                break
        if prefixes and not left and not _streams(logs, group, 1):
            logs.delete_log_group(logGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
    return left


def _streams(logs: Any, group: str, most: int, **which: str) -> list[str]:
    found: list[str] = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group, **which):
        found += [stream["logStreamName"] for stream in page["logStreams"]]
        if len(found) >= most:
            break
    return found[:most]
