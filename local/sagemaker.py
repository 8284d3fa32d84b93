"""SageMaker as far as FormLens has it: the table of its kinds, what it does besides, and what IAM is asked for."""

from local import studio, training
from local.kinds import Record
from local.served import Check, Service


def _also(operation: str, asked: Record) -> list[Check]:
    """Whoever makes something with a role hands that role on, and whoever gives it tags, tags it."""
    checks: list[Check] = []
    makes = operation.startswith(("Create", "Update"))
    role = asked.get("RoleArn") or asked.get("DefaultUserSettings", {}).get("ExecutionRole")
    if makes and role:
        checks.append(("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"}))
    if makes and asked.get("Tags"):
        kind = next(kind for kind in SERVICE.kinds if operation.endswith(kind.noun))
        checks.append(("sagemaker:AddTags", kind.arn_of(asked), {}))
    return checks


SERVICE = Service(
    "sagemaker",
    "sagemaker",
    kinds=studio.KINDS + training.KINDS,
    does=studio.DOES | training.DOES,
    on=training.ON,
    also=_also,
)
