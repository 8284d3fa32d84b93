"""A table of kinds goes in; boto3 can call the service: as root, or with what the role of a function may do.

Create, Describe, Get, List, Update and Delete follow from the table; what else a service can do is a function in
`Service.does`. What neither has is answered by the emulator, where that has the service.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import OperationModel
from ministack import app
from ministack.core import iam_actions

from local import declared
from local.kinds import Kind, Record, Refused
from local.shapes import answer, called

Check = tuple[str, str, Record]
"""An action, the ARN that it is done to, and the request's own condition keys."""
PAGE = 10
"""Entries of a list for which nobody said how many: few, so that who does not turn pages is found out."""


@dataclass(frozen=True)
class Service:
    """What a service has and does."""

    name: str
    """As boto3 calls it."""
    signed: str
    """As requests to it are signed, and as the emulator routes them."""
    kinds: tuple[Kind, ...]
    iam: str = ""
    """What its actions begin with; as a rule the name that it signs with."""
    does: Mapping[str, Callable[[Record], Record | None]] = field(default_factory=dict)
    """Operations that do not follow from the table."""
    on: Mapping[str, Callable[[Record], list[str]]] = field(default_factory=dict)
    """ARNs that an operation is done to, where that is not the one thing that its arguments name."""
    also: Callable[[str, Record], list[Check]] = lambda operation, asked: []
    """What else who calls must be allowed."""


def install(service: Service) -> None:
    """Add a service to the emulator, or to what the emulator has of it.

    Raises AttributeError or KeyError, naming it, when something that is used here no longer exists.
    """
    route, before = app.detect_service, app.SERVICE_HANDLERS.get(service.signed)
    enforce, checked = app._enforce_data_plane, service.signed in iam_actions.SERVICE_TO_IAM_NAMESPACE

    def detect(method: str, path: str, headers: Mapping[str, str], query: Any) -> str:
        signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
        found: str = route(method, path, headers, query)
        return service.signed if signed and signed.group(1) == service.signed else found

    async def handle(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        operation, asked = called(service.name, method, path, headers, body, query)
        does = _function(service, operation) if operation else None
        if operation is None or does is None:
            if before:
                return await before(method, path, headers, body, query)
            return _error(
                501, "NotImplemented", f"{service.name} {operation.name if operation else path}: not modelled"
            )
        for action, resource, keys in [] if checked else _checks(service, operation.name, asked):
            denied = enforce(service.signed, action, headers, query, "", resource_arn=resource, service_context=keys)
            if denied:
                return denied
        try:
            # Not in the server's own thread: what is done may call the server.
            done = await asyncio.to_thread(does, asked) or {}
        except Refused as refused:
            return _error(400, refused.code, str(refused))
        return 200, {"Content-Type": "application/json"}, answer(done, operation.output_shape)

    app.SERVICE_HANDLERS[service.signed] = handle
    if not before:
        app.detect_service = detect
    declared.install(service.name, service.kinds)


def _error(status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def _function(service: Service, operation: OperationModel) -> Callable[[Record], Record | None] | None:
    if operation.name in service.does:
        return service.does[operation.name]
    verb, kind = _kind(service, operation.name)
    if kind is None:
        return None
    functions: dict[str, Callable[[Record], Record | None]] = {
        "Create": kind.create,
        "Describe": kind.find,
        "Get": kind.find,
        "List": lambda asked: listed(kind, operation, asked),
        "Update": kind.update,
        "Delete": lambda asked: kind.delete(asked),
    }
    return functions.get(verb)


def _kind(service: Service, operation: str) -> tuple[str, Kind | None]:
    match = re.fullmatch(r"(Create|Describe|Get|List|Update|Delete|Start|Stop)(\w+)", operation)
    verb, noun = match.groups() if match else ("", "")
    return verb, next(
        (kind for kind in service.kinds if noun in (kind.noun, *[f"{kind.noun}s"] * (verb == "List"))), None
    )


def listed(kind: Kind, operation: OperationModel, asked: Record) -> Record:
    """One page of those that the arguments leave over: `DomainIdEquals` and `DomainId` both say which domain."""
    if kind.within:
        kind.within.find(asked)
    shape: Any = operation.output_shape
    entries = next(name for name, member in shape.members.items() if member.type_name == "list")
    token = next((name for name in shape.members if name.lower().endswith("token")), "NextToken")
    members = {name.removesuffix("Equals"): value for name, value in asked.items() if isinstance(value, str)}
    every = [one for one in kind.all() if all(one.get(n, value) == value for n, value in members.items() if n != token)]
    start, size = int(asked.get(token) or 0), int(asked.get("MaxResults") or asked.get("maxResults") or PAGE)
    more = {token: str(start + size)} if start + size < len(every) else {}
    page = every[start : start + size]
    names = shape.members[entries].member.type_name == "string"
    return {entries: [kind.name(one)[-1] for one in page] if names else page, **more}


def _checks(service: Service, operation: str, asked: Record) -> list[Check]:
    """What must be allowed: the operation on what it is done to, and what that takes besides."""
    if operation in service.on:
        resources = service.on[operation](asked)
    else:
        verb, kind = _kind(service, operation)
        one = kind.within if kind and verb == "List" else kind
        resources = [one.arn_of(asked) if one else "*"]
    action = f"{service.iam or service.signed}:{operation}"
    return [*((action, resource, {}) for resource in resources), *service.also(operation, asked)]
