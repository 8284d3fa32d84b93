"""CloudWatch tells EventBridge when an alarm changes its state, as on AWS; the emulator tells topics alone."""

import json
from typing import Any

from ministack.services import cloudwatch, eventbridge

from local.strict import Function, swap


def install() -> None:
    """Have every change of an alarm sent as an event. Raises AttributeError when there is nothing to hold on to."""
    put = eventbridge._put_events

    def wrap(dispatch: Function) -> Function:
        def telling(alarm: dict[str, Any], old: str, new: str, reason: str) -> Any:
            detail = {"alarmName": alarm["AlarmName"], "state": {"value": new, "reason": reason}}
            event = {"Source": "aws.cloudwatch", "DetailType": "CloudWatch Alarm State Change"}
            event["Detail"] = json.dumps(detail | {"previousState": {"value": old}})
            put({"Entries": [event]}, allow_aws_source=True)
            return dispatch(alarm, old, new, reason)

        return telling

    swap(cloudwatch, "_dispatch_alarm_actions", wrap)
