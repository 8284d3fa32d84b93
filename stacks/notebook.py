"""Code, a role and an instance type go in; a notebook instance comes out that has the training notebook on it."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker

from stacks.bundle import ROOT, function_bundle
from stacks.settings import Notebook

ON_START = ROOT / "model" / "on_start.sh"
LOGS = "/aws/sagemaker/NotebookInstances"


@dataclass(frozen=True)
class Made:
    """The instance, and how to speak of it in a policy without waiting for it."""

    instance: sagemaker.CfnNotebookInstance
    name: str
    arn: str


def add_notebook(stack: cdk.Stack, *, role: iam.Role, notebook: Notebook, stage: str) -> Made:
    """Put the instance and its lifecycle configuration into a stack, and give the role what the two need."""
    name = f"formlens-{stage}"
    arn = stack.format_arn(service="sagemaker", resource="notebook-instance", resource_name=name)
    code = function_bundle("pyproject.toml", "README.md", "LICENSE", "NOTICE", packages=("formlens", "model"))
    asset = assets.Asset(
        stack,
        "Code",
        path=str(code.path),
        asset_hash=code.digest,
        asset_hash_type=cdk.AssetHashType.CUSTOM,
    )
    log = stack.format_arn(
        service="logs", resource="log-group", resource_name=LOGS, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    granted = [
        iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=[resource])
        for actions, resource in (
            (["s3:GetObject"], asset.bucket.arn_for_objects(asset.s3_object_key)),
            (["sagemaker:StopNotebookInstance"], arn),
            (["logs:CreateLogGroup"], f"{log}:*"),
            (["logs:CreateLogStream", "logs:PutLogEvents"], f"{log}:log-stream:{name}/*"),
        )
    ]
    lifecycle = sagemaker.CfnNotebookInstanceLifecycleConfig(
        stack,
        "Lifecycle",
        on_start=[
            sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty(
                content=cdk.Fn.base64(
                    cdk.Fn.sub(
                        ON_START.read_text(),
                        {"Code": asset.s3_object_url, "IdleMinutes": str(notebook.idle_minutes)},
                    )
                )
            )
        ],
    )
    instance = sagemaker.CfnNotebookInstance(
        stack,
        "Notebook",
        notebook_instance_name=name,
        instance_type=notebook.instance_type,
        volume_size_in_gb=notebook.volume_gb,
        role_arn=role.role_arn,
        platform_identifier="notebook-al2023-v1",
        root_access="Disabled",
        direct_internet_access="Enabled",
        lifecycle_config_name=lifecycle.attr_notebook_instance_lifecycle_config_name,
        instance_metadata_service_configuration=(
            sagemaker.CfnNotebookInstance.InstanceMetadataServiceConfigurationProperty(
                minimum_instance_metadata_service_version="2"
            )
        ),
    )
    for grant in granted:  # its first start fetches the code
        grant.apply_before(instance)
    cdk.CfnOutput(stack, "NotebookName", value=name)
    return Made(instance, name, arn)
