"""Instance types go in; a request for the quotas that they need comes out, when the stage is deployed.

A new account may run none of the instances with a GPU. Asking costs nothing, and AWS takes hours to answer.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.bundle import function_bundle
from stacks.function import python_function
from stacks.settings import Quota, Settings

SERVICE_ROLE = "servicequotas.amazonaws.com/AWSServiceRoleForServiceQuotas"


class QuotaStack(cdk.Stack):
    """Asks AWS once for each quota that is too low; waits for nothing and fails no deploy."""

    def __init__(self, scope: Construct, id: str, *, quota: Quota, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        ask = python_function(
            self,
            "Ask",
            handler="quota.handler",
            code=function_bundle("lambda/quota.py", "lambda/answer.py"),
            description="Asks for the quotas that training needs",
            settings=settings,
            memory_mb=256,
            timeout_s=120,
        )
        listed = iam.Grant.add_to_principal(
            grantee=ask,
            actions=[
                "servicequotas:ListServiceQuotas",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota",
            ],
            resource_arns=["*"],
        )
        asked = iam.Grant.add_to_principal(
            grantee=ask,
            actions=["servicequotas:RequestServiceQuotaIncrease"],
            resource_arns=[self.format_arn(service="servicequotas", resource="sagemaker", resource_name="*")],
        )
        # the first request of an account makes the role with which Service Quotas opens the case
        made = iam.Grant.add_to_principal(
            grantee=ask,
            actions=["iam:CreateServiceLinkedRole"],
            resource_arns=[
                self.format_arn(
                    service="iam", region="", resource="role", resource_name=f"aws-service-role/{SERVICE_ROLE}"
                )
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": "servicequotas.amazonaws.com"}},
        )
        raised = cdk.CustomResource(
            self,
            "Raised",
            service_token=ask.function_arn,
            resource_type="Custom::RaiseQuotas",
            service_timeout=cdk.Duration.minutes(5),
            properties={"Wanted": {name: str(quota.count) for name in quota.names}},
        )
        listed.combine(asked).combine(made).apply_before(raised)
        cdk.CfnOutput(self, "Quotas", value=raised.get_att_string("Said"))
