import json
from dataclasses import replace
from typing import Any

import pytest

from stacks.settings import DEV, PROD, Quota
from templates import EVERY, only, resources, statements, template

WITH = [stage for stage, name in EVERY if name == "Quota"]


def test_a_stage_without_quotas_has_no_trace_of_them() -> None:
    assert DEV.quota
    assert PROD.quota is None
    assert ("prod", "Quota") not in EVERY
    assert not any("quota" in json.dumps(template(stage, name)) for stage, name in EVERY if stage == "prod")


@pytest.mark.parametrize("retired", ["ml.p2.xlarge", "ml.p3.2xlarge"])
def test_a_retired_instance_is_refused_by_the_name_of_its_replacement(retired: str) -> None:
    with pytest.raises(ValueError, match=rf"{retired} is retired.*ml\.g4dn\.xlarge"):
        replace(DEV, quota=Quota(instance_types=("ml.g4dn.xlarge", retired)))


@pytest.mark.parametrize("stage", WITH)
def test_each_usage_of_each_instance_is_asked_for_by_name_and_nothing_waits(stage: str) -> None:
    raised = only(stage, "Quota", "Custom::RaiseQuotas")
    assert raised["Properties"]["Wanted"] == {
        "ml.g4dn.xlarge for training job usage": "1",
        "ml.g4dn.xlarge for processing job usage": "1",
        "ml.g4dn.xlarge for notebook instance usage": "1",
    }
    assert int(raised["Properties"]["ServiceTimeout"]) <= 300
    (policy,) = resources(stage, "Quota", "AWS::IAM::Policy")
    assert policy in raised["DependsOn"]


@pytest.mark.parametrize("stage", WITH)
def test_it_may_ask_for_quotas_of_sagemaker_and_nothing_else(stage: str) -> None:
    may: dict[str, Any] = {}
    for id, statement in statements(stage, "Quota"):
        if id.startswith("AskRoleDefault"):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            may |= dict.fromkeys(actions, statement)
    assert set(may) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "servicequotas:ListServiceQuotas",
        "servicequotas:ListAWSDefaultServiceQuotas",
        "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
        "servicequotas:RequestServiceQuotaIncrease",
        "iam:CreateServiceLinkedRole",
    }
    asked = may["servicequotas:RequestServiceQuotaIncrease"]["Resource"]["Fn::Join"][1]
    assert asked[-1] == ":sagemaker/*"
    linked = may["iam:CreateServiceLinkedRole"]
    assert linked["Condition"] == {"StringEquals": {"iam:AWSServiceName": "servicequotas.amazonaws.com"}}
    assert linked["Resource"]["Fn::Join"][1][-1].endswith("/AWSServiceRoleForServiceQuotas")
