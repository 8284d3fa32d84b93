"""What IAM let roles do, each thing once: `Cloud.allowed()` reads it back, one JSON a line.

So a test can ask which permission a stage would have failed without, after everything in it has run.
"""

import json
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from local.strict import Function, swap

FILE = "allowed.jsonl"


def install(folder: Path) -> None:
    """Write down, in a folder, whatever is allowed. Raises AttributeError when nobody is asked there any more."""
    seen: set[str] = set()

    def wrap(evaluate: Function) -> Function:
        def watched(asked: Any, *policies: Any) -> Any:
            result = evaluate(asked, *policies)
            if result.decision == "Allow" and ":assumed-role/" in asked.principal_arn:
                role = asked.principal_arn.split("/")[1]
                keys = {name: value for name, value in asked.service_context.items() if value}
                line = json.dumps([role, asked.action, asked.resource_arn, keys], sort_keys=True, default=str)
                if line not in seen:
                    seen.add(line)
                    with (folder / FILE).open("a") as written:
                        written.write(f"{line}\n")
            return result

        return watched

    swap(iam_evaluator, "evaluate", wrap)
