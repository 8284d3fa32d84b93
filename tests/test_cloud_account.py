"""The whole account on the embedded cloud: half deployed, deployed, used by everybody in it, and gone without a trace.

The tests share one cloud and run in the order in which they stand here. The last but one destroys the stage, the last
asks which of the permissions that roles had nobody needed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import forms
import hostile
import released
from draw import Style, draw_table
from grants import not_needed, policies
from local import stage
from local.cdk import CdkError
from local.cloud import ACCOUNT
from local.install import ROOT
from waiting import eventually
from whole import LABELS, Person, Whole, arn, whole

pytestmark = pytest.mark.cloud

NAME = "formlens-dev"
QUOTA_ROLE = "role: AWSServiceRoleForServiceQuotas"
"""Is the account's: Service Quotas makes it with the first request of all."""
LOGS = ("studio", "NotebookInstances", "TrainingJobs", "ProcessingJobs")
PATIENCE = 60


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole(tmp_path_factory.mktemp("whole")) as account:
        yield account


def test_a_first_deploy_that_fails_in_the_middle_leaves_nothing(account: Whole) -> None:
    sagemaker = account.cloud.client("sagemaker")
    role = account.cloud.client("iam").list_roles()["Roles"][0]["Arn"]
    sagemaker.create_notebook_instance(NotebookInstanceName=NAME, InstanceType="ml.t3.medium", RoleArn=role)
    with pytest.raises(CdkError, match="already exists"):
        stage.deploy(account.cloud, account.assembly)
    there = {stack["StackName"]: stack["StackStatus"] for stack in stacks(account)}
    assert there["FormLens-dev-Studio"] == "ROLLBACK_COMPLETE"
    assert there["FormLens-dev-Training"] == "CREATE_COMPLETE"
    stage.destroy(account.cloud, account.assembly)
    assert account.left() == {QUOTA_ROLE, f"notebook: {NAME}"}
    sagemaker.stop_notebook_instance(NotebookInstanceName=NAME)

    def stopped() -> Any:
        return sagemaker.describe_notebook_instance(NotebookInstanceName=NAME)["NotebookInstanceStatus"]

    assert eventually(lambda: stopped() == "Stopped")
    sagemaker.delete_notebook_instance(NotebookInstanceName=NAME)
    assert eventually(lambda: account.left() == {QUOTA_ROLE})


@pytest.fixture(scope="module")
def deployed(account: Whole) -> Whole:
    account.outputs = stage.deploy(account.cloud, account.assembly)
    return account


def test_everything_deploys_and_a_diff_finds_no_differences(deployed: Whole) -> None:
    assert {stack["StackStatus"] for stack in stacks(deployed)} == {"CREATE_COMPLETE"}
    assert "There were no differences" in stage.differences(deployed.cloud, deployed.assembly)


def test_what_was_asked_for_at_the_failed_deploy_is_not_asked_for_again(deployed: Whole) -> None:
    asked = deployed.cloud.client("service-quotas").list_requested_service_quota_change_history(ServiceCode="sagemaker")
    requests = [(one["QuotaName"], one["DesiredValue"], one["Status"]) for one in asked["RequestedQuotas"]]
    usages = ("training job", "processing job", "notebook instance")
    assert sorted(requests) == sorted((f"ml.g4dn.xlarge for {usage} usage", 1.0, "PENDING") for usage in usages)
    assert deployed.outputs["Quotas"].count("pending") == len(usages)


def test_an_operator_is_told_what_is_there_and_what_is_asked_for(deployed: Whole, tmp_path: Path) -> None:
    def formlens(command: str) -> str:
        environment = {**deployed.cloud.environment, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "formlens", command, "--stage", "dev"]
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout

    status = formlens("status")
    assert all(
        f"FormLens-dev-{name}" in status
        for name in ("Storage", "Reading", "Watch", "Training", "Studio", "Quota", "Camera")
    )
    assert "inservice, ml.g4dn.xlarge" in status
    assert deployed.outputs["DomainId"] in status
    preflight = formlens("preflight")
    assert preflight.count("pending, 1 asked for") == 3
    assert f"{deployed.bucket} is ours" in preflight


def test_scans_are_read_and_folders_learned(deployed: Whole, tmp_path: Path) -> None:
    deployed.put_folder(forms.write_labelled(tmp_path / "intake", 2), "intake")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.csv").write_text("a\n1\n")
    deployed.put_folder(tmp_path / "none", "none")
    assert eventually(lambda: deployed.read("forms/intake/report.json") is not None, PATIENCE), deployed.cloud.log()
    table = hostile.encoded(draw_table(Style(rows=3, columns=3, filled=1.0), 1).image, ".png")
    deployed.put("inbox/any/table.png", table)
    third = forms.scan(forms.fill(forms.draw_form(), forms.VALUES[2]), 2).image
    deployed.put("inbox/intake/third.png", hostile.encoded(third, ".png"))
    deployed.put("inbox/any/broken.pdf", b"%PDF-1.7 and no more")
    assert eventually(lambda: len(sources(deployed)) == 3, PATIENCE), deployed.cloud.log()
    # A function died halfway: its claim says nothing of pages, and the next one goes on from what is there.
    claims = [key for key in under(deployed, "claims/any/") if deployed.read(key)["source"] == "table.png"]
    (claim,), complete = claims, deployed.read(claims[0])
    deployed.put(claim, json.dumps({name: value for name, value in complete.items() if name != "pages"}).encode())
    deployed.put("inbox/any/table.png", table)
    assert eventually(lambda: deployed.read(claim) == complete, PATIENCE), deployed.cloud.log()
    assert eventually(lambda: bool(under(deployed, "failed/none")), PATIENCE), deployed.cloud.log()


def test_enough_corrections_start_a_training(deployed: Whole) -> None:
    sagemaker = deployed.cloud.client("sagemaker")
    for number in range(LABELS):
        deployed.put(f"labels/intake/{number}.png")
        deployed.put(f"labels/intake/{number}.csv", b"a\n1\n")

    def running() -> Any:
        return sagemaker.list_pipeline_executions(PipelineName=NAME)["PipelineExecutionSummaries"]

    assert eventually(lambda: len(running()) == 1, PATIENCE), deployed.cloud.log()
    (execution,) = running()
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])
    assert [step["StepName"] for step in steps["PipelineExecutionSteps"]] == ["Prepare"]
    deployed.put("labels/intake/more.csv", b"a\n2\n")

    def counted() -> Any:
        return any(id.startswith(deployed.role("Training", "Start")) for id in started(deployed))

    assert eventually(counted, PATIENCE), deployed.cloud.log()
    assert len(running()) == 1


def test_what_is_approved_is_released_and_what_fails_is_taken_back(deployed: Whole, tmp_path: Path) -> None:
    sagemaker, made = deployed.cloud.client("sagemaker"), released.make(tmp_path)
    good, other, damaged = (
        register(deployed, f"run{n}", released.archive(tmp_path, made, n, golden))
        for n, golden in enumerate((made["golden"], made["golden"], released.otherwise(made["golden"])), 1)
    )

    def decide(package: str, status: str = "Approved") -> None:
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=status)

    def points_to(now: str | None, *before: str) -> bool:
        pointer = deployed.read("models/current.json") or {"now": None, "before": []}
        every = [pointer["now"], *pointer["before"]]
        return [one and one["package"] for one in every] == [now, *before]

    def says(package: str) -> tuple[str, str]:
        about = sagemaker.describe_model_package(ModelPackageName=package)
        return about["ModelApprovalStatus"], about.get("ApprovalDescription", "")

    decide(good)
    assert eventually(lambda: points_to(good), PATIENCE), deployed.cloud.log()
    copied = under(deployed, "models/0001-")
    assert {key.rpartition("/")[2] for key in copied} == {"reader.onnx", "intake.form"}
    decide(other)
    assert eventually(lambda: points_to(other, good), PATIENCE), deployed.cloud.log()
    decide(other)
    decide(damaged)
    assert eventually(lambda: says(damaged)[0] == "Rejected", PATIENCE), deployed.cloud.log()
    assert "golden page" in says(damaged)[1]
    assert points_to(other, good)
    decide(good)  # an older one, on purpose
    assert eventually(lambda: points_to(good, other), PATIENCE), deployed.cloud.log()
    (alarm,) = [name for name in alarms(deployed) if "-PagesFailing" in name]
    deployed.cloud.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="too many")
    assert eventually(lambda: says(good)[0] == "Rejected", PATIENCE), deployed.cloud.log()
    assert eventually(lambda: deployed.read("models/current.json")["now"]["package"] == other, PATIENCE)
    decide(other, "Rejected")
    assert eventually(lambda: deployed.read("models/current.json")["now"] is None, PATIENCE), deployed.cloud.log()


def test_a_folder_that_changed_is_learned_anew_with_the_reader_in_use(deployed: Whole, tmp_path: Path) -> None:
    before = deployed.read("forms/intake/report.json")["manifest"]
    deployed.put_folder(forms.write_labelled(tmp_path / "intake", 3), "intake")

    def learned() -> Any:
        return deployed.read("forms/intake/report.json")["manifest"] != before

    assert eventually(learned, PATIENCE), deployed.cloud.log()


def test_people_in_studio_and_on_the_notebook_can_do_their_work(deployed: Whole) -> None:
    domain, buckets = deployed.outputs["DomainId"], {"Bucket": deployed.bucket}
    tags = [{"Key": "who", "Value": "somebody"}]
    for prefix in ("training", "labels", "forms", "models", "runs"):
        deployed.put(f"{prefix}/given/a")
    for id in ("Studio", "Notebook"):
        person = Person(deployed.cloud, deployed.role("Studio", id))
        for prefix in ("training", "labels", "forms", "models", "runs"):
            person.does("s3", "list_objects_v2", **buckets, Prefix=f"{prefix}/given/")
            person.does("s3", "get_object", **buckets, Key=f"{prefix}/given/a")
        for prefix in ("training", "runs"):
            person.does("s3", "put_object", **buckets, Key=f"{prefix}/made/by-{id}", Body=b"x")
        train_by_hand(deployed, person, id)
        assert not person.refused
    studio = Person(deployed.cloud, deployed.role("Studio", "Studio"))
    studio.does("sagemaker", "describe_domain", DomainId=domain)
    studio.does("sagemaker", "describe_user_profile", DomainId=domain, UserProfileName=NAME)
    for name in ("kept", "dropped"):
        space = {"DomainId": domain, "SpaceName": name}
        owner = {
            "OwnershipSettings": {"OwnerUserProfileName": NAME},
            "SpaceSharingSettings": {"SharingType": "Private"},
        }
        studio.does("sagemaker", "create_space", **space, **owner, Tags=tags)
        studio.does("sagemaker", "update_space", **space, SpaceDisplayName=name)
        studio.does("sagemaker", "describe_space", **space)
        app = {**space, "AppType": "JupyterLab", "AppName": "default"}
        studio.does("sagemaker", "create_app", **app, Tags=tags)
        assert eventually(lambda app=app: studio.does("sagemaker", "describe_app", **app)["Status"] == "InService")  # type: ignore[misc]
    assert len(studio.does("sagemaker", "list_apps", DomainIdEquals=domain)["Apps"]) == 2
    assert len(studio.does("sagemaker", "list_spaces", DomainIdEquals=domain)["Spaces"]) == 2
    studio.does("sagemaker", "delete_app", **app)
    assert eventually(lambda: studio.does("sagemaker", "delete_space", **space) != "ResourceInUse")
    log(studio, "studio", f"{domain}/{NAME}/JupyterLab/default")
    notebook = Person(deployed.cloud, deployed.role("Studio", "Notebook"))
    assert notebook.does("s3", "get_object", **code_of(deployed, "Studio", "Notebook"))["ContentLength"] > 0
    log(notebook, "NotebookInstances", f"{NAME}/jupyter.log")
    notebook.does("sagemaker", "stop_notebook_instance", NotebookInstanceName=NAME)
    assert not studio.refused + notebook.refused


def train_by_hand(deployed: Whole, person: Person, id: str) -> None:
    """Start the pipeline and look after it, start single jobs, look at the registry and decide."""
    started = person.does("sagemaker", "start_pipeline_execution", PipelineName=NAME)["PipelineExecutionArn"]
    person.does("sagemaker", "describe_pipeline", PipelineName=NAME)
    person.does("sagemaker", "list_pipeline_executions", PipelineName=NAME)
    person.does("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=started)
    person.does("sagemaker", "list_pipeline_execution_steps", PipelineExecutionArn=started)
    person.does("sagemaker", "stop_pipeline_execution", PipelineExecutionArn=started)
    person.does("sagemaker", "describe_model_package_group", ModelPackageGroupName=NAME)
    listed = person.does("sagemaker", "list_model_packages", ModelPackageGroupName=NAME)["ModelPackageSummaryList"]
    package = listed[-1]["ModelPackageArn"]
    person.does("sagemaker", "describe_model_package", ModelPackageName=package)
    person.does("sagemaker", "update_model_package", ModelPackageArn=package, ModelApprovalStatus="Rejected")
    run_jobs(deployed, person, f"{NAME}-by-{id}")
    for kind in ("TrainingJobs", "ProcessingJobs"):
        group = {"logGroupName": f"/aws/sagemaker/{kind}"}
        person.does("logs", "describe_log_streams", **group, logStreamNamePrefix=NAME)
        person.does("logs", "get_log_events", **group, logStreamName=f"{NAME}-x/algo-1")


def run_jobs(deployed: Whole, person: Person, name: str) -> None:
    """Make a job of each kind, look at it and stop it."""
    role = {kind: arn_of_role(deployed, "Training", kind) for kind in ("Training", "Processing")}
    tags = [{"Key": "who", "Value": "somebody"}]
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    person.does(
        "sagemaker",
        "create_training_job",
        TrainingJobName=name,
        RoleArn=role["Training"],
        AlgorithmSpecification={"TrainingInputMode": "File", "TrainingImage": "image"},
        OutputDataConfig={"S3OutputPath": f"s3://{deployed.bucket}/runs/x"},
        ResourceConfig=cluster,
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Tags=tags,
    )
    person.does(
        "sagemaker",
        "create_processing_job",
        ProcessingJobName=name,
        RoleArn=role["Processing"],
        AppSpecification={"ImageUri": "image"},
        ProcessingResources={"ClusterConfig": cluster},
        Tags=tags,
    )
    for kind in ("training", "processing"):
        names = {f"{kind.capitalize()}JobName": name}
        person.does("sagemaker", f"describe_{kind}_job", **names)
        person.does("sagemaker", f"stop_{kind}_job", **names)


def test_the_pipeline_and_its_jobs_can_do_theirs(deployed: Whole) -> None:
    pipeline = Person(deployed.cloud, deployed.role("Training", "Pipeline"))
    run_jobs(deployed, pipeline, f"{NAME}-Train-x")
    buckets, repository = {"Bucket": deployed.bucket}, image_repository(deployed)
    pipeline.does("s3", "list_objects_v2", **buckets, Prefix="runs/given/")
    pipeline.does("s3", "get_object", **buckets, Key="runs/given/a")
    made = pipeline.does(
        "sagemaker",
        "create_model_package",
        ModelPackageGroupName=NAME,
        InferenceSpecification={"Containers": [{"Image": "image", "ModelDataUrl": f"s3://{deployed.bucket}/runs/x"}]},
        Tags=[{"Key": "who", "Value": "pipeline"}],
    )
    pipeline.does("sagemaker", "describe_model_package", ModelPackageName=made["ModelPackageArn"])
    for operation in ("batch_get_image", "describe_images"):
        pipeline.does("ecr", operation, **repository, imageIds=[{"imageTag": "x"}])
    assert not pipeline.refused
    for kind, prefixes in (("Training", ("runs",)), ("Processing", ("training", "labels", "models", "runs"))):
        job = Person(deployed.cloud, deployed.role("Training", kind))
        for prefix in prefixes:
            job.does("s3", "list_objects_v2", **buckets, Prefix=f"{prefix}/given/")
            job.does("s3", "get_object", **buckets, Key=f"{prefix}/given/a")
        job.does("s3", "put_object", **buckets, Key=f"runs/made/by-{kind}", Body=b"x")
        code = code_of(deployed, "Training", kind)
        job.does("s3", "list_objects_v2", Bucket=code["Bucket"], Prefix=code["Key"])
        job.does("s3", "get_object", **code)
        log(job, f"{kind}Jobs", f"{NAME}-{kind}-x/algo-1")
        job.does("logs", "describe_log_streams", logGroupName=f"/aws/sagemaker/{kind}Jobs")
        numbers = [{"MetricName": "cells", "Value": 1.0}]
        job.does("cloudwatch", "put_metric_data", Namespace=f"/aws/sagemaker/{kind}Jobs", MetricData=numbers)
        job.does("ecr", "get_authorization_token")
        job.does("ecr", "batch_check_layer_availability", **repository, layerDigests=["x"])
        job.does("ecr", "get_download_url_for_layer", **repository, layerDigest="x")
        job.does("ecr", "batch_get_image", **repository, imageIds=[{"imageTag": "x"}])
        assert not job.refused, job.refused


@pytest.mark.parametrize(("name", "form"), [("hall", "intake"), ("till", "any")])
def test_a_camera_can_do_its_work(deployed: Whole, name: str, form: str) -> None:
    camera, buckets = Person(deployed.cloud, deployed.role("Camera", name)), {"Bucket": deployed.bucket}
    own, new = f"{NAME}-{name}", {"Body": b"{}", "IfNoneMatch": "*"}
    for key in (f"inbox/{form}/{own}/a.jpg", *(f"{prefix}/{form}/{own}" for prefix in ("claims", "failed", "results"))):
        camera.does("s3", "put_object", **buckets, Key=key, **new)
    camera.does("s3", "put_object", **buckets, Key=f"cameras/{own}.json", Body=b"{}")
    for prefix in (f"forms/{form}", "models"):
        deployed.put(f"{prefix}/given/a")
        camera.does("s3", "list_objects_v2", **buckets, Prefix=f"{prefix}/given/")
        camera.does("s3", "get_object", **buckets, Key=f"{prefix}/given/a")
    if name == "hall":
        camera.does("iot-data", "publish", topic=f"formlens/{own}/events", payload=b"{}")
    assert not camera.refused


def test_a_destroyed_stage_leaves_nothing_in_any_service(deployed: Whole) -> None:
    sagemaker = deployed.cloud.client("sagemaker")
    for number in range(12):  # more than a page of them
        register(deployed, f"more{number}", b"x")
    running = sagemaker.start_pipeline_execution(PipelineName=NAME)["PipelineExecutionArn"]
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=running)["PipelineExecutionSteps"]
    job = {"ProcessingJobName": step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]}
    sagemaker.start_notebook_instance(NotebookInstanceName=NAME)
    for body in (b"1", b"2"):
        deployed.put("inbox/late/x.txt", body)
    deployed.cloud.client("s3").delete_object(Bucket=deployed.bucket, Key="inbox/late/x.txt")
    assert {kind.partition(":")[0] for kind in deployed.left()} >= {
        "domain",
        "space",
        "app",
        "notebook",
        "package",
        "thing",
        "component",
    }
    assert {f"log group: /aws/sagemaker/{name}" for name in LOGS} <= deployed.left()
    for stack in ("Studio", "Training"):  # so little that closing hands itself on after a look, not after 15 minutes
        name = deployed.function(stack, "Close")
        deployed.cloud.client("lambda").update_function_configuration(FunctionName=name, Timeout=60)
    # a core runs the camera's function with the core's own role; what is done for cameras: tests/test_cameras_cloud.py
    elsewhere = {deployed.role("Camera", id) for id in ("Camera", "Certify", "Forget")}
    every = policies(deployed.cloud, "FormLens-dev-")
    documents = {role: document for role, document in every.items() if role not in elsewhere}
    requests = by_services(deployed)

    stage.destroy(deployed.cloud, deployed.assembly)
    assert deployed.left() == {QUOTA_ROLE}
    assert sagemaker.describe_processing_job(**job)["ProcessingJobStatus"] == "Stopped"
    NEEDED.append((documents, requests))


NEEDED: list[tuple[dict[str, Any], list[Any]]] = []
"""The roles' policies before they went, and what services do with them; left by the test before."""


def test_no_role_had_a_permission_that_nothing_needed(deployed: Whole) -> None:
    if not NEEDED:
        pytest.skip("the stage was not used and destroyed before this")
    ((documents, requests),) = NEEDED
    assert len(documents) >= 15
    ours = [request for request in deployed.cloud.allowed() if request[0] in documents]
    idle = not_needed(documents, ours + requests)
    assert not idle, "\n".join(idle)


def by_services(account: Whole) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What AWS does with the roles by itself, as its documentation says, and the embedded cloud without asking."""
    client = account.cloud.client("lambda")
    made: list[tuple[str, str, str, dict[str, Any]]] = []
    for source in client.list_event_source_mappings()["EventSourceMappings"]:
        role = client.get_function_configuration(FunctionName=source["FunctionArn"])["Role"].rpartition("/")[2]
        verbs = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        made += [(role, f"sqs:{verb}", source["EventSourceArn"], {}) for verb in verbs]
    start = "sagemaker:StartPipelineExecution"
    return [*made, (account.role("Training", "Schedule"), start, arn("sagemaker", f"pipeline/{NAME}"), {})]


def started(account: Whole) -> list[str]:
    """The roles that have looked at what a training was started with last."""
    return [role for role, action, arn, _ in account.cloud.allowed() if "runs/started/" in arn and "Get" in action]


def log(person: Person, group: str, stream: str) -> None:
    """Log a line as SageMaker does with a role; the group is made by whoever logs first."""
    name = {"logGroupName": f"/aws/sagemaker/{group}"}
    person.does("logs", "create_log_group", **name)
    person.does("logs", "create_log_stream", **name, logStreamName=stream)
    person.does("logs", "put_log_events", **name, logStreamName=stream, logEvents=[{"timestamp": 0, "message": "x"}])


def register(account: Whole, run: str, data: bytes) -> str:
    """Put a package below runs/ and into the registry, as the pipeline does; its ARN."""
    key = f"runs/{run}/package/model.tar.gz"
    account.put(key, data)
    made = account.cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=NAME,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{account.bucket}/{key}"}],
            "SupportedContentTypes": ["application/x-image"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )
    return str(made["ModelPackageArn"])


def stacks(account: Whole) -> list[dict[str, Any]]:
    found = account.cloud.client("cloudformation").describe_stacks()["Stacks"]
    return [stack for stack in found if stack["StackName"].startswith("FormLens-")]


def alarms(account: Whole) -> list[str]:
    return [one["AlarmName"] for one in account.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]]


def under(account: Whole, prefix: str) -> list[str]:
    listed = account.cloud.client("s3").list_objects_v2(Bucket=account.bucket, Prefix=prefix)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def sources(account: Whole) -> set[str]:
    """The scans that the spreadsheets know of."""
    books = [key for key in under(account, "sheets/") if key.endswith(".cells.json")]
    return {page["source"] for key in books for page in account.read(key)["pages"]}


def statements(account: Whole, stack: str, id: str) -> list[dict[str, Any]]:
    role = account.role(stack, id)
    found: list[dict[str, Any]] = policies(account.cloud, role)[role]["Statement"]
    return found


def code_of(account: Whole, stack: str, id: str) -> dict[str, str]:
    """The archive of code that a role may fetch: an object of cdk's own bucket."""
    found = re.search(r"arn:aws:s3:::(cdk-[\w-]+)/(\w+\.zip)", json.dumps(statements(account, stack, id)))
    assert found
    return {"Bucket": found[1], "Key": found[2]}


def arn_of_role(account: Whole, stack: str, id: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{account.role(stack, id)}"


def image_repository(account: Whole) -> dict[str, str]:
    """AWS' repository of the images, from the policy that opens it."""
    found = json.dumps(statements(account, "Training", "Pipeline"))
    registry, _, name = found.partition(":ecr:")[2].partition('"')[0].partition(":")[2].partition(":repository/")
    return {"registryId": registry, "repositoryName": name}
