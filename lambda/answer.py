"""The answer to a custom resource's request goes in; CloudFormation, which waits for it, is told."""

import json
from typing import Any
from urllib.request import Request, urlopen


def respond(event: dict[str, Any], answer: dict[str, Any]) -> None:
    """Send the answer to where the event says that it is waited for."""
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    data = json.dumps(answer | same).encode()
    with urlopen(Request(event["ResponseURL"], data, {"Content-Type": ""}, method="PUT"), timeout=30):  # noqa: S310
        pass
