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

from stacks.closing import Closing
from stacks.jobs import let_people_train, sagemaker_role
from stacks.notebook import add_notebook
from stacks.settings import Settings, Studio
from stacks.storage import StorageStack
from stacks.training import TrainingStack

READS = ("training", "labels", "forms", "models", "runs")
"""Prefixes of the bucket that who trains may read."""
WRITES = ("training", "runs")
LOG = "/aws/sagemaker/studio"
"""Where apps write their log."""


class StudioStack(cdk.Stack):
    """A domain with one profile, a notebook instance, and the roles that people have in them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        storage: StorageStack,
        trained: TrainingStack | None,
        settings: Settings,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        self._storage, self._trained = storage, trained
        self._closing = Closing(self, settings=settings)
        if settings.studio:
            self._add_domain(settings.studio, settings)
        if settings.notebook:
            role = self._worker("Notebook", "SageMaker's notebook instance")
            made = add_notebook(self, role=role, notebook=settings.notebook, stage=settings.stage)
            iam.Grant.add_to_principal(
                grantee=self._closing.function,
                actions=["sagemaker:DescribeNotebookInstance", "sagemaker:StopNotebookInstance"],
                resource_arns=[made.arn],
            )
            self._closing.before(made.instance, Notebook=made.name)

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
        log = self.format_arn(
            service="logs", resource="log-group", resource_name=LOG, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        inside = [self._sagemaker(f"{kind}/{domain.attr_domain_id}/*") for kind in ("app", "space")]
        grants: list[tuple[iam.IGrantable, list[str], list[str]]] = [
            (role, ["sagemaker:DescribeDomain"], [domain.attr_domain_arn]),
            (role, ["sagemaker:DescribeUserProfile"], [profile.attr_user_profile_arn]),
            (role, [f"sagemaker:{verb}App" for verb in ("Create", "Describe", "Delete")], inside[:1]),
            (role, [f"sagemaker:{verb}Space" for verb in ("Create", "Describe", "Update", "Delete")], inside[1:]),
            (role, ["sagemaker:AddTags"], inside),
            (role, ["sagemaker:ListApps", "sagemaker:ListSpaces"], ["*"]),
            (self._closing.function, ["sagemaker:ListApps", "sagemaker:ListSpaces"], ["*"]),
            (self._closing.function, ["sagemaker:DeleteApp"], inside[:1]),
            (self._closing.function, ["sagemaker:DeleteSpace"], inside[1:]),
            (role, ["logs:CreateLogGroup"], [f"{log}:*"]),
            (role, ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log}:log-stream:{domain.attr_domain_id}/*"]),
        ]
        for grantee, actions, resources in grants:
            iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=resources)
        self._closing.before(profile, Domain=domain.attr_domain_id)
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
        role = sagemaker_role(f"{id}Role", self, who)
        for prefix in READS:
            writes = ["s3:PutObject"] if prefix in WRITES else []
            self._storage.grant(role, "s3:GetObject", *writes, prefix=prefix)
        self._storage.grant_list(role, *READS)
        if self._trained:
            let_people_train(role, self._trained.names, roles=self._trained.jobs)
        return role

    def _sagemaker(self, resource: str) -> str:
        return self.format_arn(service="sagemaker", resource=resource)
