"""A stack, its bucket and its code go in; the roles of the training pipeline and of its jobs come out.

Each may reach the prefixes, job names, log streams and images that its work needs, and is passed to SageMaker alone.
"""

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets

from stacks.storage import StorageStack

SAGEMAKER = "sagemaker.amazonaws.com"
KINDS = {"training": "TrainingJobs", "processing": "ProcessingJobs"}
"""Jobs, and what their log groups and metrics are called."""
READS = {"training": ("runs",), "processing": ("training", "labels", "models", "runs")}
"""Prefixes of the bucket that a job reads; what it writes goes to `runs/`."""


@dataclass(frozen=True)
class Names:
    """What the pipeline and whatever it makes are called, and how a policy speaks of it."""

    stack: cdk.Stack
    stage: str
    group: str
    """The model package group."""

    @property
    def pipeline(self) -> str:
        """The pipeline, and what the names of its jobs begin with."""
        return f"formlens-{self.stage}"

    def arn(self, kind: str, name: str) -> str:
        """ARN of a SageMaker resource of this account and region."""
        return self.stack.format_arn(service="sagemaker", resource=kind, resource_name=name)

    def jobs(self, kind: str) -> str:
        """All training or processing jobs of the pipeline."""
        return self.arn(f"{kind}-job", f"{self.pipeline}-*")

    def logs(self, kind: str) -> tuple[str, str]:
        """The log group of all such jobs in the account, and in it the streams of the pipeline's own."""
        group = self.stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{KINDS[kind]}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        return f"{group}:*", f"{group}:log-stream:{self.pipeline}-*"

    @property
    def registry(self) -> str:
        """The model package group."""
        return self.arn("model-package-group", self.group)

    @property
    def packages(self) -> str:
        """All versions in the group."""
        return self.arn("model-package", f"{self.group}/*")


def job_role(kind: str, names: Names, *, storage: StorageStack, code: assets.Asset, images: str) -> iam.Role:
    """The role of the pipeline's training or processing jobs."""
    role = sagemaker_role(f"{kind.capitalize()}Role", names.stack, f"the {kind} jobs")
    for prefix in READS[kind]:
        storage.grant(role, "s3:GetObject", *(["s3:PutObject"] if prefix == "runs" else []), prefix=prefix)
    storage.grant_list(role, *READS[kind])
    group, streams = names.logs(kind)
    metrics = {"StringEquals": {"cloudwatch:namespace": f"/aws/sagemaker/{KINDS[kind]}"}}
    grants: list[tuple[list[str], str, dict[str, Any]]] = [
        (["s3:GetObject"], code.bucket.arn_for_objects(code.s3_object_key), {}),
        # SageMaker looks for inputs by listing, for a single object too
        (["s3:ListBucket"], code.bucket.bucket_arn, {"StringEquals": {"s3:prefix": code.s3_object_key}}),
        (["logs:CreateLogGroup", "logs:DescribeLogStreams"], group, {}),
        (["logs:CreateLogStream", "logs:PutLogEvents"], streams, {}),
        (["cloudwatch:PutMetricData"], "*", metrics),
        (["ecr:GetAuthorizationToken"], "*", {}),
        (["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"], images, {}),
    ]
    for actions, resource, conditions in grants:
        allow(role, actions, resource, conditions)
    return role


def pipeline_role(names: Names, *, storage: StorageStack, jobs: list[iam.Role], images: str) -> iam.Role:
    """The role of the pipeline: it starts jobs, hands them their roles, looks at results and registers a package."""
    role = sagemaker_role("PipelineRole", names.stack, "the training pipeline")
    storage.grant(role, "s3:GetObject", prefix="runs")
    storage.grant_list(role, "runs")
    for kind in KINDS:
        verbs = [f"sagemaker:{verb}{kind.capitalize()}Job" for verb in ("Create", "Describe", "Stop")]
        allow(role, [*verbs, "sagemaker:AddTags"], names.jobs(kind))
    allow(role, ["sagemaker:CreateModelPackage"], names.registry)
    allow(role, ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:AddTags"], names.packages)
    allow(role, ["ecr:BatchGetImage", "ecr:DescribeImages"], images)  # a package names an image, which is looked for
    pass_roles(role, jobs)
    return role


def let_people_train(role: iam.Role, names: Names, *, roles: list[iam.Role]) -> None:
    """Let a role of people start the pipeline, look after it, read its logs, and approve what it registered."""
    pipeline = names.arn("pipeline", names.pipeline)
    may = {
        pipeline: ["StartPipelineExecution", "DescribePipeline", "ListPipelineExecutions"],
        f"{pipeline}/execution/*": ["DescribePipelineExecution", "ListPipelineExecutionSteps", "StopPipelineExecution"],
        names.registry: ["DescribeModelPackageGroup", "ListModelPackages"],
        names.packages: ["DescribeModelPackage", "UpdateModelPackage"],
    }
    grants = [([f"sagemaker:{verb}" for verb in verbs], resource) for resource, verbs in may.items()]
    for kind in KINDS:
        verbs = [f"sagemaker:{verb}{kind.capitalize()}Job" for verb in ("Create", "Describe", "Stop")]
        group, streams = names.logs(kind)
        grants += [
            ([*verbs, "sagemaker:AddTags"], names.jobs(kind)),
            (["logs:DescribeLogStreams"], group),
            (["logs:GetLogEvents"], streams),
        ]
    for actions, resource in grants:
        allow(role, actions, resource)
    pass_roles(role, roles)


def sagemaker_role(id: str, stack: cdk.Stack, who: str) -> iam.Role:
    """A role that SageMaker takes on, for this account alone."""
    return iam.Role(
        stack,
        id,
        assumed_by=iam.ServicePrincipal(SAGEMAKER, conditions={"StringEquals": {"aws:SourceAccount": stack.account}}),
        description=f"What {who} of {stack.stack_name} may do",
    )


def pass_roles(role: iam.Role, passed: list[iam.Role]) -> None:
    """Let a role hand these roles to SageMaker, and to nobody else."""
    for one in passed:
        allow(role, ["iam:PassRole"], one.role_arn, {"StringEquals": {"iam:PassedToService": SAGEMAKER}})


def allow(
    who: iam.IGrantable, actions: list[str], resource: str, conditions: dict[str, Any] | None = None
) -> iam.Grant:
    """One statement of the role's own policy."""
    return iam.Grant.add_to_principal(
        grantee=who, actions=actions, resource_arns=[resource], conditions=conditions or None
    )
