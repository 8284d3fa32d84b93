"""A function's log is written with its role, as on AWS; the emulator wrote it whatever the role might.

So a role without leave to write has no log, and a group that went with its stack is not made again by the function's
last line: for that its role would need `logs:CreateLogGroup`, which none of ours has.
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, lambda_svc

from local.strict import Function, swap


def install() -> None:
    """Ask IAM before a line is logged. Raises AttributeError when something that is used here no longer exists."""
    policies, groups = iam_evaluator._gather_role_policies, cloudwatch_logs._log_groups

    def may(function: dict[str, Any], action: str, group: str) -> bool:
        account, region = get_account_id(), get_region()
        role = function["Role"].rpartition("/")[2]
        asked = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{role}/{function['FunctionName']}",
            principal_type="AssumedRole",
            principal_account=account,
            action=f"logs:{action}",
            resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:stream",
            region=region,
        )
        return bool(iam_evaluator.evaluate(asked, policies(role, account)).decision == "Allow")

    def wrap(emit: Function) -> Function:
        def asking(function: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            config = function.get("config") or function
            group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
            takes = ["CreateLogStream", "PutLogEvents", *["CreateLogGroup"] * (group not in groups)]
            if all(may(config, action, group) for action in takes):
                emit(function, *args, **kwargs)

        return asking

    swap(lambda_svc, "_emit_lambda_logs", wrap)
