"""The training pipeline, the registry of what it made, and the release of what somebody approves there.

The pipeline itself is `model/pipeline.json`, rendered by `model/pipeline.py`; here its placeholders are filled in. It
costs nothing until a training runs.
"""

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.bundle import ROOT, function_bundle
from stacks.closing import Closing
from stacks.jobs import KINDS, Names, allow, job_role, pipeline_role
from stacks.libraries import Libraries
from stacks.release import add_release
from stacks.settings import Settings, Training
from stacks.storage import StorageStack
from stacks.watch import WatchStack

RENDERED = ROOT / "model" / "pipeline.json"


class TrainingStack(cdk.Stack):
    """Prepare, train, evaluate, gate, register; and release."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        storage: StorageStack,
        watch: WatchStack,
        training: Training,
        settings: Settings,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        self._storage, self._settings, self._training = storage, settings, training
        rendered = json.loads(RENDERED.read_text(encoding="utf-8"))
        self.names = Names(self, settings.stage, self._group_name())
        code = function_bundle("pyproject.toml", "README.md", "LICENSE", "NOTICE", packages=("formlens", "model"))
        asset = assets.Asset(
            self, "Code", path=str(code.path), asset_hash=code.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )
        account = self._image_accounts(rendered["images"]["accounts"])
        repository = rendered["images"]["repository"]
        images = f"arn:{self.partition}:ecr:{self.region}:{account}:repository/{repository}"
        jobs = {kind: job_role(kind, self.names, storage=storage, code=asset, images=images) for kind in KINDS}
        self.jobs = list(jobs.values())
        role = pipeline_role(self.names, storage=storage, jobs=self.jobs, images=images)

        group = sagemaker.CfnModelPackageGroup(
            self,
            "Registry",
            model_package_group_name=self.names.group,
            model_package_group_description=f"Readers of FormLens, stage {settings.stage}: approve one to release it",
        )
        group.apply_removal_policy(cdk.RemovalPolicy.RETAIN if settings.keep_data else cdk.RemovalPolicy.DESTROY)
        registry = f"{account}.dkr.ecr.{self.region}.{self.url_suffix}/{repository}"
        filled = {
            "Bucket": storage.bucket.bucket_name,
            "Stage": settings.stage,
            "Group": self.names.group,
            "CodeBucket": asset.s3_bucket_name,
            "CodeKey": asset.s3_object_key,
            "TrainingRole": jobs["training"].role_arn,
            "ProcessingRole": jobs["processing"].role_arn,
            "TrainingImage": f"{registry}:{rendered['images']['training']}",
            "ProcessingImage": f"{registry}:{rendered['images']['processing']}",
        }
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.names.pipeline,
            pipeline_description="From labelled scans and corrections to a reader that is better than the one in use",
            role_arn=role.role_arn,
            pipeline_definition={
                "PipelineDefinitionBody": cdk.Fn.sub(json.dumps(self._with_defaults(rendered["definition"])), filled)
            },
        )
        # the service looks at the role when the pipeline is made: its policy must be there
        pipeline.node.add_dependency(group, role.node.find_child("DefaultPolicy"))
        self._close(pipeline, group)
        libraries = Libraries(self, storage=storage, settings=settings)
        add_release(self, libraries, self.names, storage=storage, watch=watch, training=training, stage=settings.stage)
        self._start_by_itself(libraries)
        cdk.CfnOutput(self, "PipelineName", value=self.names.pipeline)
        cdk.CfnOutput(self, "RegistryName", value=self.names.group)

    def _group_name(self) -> str:
        """A group that is kept cannot be taken up again: the next stack of this stage has one of another name."""
        name = f"formlens-{self._settings.stage}"
        if not self._settings.keep_data:
            return name
        unique = cdk.Fn.select(0, cdk.Fn.split("-", cdk.Fn.select(2, cdk.Fn.split("/", self.stack_id))))
        return f"{name}-{unique}"

    def _image_accounts(self, accounts: dict[str, str]) -> str:
        """The account from which AWS gives its images in this region."""
        mapping = cdk.CfnMapping(
            self, "Images", mapping={region: {"account": account} for region, account in accounts.items()}
        )
        return mapping.find_in_map(self.region, "account")

    def _with_defaults(self, definition: dict[str, Any]) -> dict[str, Any]:
        """The definition with this stage's values as the parameters' defaults."""
        training = self._training
        defaults = {
            "InstanceType": training.instance_type,
            "InstanceCount": training.instance_count,
            "Spot": training.spot,
            "ProcessingInstanceType": training.processing_type,
            "Threshold": training.threshold,
            "Steps": training.steps,
        } | ({"Form": training.form} if training.form else {})
        parameters = [
            {**one, "DefaultValue": defaults[one["Name"]]} if one["Name"] in defaults else one
            for one in definition["Parameters"]
        ]
        return {**definition, "Parameters": parameters}

    def _close(self, pipeline: sagemaker.CfnPipeline, group: sagemaker.CfnModelPackageGroup) -> None:
        """What runs when the stack goes is stopped, and where nothing is kept the registry emptied."""
        closing, arn = Closing(self, settings=self._settings), self.names.arn("pipeline", self.names.pipeline)
        allow(closing.function, ["sagemaker:ListPipelineExecutions"], arn)
        allow(closing.function, ["sagemaker:StopPipelineExecution"], f"{arn}/execution/*")
        closing.before(pipeline, Pipeline=self.names.pipeline)
        if not self._settings.keep_data:
            allow(
                closing.function,
                ["sagemaker:ListModelPackages"],
                self.names.registry,
            )
            allow(closing.function, ["sagemaker:DeleteModelPackage"], self.names.packages)
            closing.before(group, Registry=self.names.group)

    def _start_by_itself(self, libraries: Libraries) -> None:
        training, arn = self._training, self.names.arn("pipeline", self.names.pipeline)
        if training.schedule and training.form:
            role = iam.Role(
                self,
                "ScheduleRole",
                assumed_by=iam.ServicePrincipal(
                    "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
                ),
                description=f"What the schedule of {self.stack_name} may do",
            )
            allow(role, ["sagemaker:StartPipelineExecution"], arn)
            form = events.CfnRule.SageMakerPipelineParameterProperty(name="Form", value=training.form)
            events.CfnRule(
                self,
                "Schedule",
                description=f"Trains for the form {training.form}",
                schedule_expression=training.schedule,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="Pipeline",
                        arn=arn,
                        role_arn=role.role_arn,
                        sage_maker_pipeline_parameters=events.CfnRule.SageMakerPipelineParametersProperty(
                            pipeline_parameter_list=[form]
                        ),
                    )
                ],
            )
        if training.new_labels:
            start = libraries.function(
                "Start",
                "lambda/start.py",
                "lambda/keys.py",
                description="Starts a training when enough corrections have come",
                memory_mb=512,
                timeout_s=60,
                without=("formlens/*.onnx",),
                environment={"PIPELINE": self.names.pipeline, "NEW_LABELS": str(training.new_labels)},
            )
            self._storage.grant(start, "s3:GetObject", "s3:PutObject", prefix="runs/started")
            self._storage.grant_list(start, "labels", "runs/started")
            allow(start, ["sagemaker:StartPipelineExecution"], arn)
            events.Rule(
                self,
                "Corrected",
                description="Corrections from review",
                event_pattern=events.EventPattern(
                    source=["aws.s3"],
                    detail_type=["Object Created"],
                    detail={
                        "bucket": {"name": [self._storage.bucket.bucket_name]},
                        "object": {"key": [{"wildcard": "labels/*.csv"}]},
                    },
                ),
                targets=[targets.LambdaFunction(start)],
            )
