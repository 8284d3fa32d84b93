"""Where people train: SageMaker Studio and the notebook instance, each only where Settings have it.

Both cost nothing while nobody works in them, but for the volume of a notebook instance; both close themselves when
idle. What people leave open is closed when the stack is destroyed.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.notebook import add_notebook
from stacks.settings import Settings, Studio
from stacks.storage import StorageStack

READS = ("training", "labels", "forms", "models", "runs")
"""Prefixes of the bucket that who trains may read."""
WRITES = ("training", "runs")

CLOSE_MINUTES = 60
"""What CloudFormation waits for at most; lambda/close.py gives up five minutes earlier, with a reason."""


class StudioStack(cdk.Stack):
    """A domain with one profile, a notebook instance, and the roles that people have in them."""

    def __init__(self, scope: Construct, id: str, *, storage: StorageStack, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        self._storage = storage
        self._close = python_function(
            self,
            "Close",
            handler="close.handler",
            code=function_bundle("lambda/close.py", "lambda/answer.py"),
            description="Closes what people left open when the stack is destroyed",
            settings=settings,
            memory_mb=256,
            timeout_s=900,
        )
        # Apart from the role's own policy, for which the function waits: they would wait for each other.
        self._again = iam.Policy(
            self,
            "Again",
            roles=[self._role_of(self._close)],
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self._close.function_arn]),
            ],
        )
        if settings.studio:
            self._add_domain(settings.studio, settings)
        if settings.notebook:
            role = self._worker("Notebook", "SageMaker's notebook instance")
            made = add_notebook(self, role=role, notebook=settings.notebook, stage=settings.stage)
            iam.Grant.add_to_principal(
                grantee=self._close,
                actions=["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                resource_arns=[made.arn],
            )
            self._close_before(made.instance, Notebook=made.name)

    def _add_domain(self, studio: Studio, settings: Settings) -> None:
        role = self._worker("Studio", "people in SageMaker Studio")
        idle = sagemaker.CfnDomain.AppLifecycleManagementProperty(
            idle_settings=sagemaker.CfnDomain.IdleSettingsProperty(
                lifecycle_management="ENABLED",
                idle_timeout_in_minutes=studio.idle_minutes,
                min_idle_timeout_in_minutes=studio.idle_minutes,
                max_idle_timeout_in_minutes=studio.idle_minutes,
            )
        )
        network, subnets = self._network()
        domain = sagemaker.CfnDomain(
            self,
            "Domain",
            domain_name=f"formlens-{settings.stage}",
            auth_mode="IAM",
            vpc_id=network.attr_vpc_id,
            subnet_ids=[subnet.attr_subnet_id for subnet in subnets],
            # The network has no way out, on purpose: apps reach S3 and PyPI through SageMaker's own.
            app_network_access_type="PublicInternetOnly",
            # A file system would outlive the domain, and hold the network with it.
            home_efs_file_system_creation="Disabled",
            tag_propagation="ENABLED",
            default_user_settings=sagemaker.CfnDomain.UserSettingsProperty(
                execution_role=role.role_arn,
                studio_web_portal="ENABLED",
                default_landing_uri="studio::",
                auto_mount_home_efs="Disabled",
                jupyter_lab_app_settings=sagemaker.CfnDomain.JupyterLabAppSettingsProperty(
                    app_lifecycle_management=idle
                ),
                code_editor_app_settings=sagemaker.CfnDomain.CodeEditorAppSettingsProperty(
                    app_lifecycle_management=idle
                ),
            ),
        )
        profile = sagemaker.CfnUserProfile(
            self, "Profile", domain_id=domain.attr_domain_id, user_profile_name=f"formlens-{settings.stage}"
        )
        inside = [self._sagemaker(f"{kind}/{domain.attr_domain_id}/*") for kind in ("app", "space")]
        grants: list[tuple[iam.IGrantable, list[str], list[str]]] = [
            (role, ["sagemaker:DescribeDomain"], [domain.attr_domain_arn]),
            (role, ["sagemaker:DescribeUserProfile"], [profile.attr_user_profile_arn]),
            (
                role,
                ["sagemaker:CreateApp", "sagemaker:DescribeApp", "sagemaker:DeleteApp", "sagemaker:AddTags"],
                inside,
            ),
            (role, [f"sagemaker:{verb}Space" for verb in ("Create", "Describe", "Update", "Delete")], inside[1:]),
            (role, ["sagemaker:ListApps", "sagemaker:ListSpaces"], ["*"]),
            (self._close, ["sagemaker:ListApps", "sagemaker:ListSpaces"], ["*"]),
            (self._close, ["sagemaker:DeleteApp"], inside[:1]),
            (self._close, ["sagemaker:DeleteSpace"], inside[1:]),
        ]
        for grantee, actions, resources in grants:
            iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=resources)
        self._close_before(profile, Domain=domain.attr_domain_id)
        cdk.CfnOutput(self, "DomainId", value=domain.attr_domain_id)

    def _network(self) -> tuple[ec2.CfnVPC, list[ec2.CfnSubnet]]:
        """A network without gateways, and so without cost: SageMaker asks for one, nothing runs in it."""
        network = ec2.CfnVPC(self, "Network", cidr_block="10.0.0.0/26")
        zones = cdk.Fn.get_azs()
        subnets = [
            ec2.CfnSubnet(
                self,
                f"Subnet{number}",
                vpc_id=network.attr_vpc_id,
                cidr_block=f"10.0.0.{16 * number}/28",
                availability_zone=cdk.Fn.select(number, zones),
            )
            for number in range(2)
        ]
        return network, subnets

    def _worker(self, id: str, who: str) -> iam.Role:
        """A role for people who train: scans, labels and readers of this bucket, and its own log."""
        role = iam.Role(
            self,
            f"{id}Role",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            description=f"What {who} of {self.stack_name} may do",
        )
        for prefix in READS:
            writes = ["s3:PutObject"] if prefix in WRITES else []
            self._storage.grant(role, "s3:GetObject", *writes, prefix=prefix)
        self._storage.grant_list(role, *READS)
        return role

    def _close_before(self, held: cdk.CfnResource, **properties: str) -> None:
        """When the stack goes, have this closed first."""
        (kind,) = properties
        closed = cdk.CustomResource(
            self,
            f"{kind}Closed",
            service_token=self._close.function_arn,
            resource_type=f"Custom::Close{kind}",
            service_timeout=cdk.Duration.minutes(CLOSE_MINUTES),
            properties=properties,
        )
        closed.node.add_dependency(held, self._again)

    def _sagemaker(self, resource: str) -> str:
        return self.format_arn(service="sagemaker", resource=resource)

    @staticmethod
    def _role_of(function: Any) -> iam.IRole:
        role: iam.IRole = function.role
        return role
