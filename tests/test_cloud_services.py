"""What the embedded cloud has of SageMaker and Service Quotas behaves as on AWS, above all where it says no."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from grants import not_needed
from local.cloud import ACCOUNT, Cloud
from waiting import eventually
from whole import Person, arn

pytestmark = pytest.mark.cloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
DEFINITION = {"Parameters": [{"Name": "Form"}], "Steps": [
    {"Name": "Prepare", "Type": "Processing", "Arguments": {"ProcessingJobName": "prepare"}}
]}  # fmt: skip


def kind(name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::SageMaker::{name}", "Properties": properties}


RESOURCES = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    "Domain": kind(
        "Domain",
        DomainName="d",
        AuthMode="IAM",
        HomeEfsFileSystemCreation="Disabled",
        DefaultUserSettings={"ExecutionRole": ROLE},
    ),
    "Profile": kind("UserProfile", DomainId={"Fn::GetAtt": ["Domain", "DomainId"]}, UserProfileName="p"),
    "Config": kind("NotebookInstanceLifecycleConfig", OnStart=[{"Content": "eA=="}]),
    "Notebook": kind(
        "NotebookInstance",
        NotebookInstanceName="n",
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        VolumeSizeInGB="5",
        LifecycleConfigName={"Fn::GetAtt": ["Config", "NotebookInstanceLifecycleConfigName"]},
    ),
    "Registry": kind("ModelPackageGroup", ModelPackageGroupName="g"),
    "Pipeline": kind(
        "Pipeline",
        PipelineName="p",
        RoleArn=ROLE,
        PipelineDefinition={"PipelineDefinitionBody": json.dumps(DEFINITION)},
    ),
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def create(cloud: Cloud, name: str, resources: dict[str, Any], verb: str = "create") -> None:
    """Create or update a stack. Raises WaiterError with the reason."""
    client, text = cloud.client("cloudformation"), json.dumps({"Resources": resources})
    getattr(client, f"{verb}_stack")(StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
    waiter = client.get_waiter(f"stack_{verb}_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


def why(cloud: Cloud, name: str) -> dict[str, str]:
    """What failed in a stack, and the reason that CloudFormation gives."""
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return {event["LogicalResourceId"]: event.get("ResourceStatusReason", "") for event in failed}


def says_no(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> dict[str, str]:
    """A stack of everything, and what people made in it; the domain's id."""
    create(cloud, "all", RESOURCES)
    sagemaker = cloud.client("sagemaker")
    domain = sagemaker.list_domains()["Domains"][0]["DomainId"]
    space = {"DomainId": domain, "SpaceName": "s"}
    sagemaker.create_space(**space, OwnershipSettings={"OwnerUserProfileName": "p"})
    sagemaker.create_app(**space, AppType="JupyterLab", AppName="default")
    for _ in range(12):
        sagemaker.create_model_package(ModelPackageGroupName="g")
    sagemaker.start_pipeline_execution(PipelineName="p")
    return {"DomainId": domain}


def test_boto3_sees_what_cloudformation_made(cloud: Cloud, made: dict[str, str]) -> None:
    sagemaker = cloud.client("sagemaker")
    notebook = sagemaker.describe_notebook_instance(NotebookInstanceName="n")
    assert (notebook["NotebookInstanceStatus"], notebook["VolumeSizeInGB"]) == ("InService", 5)
    config = sagemaker.describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=notebook["NotebookInstanceLifecycleConfigName"]
    )
    assert config["OnStart"] == [{"Content": "eA=="}]
    assert json.loads(sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"]) == DEFINITION
    profile = sagemaker.describe_user_profile(**made, UserProfileName="p")
    assert profile["UserProfileArn"] == arn("sagemaker", f"user-profile/{made['DomainId']}/p")


def test_what_is_in_use_is_deleted_neither_by_the_api_nor_by_cloudformation(cloud: Cloud, made: dict[str, str]) -> None:
    sagemaker = cloud.client("sagemaker")
    assert says_no(sagemaker.delete_domain, **made) == "ResourceInUse"
    assert says_no(sagemaker.delete_user_profile, **made, UserProfileName="p") == "ResourceInUse"
    assert says_no(sagemaker.delete_space, **made, SpaceName="s") == "ResourceInUse"
    assert says_no(sagemaker.delete_notebook_instance, NotebookInstanceName="n") == "ValidationException"
    assert says_no(sagemaker.delete_model_package_group, ModelPackageGroupName="g") == "ConflictException"
    assert says_no(sagemaker.delete_pipeline, PipelineName="p", ClientRequestToken="x" * 32) == "ConflictException"
    client = cloud.client("cloudformation")
    client.delete_stack(StackName="all")
    with pytest.raises(WaiterError):
        client.get_waiter("stack_delete_complete").wait(StackName="all", WaiterConfig={"Delay": 0.1})
    assert set(why(cloud, "all")) >= {"Domain", "Profile", "Notebook", "Registry", "Pipeline"}
    assert sagemaker.list_domains()["Domains"]


def test_lists_come_in_pages_of_what_there_is(cloud: Cloud, made: dict[str, str]) -> None:
    sagemaker = cloud.client("sagemaker")
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="g")["ModelPackageSummaryList"]) == 10
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName="g")
    assert len([package for page in pages for package in page["ModelPackageSummaryList"]]) == 12
    assert says_no(sagemaker.list_model_packages, ModelPackageGroupName="other") == "ValidationException"
    assert sagemaker.list_spaces(DomainIdEquals="d-other")["Spaces"] == []


def test_what_is_closed_goes_and_a_deleted_app_stays_listed(cloud: Cloud, made: dict[str, str]) -> None:
    sagemaker = cloud.client("sagemaker")
    app = {**made, "SpaceName": "s", "AppType": "JupyterLab", "AppName": "default"}

    def status() -> Any:
        return sagemaker.describe_app(**app)["Status"]

    assert eventually(lambda: status() == "InService")
    sagemaker.delete_app(**app)
    assert status() == "Deleting"
    assert eventually(lambda: status() == "Deleted")
    sagemaker.delete_space(**made, SpaceName="s")
    assert eventually(lambda: sagemaker.list_spaces(DomainIdEquals=made["DomainId"])["Spaces"] == [])
    assert [one["Status"] for one in sagemaker.list_apps()["Apps"]] == ["Deleted"]
    sagemaker.stop_notebook_instance(NotebookInstanceName="n")
    assert says_no(sagemaker.delete_notebook_instance, NotebookInstanceName="n") == "ValidationException"
    assert says_no(sagemaker.describe_notebook_instance, NotebookInstanceName="other") == "ValidationException"


def test_an_execution_starts_once_for_a_token_and_only_with_parameters_that_there_are(cloud: Cloud, made: Any) -> None:
    start = cloud.client("sagemaker").start_pipeline_execution
    once, again = (start(PipelineName="p", ClientRequestToken="t" * 32)["PipelineExecutionArn"] for _ in range(2))
    assert once == again
    wrong = [{"Name": "Forms", "Value": "x"}]
    assert says_no(start, PipelineName="p", PipelineParameters=wrong) == "ValidationException"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (kind("ModelPackageGroup", ModelPackageGroupName="x", Colour="red"), "extraneous key [Colour]"),
        (kind("Domain", DomainName="x"), "required key [AuthMode, DefaultUserSettings]"),
        (kind("UserProfile", DomainId="d-other", UserProfileName="x"), "there is no Domain d-other"),
    ],
)
def test_a_template_that_the_service_would_not_take_fails(cloud: Cloud, resource: Any, reason: str) -> None:
    name = f"wrong-{len(reason)}"
    with pytest.raises(WaiterError):
        create(cloud, name, {"Wrong": resource})
    assert reason in why(cloud, name)["Wrong"]


def test_a_domain_with_its_own_file_system_leaves_that_behind(cloud: Cloud) -> None:
    before = cloud.client("efs").describe_file_systems()["FileSystems"]
    own = {**RESOURCES["Domain"]["Properties"], "HomeEfsFileSystemCreation": "Enabled", "DomainName": "own"}
    create(cloud, "own", {"Role": RESOURCES["Role"], "Domain": kind("Domain", **own)})
    cloud.client("cloudformation").delete_stack(StackName="own")
    waiter = cloud.client("cloudformation").get_waiter("stack_delete_complete")
    waiter.wait(StackName="own", WaiterConfig={"Delay": 0.1})
    assert len(cloud.client("efs").describe_file_systems()["FileSystems"]) == len(before) + 1


def test_an_update_in_place_changes_and_one_that_is_not_makes_another(cloud: Cloud) -> None:
    sagemaker = cloud.client("sagemaker")

    def with_(**properties: Any) -> dict[str, Any]:
        notebook = kind("NotebookInstance", RoleArn=ROLE, NotebookInstanceName="u", **properties)
        return {"Role": RESOURCES["Role"], "Notebook": notebook}

    create(cloud, "update", with_(InstanceType="ml.t3.medium"))
    create(cloud, "update", with_(InstanceType="ml.g4dn.xlarge"), verb="update")
    assert sagemaker.describe_notebook_instance(NotebookInstanceName="u")["InstanceType"] == "ml.g4dn.xlarge"
    renamed = with_(InstanceType="ml.g4dn.xlarge")
    renamed["Notebook"]["Properties"]["NotebookInstanceName"] = "v"
    sagemaker.stop_notebook_instance(NotebookInstanceName="u")

    def stopped() -> Any:
        return sagemaker.describe_notebook_instance(NotebookInstanceName="u")["NotebookInstanceStatus"]

    assert eventually(lambda: stopped() == "Stopped")
    create(cloud, "update", renamed, verb="update")
    names = [one["NotebookInstanceName"] for one in sagemaker.list_notebook_instances()["NotebookInstances"]]
    assert "v" in names
    assert "u" not in names


def test_iam_is_asked_for_the_action_the_role_that_is_handed_on_and_the_tags(cloud: Cloud) -> None:
    iam, passed = cloud.client("iam"), f"arn:aws:iam::{ACCOUNT}:role/somebody"
    iam.create_role(RoleName="who", AssumeRolePolicyDocument=json.dumps(TRUST))
    job = {
        "ProcessingJobName": "mine",
        "RoleArn": passed,
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
        },
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    mine = arn("sagemaker", "processing-job/mine")
    grants: list[dict[str, Any]] = [
        {"Action": "sagemaker:CreateProcessingJob", "Resource": mine},
        {"Action": "iam:PassRole", "Resource": passed},
        {"Action": "sagemaker:AddTags", "Resource": mine},
    ]
    grants[1]["Condition"] = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    person = Person(cloud, "who")
    for number in range(len(grants)):
        assert person.does("sagemaker", "create_processing_job", **job) == "AccessDeniedException"
        given = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in grants[: number + 1]]}
        iam.put_role_policy(RoleName="who", PolicyName="own", PolicyDocument=json.dumps(given))
    assert person.does("sagemaker", "create_processing_job", **job)["ProcessingJobArn"] == mine
    other = {**job, "ProcessingJobName": "other"}
    assert person.does("sagemaker", "create_processing_job", **other) == "AccessDeniedException"


def test_a_quota_is_asked_for_once_while_a_request_is_open(cloud: Cloud) -> None:
    quotas = cloud.client("service-quotas")

    def found(operation: str) -> dict[str, Any]:
        pages = quotas.get_paginator(operation).paginate(ServiceCode="sagemaker")
        return {one["QuotaName"]: one for page in pages for one in page["Quotas"]}

    name = "ml.g4dn.xlarge for training job usage"
    assert name not in found("list_service_quotas")  # was never applied to this account
    wanted = found("list_aws_default_service_quotas")[name]
    assert wanted["Value"] == 0
    ask = {"ServiceCode": "sagemaker", "QuotaCode": wanted["QuotaCode"], "DesiredValue": 1}
    assert quotas.request_service_quota_increase(**ask)["RequestedQuota"]["Status"] == "PENDING"
    assert says_no(quotas.request_service_quota_increase, **ask) == "ResourceAlreadyExistsException"
    assert "AWSServiceRoleForServiceQuotas" in [one["RoleName"] for one in cloud.client("iam").list_roles()["Roles"]]
    assert says_no(quotas.get_service_quota, ServiceCode="sagemaker", QuotaCode="L-0") == "NoSuchResourceException"


def test_a_grant_that_nothing_that_was_done_needs_is_found() -> None:
    bucket = "arn:aws:s3:::b"
    listing = {"StringLike": {"s3:prefix": ["in/*", "out/*"]}}
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [f"{bucket}/in/*", f"{bucket}/out/*"],
        },
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": listing},
    ]
    done: list[tuple[str, str, str, dict[str, Any]]] = [
        ("role", "s3:GetObject", f"{bucket}/in/a", {}),
        ("role", "s3:PutObject", f"{bucket}/out/a", {}),
        ("role", "s3:ListBucket", bucket, {"s3:prefix": "in/"}),
    ]
    assert not_needed({"role": {"Version": "2012-10-17", "Statement": statements}}, done) == [
        f"role: s3:GetObject on {bucket}/out/*",
        f"role: s3:PutObject on {bucket}/in/*",
        "role: s3:ListBucket where s3:prefix is out/*",
    ]
