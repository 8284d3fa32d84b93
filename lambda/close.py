"""CloudFormation's custom resource requests go in; when the stack is destroyed, what would hold it up is closed.

Apps and spaces that people opened keep a Studio domain from being deleted, packages a registry; a notebook and a
pipeline that run keep themselves. SageMaker takes minutes to close them: each is asked for and then looked for until it
is gone. Then goes what SageMaker logged for it. A function that runs out of time hands the request on to itself.
"""

import json
import logging
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from answer import respond
from sweep import still_logged

PATIENCE_S = 55 * 60
"""Less than stacks/studio.py has CloudFormation wait: a reason is worth more than a timeout."""
KINDS = ("Domain", "Notebook", "Pipeline", "Registry")
"""Properties that say what is to be closed: by its id a domain, by its name anything else."""
SPARE_MS = 60_000
PAUSE_S = 2.0
GONE = ("ResourceNotFound", "ResourceNotFoundException")
LATER = ("ResourceInUse", "ConflictException", "ThrottlingException")

logger = logging.getLogger()
logger.setLevel(logging.INFO)
config = Config(retries={"mode": "standard", "max_attempts": 8})
sagemaker, functions = boto3.client("sagemaker", config=config), boto3.client("lambda", config=config)
logs = boto3.client("logs", config=config)


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer every request, or hand it on to another run of this function, which will."""
    properties = event["ResourceProperties"]
    id = next((f"{kind.lower()}/{properties[kind]}" for kind in KINDS if kind in properties), "notebook/")
    answer = {"Status": "SUCCESS", "PhysicalResourceId": id}
    if event["RequestType"] == "Delete":
        # the physical id, not the property: after a replacement the old one goes, not the new one
        answer["PhysicalResourceId"] = event["PhysicalResourceId"]
        try:
            if not _closed_in_time(event, context):
                functions.invoke(
                    FunctionName=context.invoked_function_arn, InvocationType="Event", Payload=json.dumps(event)
                )
                return
        except Exception as error:
            logger.exception("not everything could be closed")
            reason = f"{type(error).__name__}: {error}; destroy the stack again to go on"
            answer |= {"Status": "FAILED", "Reason": reason}
    respond(event, answer)


def _closed_in_time(event: dict[str, Any], context: Any) -> bool:
    """Whether all is closed before this run ends. Raises TimeoutError when no run could close it."""
    until = event.setdefault("Until", time.time() + PATIENCE_S)
    id = event["PhysicalResourceId"]
    while open_ := still_open(sagemaker, id) or still_logged(logs, id):
        logger.info("waiting for %s", open_)
        if time.time() > until:
            raise TimeoutError(f"SageMaker has not closed {', '.join(open_[:5])} in {PATIENCE_S // 60} minutes")
        if context.get_remaining_time_in_millis() < SPARE_MS:
            return False
        time.sleep(PAUSE_S)
    return True


def still_open(sagemaker: Any, id: str) -> list[str]:
    """Ask for whatever can be closed now; returns the names of what is still there, none when all is gone.

    ``id`` is one of `KINDS` in small letters, a slash, and an id or name. Raises ClientError for what waiting does not
    cure.
    """
    kind, _, name = id.partition("/")
    look = {"domain": _in_domain, "notebook": _running, "pipeline": _executing, "registry": _registered}.get(kind)
    try:
        return look(sagemaker, name) if look else []
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in GONE or "RecordNotFound" in message or "does not exist" in message:
            return []
        if code in LATER:
            return [f"{id} ({code})"]
        raise


def _in_domain(sagemaker: Any, domain: str) -> list[str]:
    """Apps go before the spaces they run in, spaces before the profiles that own them."""
    apps = [app for app in _all(sagemaker, "list_apps", "Apps", DomainIdEquals=domain) if app["Status"] != "Deleted"]
    for app in apps:
        if app["Status"] in ("InService", "Failed"):
            owner = {key: app[key] for key in ("UserProfileName", "SpaceName") if app.get(key)}
            _ask(sagemaker.delete_app, DomainId=domain, AppType=app["AppType"], AppName=app["AppName"], **owner)
    if apps:
        return [f"app {app['AppName']}" for app in apps]
    spaces = _all(sagemaker, "list_spaces", "Spaces", DomainIdEquals=domain)
    for space in spaces:
        if space["Status"] not in ("Deleting", "Pending", "Updating"):
            _ask(sagemaker.delete_space, DomainId=domain, SpaceName=space["SpaceName"])
    return [f"space {space['SpaceName']}" for space in spaces]


def _running(sagemaker: Any, notebook: str) -> list[str]:
    status = sagemaker.describe_notebook_instance(NotebookInstanceName=notebook)["NotebookInstanceStatus"]
    if status == "InService":
        _ask(sagemaker.stop_notebook_instance, NotebookInstanceName=notebook)
    return [] if status in ("Stopped", "Failed", "Deleting") else [f"notebook {notebook}, {status}"]


def _executing(sagemaker: Any, pipeline: str) -> list[str]:
    """A pipeline that runs cannot be deleted; stopping it stops its jobs."""
    every = _all(sagemaker, "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=pipeline)
    running = [one for one in every if one["PipelineExecutionStatus"] in ("Executing", "Stopping")]
    for one in running:
        if one["PipelineExecutionStatus"] == "Executing":
            _ask(sagemaker.stop_pipeline_execution, PipelineExecutionArn=one["PipelineExecutionArn"])
    return [f"execution {one['PipelineExecutionArn'].rpartition('/')[2]}" for one in running]


def _registered(sagemaker: Any, group: str) -> list[str]:
    """A group that holds packages cannot be deleted."""
    packages = _all(sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group)
    for package in packages:
        if package["ModelPackageStatus"] != "Deleting":
            _ask(sagemaker.delete_model_package, ModelPackageName=package["ModelPackageArn"])
    return [f"model package {package['ModelPackageArn'].rpartition('/')[2]}" for package in packages]


def _all(sagemaker: Any, operation: str, entries: str, **which: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator(operation).paginate(**which)
    return [entry for page in pages for entry in page[entries]]


def _ask(call: Any, **arguments: Any) -> None:
    """Ask; what is gone already, or cannot be closed at this moment, is seen at the next look."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE + LATER:
            raise
