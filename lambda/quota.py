"""CloudFormation's custom resource requests go in; quotas that are too low are asked to be raised, once.

AWS decides in hours or days. Nothing here waits for it, and nothing that goes wrong here fails a deploy: the answer is
always a success, with what became of each quota, in the log and in the stack's output. A quota is found by its name:
its code is not the same in every region. The quota stays as it is when the stack goes.
"""

import logging
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from answer import respond

SERVICE = "sagemaker"
OPEN = ("PENDING", "CASE_OPENED")
REFUSED = ("DENIED", "NOT_APPROVED", "INVALID_REQUEST")
ASKED_BEFORE = "ResourceAlreadyExistsException"
MOST_SAID = 3000
"""Characters of the output: CloudFormation takes an answer of 4 KB."""

logger = logging.getLogger()
logger.setLevel(logging.INFO)
# All of it is over in a minute, whatever hangs: the function has two.
config = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=10)
quotas = boto3.client("service-quotas", config=config)


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer at once, and always with success."""
    properties = event["ResourceProperties"]
    said = []
    if event["RequestType"] != "Delete":
        try:
            wanted = {str(name): float(value) for name, value in properties["Wanted"].items()}
            said = [f"{name}: {state}" for name, state in raise_quotas(quotas, wanted).items()]
        except Exception as error:
            logger.exception("the quotas were not asked for")
            said = [f"not asked for: {type(error).__name__}: {error}"]
        for line in said:
            logger.info(line)
    id = event.get("PhysicalResourceId", f"quotas/{SERVICE}")
    answer = {"Status": "SUCCESS", "PhysicalResourceId": id, "Data": {"Said": "; ".join(said)[:MOST_SAID] or "-"}}
    respond(event, answer)


def raise_quotas(quotas: Any, wanted: dict[str, float]) -> dict[str, str]:
    """Ask for each quota that is below its wanted value; returns what became of each, by name."""
    found = named(quotas, set(wanted))
    return {name: _raised(quotas, found.get(name), value) for name, value in wanted.items()}


def named(quotas: Any, names: set[str]) -> dict[str, dict[str, Any]]:
    """The quotas of these names, with the value that holds; one that the account never changed has AWS' own."""
    found: dict[str, dict[str, Any]] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        if names <= set(found):
            break
        for page in quotas.get_paginator(operation).paginate(ServiceCode=SERVICE):
            for quota in page["Quotas"]:
                if quota["QuotaName"] in names:
                    found.setdefault(quota["QuotaName"], quota)
    return found


def _raised(quotas: Any, quota: dict[str, Any] | None, wanted: float) -> str:
    if quota is None:
        return "no quota of this name in this region"
    if quota["Value"] >= wanted:
        return f"granted, {quota['Value']:g}"
    try:
        asked = _asked(quotas, quota["QuotaCode"])
        if any(request["Status"] in OPEN for request in asked):
            return "pending"
        # what AWS has refused is not asked for again at each deploy; another value is another question
        if any(request["Status"] in REFUSED and request["DesiredValue"] == wanted for request in asked):
            return "denied; write to AWS Support, or set another value"
        quotas.request_service_quota_increase(ServiceCode=SERVICE, QuotaCode=quota["QuotaCode"], DesiredValue=wanted)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return (
            "pending" if code == ASKED_BEFORE else f"not asked for: {code} {error.response['Error'].get('Message', '')}"
        )
    except BotoCoreError as error:
        return f"not asked for: {error}"
    return f"requested, {wanted:g}"


def _asked(quotas: Any, code: str) -> list[dict[str, Any]]:
    pages = quotas.get_paginator("list_requested_service_quota_change_history_by_quota").paginate(
        ServiceCode=SERVICE, QuotaCode=code
    )
    return [request for page in pages for request in page["RequestedQuotas"]]
