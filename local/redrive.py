"""What the emulator's SQS lacks: moving messages out of a dead-letter queue, back to where they came from.

StartMessageMoveTask and ListMessageMoveTasks as AWS documents them; a task is finished when it is answered.
"""

import json
import time
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import sqs

_tasks: list[dict[str, Any]] = []


def install() -> None:
    """Add the two actions."""
    sqs._HANDLERS.update({"StartMessageMoveTask": _start, "ListMessageMoveTasks": _list})


def _start(request: dict[str, Any], _: str) -> dict[str, Any]:
    arn = request["SourceArn"]
    letters = sqs._queue_by_arn(arn)
    if letters is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for SourceArn doesn't exist.", 404)
    if not any(_dead_letter_queue(queue) == arn for queue in sqs._queues.values()):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    now = time.time()
    with sqs._queues_lock:
        moving = [message for message in letters["messages"] if message["visible_at"] <= now]
        for message in moving:
            origin = request.get("DestinationArn") or message["sys"]["DeadLetterQueueSourceArn"]
            letters["messages"].remove(message)
            # To its queue it is a new message: without this it would go straight back to the dead letters.
            message |= {"receive_count": 0, "first_receive_at": None, "receipt_handle": None}
            sqs._queue_by_arn(origin)["messages"].append(message)
    esm_wake.set()
    task = {"TaskHandle": f"{arn}/{len(_tasks)}", "SourceArn": arn, "Status": "COMPLETED"}
    _tasks.append({**task, "ApproximateNumberOfMessagesMoved": len(moving), "StartedTimestamp": int(now * 1000)})
    return {"TaskHandle": task["TaskHandle"]}


def _list(request: dict[str, Any], _: str) -> dict[str, Any]:
    of_queue = [task for task in reversed(_tasks) if task["SourceArn"] == request["SourceArn"]]
    return {"Results": of_queue[: request.get("MaxResults", 1)]}


def _dead_letter_queue(queue: dict[str, Any]) -> str | None:
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    return str(policy["deadLetterTargetArn"]) if policy else None
