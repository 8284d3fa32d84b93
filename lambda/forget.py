"""CloudFormation's custom resource requests go in; of a camera that goes nothing is left, of versions those in use.

What Greengrass makes by itself no template takes away again: the core device, its part of the thing's shadow, and what
the camera has said of itself in the bucket. A component's older versions are kept as long as a deployment names them or
the device has them, whatever the stack has moved on to; at each deploy the others go.
"""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from answer import respond

GONE = ("ResourceNotFoundException", "NoSuchKey")
SHADOW = "AWSManagedGreengrassV2Deployment"
"""In which Greengrass tells a thing what it is to run."""

logger = logging.getLogger()
logger.setLevel(logging.INFO)
config = Config(retries={"mode": "standard", "max_attempts": 8})
greengrass, shadows = boto3.client("greengrassv2", config=config), boto3.client("iot-data", config=config)
s3 = boto3.client("s3", config=config)


def handler(event: dict[str, Any], context: Any) -> None:
    """Always answers: CloudFormation waits for it."""
    properties = event["ResourceProperties"]
    answer = {"Status": "SUCCESS", "PhysicalResourceId": event.get("PhysicalResourceId", properties["Thing"])}
    try:
        if event["RequestType"] == "Delete":
            forget(properties)
        elif event["RequestType"] == "Update":
            try:
                prune(properties)
            except ClientError:
                logger.exception("older versions stay")  # which is no reason to hold up a deploy
    except Exception as error:
        logger.exception("something of the camera is left")
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}; deploy again to go on"}
    respond(event, answer)


def forget(camera: dict[str, str]) -> None:
    """Take away what a camera leaves behind. Its thing, certificate, role and deployment are gone by now."""
    thing = camera["Thing"]
    if "Component" in camera:
        _gone(greengrass.delete_core_device, coreDeviceThingName=thing)
        _gone(shadows.delete_thing_shadow, thingName=thing, shadowName=SHADOW)
        for version in versions(camera["Component"]):
            _gone(greengrass.delete_component, arn=f"{camera['Component']}:versions:{version}")
    _gone(s3.delete_object, Bucket=camera["Bucket"], Key=camera["State"])


def prune(camera: dict[str, str]) -> None:
    """Delete the versions of the component that nobody can ask for any more."""
    if "Component" not in camera:
        return
    used = in_use(camera["Component"], camera["Thing"], camera["Target"])
    for version in set(versions(camera["Component"])) - used:
        logger.info("version %s is in no deployment and on no device", version)
        _gone(greengrass.delete_component, arn=f"{camera['Component']}:versions:{version}")


def versions(component: str) -> list[str]:
    """The versions that there are of a component, an ARN without one."""
    try:
        return [one["componentVersion"] for one in _all("list_component_versions", "componentVersions", arn=component)]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return []


def in_use(component: str, thing: str, target: str) -> set[str]:
    """Those that a deployment to this camera names, or that it has installed."""
    name = component.rpartition(":")[2]
    deployments = _all("list_deployments", "deployments", targetArn=target, historyFilter="ALL")
    found = (greengrass.get_deployment(deploymentId=one["deploymentId"])["components"] for one in deployments)
    named = {components[name]["componentVersion"] for components in found if name in components}
    try:
        installed = list(_all("list_installed_components", "installedComponents", coreDeviceThingName=thing))
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:  # it was never online
            raise
        installed = []
    return named | {one["componentVersion"] for one in installed if one["componentName"] == name}


def _all(operation: str, entries: str, **which: str) -> Iterator[dict[str, Any]]:
    for page in greengrass.get_paginator(operation).paginate(**which):
        yield from page[entries]


def _gone(call: Any, **which: str) -> None:
    try:
        call(**which)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
