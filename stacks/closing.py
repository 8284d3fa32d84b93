"""What a stack holds goes in; a custom resource comes out that closes it before CloudFormation deletes it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.settings import Settings

CLOSE_MINUTES = 60
"""What CloudFormation waits for at most; lambda/close.py gives up five minutes earlier, with a reason."""


LOGS = {
    "Domain": ("/aws/sagemaker/studio",),
    "Notebook": ("/aws/sagemaker/NotebookInstances",),
    "Pipeline": ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"),
}
"""Log groups that SageMaker makes for a whole account; lambda/sweep.py deletes our streams in them."""


class Closing:
    """One function in a stack that closes what people, and jobs, left open."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        self._scope = scope
        self.function = python_function(
            scope,
            "Close",
            handler="close.handler",
            code=function_bundle("lambda/close.py", "lambda/sweep.py", "lambda/answer.py"),
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
        ((kind, name),) = properties.items()
        for group in LOGS.get(kind, ()):
            self._let_sweep(group, f"{name}-*" if kind == "Pipeline" else f"{name}/*")
        closed = cdk.CustomResource(
            self._scope,
            f"{kind}Closed",
            service_token=self.function.function_arn,
            resource_type=f"Custom::Close{kind}",
            service_timeout=cdk.Duration.minutes(CLOSE_MINUTES),
            properties=properties,
        )
        closed.node.add_dependency(*held, self._again)

    def _let_sweep(self, group: str, streams: str) -> None:
        log = cdk.Stack.of(self._scope).format_arn(
            service="logs", resource="log-group", resource_name=group, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        for actions, resource in (
            (["logs:DescribeLogStreams", "logs:DeleteLogGroup"], f"{log}:*"),
            (["logs:DeleteLogStream"], f"{log}:log-stream:{streams}"),
        ):
            iam.Grant.add_to_principal(grantee=self.function, actions=actions, resource_arns=[resource])
