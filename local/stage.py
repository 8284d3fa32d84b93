"""FormLens on the embedded cloud: the stage `local` is synthesized, deployed, compared and destroyed by cdk, as on AWS.

The stacks are synthesized once, into a cloud assembly (a folder), and every later command takes them from there.
"""

from pathlib import Path

from local.cdk import cdk
from local.cloud import ACCOUNT, REGION, Cloud, without_account

BUCKET = "BucketName"
"""The output of the stacks that names the bucket."""
QUEUES = ("FoldersQueue", "ScansQueue", "ResultsQueue")
"""The outputs that name the queues, in the order in which a page passes them."""

# What is listed under longer names: an operation, and in its answer the entries and the name of one.
_CONFIG = "NotebookInstanceLifecycleConfig"
LIFECYCLES = ("list_notebook_instance_lifecycle_configs", f"{_CONFIG}s", f"{_CONFIG}Name")
REGISTRIES = ("list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName")
PACKAGES = ("list_model_packages", "ModelPackageSummaryList", "ModelPackageArn")


def synthesize(assembly: Path) -> None:
    """Write the templates and assets of the stage into `assembly`. Raises CdkError."""
    # Not in the cloud's environment: packages are fetched here, and there nobody but the cloud is trusted.
    cdk(["synth", "--quiet", "-c", "stage=local", "--output", str(assembly)], without_account())


def bootstrap(cloud: Cloud) -> None:
    """Make the account ready for cdk: its bucket for assets and its roles. Raises CdkError."""
    # Where no cdk.json is, or cdk would run the app only to learn what is said here.
    cdk(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], cloud.environment, folder=cloud.folder)


def deploy(cloud: Cloud, assembly: Path) -> dict[str, str]:
    """Deploy every stack of the assembly and return the outputs of all of them. Raises CdkError."""
    options = ["--all", "--require-approval", "never", "--progress", "events"]
    cdk(["deploy", "--app", str(assembly), *options], cloud.environment)
    return deployed(cloud)


def deployed(cloud: Cloud) -> dict[str, str]:
    """The outputs of every stack that is deployed, those of cdk itself left out."""
    stacks = [s for s in cloud.client("cloudformation").describe_stacks()["Stacks"] if s["StackName"] != "CDKToolkit"]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}


def differences(cloud: Cloud, assembly: Path) -> str:
    """What `cdk diff` prints. Raises CdkError when there are differences."""
    return cdk(["diff", "--app", str(assembly), "--all", "--fail"], cloud.environment)


def destroy(cloud: Cloud, assembly: Path) -> None:
    """Destroy every stack of the assembly. Raises CdkError."""
    cdk(["destroy", "--app", str(assembly), "--all", "--force"], cloud.environment)


def inventory(cloud: Cloud) -> set[str]:
    """Everything that exists in the account, each as `service: name`, as far as the stacks use the service."""
    listed = {
        "stack": (names(cloud, "cloudformation", "describe_stacks", "Stacks", "StackName")),
        "bucket": names(cloud, "s3", "list_buckets", "Buckets", "Name"),
        "queue": set(cloud.client("sqs").list_queues().get("QueueUrls", [])),
        "function": names(cloud, "lambda", "list_functions", "Functions", "FunctionName"),
        "layer": names(cloud, "lambda", "list_layers", "Layers", "LayerName"),
        "event source": names(cloud, "lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "role": names(cloud, "iam", "list_roles", "Roles", "RoleName"),
        "log group": names(cloud, "logs", "describe_log_groups", "logGroups", "logGroupName"),
        "rule": names(cloud, "events", "list_rules", "Rules", "Name"),
        "topic": names(cloud, "sns", "list_topics", "Topics", "TopicArn"),
        "dashboard": names(cloud, "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "alarm": names(cloud, "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "thing": names(cloud, "iot", "list_things", "things", "thingName"),
        "certificate": names(cloud, "iot", "list_certificates", "certificates", "certificateId"),
        "certificate's policy": names(cloud, "iot", "list_policies", "policies", "policyName"),
        "role alias": set(cloud.client("iot").list_role_aliases()["roleAliases"]),
        "secret": names(cloud, "secretsmanager", "list_secrets", "SecretList", "Name"),
        "component": names(cloud, "greengrassv2", "list_components", "components", "componentName"),
        "deployment": names(cloud, "greengrassv2", "list_deployments", "deployments", "deploymentId"),
        "core device": names(cloud, "greengrassv2", "list_core_devices", "coreDevices", "coreDeviceThingName"),
        "network": names(cloud, "ec2", "describe_vpcs", "Vpcs", "VpcId"),
        "subnet": names(cloud, "ec2", "describe_subnets", "Subnets", "SubnetId"),
        "security group": names(cloud, "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
        "file system": names(cloud, "efs", "describe_file_systems", "FileSystems", "FileSystemId"),
        "budget": names(cloud, "budgets", "describe_budgets", "Budgets", "BudgetName", AccountId=ACCOUNT),
        "domain": names(cloud, "sagemaker", "list_domains", "Domains", "DomainId"),
        "profile": names(cloud, "sagemaker", "list_user_profiles", "UserProfiles", "UserProfileName"),
        "space": names(cloud, "sagemaker", "list_spaces", "Spaces", "SpaceName"),
        "app": names(cloud, "sagemaker", "list_apps", "Apps", "AppName"),
        "notebook": names(cloud, "sagemaker", "list_notebook_instances", "NotebookInstances", "NotebookInstanceName"),
        "lifecycle": names(cloud, "sagemaker", *LIFECYCLES),
        "pipeline": names(cloud, "sagemaker", "list_pipelines", "PipelineSummaries", "PipelineName"),
        "registry": names(cloud, "sagemaker", *REGISTRIES),
    }
    listed["package"] = {
        package
        for group in listed["registry"]
        for package in names(cloud, "sagemaker", *PACKAGES, ModelPackageGroupName=group)
    }
    return {f"{kind}: {name}" for kind, found in listed.items() for name in found}


def names(cloud: Cloud, service: str, operation: str, entries: str, name: str, **which: str) -> set[str]:
    """The names in one listing of one service, all of its pages."""
    client = cloud.client(service)
    pages = (
        client.get_paginator(operation).paginate(**which)
        if client.can_paginate(operation)
        else [getattr(client, operation)(**which)]
    )
    return {entry[name] for page in pages for entry in page.get(entries, [])}
