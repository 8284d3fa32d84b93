"""AWS::Budgets::Budget: the emulator has budgets, but CloudFormation could not make one. It can now."""

import json
from typing import Any
from uuid import uuid4

from ministack.services import budgets
from ministack.services.cloudformation import provisioners

from local.kinds import Record


def install() -> None:
    """Add the type. Raises AttributeError when the emulator no longer has where to put it, or what it calls."""
    make, drop = budgets._create_budget, budgets._delete_budget

    def create(id: str, properties: Record, stack: str) -> tuple[str, Record]:
        name = properties["Budget"].get("BudgetName", f"{stack}-{id}-{uuid4().hex[:8]}")
        limit = {key: str(value) for key, value in properties["Budget"].get("BudgetLimit", {}).items()}
        _done(make({**properties, "Budget": {**properties["Budget"], "BudgetName": name, "BudgetLimit": limit}}))
        return name, {}

    def delete(physical_id: str, properties: Record) -> None:
        _done(drop({"BudgetName": physical_id}))

    # without an update: CloudFormation makes another
    provisioners._RESOURCE_HANDLERS["AWS::Budgets::Budget"] = {"create": create, "delete": delete}


def _done(answer: tuple[int, Any, bytes]) -> None:
    status, _, body = answer
    if status >= 300:
        raise ValueError(json.loads(body).get("message", body))
