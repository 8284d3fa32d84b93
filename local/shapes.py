"""botocore's own models of AWS' services: a request goes in, the called operation and its arguments come out.

What a service is sent and what it answers has the shapes that boto3 knows, so nothing here is typed off from a page.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

Values = dict[str, Any]


@cache
def model(service: str) -> ServiceModel:
    """The model of a service, by the name that boto3 has for it. Raises botocore's UnknownServiceError."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def called(
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> tuple[OperationModel | None, Values]:
    """The operation that a request calls, and its arguments by the names of its input; None: no such operation."""
    if target := headers.get("x-amz-target"):
        name = target.rpartition(".")[2]
        found = model(service).operation_model(name) if name in model(service).operation_names else None
        return found, fit(json.loads(body or b"{}"), found.input_shape) if found and found.input_shape else {}
    for operation, pattern in _routes(service):
        if operation.http["method"] == method and (match := pattern.fullmatch(path.rstrip("/"))):
            named = {name: unquote(value) for name, value in match.groupdict().items()}
            given = json.loads(body or b"{}") | {name: values[0] for name, values in query.items()} | named
            return operation, fit(given, operation.input_shape) if operation.input_shape else {}
    return None, {}


@cache
def _routes(service: str) -> list[tuple[OperationModel, re.Pattern[str]]]:
    """Every operation of a REST service with the paths that it answers, those without a blank to fill in first."""
    operations = [model(service).operation_model(name) for name in model(service).operation_names]
    routes = []
    for operation in sorted(operations, key=lambda one: one.http["requestUri"].count("{")):
        parts = re.split(r"\{(\w+)\+?\}", operation.http["requestUri"].partition("?")[0].rstrip("/"))
        pattern = "".join(f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        routes.append((operation, re.compile(pattern)))
    return routes


def fit(value: Any, shape: Any, *, blob: Callable[[Any], Any] = lambda value: base64.b64decode(value)) -> Any:
    """A value in a shape: members under the shape's own spelling, texts as the numbers they mean, the unknown left out.

    CloudFormation writes names with a capital and numbers as text. `blob` makes bytes of what stands for them.
    """
    match shape.type_name:
        case "structure":
            have = {name.lower(): one for name, one in value.items()} if isinstance(value, dict) else {}
            names = {name: shape.members[name].serialization.get("name", name) for name in shape.members}
            found = {name: have.get(name.lower(), have.get(sent.lower())) for name, sent in names.items()}
            return {n: fit(one, shape.members[n], blob=blob) for n, one in found.items() if one is not None}
        case "list":
            return [fit(one, shape.member, blob=blob) for one in (value if isinstance(value, list) else [value])]
        case "map":
            return {name: fit(one, shape.value, blob=blob) for name, one in value.items()}
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "string":
            return value if isinstance(value, str) else json.dumps(value)
        case "blob":
            return value if isinstance(value, bytes) else blob(value)
    return value


def answer(record: Values, shape: Any) -> Any:
    """The body of an answer: what of a record its shape has, as JSON."""
    return json.dumps(_sent(fit(record, shape), shape) if shape else {}).encode()


def _sent(value: Any, shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            members = shape.members
            return {members[n].serialization.get("name", n): _sent(one, members[n]) for n, one in value.items()}
        case "list":
            return [_sent(one, shape.member) for one in value]
        case "map":
            return {name: _sent(one, shape.value) for name, one in value.items()}
        case "blob":
            return base64.b64encode(value).decode()
    return value


def foreign(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """Members, as paths, that a shape does not have: a typing error, or a property of CloudFormation's alone."""
    if shape.type_name == "list" and isinstance(value, list):
        for one in value:
            yield from foreign(one, shape.member, path)
    if shape.type_name == "structure" and isinstance(value, dict):
        known = {name.lower(): member for name, member in shape.members.items()}
        for name, one in value.items():
            if name.lower() in known:
                yield from foreign(one, known[name.lower()], f"{path}{name}.")
            else:
                yield f"{path}{name}"


def lacking(value: Values, shape: Any) -> list[str]:
    """Members that a shape requires and that are not there, but for tokens, which a client makes up."""
    return [
        name
        for name in shape.required_members
        if name not in value and not shape.members[name].metadata.get("idempotencyToken")
    ]
