"""Cameras, one for each in Settings: who it is, what it may do, and where Greengrass runs it, the function it runs.

A camera is an IoT thing with a certificate of its own, made from a signing request: the private key never leaves it,
unless Settings ask for one that the account makes and keeps. The certificate opens the thing's own topics, and through
a role alias credentials that write this camera's pages and read its forms; no page that is there can be overwritten or
deleted with them. A camera that is taken out of Settings is gone with the next deploy, certificate and all.
"""

import json
from hashlib import sha256
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_greengrassv2 as greengrass
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.bundle import DEVICE_LOCK, LAMBDA_LIMIT, Bundle, device_bundle, function_bundle
from stacks.function import python_function
from stacks.registration import Registration
from stacks.settings import Camera, Settings
from stacks.storage import StorageStack

FILES = (
    *("camera", "current", "here", "held", "keys", "learned", "link", "loop", "mirror", "objects", "report", "scan"),
    "store",
)
"""Of `lambda/`: what a camera runs."""
LEFT_OUT = ("formlens/account/*", "formlens/cloud.py", "formlens/cli.py", "formlens/desk.py")
FOLDER = "/var/lib/formlens"
"""On the device: the spool, and the forms."""

# Version requirements of AWS' own components; a Lambda function runs as a component through the first three.
NEEDS = {
    "aws.greengrass.LambdaLauncher": "^2.0.0",
    "aws.greengrass.LambdaManager": "^2.3.0",
    "aws.greengrass.LambdaRuntimes": "^2.0.0",
    "aws.greengrass.TokenExchangeService": "^2.0.0",
}
# NoContainer: Greengrass' containers need cgroups v1, which no current system has.
PARAMETERS: dict[str, Any] = {
    "pinned": True,
    "input_payload_encoding_type": "json",
    "timeout_in_seconds": 60,
    "status_timeout_in_seconds": 120,
    "max_instances_count": 1,
    "max_queue_size": 10,
}


class CameraStack(cdk.Stack):
    """The cameras of one stage."""

    def __init__(self, scope: Construct, id: str, *, storage: StorageStack, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        self._storage, self._settings = storage, settings
        on_greengrass = [camera for camera in settings.cameras if camera.greengrass]
        version = self._function().current_version if on_greengrass else None
        registration = Registration(self, bucket=storage.bucket, settings=settings)
        for camera in settings.cameras:
            name = f"formlens.{settings.stage}.{camera.name}"
            component = name if version is not None and camera.greengrass else None
            left = registration.forget(
                camera.name,
                self.thing_of(camera),
                state_of(self.thing_of(camera)),
                component=component,
                version=version,
            )
            thing, made = self._identity(camera, registration)
            if version is not None and component is not None:
                made.append(self._deploy(camera, component, thing, version))
            # what a camera leaves behind is taken away when it can leave nothing more: after it, so made before it
            for one in made:
                one.node.add_dependency(left)

    def _identity(self, camera: Camera, registration: Registration) -> tuple[iot.CfnThing, list[Construct]]:
        """The thing, its certificate, and what both open; and all by which the camera could leave something behind."""
        name = self.thing_of(camera)
        thing = iot.CfnThing(self, f"{camera.name}Thing", thing_name=name)
        certificate: cdk.CustomResource | iot.CfnCertificate
        if camera.account_key:
            certificate = registration.certify(camera.name, name, camera.account_key)
            certificate_id, certificate_arn = certificate.ref, certificate.get_att_string("Arn")
        else:
            certificate = iot.CfnCertificate(
                self, f"{camera.name}Certificate", status="ACTIVE", certificate_signing_request=camera.csr
            )
            certificate_id, certificate_arn = certificate.ref, certificate.attr_arn
        role = self._role(camera)
        alias = iot.CfnRoleAlias(
            self,
            f"{camera.name}RoleAlias",
            role_alias=name,
            role_arn=role.role_arn,
            credential_duration_seconds=3600,
        )
        policy = iot.CfnPolicy(
            self, f"{camera.name}Policy", policy_name=name, policy_document=self._opens(camera, alias)
        )
        iot.CfnPolicyPrincipalAttachment(self, f"{camera.name}Opens", policy_name=policy.ref, principal=certificate_arn)
        iot.CfnThingPrincipalAttachment(self, f"{camera.name}Is", thing_name=thing.ref, principal=certificate_arn)
        cdk.CfnOutput(self, f"{camera.name}CertificateId", value=certificate_id)
        return thing, [thing, certificate, role]

    def thing_of(self, camera: Camera) -> str:
        """The thing's name: two stages of one account may have cameras of one name."""
        return f"formlens-{self._settings.stage}-{camera.name}"

    def _role(self, camera: Camera) -> iam.Role:
        """What a camera may do with the credentials that its certificate is exchanged for."""
        role = iam.Role(
            self,
            f"{camera.name}Role",
            assumed_by=iam.ServicePrincipal("credentials.iot.amazonaws.com"),
            description=f"What camera {camera.name} of {self.stack_name} may do",
        )
        any_form = camera.form == "any"
        below, thing = "" if any_form else f"{camera.form}/", self.thing_of(camera)
        prefixes = [f"results/{below}", f"failed/{below}", f"claims/{camera.form}/"]
        prefixes += [f"inbox/{camera.form}/{thing}/"]
        bucket = self._storage.bucket
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
                # only with If-None-Match: a stolen camera can add pages, and change none
                conditions={"Null": {"s3:if-none-match": "false"}},
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in (f"forms/{below}", "models/")],
            )
        )
        # how it is, said over and over: the one object that it may write over
        role.add_to_policy(
            iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(state_of(thing))])
        )
        if camera.greengrass:  # which keeps the certificate to itself
            role.add_to_policy(
                iam.PolicyStatement(actions=["iot:Publish"], resources=[self._iot(f"topic/formlens/{thing}/events")])
            )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"forms/{below}*", "models/*"]}},
            )
        )
        return role

    def _opens(self, camera: Camera, alias: iot.CfnRoleAlias) -> dict[str, Any]:
        """The certificate's policy: the thing's own name and topics, its role alias, and no other."""
        thing = self.thing_of(camera)
        own = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
        statements: list[dict[str, Any]] = [
            {"Action": ["iot:Connect"], "Resource": [self._iot(f"client/{thing}")], "Condition": own},
            {"Action": ["iot:Publish"], "Resource": [self._iot(f"topic/formlens/{thing}/events")]},
            {"Action": ["iot:AssumeRoleWithCertificate"], "Resource": [alias.attr_role_alias_arn]},
        ]
        if camera.greengrass:
            reserved = f"$aws/things/{thing}"
            health = [f"topic/{reserved}/greengrass/health/json", f"topic/{reserved}/greengrassv2/health/json"]
            kinds = ("jobs", "shadow")
            topics = [self._iot(f"topic/{reserved}/{kind}/*") for kind in kinds] + [self._iot(each) for each in health]
            filters = [self._iot(f"topicfilter/{reserved}/{kind}/*") for kind in kinds]
            statements += [
                {"Action": ["iot:Publish", "iot:Receive"], "Resource": topics},
                {"Action": ["iot:Subscribe"], "Resource": filters},
                # these name no resource that a policy could narrow to this camera
                {
                    "Action": [
                        "greengrass:GetComponentVersionArtifact",
                        "greengrass:ResolveComponentCandidates",
                        "greengrass:GetDeploymentConfiguration",
                        "greengrass:ListThingGroupsForCoreDevice",
                    ],
                    "Resource": ["*"],
                },
            ]
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement for statement in statements]}

    def _iot(self, resource: str) -> str:
        return self.format_arn(service="iot", resource=resource)

    def _function(self) -> lambda_.Function:
        """The function that Greengrass takes to the cameras. It never runs in the cloud."""
        files = [f"lambda/{name}.py" for name in FILES]
        if self.bundling_required:
            code: Bundle = device_bundle(self._settings.camera_python, *files, without=LEFT_OUT)
        else:
            code = function_bundle(*files, packages=("formlens",), without=LEFT_OUT)
        if code.size > LAMBDA_LIMIT:
            raise ValueError(f"the camera's function has {code.size:,} bytes, Lambda takes {LAMBDA_LIMIT:,}")
        fixed = json.dumps([PARAMETERS, NEEDS, FOLDER, DEVICE_LOCK.name], sort_keys=True)
        return python_function(
            self,
            "Camera",
            handler="camera.handler",
            code=code,
            description="Reads what is under a camera; runs on cameras alone",
            settings=self._settings,
            python=self._settings.camera_python,
            memory_mb=128,
            timeout_s=60,
            # a component's version is the function's: whatever changes the component must make another version
            environment={"COMPONENT": sha256(fixed.encode()).hexdigest()[:16]},
        )

    def _deploy(
        self, camera: Camera, name: str, thing: iot.CfnThing, version: lambda_.Version
    ) -> greengrass.CfnComponentVersion:
        """The function's version as a component of this name, and its deployment to this camera alone."""
        recipe = greengrass.CfnComponentVersion
        component = greengrass.CfnComponentVersion(
            self,
            f"{camera.name}Component",
            lambda_function=recipe.LambdaFunctionRecipeSourceProperty(
                lambda_arn=version.function_arn,
                component_name=name,
                component_platforms=[
                    # Greengrass' names, which are not the machine's: amd64, not x86_64
                    recipe.ComponentPlatformProperty(name="Linux", attributes={"os": "linux", "architecture": "amd64"})
                ],
                component_dependencies={
                    needed: recipe.ComponentDependencyRequirementProperty(
                        version_requirement=requirement, dependency_type="HARD"
                    )
                    for needed, requirement in NEEDS.items()
                },
                component_lambda_parameters=recipe.LambdaExecutionParametersProperty(
                    **PARAMETERS,
                    environment_variables={"FOLDER": FOLDER},
                    linux_process_params=recipe.LambdaLinuxProcessParamsProperty(isolation_mode="NoContainer"),
                ),
            ),
        )
        # What was deployed before stays where a camera that is off still has it; lambda/forget.py knows when it may go.
        component.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
        component.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        # What differs between cameras is the deployment's: the component's version says nothing of it.
        told = {
            "SOURCE": camera.source,
            "FORM": camera.form,
            "BUCKET": self._storage.bucket.bucket_name,
            "FOLDER": camera.folder,
            "FUNCTION": component.attr_component_version,
            "PREVIEW_PORT": str(camera.preview_port),
        }
        deployed = greengrass.CfnDeployment
        greengrass.CfnDeployment(
            self,
            f"{camera.name}Deployment",
            target_arn=thing.attr_arn,
            deployment_name=name,
            components={
                name: deployed.ComponentDeploymentSpecificationProperty(
                    component_version=component.attr_component_version,
                    configuration_update=deployed.ComponentConfigurationUpdateProperty(
                        merge=self.to_json_string({"lambdaExecutionParameters": {"EnvironmentVariables": told}})
                    ),
                ),
                # pinned, or it may restart itself for an update
                "aws.greengrass.Nucleus": deployed.ComponentDeploymentSpecificationProperty(
                    component_version=self._settings.nucleus
                ),
            },
            deployment_policies=deployed.DeploymentPoliciesProperty(
                failure_handling_policy="ROLLBACK",
                component_update_policy=deployed.DeploymentComponentUpdatePolicyProperty(
                    action="NOTIFY_COMPONENTS", timeout_in_seconds=60
                ),
            ),
        )
        return component


def state_of(thing: str) -> str:
    """The object in which a camera says how it is, as lambda/report.py has it."""
    return f"cameras/{thing}.json"
