"""SageMaker as far as FormLens has it: Studio, notebook instances, the training pipeline, its jobs and its registry.

Nothing is trained here: a pipeline that is started is recorded, and runs until somebody stops it. What refuses to be
deleted on AWS refuses here: a domain with people in it, a notebook that runs, a registry that is not empty.
"""

import json
from uuid import uuid4

from ministack.services import efs, eventbridge

from local.kinds import Kind, Record, Refused, later
from local.served import Check, Service

VALIDATION = "ValidationException"


def _domain(asked: Record) -> Record:
    made: Record = {"DomainId": f"d-{uuid4().hex[:12]}"}
    made["Url"] = f"https://{made['DomainId']}.studio.example"
    if asked.get("HomeEfsFileSystemCreation") != "Disabled":
        # It is nobody's but the domain's, and outlives it all the same.
        _, _, body = efs._create_file_system({"CreationToken": made["DomainId"]})
        made["HomeEfsFileSystemId"] = json.loads(body)["FileSystemId"]
    return made


def _in_domain(asked: Record) -> Record:
    """Profile, space or app: its domain must be there, and whom it belongs to."""
    DOMAINS.find({"DomainId": asked["DomainId"]})
    for kind, key in ((PROFILES, "UserProfileName"), (SPACES, "SpaceName")):
        if "AppName" in asked and key in asked:
            kind.find({"DomainId": asked["DomainId"], key: asked[key]})
    return {}


def _app(asked: Record) -> Record:
    _in_domain(asked)
    starting: Record = {}
    later(starting, {"Status": "InService"}, Status="Pending")
    return starting


def _empty_domain(domain: Record) -> None:
    id = domain["DomainId"]
    for kind in (PROFILES, SPACES):
        if kind.all(DomainId=id):
            raise Refused("ResourceInUse", f"Unable to delete Domain {id}: {kind.noun}(s) are associated with it")
    for app in APPS.all(DomainId=id):
        del APPS.records[APPS.name(app)]


def _without_apps(owner: Record) -> None:
    """A profile or a space goes when nothing runs in it, and a profile when no space is its own."""
    key = "SpaceName" if "SpaceArn" in owner else "UserProfileName"
    inside = {"DomainId": owner["DomainId"], key: owner[key]}
    running = [app["AppName"] for app in APPS.all(**inside) if app["Status"] != "Deleted"]
    owned = [
        space["SpaceName"]
        for space in SPACES.all(DomainId=owner["DomainId"])
        if key == "UserProfileName" and space.get("OwnershipSettings", {}).get("OwnerUserProfileName") == owner[key]
    ]
    if running or owned:
        raise Refused("ResourceInUse", f"{owner[key]} is in use by {', '.join(running + owned)}")


def _runs(app: Record) -> None:
    if app["Status"] not in ("InService", "Failed"):
        raise Refused("ResourceInUse", f"app {app['AppName']} is {app['Status']}")


DOMAINS = Kind(
    "Domain",
    ("DomainId",),
    "domain/{DomainId}",
    type="AWS::SageMaker::Domain",
    replaced_by=("AuthMode", "DomainName", "KmsKeyId"),
    makes=_domain,
    before_end=_empty_domain,
)
PROFILES = Kind(
    "UserProfile",
    ("DomainId", "UserProfileName"),
    "user-profile/{DomainId}/{UserProfileName}",
    type="AWS::SageMaker::UserProfile",
    replaced_by=("DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"),
    makes=_in_domain,
    before_end=_without_apps,
)
SPACES = Kind(
    "Space", ("DomainId", "SpaceName"), "space/{DomainId}/{SpaceName}", makes=_in_domain, before_end=_without_apps
)
APPS = Kind(
    "App",
    ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName"),
    "app/{DomainId}/{SpaceName}/{AppType}/{AppName}",
    makes=_app,
    before_end=_runs,
    ends={"Status": "Deleted"},  # AWS lists it for a day more
)


def _stopped(notebook: Record) -> None:
    status = notebook["NotebookInstanceStatus"]
    if status not in ("Stopped", "Failed"):
        raise Refused(VALIDATION, f"Status ({status}) not in ([Stopped, Failed]). Unable to transition to (Deleting)")


def _start_notebook(asked: Record) -> None:
    later(NOTEBOOKS.find(asked), {"NotebookInstanceStatus": "InService"}, NotebookInstanceStatus="Pending")


def _stop_notebook(asked: Record) -> None:
    notebook = NOTEBOOKS.find(asked)
    if notebook["NotebookInstanceStatus"] != "InService":
        raise Refused(VALIDATION, "Status not in ([InService]). Unable to transition to (Stopping)")
    later(notebook, {"NotebookInstanceStatus": "Stopped"}, NotebookInstanceStatus="Stopping")


NOTEBOOKS = Kind(
    "NotebookInstance",
    ("NotebookInstanceName",),
    "notebook-instance/{NotebookInstanceName}",
    type="AWS::SageMaker::NotebookInstance",
    ref="NotebookInstanceArn",
    state="NotebookInstanceStatus",
    replaced_by=("DirectInternetAccess", "KmsKeyId", "NotebookInstanceName", "PlatformIdentifier", "SubnetId"),
    makes=lambda asked: {
        "Url": f"{asked['NotebookInstanceName']}.notebook.example",
        "NotebookInstanceLifecycleConfigName": asked.get("LifecycleConfigName", ""),
    },
    before_end=_stopped,
    missing=(VALIDATION, "RecordNotFound"),
)


def _unused(config: Record) -> None:
    name = config["NotebookInstanceLifecycleConfigName"]
    if NOTEBOOKS.all(NotebookInstanceLifecycleConfigName=name):
        raise Refused(VALIDATION, f"{name} is in use by a notebook instance")


LIFECYCLES = Kind(
    "NotebookInstanceLifecycleConfig",
    ("NotebookInstanceLifecycleConfigName",),
    "notebook-instance-lifecycle-config/{NotebookInstanceLifecycleConfigName}",
    type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
    ref="NotebookInstanceLifecycleConfigArn",
    replaced_by=("NotebookInstanceLifecycleConfigName",),
    before_end=_unused,
    missing=(VALIDATION, "RecordNotFound"),
)


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
    makes=lambda asked: {"PipelineStatus": "Active", "Definition": json.loads(asked["PipelineDefinition"])},
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
    (before, *_) = EXECUTIONS.all(ClientRequestToken=asked["ClientRequestToken"]) or [None]
    known = {one["Name"] for one in pipeline["Definition"]["Parameters"]}
    if unknown := [one["Name"] for one in asked.get("PipelineParameters", []) if one["Name"] not in known]:
        raise Refused(VALIDATION, f"Unknown parameter(s) passed: {', '.join(unknown)}")
    new = {**asked, "Id": uuid4().hex[:12], "PipelineArn": pipeline["PipelineArn"]}
    return before or EXECUTIONS.create({**new, "PipelineExecutionStatus": "Executing"})


def _stop_pipeline(asked: Record) -> Record:
    execution = EXECUTIONS.find(asked)
    if execution["PipelineExecutionStatus"] != "Executing":
        raise Refused(VALIDATION, "Only an execution that runs can be stopped")
    later(execution, {"PipelineExecutionStatus": "Stopped"}, PipelineExecutionStatus="Stopping")
    return execution


def job(kind: str) -> Kind:
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


TRAININGS, PROCESSINGS = job("Training"), job("Processing")


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
    event = {"Source": "aws.sagemaker", "DetailType": "SageMaker Model Package State Change"}
    event |= {"Detail": json.dumps(detail), "Resources": [package["ModelPackageArn"]]}
    eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)
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


def _also(operation: str, asked: Record) -> list[Check]:
    """Whoever makes something with a role hands that role on, and whoever gives it tags, tags it."""
    checks: list[Check] = []
    makes = operation.startswith(("Create", "Update"))
    role = asked.get("RoleArn") or asked.get("DefaultUserSettings", {}).get("ExecutionRole")
    if makes and role:
        checks.append(("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"}))
    if makes and asked.get("Tags"):
        kind = next(kind for kind in SERVICE.kinds if operation.endswith(kind.noun))
        checks.append(("sagemaker:AddTags", kind.arn_of(asked), {}))
    return checks


SERVICE = Service(
    "sagemaker",
    "sagemaker",
    kinds=(
        *(DOMAINS, PROFILES, SPACES, APPS, NOTEBOOKS, LIFECYCLES),
        *(PIPELINES, EXECUTIONS, TRAININGS, PROCESSINGS, GROUPS, PACKAGES),
    ),
    does={
        "StartNotebookInstance": _start_notebook,
        "StopNotebookInstance": _stop_notebook,
        "StartPipelineExecution": _start_pipeline,
        "StopPipelineExecution": _stop_pipeline,
        "StopTrainingJob": lambda asked: _stop_job(TRAININGS, asked),
        "StopProcessingJob": lambda asked: _stop_job(PROCESSINGS, asked),
        "UpdateModelPackage": _decide,
    },
    on={"StartPipelineExecution": lambda asked: [PIPELINES.arn_of(asked)]},
    also=_also,
)
