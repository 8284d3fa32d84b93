"""SageMaker where readers come from: the pipeline, its executions and jobs, and the registry of model packages.

Nothing is trained here: a pipeline that is started begins its first job, which runs until somebody stops it. A pipeline
that runs refuses to be deleted, and so does a registry with packages in it.
"""

import json
from collections.abc import Callable
from uuid import uuid4

from ministack.services import eventbridge

from local.kinds import VALIDATION, Kind, Record, Refused, later

# Named here, so that the cloud does not start without it.
put_events = eventbridge._put_events


def _idle(pipeline: Record) -> None:
    """A pipeline goes when nothing of it runs, and its executions with it."""
    every = EXECUTIONS.all(PipelineName=pipeline["PipelineName"])
    if any(one["PipelineExecutionStatus"] in ("Executing", "Stopping") for one in every):
        raise Refused("ConflictException", f"{pipeline['PipelineName']} has executions that run")
    for one in every:
        del EXECUTIONS.records[EXECUTIONS.name(one)]


PIPELINES = Kind(
    "Pipeline",
    ("PipelineName",),
    "pipeline/{PipelineName}",
    type="AWS::SageMaker::Pipeline",
    state="PipelineStatus",
    replaced_by=("PipelineName",),
    reads=lambda properties: {
        **properties,
        "PipelineDefinition": properties["PipelineDefinition"]["PipelineDefinitionBody"],
    },
    makes=lambda asked: {"PipelineStatus": "Active"},
    before_end=_idle,
)
EXECUTIONS = Kind(
    "PipelineExecution",
    ("PipelineName", "Id"),
    "pipeline/{PipelineName}/execution/{Id}",
    state="PipelineExecutionStatus",
    within=PIPELINES,
)


def _start_pipeline(asked: Record) -> Record:
    pipeline = PIPELINES.find(asked)
    definition = json.loads(pipeline["PipelineDefinition"])
    before = next(iter(EXECUTIONS.all(ClientRequestToken=asked["ClientRequestToken"])), None)
    known = {one["Name"] for one in definition["Parameters"]}
    if unknown := [one["Name"] for one in asked.get("PipelineParameters", []) if one["Name"] not in known]:
        raise Refused(VALIDATION, f"Unknown parameter(s) passed: {', '.join(unknown)}")
    if before:
        return before
    first, id = definition["Steps"][0], uuid4().hex[:12]
    kind = {"Training": TRAININGS, "Processing": PROCESSINGS}[first["Type"]]
    begun = kind.create({kind.keys[0]: f"{first['Arguments'][kind.keys[0]]}-{id}"})
    step = {"StepName": first["Name"], "StepStatus": "Executing", "Metadata": {kind.noun: {"Arn": kind.arn_of(begun)}}}
    new = {**asked, "Id": id, "PipelineArn": pipeline["PipelineArn"], "Steps": [step]}
    return EXECUTIONS.create({**new, "PipelineExecutionStatus": "Executing"})


def _stop_pipeline(asked: Record) -> Record:
    execution = EXECUTIONS.find(asked)
    if execution["PipelineExecutionStatus"] != "Executing":
        raise Refused(VALIDATION, "Only an execution that runs can be stopped")
    later(execution, {"PipelineExecutionStatus": "Stopped"}, PipelineExecutionStatus="Stopping")
    for kind in (TRAININGS, PROCESSINGS):
        for one in kind.all(**{kind.state: "InProgress"}):
            if one[kind.keys[0]].endswith(execution["Id"]):
                _stop_job(kind, one)
    return execution


def _job(kind: str) -> Kind:
    """Training or processing jobs; one that was made runs until somebody stops it."""
    name, status = f"{kind}JobName", f"{kind}JobStatus"
    return Kind(
        f"{kind}Job",
        (name,),
        f"{kind.lower()}-job/{{{name}}}",
        state=status,
        makes=lambda asked: {status: "InProgress", "SecondaryStatus": "Training"},
        missing=(VALIDATION, "Requested resource not found."),
    )


def _stop_job(kind: Kind, asked: Record) -> None:
    later(kind.find(asked), {kind.state: "Stopped"}, **{kind.state: "Stopping"})


TRAININGS, PROCESSINGS = _job("Training"), _job("Processing")


def _empty_group(group: Record) -> None:
    if PACKAGES.all(ModelPackageGroupName=group["ModelPackageGroupName"]):
        raise Refused("ConflictException", f"{group['ModelPackageGroupName']} still has model packages")


def _package(asked: Record) -> Record:
    group = GROUPS.find({"ModelPackageGroupName": asked["ModelPackageGroupName"].rpartition("/")[2]})
    number = group["Versions"] = group.get("Versions", 0) + 1
    name = group["ModelPackageGroupName"]
    return {
        "ModelPackageGroupName": name,
        "ModelPackageVersion": number,
        "Number": str(number),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": asked.get("ModelApprovalStatus", "PendingManualApproval"),
    }


def _decide(asked: Record) -> Record:
    """Update a package, and tell EventBridge of it, as SageMaker does."""
    package = PACKAGES.update(asked)
    told = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelApprovalStatus")
    detail = {name: package[name] for name in told} | {
        "UpdatedModelPackageFields": sorted(set(asked) - {"ModelPackageArn"})
    }
    event: Record = {"Source": "aws.sagemaker", "DetailType": "SageMaker Model Package State Change"}
    event |= {"Detail": json.dumps(detail), "Resources": [package["ModelPackageArn"]]}
    put_events({"Entries": [event]}, allow_aws_source=True)
    return package


GROUPS = Kind(
    "ModelPackageGroup",
    ("ModelPackageGroupName",),
    "model-package-group/{ModelPackageGroupName}",
    type="AWS::SageMaker::ModelPackageGroup",
    ref="ModelPackageGroupArn",
    state="ModelPackageGroupStatus",
    replaced_by=("ModelPackageGroupName", "ModelPackageGroupDescription"),
    makes=lambda asked: {"ModelPackageGroupStatus": "Completed"},
    before_end=_empty_group,
    missing=(VALIDATION, "ModelPackageGroup {name} does not exist."),
)
PACKAGES = Kind(
    "ModelPackage",
    ("ModelPackageGroupName", "Number"),
    "model-package/{ModelPackageGroupName}/{Number}",
    state="ModelPackageStatus",
    within=GROUPS,
    makes=_package,
    missing=(VALIDATION, "ModelPackage {name} does not exist."),
)

KINDS = (PIPELINES, EXECUTIONS, TRAININGS, PROCESSINGS, GROUPS, PACKAGES)
DOES: dict[str, Callable[[Record], Record | None]] = {
    "StartPipelineExecution": _start_pipeline,
    "StopPipelineExecution": _stop_pipeline,
    "ListPipelineExecutionSteps": lambda asked: {"PipelineExecutionSteps": EXECUTIONS.find(asked)["Steps"]},
    "StopTrainingJob": lambda asked: _stop_job(TRAININGS, asked),
    "StopProcessingJob": lambda asked: _stop_job(PROCESSINGS, asked),
    "UpdateModelPackage": _decide,
}
ON = {
    "StartPipelineExecution": lambda asked: [PIPELINES.arn_of(asked)],
    "ListPipelineExecutionSteps": lambda asked: [EXECUTIONS.arn_of(asked)],
    # a package is made in a group: both are asked for
    "CreateModelPackage": lambda asked: [GROUPS.arn_of(asked), PACKAGES.arn_of(asked)],
}
"""What IAM is asked about, where that is not the one thing that the arguments name."""
