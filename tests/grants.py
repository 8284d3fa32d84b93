"""The policies of a deployed stage come apart into single grants; each is taken away once, and what broke is looked at.

A grant is one action on one resource under one value of a condition: what a line in a stack gives, and what could be
taken out of it without anybody noticing, unless a request that was made needs it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from local.cloud import Cloud
from local.replay import Document, Request, denied


def policies(cloud: Cloud, prefix: str) -> dict[str, Document]:
    """What the roles whose names begin so may do, by role: all their policies in one document."""
    iam = cloud.client("iam")
    roles = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    found: dict[str, Document] = {}
    for role in (role for role in roles if role.startswith(prefix)):
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        statements: list[Any] = []
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            statements += (json.loads(unquote(document)) if isinstance(document, str) else document)["Statement"]
        found[role] = {"Version": "2012-10-17", "Statement": statements}
    return found


def without_one(document: Document) -> Iterator[tuple[str, Document]]:
    """Every document that lacks one grant, with that grant in words."""
    for at, statement in enumerate(document["Statement"]):
        assert statement["Effect"] == "Allow"
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                rest = [one for one in _apart(statement) if (one["Action"], one["Resource"]) != (action, resource)]
                yield f"{action} on {resource}", _with(document, at, rest)
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                for value in _listed(values) if len(_listed(values)) > 1 else ():
                    less = deepcopy(statement)
                    less["Condition"][operator][key] = [one for one in values if one != value]
                    yield f"{statement['Action']} where {key} is {value}", _with(document, at, [less])


def not_needed(documents: dict[str, Document], requests: list[tuple[str, str, str, dict[str, Any]]]) -> list[str]:
    """The grants, as `role: action on resource`, without which each of the requests would still have been allowed."""
    made: dict[str, list[Request]] = defaultdict(list)
    for role, action, resource, keys in requests:
        made[role].append((action, resource, keys))
    refused = denied([([documents[role]], made[role]) for role in documents])
    assert not any(refused), refused
    mutants = [(role, grant, less) for role in documents for grant, less in without_one(documents[role])]
    assert mutants
    broken = denied([([less], made[role]) for role, _, less in mutants])
    return [f"{role}: {grant}" for (role, grant, _), lost in zip(mutants, broken, strict=True) if not lost]


def _apart(statement: dict[str, Any]) -> list[dict[str, Any]]:
    pairs = [(action, arn) for action in _listed(statement["Action"]) for arn in _listed(statement["Resource"])]
    return [{**statement, "Action": action, "Resource": arn} for action, arn in pairs]


def _with(document: Document, at: int, statements: list[dict[str, Any]]) -> Document:
    every = document["Statement"]
    return {**document, "Statement": [*every[:at], *statements, *every[at + 1 :]]}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
