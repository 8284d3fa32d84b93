"""A synthesized template and a function's zip file go in; what would fail on a camera comes out, before a device does.

    python -m local.component cdk.out/FormLens-dev-Camera.template.json function.zip --has 3.12

Checked is what AWS takes without a word and a device then cannot run: Greengrass' own names of platforms, interpreters,
versions that collide, dependencies, permissions of certificate and role, and a zip file in which something is missing.
"""

import argparse
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.archive import check_archive

PLATFORMS = {"x86_64": "amd64", "arm64": "aarch64"}
"""Lambda's names of architectures, and Greengrass'."""
NEEDS = ("LambdaLauncher", "LambdaManager", "LambdaRuntimes", "TokenExchangeService")
TOLD = ("SOURCE", "FORM", "BUCKET", "FOLDER", "FUNCTION")
GREENGRASS = {
    f"greengrass:{action}"
    for action in (
        "GetComponentVersionArtifact",
        "GetDeploymentConfiguration",
        "ListThingGroupsForCoreDevice",
        "ResolveComponentCandidates",
    )
}
PUTS = ("/results/", "/failed/", "/claims/", "/inbox/", "/cameras/")
GETS = ("/forms/", "/models/")

Resource = dict[str, Any]


def check(template: dict[str, Any], archive: zipfile.ZipFile, interpreters: tuple[str, ...]) -> list[str]:
    """Every fault, in words that name the resource or file and the cure. ``interpreters``: Pythons of the device."""
    every: dict[str, Resource] = template["Resources"]
    found = list(_cameras(every))
    for id, resource in _of(every, "AWS::GreengrassV2::ComponentVersion"):
        recipe = resource.get("LambdaFunction", {})
        function = _function(every, recipe.get("LambdaArn"))
        found += [f"{id}: {fault}" for fault in _component(recipe, function, interpreters)]
        found += [f"{id}: {fault}" for fault in _deployed(every, id, recipe.get("ComponentName"))]
        if function:
            found += list(check_archive(archive, str(function.get("Handler", "")), str(function.get("Runtime", ""))))
    return found


def _component(recipe: Resource, function: Resource | None, interpreters: tuple[str, ...]) -> Iterator[str]:
    if function is None:
        yield "LambdaArn must be a version of a function of this stack, never $LATEST: use function.current_version"
        function = {}
    if not isinstance(recipe.get("ComponentName"), str) or not re.fullmatch(r"[\w.-]{1,128}", recipe["ComponentName"]):
        yield "ComponentName must be written out, in letters, digits, dots, dashes: a deployment's keys hold no tokens"
    if "ComponentVersion" in recipe:
        yield "ComponentVersion must be left out: it is the function's version then, and no version is used twice"
    architecture = PLATFORMS[(function.get("Architectures") or ["x86_64"])[0]]
    platforms = [platform.get("Attributes", {}) for platform in recipe.get("ComponentPlatforms", [])]
    if not platforms:
        yield "ComponentPlatforms must name linux and the architecture that the packages are made for"
    for attributes in platforms:
        if attributes.get("os") != "linux" or attributes.get("architecture") != architecture:
            yield f"the platform is {attributes}; Greengrass calls it os linux, architecture {architecture}"
    needs = recipe.get("ComponentDependencies", {})
    for name in NEEDS:
        need = needs.get(f"aws.greengrass.{name}", {})
        if need.get("DependencyType") != "HARD" or not re.match(
            r"[\^>=~]*\d+\.\d+", need.get("VersionRequirement", "")
        ):
            yield f"aws.greengrass.{name} must be a HARD dependency with a version requirement"
    parameters = recipe.get("ComponentLambdaParameters", {})
    if parameters.get("Pinned") is not True:
        yield "Pinned must be true: the loop is loaded once and runs"
    process = parameters.get("LinuxProcessParams", {})
    if process.get("IsolationMode") != "NoContainer":
        yield "IsolationMode must be NoContainer: containers need cgroups v1, and have 16 MB of memory"
    if "ContainerParams" in process:
        yield "ContainerParams have no meaning with NoContainer"
    if not parameters.get("TimeoutInSeconds", 0) >= 3 or not parameters.get("StatusTimeoutInSeconds", 0) >= 60:
        yield "TimeoutInSeconds and StatusTimeoutInSeconds must leave time to load the reader"
    runtime = str(function.get("Runtime", ""))
    if runtime and runtime.removeprefix("python") not in interpreters:
        yield f"the device has Python {', '.join(interpreters)}, the function wants {runtime}"
    if function.get("Layers"):
        yield "the function has layers, which Greengrass does not know: put the packages into its zip file"
    if function.get("PackageType", "Zip") != "Zip":
        yield "the function is a container image, which Greengrass does not run"


def _deployed(every: dict[str, Resource], id: str, name: Any) -> Iterator[str]:
    every_one = [deployment for _, deployment in _of(every, "AWS::GreengrassV2::Deployment")]
    deployments = [d for d in every_one if isinstance(name, str) and name in d.get("Components", {})]
    if not deployments:
        yield f"no deployment names {name}"
    for deployment in deployments:
        components = deployment["Components"]
        if components[name].get("ComponentVersion") != {"Fn::GetAtt": [id, "ComponentVersion"]}:
            yield "its deployment must take the version from it (GetAtt), or it is deployed before it is there"
        if not re.fullmatch(
            r"\d+\.\d+\.\d+", str(components.get("aws.greengrass.Nucleus", {}).get("ComponentVersion"))
        ):
            yield "its deployment must hold aws.greengrass.Nucleus at one version"
        if deployment.get("DeploymentPolicies", {}).get("FailureHandlingPolicy") != "ROLLBACK":
            yield "its deployment must roll back where it fails"
        target = deployment.get("TargetArn", {})
        if not isinstance(target, dict) or target.get("Fn::GetAtt", [""])[0] not in dict(_of(every, "AWS::IoT::Thing")):
            yield "its deployment's target must be a thing of this stack"
        merge = components[name].get("ConfigurationUpdate", {}).get("Merge", "")
        parts = merge["Fn::Join"][1] if isinstance(merge, dict) else [merge]
        try:
            told = json.loads("".join(part if isinstance(part, str) else "X" for part in parts))
            variables = told["lambdaExecutionParameters"]["EnvironmentVariables"]
            yield from (f"its deployment does not tell it {one}" for one in TOLD if not variables.get(one))
            if not str(variables.get("FOLDER", "/")).startswith("/"):
                yield "FOLDER must be a whole path: a component's working folder is another after each deployment"
        except (ValueError, KeyError, TypeError):
            yield "its deployment's configuration update is no JSON with lambdaExecutionParameters"


def _cameras(every: dict[str, Resource]) -> Iterator[str]:
    """What each role alias stands for: certificate, policy, role."""
    allowed = [s for _, policy in _of(every, "AWS::IAM::Policy") for s in _statements(policy["PolicyDocument"], policy)]
    for id, alias in _of(every, "AWS::IoT::RoleAlias"):
        opens = [policy for _, policy in _of(every, "AWS::IoT::Policy") if f'"{id}"' in json.dumps(policy)]
        actions = {action for policy in opens for action, _, _ in _statements(policy["PolicyDocument"], policy)}
        if "iot:AssumeRoleWithCertificate" not in actions:
            yield f"{id}: no certificate may exchange itself for it (iot:AssumeRoleWithCertificate)"
        if not {"iot:Connect", "iot:Publish"} <= actions:
            yield f"{id}: its certificate may not connect and publish"
        if actions & GREENGRASS and not actions >= GREENGRASS:
            yield f"{id}: a core asks Greengrass for {', '.join(sorted(GREENGRASS - actions))} too"
        role = (alias.get("RoleArn", {}).get("Fn::GetAtt") or [""])[0]
        trust = json.dumps(every.get(role, {}).get("Properties", {}).get("AssumeRolePolicyDocument", {}))
        if "credentials.iot.amazonaws.com" not in trust:
            yield f"{id}: its role must be trusted by credentials.iot.amazonaws.com"
        mine = [(action, resource) for action, resource, of in allowed if {"Ref": role} in of.get("Roles", [])]
        for action, prefixes in (("s3:PutObject", PUTS), ("s3:GetObject", GETS)):
            for prefix in prefixes:
                if not any(can == action and prefix in resource for can, resource in mine):
                    yield f"{id}: its role lacks {action} below {prefix[1:]}"
        if any(core in actions for core in GREENGRASS) and not any(can == "iot:Publish" for can, _ in mine):
            yield f"{id}: its role lacks iot:Publish, and Greengrass keeps the certificate: it could say nothing"
        if not any(action == "s3:ListBucket" for action, _ in mine):
            yield f"{id}: its role lacks s3:ListBucket, and cannot see what changed"
    for id, certificate in [*_of(every, "AWS::IoT::Certificate"), *_of(every, "Custom::CameraKey")]:
        asked = "Key" in certificate or "CertificateSigningRequest" in certificate
        if not asked or certificate.get("Status", "ACTIVE") != "ACTIVE":
            yield f"{id}: a certificate is made from the camera's request, and ACTIVE"
        for kind in ("ThingPrincipalAttachment", "PolicyPrincipalAttachment"):
            principals = [attached.get("Principal") for _, attached in _of(every, f"AWS::IoT::{kind}")]
            if {"Fn::GetAtt": [id, "Arn"]} not in principals:
                yield f"{id}: no {kind} names it"


def _function(every: dict[str, Resource], arn: Any) -> Resource | None:
    version = every.get(arn.get("Ref", ""), {}) if isinstance(arn, dict) else {}
    if version.get("Type") != "AWS::Lambda::Version":
        return None
    function = every.get(version["Properties"]["FunctionName"].get("Ref"), {}).get("Properties")
    return function if isinstance(function, dict) else None


def _of(every: dict[str, Resource], kind: str) -> list[tuple[str, Resource]]:
    return [(id, resource["Properties"]) for id, resource in every.items() if resource["Type"] == kind]


def _statements(document: Resource, of: Resource) -> Iterator[tuple[str, str, Resource]]:
    """Action, resource and the policy of everything that is allowed."""
    for statement in document["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in resources if isinstance(resources, list) else [resources]:
                yield action, json.dumps(resource), of


def main() -> None:
    """Print each fault; exit status 1 where there is one."""
    parser = argparse.ArgumentParser(description="What would fail on a camera.")
    parser.add_argument("template", type=Path)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--has", nargs="+", default=["3.12"], help="the Pythons on the device's PATH")
    given = parser.parse_args()
    with zipfile.ZipFile(given.zip) as archive:
        faults = check(json.loads(given.template.read_text()), archive, tuple(given.has))
    for fault in faults:
        print(fault)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
