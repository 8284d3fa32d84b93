"""Bundles go in, Python functions come out: each with its own role and log group, and leave to do nothing else."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.bundle import Bundle
from stacks.settings import Settings


def code_of(bundle: Bundle) -> lambda_.Code:
    """A bundle as an asset; its hash follows from what was bundled, not from where or when."""
    return lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest, asset_hash_type=cdk.AssetHashType.CUSTOM)


def runtime_of(settings: Settings, python: str | None = None) -> lambda_.Runtime:
    """The Lambda runtime of a stage, or another Python's."""
    return lambda_.Runtime(f"python{python or settings.python}", lambda_.RuntimeFamily.PYTHON)


def python_function(
    scope: Construct,
    id: str,
    *,
    handler: str,
    code: Bundle,
    description: str,
    settings: Settings,
    memory_mb: int,
    timeout_s: int,
    environment: dict[str, str] | None = None,
    layers: list[lambda_.ILayerVersion] | None = None,
    python: str | None = None,
) -> lambda_.Function:
    """One function on x86_64. Its role may write its own log and nothing else until something is granted."""
    log_group = logs.LogGroup(
        scope,
        f"{id}Log",
        retention=settings.log_keep,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    # Given explicitly: the role that CDK would make carries AWSLambdaBasicExecutionRole, which opens every log group.
    role = iam.Role(
        scope,
        f"{id}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=f"What {id.lower()} of {cdk.Stack.of(scope).stack_name} may do",
    )
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        id,
        runtime=runtime_of(settings, python),
        architecture=lambda_.Architecture.X86_64,
        handler=handler,
        code=code_of(code),
        description=description,
        memory_size=memory_mb,
        timeout=cdk.Duration.seconds(timeout_s),
        environment=environment,
        layers=layers,
        role=role,
        log_group=log_group,
    )
