"""What a stack holds goes in; a custom resource comes out that closes it before CloudFormation deletes it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.settings import Settings

CLOSE_MINUTES = 60
"""What CloudFormation waits for at most; lambda/close.py gives up five minutes earlier, with a reason."""


class Closing:
    """One function in a stack that closes what people, and jobs, left open."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        self._scope = scope
        self.function = python_function(
            scope,
            "Close",
            handler="close.handler",
            code=function_bundle("lambda/close.py", "lambda/answer.py"),
            description="Closes what people left open when the stack is destroyed",
            settings=settings,
            memory_mb=256,
            timeout_s=900,
        )
        role = self.function.role
        assert role is not None  # noqa: S101 - python_function gives each its own
        # Apart from the role's own policy, for which the function waits: they would wait for each other.
        self._again = iam.Policy(
            scope,
            "Again",
            roles=[role],
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]),
            ],
        )

    def before(self, *held: cdk.CfnResource, **properties: str) -> None:
        """When the stack goes, have this closed first; one property, as lambda/close.py knows it."""
        (kind,) = properties
        closed = cdk.CustomResource(
            self._scope,
            f"{kind}Closed",
            service_token=self.function.function_arn,
            resource_type=f"Custom::Close{kind}",
            service_timeout=cdk.Duration.minutes(CLOSE_MINUTES),
            properties=properties,
        )
        closed.node.add_dependency(*held, self._again)
