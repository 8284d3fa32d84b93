"""AWS as boto3's own models describe it, answering from a table: what is asked and what is answered must fit them."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.validate import validate_parameters

from formlens.account.session import Account

Answer = dict[str, Any] | str | Callable[[dict[str, Any]], Any]
"""A response, the code of an error, or what gives one of these for the parameters of a call."""
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/operator"}


class Aws:
    """A session: `answers` by `service.Operation`; what was asked is in `calls`."""

    def __init__(self, region: str = "eu-central-1", **answers: Answer) -> None:
        self.region_name = region
        self.answers = {"sts.GetCallerIdentity": IDENTITY} | {k.replace("__", "."): v for k, v in answers.items()}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def get_available_regions(self, service: str) -> list[str]:
        return ["eu-central-1", "us-east-1"]

    def client(self, service: str, config: Any = None) -> Any:
        session: Any = boto3.session.Session("AKIATEST", "none", region_name=self.region_name)
        client = session.client(service)
        asked = threading.local()
        client.meta.events.register("before-parameter-build", lambda params, **_: setattr(asked, "now", dict(params)))
        client.meta.events.register("before-call", lambda model, **_: self._answer(service, model, asked.now))
        return client

    def _answer(self, service: str, model: Any, params: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        name = f"{service}.{model.name}"
        self.calls.append((name, params))
        answer: Any = self.answers.get(name, "AccessDenied")
        answer = answer(params) if callable(answer) else answer
        if isinstance(answer, str):
            error = {"Error": {"Code": answer, "Message": "said no"}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=400), error
        report = dict(answer)
        body = report.pop("Body", None)
        if model.output_shape is not None:
            validate_parameters(report, model.output_shape)
        return SimpleNamespace(status_code=200), report | ({"Body": body} if body is not None else {})


def account(aws: Aws, stage: str = "dev") -> Account:
    return Account(stage, aws)
