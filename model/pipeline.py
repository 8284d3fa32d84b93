"""Nothing goes in; the definition of the training pipeline comes out, as `stacks/training.py` puts it into a template.

    python -m model.pipeline          writes model/pipeline.json
    python -m model.pipeline --check  says whether that file is what this module defines

prepare → train → evaluate → gate → register, written with the SageMaker Python SDK. What a stack alone knows stands as
`${Name}` in the file: bucket, roles, code and images. So the same file fits every stage, and synthesizing needs no SDK,
which takes seconds to load. Nothing here speaks to AWS, and nothing is uploaded.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Read when the SDK is imported: a region, and that nobody is asked who we are.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"

import boto3
from sagemaker.core import image_uris
from sagemaker.core.model_registry import create_model_package_from_containers
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    CheckpointConfig,
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.training.configs import Compute, InputData, Networking
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import (
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, Step, TrainingStep
from sagemaker.train import ModelTrainer

FILE = Path(__file__).with_name("pipeline.json")
PYTORCH = {"framework": "pytorch", "version": "2.10.0", "py_version": "py313", "image_scope": "training"}
COMMON = re.compile(r"(?!us-gov|us-iso|eu-iso|eusc|cn)")
INSTANCE = "ml.g4dn.xlarge"
HOURS = 6
"""A training ends after so long, and after four times as long where it waits for spot capacity."""

ML = "/opt/ml/processing"
BUCKET = "s3://${Bucket}"
CODE = "s3://${CodeBucket}/${CodeKey}"
NAME = "formlens-${Stage}"
JOB = "formlens-STAGE-"
"""What the SDK takes for the beginning of a job's name."""
ROLE = "arn:aws:iam::000000000000:role/"
"""What the SDK takes for a role without asking AWS about it."""
START = (
    'python3 -m zipfile -e {code}/*.zip /tmp/formlens && cd /tmp/formlens && exec python3 -m model.job {module} "$@"'
)

FORM = ParameterString("Form")
PARAMETERS = (
    FORM,
    TYPE := ParameterString("InstanceType", default_value=INSTANCE),
    COUNT := ParameterInteger("InstanceCount", default_value=1),
    SPOT := ParameterBoolean("Spot", default_value=False),
    SMALL := ParameterString("ProcessingInstanceType", default_value="ml.m5.xlarge"),
    THRESHOLD := ParameterFloat("Threshold", default_value=0.8),
    BASE := ParameterString("BaseReader", default_value="released"),
    STEPS := ParameterInteger("Steps", default_value=400),
    HELD := ParameterInteger("HeldOut", default_value=60),
)


class Offline(PipelineSession):
    """A session that asks nobody and uploads nothing."""

    def __init__(self) -> None:
        settings = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
        region = os.environ["AWS_DEFAULT_REGION"]
        super().__init__(boto3.Session("none", "none", region_name=region), sagemaker_config=settings)

    def default_bucket(self) -> str:
        """The bucket of the stage."""
        return "${Bucket}"

    def account_id(self) -> str:
        """Nobody's."""
        return "${Account}"

    def upload_data(self, *_: Any, **__: Any) -> str:
        """Code is an asset of the stack, named by its contents: what is uploaded here would be named by the time."""
        raise RuntimeError("the pipeline is rendered without uploading anything")

    upload_string_as_file_body = upload_data


class Trainer(ModelTrainer):
    """A trainer that starts our own entry point: the SDK has one only for code that it uploads itself."""

    def _create_training_job_args(self, *arguments: Any, **options: Any) -> Any:
        request = super()._create_training_job_args(*arguments, **options)
        request["AlgorithmSpecification"]["ContainerEntrypoint"] = entry("/opt/ml/input/data/code", "model.tune")
        request["TrainingJobName"] = self.base_job_name
        return request


def entry(code: str, module: str) -> list[str]:
    """A container's first command: unpack the code, and run a module of it."""
    return ["bash", "-c", START.format(code=code, module=module), module]


def define() -> dict[str, Any]:
    """The definition, as SageMaker's CreatePipeline takes it."""
    session = Offline()
    prepare = _prepare(session)
    ways = [_way(session, prepare, spot) for spot in (True, False)]
    # A job that is not on spot capacity may not say how long it would wait for it, and branches of a pipeline cannot
    # come together again: so there are two ways, alike but for that.
    choice = ConditionStep("Spot", conditions=[ConditionEquals(SPOT, True)], if_steps=ways[0], else_steps=ways[1])
    pipeline = Pipeline(
        name=NAME,
        parameters=list(PARAMETERS),
        steps=[prepare, choice],
        sagemaker_session=session,
        pipeline_experiment_config=None,
        pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=True),
    )
    text = re.sub(f"{ROLE}(\\w+)", r"${\1}", pipeline.definition()).replace(JOB, f"{NAME}-")
    found: dict[str, Any] = json.loads(text)
    return found


def images() -> dict[str, Any]:
    """The repository's accounts by region, and the two tags: with a GPU for training, without for the rest."""
    config = json.loads((Path(image_uris.__file__).parent / "image_uri_config" / "pytorch.json").read_text())
    version = config["training"]["versions"][PYTORCH["version"]]
    # the partition of AWS' own name: elsewhere other rules hold
    accounts = {region: account for region, account in sorted(version["registries"].items()) if COMMON.match(region)}
    found: dict[str, Any] = {"accounts": accounts, "repository": version["repository"]}
    for kind, instance in (("training", INSTANCE), ("processing", "ml.m5.xlarge")):
        uri = image_uris.retrieve(region="us-east-1", instance_type=instance, **PYTORCH)
        found[kind] = uri.partition(":")[2]
    return found


def _prepare(session: Offline) -> Step:
    return _processing(
        session,
        "Prepare",
        "model.prepare",
        inputs={"training": Join("/", [f"{BUCKET}/training", FORM, ""])},
        outputs=("start", "released", "data", "own", "pages"),
        arguments={
            "form": FORM,
            "training": f"{ML}/input/training",
            "labels": Join("/", [f"{BUCKET}/labels", FORM, ""]),
            "models": f"{BUCKET}/models/",
            "data": f"{BUCKET}/runs/data/",
            "base": BASE,
            "out": f"{ML}/output",
        },
    )


def _way(session: Offline, prepare: Step, spot: bool) -> list[Step]:
    """Train, evaluate, gate and register, on spot capacity or not."""
    ending = "OnSpot" if spot else ""
    train = _train(session, f"Train{ending}", prepare, spot)
    evaluation = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")
    evaluate = _processing(
        session,
        f"Evaluate{ending}",
        "model.examine",
        inputs={
            "model": train.properties.ModelArtifacts.S3ModelArtifacts,
            "pages": _output(prepare, "pages"),
            "released": _output(prepare, "released"),
        },
        outputs=("evaluation", "package"),
        arguments={
            "form": FORM,
            "pages": f"{ML}/input/pages",
            "model": f"{ML}/input/model/model.tar.gz",
            "released": f"{ML}/input/released/reader.onnx",
            "out": f"{ML}/output",
        },
        files=[evaluation],
    )

    def measured(path: str) -> JsonGet:
        return JsonGet(step_name=evaluate.name, property_file=evaluation, json_path=path)

    told = ["Not registered. Share of exact cells: ", measured("exact"), ", wanted ", THRESHOLD]
    told += [
        ". Gain over the reader in use: ",
        measured("gain"),
        ", at least ",
        measured("gain_low"),
        ", must be above 0",
    ]
    gate = ConditionStep(
        f"Gate{ending}",
        conditions=[
            ConditionGreaterThan(measured("gain_low"), 0),
            ConditionGreaterThanOrEqualTo(measured("exact"), THRESHOLD),
        ],
        if_steps=[_register(session, f"Register{ending}", evaluate)],
        else_steps=[FailStep(f"Refuse{ending}", error_message=Join("", told))],
    )
    return [train, evaluate, gate]


def _train(session: Offline, name: str, prepare: Step, spot: bool) -> Step:
    longest = HOURS * 3600
    trainer = Trainer(
        training_image="${TrainingImage}",
        role=f"{ROLE}TrainingRole",
        base_job_name=f"{JOB}{name}",
        sagemaker_session=session,
        compute=Compute(instance_type=TYPE, instance_count=COUNT, enable_managed_spot_training=spot),
        networking=Networking(enable_inter_container_traffic_encryption=True),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=longest, **({"max_wait_time_in_seconds": 4 * longest} if spot else {})
        ),
        hyperparameters={"steps": STEPS.to_string(), "held-out": HELD.to_string()},
        output_data_config=OutputDataConfig(s3_output_path=_run("model")),
        checkpoint_config=CheckpointConfig(s3_uri=_run("checkpoints"), local_path="/opt/ml/checkpoints"),
        input_data_config=[
            InputData(channel_name="code", data_source=CODE),
            *(InputData(channel_name=name, data_source=_output(prepare, name)) for name in ("start", "data", "own")),
        ],
    )
    return TrainingStep(name, step_args=trainer.train())


def _register(session: Offline, name: str, evaluate: Step) -> Step:
    session.init_model_step_arguments(SimpleNamespace(sagemaker_session=session))
    create_model_package_from_containers(
        session,
        containers=[
            {"Image": "${ProcessingImage}", "ModelDataUrl": Join("/", [_output(evaluate, "package"), "model.tar.gz"])}
        ],
        content_types=["image/jpeg"],
        response_types=["application/json"],
        model_package_group_name="${Group}",
        model_metrics={
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": Join("/", [_output(evaluate, "evaluation"), "evaluation.json"]),
                }
            }
        },
        approval_status="PendingManualApproval",
        customer_metadata_properties={"form": FORM, "run": ExecutionVariables.PIPELINE_EXECUTION_ID},
    )
    arguments, session.context = session.context, None
    return ModelStep(name, step_args=arguments)


def _processing(
    session: Offline,
    name: str,
    module: str,
    *,
    inputs: dict[str, Any],
    outputs: tuple[str, ...],
    arguments: dict[str, Any],
    files: list[PropertyFile] | None = None,
) -> Step:
    """A job on one instance: each input and output has the folder of its name."""
    processor = Processor(
        role=f"{ROLE}ProcessingRole",
        image_uri="${ProcessingImage}",
        instance_count=1,
        instance_type=SMALL,
        entrypoint=entry(f"{ML}/input/code", module),
        max_runtime_in_seconds=3600,
        base_job_name=f"{JOB}{name}",
        sagemaker_session=session,
    )
    args = processor.run(
        inputs=[_input(name, place) for name, place in {"code": CODE, **inputs}.items()],
        outputs=[
            ProcessingOutput(
                output_name=name,
                s3_output=ProcessingS3Output(
                    s3_uri=_run(name), local_path=f"{ML}/output/{name}", s3_upload_mode="EndOfJob"
                ),
            )
            for name in outputs
        ],
        arguments=[word for name, value in arguments.items() for word in (f"--{name}", value)],
    )
    return ProcessingStep(name, step_args=args, property_files=files)


def _input(name: str, place: Any) -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=place,
        local_path=f"{ML}/input/{name}",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def _output(step: Step, name: str) -> Any:
    """Where a step's output lies: whoever takes it waits for the step."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _run(name: str) -> Join:
    """A place of this execution, below `runs/`."""
    return Join("/", [f"{BUCKET}/runs", ExecutionVariables.PIPELINE_EXECUTION_ID, name])


def render() -> str:
    """The file: definition and images."""
    return json.dumps({"definition": define(), "images": images()}, indent=1) + "\n"


def main() -> None:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description="Render the training pipeline into model/pipeline.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file is another")
    given = parser.parse_args()
    text = render()
    if not given.check:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        sys.exit(f"{FILE} is not what model/pipeline.py defines: run python -m model.pipeline")


if __name__ == "__main__":
    main()
