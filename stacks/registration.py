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

ANSWER = cdk.Duration.minutes(5)
COLON = cdk.ArnFormat.COLON_RESOURCE_NAME


class Registration:
    """The functions behind the cameras of one stage. What they may do holds for every camera that the stage could have.

    A deploy that takes a camera out changes roles first and deletes what is left of the camera last: leave for that
    camera alone would be gone by then.
    """

    def __init__(self, scope: Construct, *, bucket: s3.IBucket, settings: Settings) -> None:
        self._scope, self._bucket, self._settings = scope, bucket, settings
        self._stack = cdk.Stack.of(scope)
        self._forget = self._function("Forget", "forget", "Takes away what cameras leave behind")
        self._certify: lambda_.Function | None = None
        things, components = f"formlens-{settings.stage}-*", f"formlens.{settings.stage}.*"
        thing, core = self._arn("iot", "thing", things), self._arn("greengrass", "coreDevices", things, COLON)
        component = self._arn("greengrass", "components", components, COLON)
        self._may_forget = [
            _allow(self._forget, ["s3:DeleteObject"], [bucket.arn_for_objects(f"cameras/{things}")]),
            _allow(self._forget, ["greengrass:ListComponentVersions", "greengrass:DeleteComponent"], [component]),
            _allow(self._forget, ["greengrass:DeleteCoreDevice", "greengrass:ListInstalledComponents"], [core]),
            # with what Greengrass asks IoT for its caller: what a thing's deployment is
            _allow(self._forget, ["iot:DeleteThingShadow", "iot:DescribeThing", "iot:GetThingShadow"], [thing]),
            _allow(self._forget, ["greengrass:ListDeployments"], ["*"]),
            _allow(self._forget, ["greengrass:GetDeployment"], [self._arn("greengrass", "deployments", "*", COLON)]),
        ]

    def forget(
        self, name: str, thing: str, state: str, *, component: str | None, version: lambda_.Version | None
    ) -> cdk.CustomResource:
        """What takes away what is left of a camera: make all else of it depend on this."""
        properties = {"Thing": thing, "Bucket": self._bucket.bucket_name, "State": state}
        if component is not None and version is not None:
            properties |= {
                "Component": self._arn("greengrass", "components", component, COLON),
                "Target": self._arn("iot", "thing", thing),
                # another version: look through the older ones
                "Version": version.function_arn,
            }
        left = self._resource(f"{name}Left", "Custom::CameraLeft", self._forget, properties)
        for grant in self._may_forget:
            grant.apply_before(left)
        return left

    def certify(self, name: str, thing: str, number: int) -> cdk.CustomResource:
        """Key and certificate of a camera: Ref is the certificate's id, `Arn` its ARN."""
        certify = self._certify = self._certify or self._certifying()
        properties = {"Secret": f"formlens/{thing}", "Key": str(number)}
        made = self._resource(f"{name}Key", "Custom::CameraKey", certify, properties)
        for grant in self._may_certify:
            grant.apply_before(made)
        return made

    def _certifying(self) -> lambda_.Function:
        certify = self._function("Certify", "certify", "Makes keys of cameras")
        verbs = ("CreateSecret", "DescribeSecret", "DeleteSecret", "GetSecretValue", "PutSecretValue")
        secrets = self._arn("secretsmanager", "secret", f"formlens/formlens-{self._settings.stage}-*", COLON)
        certificate = self._arn("iot", "cert", "*")
        self._may_certify = [
            _allow(certify, [f"secretsmanager:{verb}" for verb in verbs], [secrets]),
            _allow(certify, ["iot:CreateKeysAndCertificate"], ["*"]),
            _allow(certify, [f"iot:{verb}Certificate" for verb in ("Describe", "Update", "Delete")], [certificate]),
        ]
        return certify

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
