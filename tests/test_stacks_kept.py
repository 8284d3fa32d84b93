from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cdk import cdk
from local.cloud import ACCOUNT, REGION, Cloud
from local.stage import bootstrap
from stacks.bundle import layer_bundle
from stacks.settings import PROD

pytestmark = pytest.mark.cloud

BUCKET = f"deeplens-sagemaker-prod-{ACCOUNT}-{REGION}"
STACK = "FormLens-prod-Storage"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        bootstrap(cloud)
        yield cloud


def test_prod_keeps_its_bucket_and_a_later_deploy_takes_it_up_again(cloud: Cloud, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    layer_bundle(PROD.python)  # fetched here: in the cloud's environment nobody but the cloud is trusted
    cdk(["synth", "--quiet", "-c", "stage=prod", "--output", out], cloud.environment)
    deploy = ["deploy", "--app", out, STACK, "--require-approval", "never", "--import-existing-resources"]
    cdk(deploy, cloud.environment)
    s3 = cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="results/intake/kept.json", Body=b"{}")
    cdk(["destroy", "--app", out, STACK, "--force"], cloud.environment)
    assert s3.get_object(Bucket=BUCKET, Key="results/intake/kept.json")["Body"].read() == b"{}"

    # As far as the embedded cloud goes: it plans the import as AWS does, and then trips over the bucket's name.
    cdk([*deploy, "--method", "prepare-change-set", "--change-set-name", "again"], cloud.environment)
    planned = cloud.client("cloudformation").describe_change_set(StackName=STACK, ChangeSetName="again")["Changes"]
    changes = {c["ResourceChange"]["ResourceType"]: c["ResourceChange"] for c in planned}
    assert {kind: change["Action"] for kind, change in changes.items()} == {
        "AWS::S3::Bucket": "Import",
        "AWS::S3::BucketPolicy": "Add",
    }
    assert changes["AWS::S3::Bucket"]["PhysicalResourceId"] == BUCKET
