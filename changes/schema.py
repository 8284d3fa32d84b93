"""A type of resource goes in; which of its properties CloudFormation cannot change in place comes out.

From the schemas of the resource providers that ship with cfn-lint, so that nobody keeps a list.
"""

from functools import cache
from typing import Any

from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

_REGION = "us-east-1"


@cache
def _schema(kind: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    except ResourceNotFoundError:
        return {}
    return found


@cache
def replacing(kind: str) -> tuple[tuple[str, bool], ...]:
    """Dotted paths of properties whose change replaces the resource, `*` for any place in a list; False: perhaps."""
    schema = _schema(kind)
    return tuple(
        (pointer.removeprefix("/properties/").replace("/properties/", "/").replace("/", "."), certain)
        for key, certain in (("createOnlyProperties", True), ("conditionalCreateOnlyProperties", False))
        for pointer in schema.get(key) or ()
    )


@cache
def unordered(kind: str, name: str) -> bool:
    """Whether the order in a list does not matter."""
    return _schema(kind).get("properties", {}).get(name, {}).get("insertionOrder") is False
