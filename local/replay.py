"""Policies and requests go in, the requests that the policies do not allow come out; IAM decides as in the cloud.

`denied` runs it on the interpreter of the cloud's own environment: `python -m local.replay`, JSON in, JSON out.
"""

import json
import subprocess
import sys
from typing import Any

from local.install import ROOT, interpreter

Request = tuple[str, str, dict[str, Any]]
"""An action, the ARN that it is done to, and the condition keys."""
Document = dict[str, Any]


def denied(cases: list[tuple[list[Document], list[Request]]]) -> list[list[Request]]:
    """For each case, the requests that its policy documents do not allow."""
    done = subprocess.run(  # noqa: S603
        [interpreter(), "-m", "local.replay"],
        input=json.dumps(cases),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [[tuple(request) for request in case] for case in json.loads(done.stdout)]


def main() -> None:
    """Decide over every request of every case."""
    from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

    account, region, answers = "123456789012", "eu-west-1", []
    for documents, requests in json.load(sys.stdin):
        policies = [parse_policy_document(document) for document in documents]
        denied = []
        for action, resource, keys in requests:
            role = f"arn:aws:sts::{account}:assumed-role/role/session"
            asked = EvalContext(role, "AssumedRole", account, action, resource, region, service_context=keys)
            if evaluate(asked, policies).decision != "Allow":
                denied.append((action, resource, keys))
        answers.append(denied)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
