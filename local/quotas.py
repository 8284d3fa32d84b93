"""Service Quotas of SageMaker: what a new account has, and requests for more, which nobody here decides on.

The first request makes the role with which Service Quotas opens the case, as on AWS: it is the account's, and stays.
"""

import hashlib
import time

from ministack.core.responses import get_account_id
from ministack.services import iam

from local.kinds import Record, Refused, arn
from local.served import Check, Service

# Named here, so that the cloud does not start without them.
roles, make_role = iam._roles, iam._create_service_linked_role
ROLE, CALLER = "AWSServiceRoleForServiceQuotas", "servicequotas.amazonaws.com"
EMULATED = "AWSServiceRoleForServicequotas"
"""What the emulator calls that role."""
OPEN = ("PENDING", "CASE_OPENED")
MISSING = ("NoSuchResourceException", "The request failed because the specified service quota does not exist.")
VALUES = {
    f"{instance} for {usage} usage": float(value)
    for instance, value in {"ml.t3.medium": 2, "ml.m5.xlarge": 4, "ml.g4dn.xlarge": 0, "ml.g5.xlarge": 0}.items()
    for usage in ("training job", "processing job", "notebook instance", "endpoint", "spot training job")
}
"""What an account has that never asked for more."""


def _quota(name: str, value: float) -> Record:
    code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
    quota = {"ServiceCode": "sagemaker", "QuotaCode": code, "QuotaName": name, "Value": value, "Adjustable": True}
    return {**quota, "ServiceName": "Amazon SageMaker", "QuotaArn": arn("servicequotas", f"sagemaker/{code}")}


def _named(asked: Record) -> Record:
    for name, value in VALUES.items():
        quota = _quota(name, value)
        if quota["QuotaCode"] == asked["QuotaCode"]:
            return quota
    raise Refused(*MISSING)


def _applied(asked: Record) -> Record:
    """Values that were applied to the account: what it never had of, is among the defaults alone."""
    return _page(asked, {name: value for name, value in VALUES.items() if value})


def _page(asked: Record, values: dict[str, float]) -> Record:
    every = [_quota(name, value) for name, value in values.items()] if asked["ServiceCode"] == "sagemaker" else []
    start, size = int(asked.get("NextToken", 0)), int(asked.get("MaxResults", 10))
    more = {"NextToken": str(start + size)} if start + size < len(every) else {}
    return {"Quotas": every[start : start + size], **more}


REQUESTS: list[Record] = []


def _request(asked: Record) -> Record:
    quota = _named(asked)
    if any(one["QuotaCode"] == quota["QuotaCode"] and one["Status"] in OPEN for one in REQUESTS):
        raise Refused("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed")
    if asked["DesiredValue"] <= quota["Value"]:
        raise Refused("IllegalArgumentException", "The desired value is not more than the current one")
    if not roles.get(ROLE):
        make_role({"AWSServiceName": CALLER})
        made = roles.pop(EMULATED)
        roles[ROLE] = {**made, "RoleName": ROLE, "Arn": made["Arn"].replace(EMULATED, ROLE)}
    told = {key: quota[key] for key in ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName", "QuotaArn")}
    request = {"Id": f"{len(REQUESTS):032}", "Status": "PENDING", "DesiredValue": asked["DesiredValue"]}
    REQUESTS.append({**told, **request, "Created": time.time()})
    return {"RequestedQuota": REQUESTS[-1]}


def _requested(asked: Record) -> Record:
    return {
        "RequestedQuotas": [one for one in REQUESTS if one["QuotaCode"] == asked.get("QuotaCode", one["QuotaCode"])]
    }


def _also(operation: str, asked: Record) -> list[Check]:
    if operation != "RequestServiceQuotaIncrease" or roles.get(ROLE):
        return []
    made = f"arn:aws:iam::{get_account_id()}:role/aws-service-role/{CALLER}/{ROLE}"
    return [("iam:CreateServiceLinkedRole", made, {"iam:AWSServiceName": CALLER})]


SERVICE = Service(
    "service-quotas",
    "servicequotas",
    kinds=(),
    does={
        "ListServiceQuotas": _applied,
        "ListAWSDefaultServiceQuotas": lambda asked: _page(asked, VALUES),
        "GetServiceQuota": lambda asked: {"Quota": _named(asked)},
        "RequestServiceQuotaIncrease": _request,
        "ListRequestedServiceQuotaChangeHistory": _requested,
        "ListRequestedServiceQuotaChangeHistoryByQuota": _requested,
    },
    on={
        "RequestServiceQuotaIncrease": lambda asked: [
            arn("servicequotas", f"{asked['ServiceCode']}/{asked['QuotaCode']}")
        ]
    },
    also=_also,
)
