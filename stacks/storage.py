"""The one bucket, and who may reach which part of it."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.settings import Settings

EMPTY_ON_REMOVAL = "formlens:empty-on-removal"
"""Tag that lets lambda/empty.py delete what is in a bucket. A stage that turns to keeping its data drops it first."""


class StorageStack(cdk.Stack):
    """Keeps scans, results and spreadsheets: encrypted, private, over TLS only, every version for a while."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        keep = cdk.RemovalPolicy.RETAIN if settings.keep_data else cdk.RemovalPolicy.DESTROY
        self.bucket = s3.Bucket(
            self,
            "Scans",
            bucket_name=f"deeplens-sagemaker-{settings.stage}-{self.account}-{self.region}",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="old-versions",
                    noncurrent_version_expiration=cdk.Duration.days(settings.old_version_days),
                    expired_object_delete_marker=True,
                ),
                # Rewritten every few seconds while a pile is read, and always made again from results/.
                s3.LifecycleRule(id="old-sheets", prefix="sheets/", noncurrent_version_expiration=cdk.Duration.days(1)),
                s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=cdk.Duration.days(2)),
            ],
            removal_policy=keep,
        )
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)  # noqa: S101  # `event_bridge_enabled` would add a hidden Node function
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        if not settings.keep_data:
            self._empty_on_removal(settings)
        cdk.CfnOutput(self, "BucketName", value=self.bucket.bucket_name)

    def grant(self, who: iam.IGrantable, *actions: str, prefix: str) -> iam.Grant:
        """Let a function do something with every object under a prefix, and with no other."""
        return iam.Grant.add_to_principal(
            grantee=who, actions=list(actions), resource_arns=[self.bucket.arn_for_objects(f"{prefix}/*")]
        )

    def grant_list(self, who: iam.IGrantable, *prefixes: str) -> iam.Grant:
        """Let a function list what is under these prefixes, and nothing beside them."""
        return iam.Grant.add_to_principal(
            grantee=who,
            actions=["s3:ListBucket"],
            resource_arns=[self.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}},
        )

    def _empty_on_removal(self, settings: Settings) -> None:
        """A bucket with objects in it cannot be deleted: empty it when the stack goes."""
        cdk.Tags.of(self.bucket).add(EMPTY_ON_REMOVAL, "yes")
        empty = python_function(
            self,
            "Empty",
            handler="empty.handler",
            code=function_bundle("lambda/empty.py", "lambda/answer.py"),
            description="Deletes what is in the bucket when the stack is destroyed",
            settings=settings,
            memory_mb=256,
            timeout_s=900,
        )
        seen = iam.Grant.add_to_principal(
            grantee=empty,
            actions=["s3:ListBucketVersions", "s3:GetBucketTagging"],
            resource_arns=[self.bucket.bucket_arn],
        )
        deleted = iam.Grant.add_to_principal(
            grantee=empty,
            # S3 asks for the first too when versions are named in a batch
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            resource_arns=[self.bucket.arn_for_objects("*")],
        )
        emptied = cdk.CustomResource(
            self,
            "Emptied",
            service_token=empty.function_arn,
            resource_type="Custom::EmptyBucket",
            service_timeout=cdk.Duration.minutes(15),
            properties={"Bucket": self.bucket.bucket_name},
        )
        seen.combine(deleted).apply_before(emptied)  # and taken away after it
