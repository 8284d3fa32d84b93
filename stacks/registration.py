"""What no template can do for a camera goes in; the two functions that do it, and a custom resource for each camera.

One makes key and certificate where Settings ask for a key that the account keeps; the key is in a secret and nowhere
else. The other takes away what Greengrass and the camera leave behind, after everything else of the camera is gone.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.settings import Settings

GREENGRASS_SHADOW = "AWSManagedGreengrassV2Deployment"
"""As lambda/forget.py has it."""
ANSWER = cdk.Duration.minutes(5)
COLON = cdk.ArnFormat.COLON_RESOURCE_NAME


class Registration:
    """The functions behind the cameras of one stack, each there when a camera needs it."""

    def __init__(self, scope: Construct, *, bucket: s3.IBucket, settings: Settings) -> None:
        self._scope, self._stack, self._bucket, self._settings = scope, cdk.Stack.of(scope), bucket, settings
        self._forget = self._function("Forget", "forget", "Takes away what cameras leave behind")
        self._certify: lambda_.Function | None = None

    def forget(
        self, name: str, thing: str, state: str, *, component: str | None, version: lambda_.Version | None
    ) -> cdk.CustomResource:
        """What takes away what is left of a camera: make all else of it depend on this."""
        properties = {"Thing": thing, "Bucket": self._bucket.bucket_name, "State": state}
        grants = [_allow(self._forget, ["s3:DeleteObject"], [self._bucket.arn_for_objects(state)])]
        if component is not None and version is not None:
            arn = self._arn("greengrass", "components", component, COLON)
            target = self._arn("iot", "thing", thing)
            # another version: look through the older ones
            properties |= {"Component": arn, "Target": target, "Version": version.function_arn}
            core = self._arn("greengrass", "coreDevices", thing, COLON)
            grants += [
                _allow(self._forget, ["greengrass:ListComponentVersions"], [arn]),
                _allow(self._forget, ["greengrass:DeleteComponent"], [f"{arn}:versions:*"]),
                _allow(self._forget, ["greengrass:DeleteCoreDevice", "greengrass:ListInstalledComponents"], [core]),
                _allow(self._forget, ["iot:DeleteThingShadow"], [target, f"{target}/{GREENGRASS_SHADOW}"]),
                # Greengrass asks IoT for its caller what a thing's deployment is
                _allow(self._forget, ["iot:DescribeThing", "iot:GetThingShadow"], [target]),
                _allow(self._forget, ["greengrass:ListDeployments"], ["*"]),
                _allow(
                    self._forget, ["greengrass:GetDeployment"], [self._arn("greengrass", "deployments", "*", COLON)]
                ),
            ]
        left = self._resource(f"{name}Left", "Custom::CameraLeft", self._forget, properties)
        for grant in grants:
            grant.apply_before(left)
        return left

    def certify(self, name: str, thing: str, number: int) -> cdk.CustomResource:
        """Key and certificate of a camera: Ref is the certificate's id, `Arn` its ARN."""
        secret = f"formlens/{thing}"
        first = self._certify is None
        certify = self._certify = self._certify or self._function("Certify", "certify", "Makes keys of cameras")
        allowed = [
            _allow(
                certify,
                [f"secretsmanager:{verb}" for verb in ("CreateSecret", "DescribeSecret", "DeleteSecret")]
                + ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
                # six letters that AWS adds to the name; before it has added them, the name alone
                [self._arn("secretsmanager", "secret", f"{secret}{end}", COLON) for end in ("", "-??????")],
            )
        ]
        if first:
            allowed += [
                _allow(certify, ["iot:CreateKeysAndCertificate"], ["*"]),
                _allow(
                    certify,
                    ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:DeleteCertificate"],
                    [self._arn("iot", "cert", "*")],
                ),
            ]
        made = self._resource(f"{name}Key", "Custom::CameraKey", certify, {"Secret": secret, "Key": str(number)})
        for grant in allowed:
            grant.apply_before(made)
        return made

    def _function(self, id: str, module: str, description: str) -> lambda_.Function:
        return python_function(
            self._scope,
            id,
            handler=f"{module}.handler",
            code=function_bundle(f"lambda/{module}.py", "lambda/answer.py"),
            description=description,
            settings=self._settings,
            memory_mb=256,
            timeout_s=120,
        )

    def _resource(
        self, id: str, kind: str, function: lambda_.Function, properties: dict[str, str]
    ) -> cdk.CustomResource:
        return cdk.CustomResource(
            self._scope,
            id,
            service_token=function.function_arn,
            resource_type=kind,
            service_timeout=ANSWER,
            properties=properties,
        )

    def _arn(
        self, service: str, resource: str, name: str, form: cdk.ArnFormat = cdk.ArnFormat.SLASH_RESOURCE_NAME
    ) -> str:
        return self._stack.format_arn(service=service, resource=resource, resource_name=name, arn_format=form)


def _allow(function: lambda_.Function, actions: list[str], resources: list[str]) -> iam.Grant:
    return iam.Grant.add_to_principal(grantee=function, actions=actions, resource_arns=resources)
