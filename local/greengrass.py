"""Greengrass V2 as far as cameras need it: components from Lambda functions, deployments to things, core devices.

A deployment stands in the thing's shadow, where a core looks for it; a core is known when it has told how it is. As on
AWS a component's version is made once, from a version of a function, whose package Greengrass keeps.
"""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from uuid import uuid4

from ministack.services import iot, lambda_svc

from local.kinds import Kind, Record, Refused, arn
from local.served import Service

ARTIFACT = "lambda-artifact.zip"
SHADOW = "AWSManagedGreengrassV2Deployment"
HEALTH = re.compile(r"\$aws/things/([^/]+)/greengrassv2/health/json")
VALIDATION = "ValidationException"
MISSING = ("ResourceNotFoundException", "{noun} {name} was not found")

packages: dict[str, bytes] = {}
"""The functions' packages, by their digest."""


def artifact(digest: str) -> bytes:
    """A package, for who was told where it is."""
    return packages[digest]


def _component(asked: Record) -> Record:
    made = asked.get("lambdaFunction")
    if not made:
        raise Refused(VALIDATION, "only components from Lambda functions are modelled")
    name, _, version = str(made["lambdaArn"]).rpartition(":function:")[2].partition(":")
    function = lambda_svc._functions.get(name)
    if function is None or version not in function["versions"]:
        raise Refused(VALIDATION, f"{made['lambdaArn']} is no version of a function: $LATEST cannot be a component")
    config, package = function["versions"][version]["config"], function["versions"][version]["code_zip"]
    digest = sha256(package).hexdigest()
    packages[digest] = package
    named = {
        "componentName": made.get("componentName", name),
        "componentVersion": made.get("componentVersion", f"{version}.0.0"),
    }
    one = arn("greengrass", f"components:{named['componentName']}:versions:{named['componentVersion']}")
    return {**named, "arn": one, "digest": digest, "recipe": json.dumps(recipe(made, named, config, digest)).encode()}


def recipe(made: Record, named: Record, config: Record, digest: str) -> Record:
    """What Greengrass writes for a Lambda function: a component of its own type, which its launcher runs."""
    parameters = made.get("componentLambdaParameters", {})
    process = parameters.get("linuxProcessParams", {})
    needs = made.get("componentDependencies", {})
    return {
        "RecipeFormatVersion": "2020-01-25",
        "ComponentName": named["componentName"],
        "ComponentVersion": named["componentVersion"],
        "ComponentType": "aws.greengrass.lambda",
        "ComponentSource": made["lambdaArn"],
        "ComponentConfiguration": {
            "DefaultConfiguration": {
                "lambdaExecutionParameters": {"EnvironmentVariables": parameters.get("environmentVariables", {})},
                "containerMode": process.get("isolationMode", "GreengrassContainer"),
                "pinned": parameters.get("pinned", True),
                "timeoutInSeconds": parameters.get("timeoutInSeconds", 3),
                "statusTimeoutInSeconds": parameters.get("statusTimeoutInSeconds", 60),
                "inputPayloadEncodingType": parameters.get("inputPayloadEncodingType", "json"),
                "maxInstancesCount": parameters.get("maxInstancesCount", 100),
                "maxQueueSize": parameters.get("maxQueueSize", 1000),
            }
        },
        "ComponentDependencies": {
            name: {
                "VersionRequirement": need["versionRequirement"],
                "DependencyType": need.get("dependencyType", "HARD"),
            }
            for name, need in needs.items()
        },
        "Manifests": [
            {
                "Platform": platform.get("attributes", {}),
                "Artifacts": [
                    {"Uri": f"greengrass:{ARTIFACT}", "Unarchive": "ZIP", "Digest": digest, "Algorithm": "SHA-256"}
                ],
            }
            for platform in made.get("componentPlatforms") or [{}]
        ],
        "Lifecycle": {
            "setenv": {
                "AWS_GREENGRASS_LAMBDA_ARN": made["lambdaArn"],
                "AWS_GREENGRASS_LAMBDA_FUNCTION_HANDLER": config["Handler"],
                "AWS_GREENGRASS_LAMBDA_RUNTIME": config["Runtime"],
                "AWS_GREENGRASS_LAMBDA_ARTIFACT_PATH": "{artifacts:decompressedPath}/lambda-artifact",
            }
        },
    }


def _deployment(asked: Record) -> Record:
    """Take the place of the deployment before, and stand in the thing's shadow."""
    thing = str(asked["targetArn"]).rpartition(":thing/")[2]
    if thing not in iot._things:
        raise Refused(VALIDATION, f"{asked['targetArn']} is no thing; groups are not modelled")
    for name, spec in asked.get("components", {}).items():
        version = str(spec.get("componentVersion", ""))
        if not name.startswith("aws.greengrass."):
            COMPONENTS.find({"arn": arn("greengrass", f"components:{name}:versions:{version}")})
        elif not re.fullmatch(r"\d+\.\d+\.\d+", version):
            raise Refused(VALIDATION, f"{name} has no version {version}")
    made = {"deploymentId": str(uuid4()), "deploymentStatus": "ACTIVE", "isLatestForTarget": True, "revisionId": "1"}
    for before in DEPLOYMENTS.all(targetArn=asked["targetArn"]):
        before |= {"isLatestForTarget": False, "deploymentStatus": "INACTIVE"}
    told = {
        "configurationArn": arn("greengrass", f"configuration:thing/{thing}:{made['deploymentId']}"),
        "deploymentId": made["deploymentId"],
        "components": {
            name: {"version": spec["componentVersion"], "configurationUpdate": spec.get("configurationUpdate", {})}
            for name, spec in asked.get("components", {}).items()
        },
        "failureHandlingPolicy": asked.get("deploymentPolicies", {}).get("failureHandlingPolicy", "ROLLBACK"),
    }
    iot.update_thing_shadow(thing, SHADOW, {"state": {"desired": {"fleetConfig": json.dumps(told)}}})
    return made


COMPONENTS = Kind(
    "ComponentVersion",
    ("arn",),
    "components:{componentName}:versions:{componentVersion}",
    service="greengrass",
    type="AWS::GreengrassV2::ComponentVersion",
    arn="arn",
    replaced_by=("InlineRecipe", "LambdaFunction"),
    makes=_component,
    missing=MISSING,
)
DEPLOYMENTS = Kind(
    "Deployment",
    ("deploymentId",),
    "deployments:{deploymentId}",
    service="greengrass",
    type="AWS::GreengrassV2::Deployment",
    replaced_by=("Components", "DeploymentName", "DeploymentPolicies", "IotJobConfiguration", "TargetArn"),
    makes=_deployment,
    missing=MISSING,
)
CORES = Kind(
    "CoreDevice",
    ("coreDeviceThingName",),
    "coreDevices:{coreDeviceThingName}",
    service="greengrass",
    state="status",
    missing=MISSING,
)


def hear(topic: str, payload: bytes) -> None:
    """A core tells how it is, and is known from then on."""
    if match := HEALTH.fullmatch(topic):
        said = json.loads(payload)
        known = {"coreDeviceThingName": match.group(1)}
        record = CORES.all_by_name().get(CORES.name(known)) or CORES.create(known)
        record |= {
            "status": said["overallDeviceStatus"],
            "coreVersion": said["ggcVersion"],
            "platform": said["platform"],
            "architecture": said["architecture"],
            "lastStatusUpdateTimestamp": said["timestamp"] / 1000,
            "installedComponents": [
                {
                    "componentName": one["componentName"],
                    "componentVersion": one["version"],
                    "lifecycleState": one["status"],
                    "isRoot": one["isRoot"],
                }
                for one in said["components"]
            ],
        }


def _versions(asked: Record) -> Record:
    name = str(asked["arn"]).partition(":versions:")[0]
    found = [one for one in COMPONENTS.all() if str(one["arn"]).partition(":versions:")[0] == name]
    if not found:
        raise Refused(MISSING[0], f"component {name} was not found")
    return {"componentVersions": found[::-1]}


def _components(asked: Record) -> Record:
    newest = {str(one["componentName"]): one for one in COMPONENTS.all()}
    named = [{**one, "arn": str(one["arn"]).partition(":versions:")[0]} for one in newest.values()]
    return {"components": [{**one, "latestVersion": newest[one["componentName"]]} for one in named]}


def _resolve(asked: Record) -> Record:
    """The recipes of what a deployment names, for a core that could run it."""
    resolved = []
    for wanted in asked.get("componentCandidates", []):
        one = arn("greengrass", f"components:{wanted['componentName']}:versions:{wanted['componentVersion']}")
        found = COMPONENTS.find({"arn": one})
        platform = asked["platform"]["attributes"]
        offered = [manifest["Platform"] for manifest in json.loads(found["recipe"])["Manifests"]]
        if not any(all(platform.get(name) == value for name, value in each.items()) for each in offered):
            raise Refused(VALIDATION, f"{one} has nothing for {platform}")
        resolved.append(found)
    return {"resolvedComponentVersions": resolved}


def _where(asked: Record) -> Record:
    if asked["artifactName"] != ARTIFACT:
        raise Refused(MISSING[0], f"no artifact {asked['artifactName']}")
    return {"preSignedUrl": f"{asked['#artifacts']}{COMPONENTS.find(asked)['digest']}"}


def _deployments(asked: Record) -> Record:
    every = [one for one in DEPLOYMENTS.all() if asked.get("targetArn") in (None, one["targetArn"])]
    latest = asked.get("historyFilter", "LATEST_ONLY") == "LATEST_ONLY"
    return {"deployments": [one for one in every[::-1] if one["isLatestForTarget"] or not latest]}


FOR_DEVICES: dict[str, Callable[[Record], Record]] = {
    "ResolveComponentCandidates": _resolve,
    "GetComponentVersionArtifact": _where,
}
"""What a core asks with its certificate."""


SERVICE = Service(
    "greengrassv2",
    "greengrass",
    (COMPONENTS, DEPLOYMENTS, CORES),
    does={
        "GetComponent": lambda asked: {**COMPONENTS.find(asked), "recipeOutputFormat": "JSON"},
        "DeleteComponent": lambda asked: COMPONENTS.delete(asked, at_once=True),
        "ListComponents": _components,
        "ListComponentVersions": _versions,
        "ListDeployments": _deployments,
        "ListInstalledComponents": lambda asked: {"installedComponents": CORES.find(asked)["installedComponents"]},
        "DeleteCoreDevice": lambda asked: CORES.delete(asked, at_once=True),
        "DeleteDeployment": lambda asked: DEPLOYMENTS.delete(asked, at_once=True),
    },
    on={
        "DeleteComponent": lambda asked: [asked["arn"]],
        "GetComponent": lambda asked: [asked["arn"]],
        "ListComponentVersions": lambda asked: [asked["arn"]],
        "ListDeployments": lambda asked: ["*"],
        "ListInstalledComponents": lambda asked: [CORES.arn_of(asked)],
    },
)
