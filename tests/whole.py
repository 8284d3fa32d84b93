"""The stage dev with all its optional parts, on the embedded cloud; and who works in it, as their role lets them."""

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from formlens.manifest import NAME, part_of, write_manifest
from local import stage
from local.cdk import cdk
from local.cloud import ACCOUNT, REGION, Cloud, without_account
from stacks.bundle import layer_bundle
from stacks.settings import LOCAL

LABELS = 2
"""Corrections that start a training."""
APP = f"""
import runpy
from dataclasses import replace
from stacks.settings import DEV, LOCAL, STAGES, Camera, Notebook, Training
cameras = (Camera(name="hall", csr={{csr!r}}, form="intake", greengrass=True), Camera(name="till", account_key=1))
trained = Training(instance_count=2, spot=True, form="intake", schedule="rate(7 days)", new_labels={LABELS})
here = replace(DEV, python=LOCAL.python, camera_python=LOCAL.python, read=LOCAL.read, cameras=cameras)
STAGES["dev"] = replace(here, notebook=Notebook(), training=trained, mail="operator@example.com")
runpy.run_path("app.py")
"""
ROOT_OF_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass
class Whole:
    """The cloud, the assembly of the stage, and what there was before it."""

    cloud: Cloud
    assembly: Path
    before: set[str]
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        return self.outputs[stage.BUCKET]

    def left(self) -> set[str]:
        """What is there and was not before."""
        return stage.inventory(self.cloud) - self.before

    def function(self, stack: str, id: str) -> str:
        """The name of a function, by its stack and its id in it."""
        return self._one(stack, id, "AWS::Lambda::Function")

    def role(self, stack: str, id: str) -> str:
        """The name of a role, by its stack and its id in it."""
        return self._one(stack, f"{id}Role", "AWS::IAM::Role")

    def _one(self, stack: str, id: str, kind: str) -> str:
        listed = self.cloud.client("cloudformation").list_stack_resources(StackName=f"FormLens-dev-{stack}")
        (name,) = [
            one["PhysicalResourceId"]
            for one in listed["StackResourceSummaries"]
            if one["ResourceType"] == kind and one["LogicalResourceId"][:-8] == id
        ]
        return str(name)

    def put(self, key: str, data: bytes = b"x") -> None:
        """Put an object, as the account's root."""
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=data)

    def put_folder(self, folder: Path, form: str) -> None:
        """Put a labelled folder into the bucket, its manifest last, as `formlens upload` does."""
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        for name, data in files.items():
            self.put(f"training/{form}/{name}", data)
        self.put(f"training/{form}/{NAME}", write_manifest([part_of(name, data) for name, data in files.items()]))

    def read(self, key: str) -> Any:
        """The JSON of an object; None where there is none."""
        try:
            return json.loads(self.cloud.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """A cloud that is ready for the stage, and the stage's assembly."""
    layer_bundle(LOCAL.python)  # fetched here: in the cloud's environment nobody but the cloud is trusted
    assembly = folder / "assembly"
    app = f"python -c {shlex.quote(APP.format(csr=signing_request()))}"
    cdk(["synth", "--quiet", "--app", app, "-c", "stage=dev", "--output", str(assembly)], without_account())
    with Cloud() as cloud:
        stage.bootstrap(cloud)
        yield Whole(cloud, assembly, stage.inventory(cloud))


def signing_request() -> str:
    """What `formlens enroll` makes on a camera."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "formlens-dev-hall")])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


class Person:
    """Somebody with the credentials of a role: whatever is refused for want of a permission is remembered."""

    def __init__(self, cloud: Cloud, role: str) -> None:
        iam = cloud.client("iam")
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(ROOT_OF_ACCOUNT))
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        key = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="person")["Credentials"]
        # SageMaker alone may be this role: only for the tests somebody else was, for a moment
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
        self._cloud, self.refused = cloud, Counter[str]()
        self._key = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
            "aws_session_token": key["SessionToken"],
        }

    def does(self, service: str, operation: str, **arguments: Any) -> Any:
        """Call AWS. What the cloud does not have, though it was allowed, comes back as an error's code."""
        try:
            return getattr(self._cloud.client(service, **self._key), operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if "AccessDenied" in code:
                self.refused[f"{service}.{operation}"] += 1
            return code


def arn(service: str, resource: str) -> str:
    """An ARN of the account."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
