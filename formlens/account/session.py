"""A stage and the credentials of the environment go in; its bucket, clients, and errors in plain words come out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from formlens.types import CallError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, NoRegionError
except ImportError as error:
    raise CallError("this command speaks to AWS and needs boto3: pip install boto3") from error

_PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=32)


@dataclass(frozen=True)
class Account:
    """One stage of FormLens in the AWS account of the environment."""

    stage: str
    session: Any
    """A boto3 session with a region."""

    def client(self, service: str, **options: Any) -> Any:
        """A client that tries again where the line is bad."""
        return self.session.client(service, config=_PATIENT, **options)

    @property
    def region(self) -> str:
        """Where everything is."""
        return str(self.session.region_name)

    def bucket(self) -> str:
        """The stage's bucket, whose name follows from the account."""
        return f"deeplens-sagemaker-{self.stage}-{self.number()}-{self.region}"

    def number(self) -> str:
        """The account's twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])


def connect(stage: str, session: Any = None) -> Account:
    """The account of the environment's credentials and region. Raises CallError where no region is set."""
    # boto3 by itself knows AWS_DEFAULT_REGION alone, the CDK and every other SDK AWS_REGION
    session = session or boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise CallError("no AWS region is set: set AWS_REGION, for example to eu-central-1")
    return Account(stage, session)


@contextmanager
def explained(account: Account) -> Iterator[None]:
    """Say what AWS refuses in words with a cure: raises CallError in place of boto3's errors."""
    try:
        yield
    except NoRegionError as error:
        raise CallError("no AWS region is set: set AWS_REGION, for example to eu-central-1") from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallError(f"AWS in {account.region} cannot be reached: {error}") from error
    except ClientError as error:
        raise CallError(_in_words(error, account)) from error
    except BotoCoreError as error:
        raise CallError(f"no valid AWS credentials: {error}; set AWS_PROFILE, or run `aws configure`") from error


def _in_words(error: ClientError, account: Account) -> str:
    code, call = str(error.response["Error"].get("Code", "")), error.operation_name
    if code in ("NoSuchBucket", "404"):
        return f"stage {account.stage} is not in {account.region}: deploy it with make deploy STAGE={account.stage}"
    if "Expired" in code or code in ("InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch"):
        return f"AWS does not accept these credentials ({code}): sign in again"
    if "Denied" in code or code in ("403", "UnauthorizedOperation"):
        return f"AWS refuses {call} to these credentials: they need leave for it in stage {account.stage}"
    return f"AWS refuses {call}: {code} {error.response['Error'].get('Message', '')}".strip()
