"""The process environment goes in; what a function was deployed with comes out, checked when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """What the stacks tell a function."""

    bucket: str
    code: str
    """Digest of the code that runs; empty where nothing depends on it."""


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Raises RuntimeError at cold start, not at the first scan, if a variable is missing."""
    bucket = variables.get("BUCKET", "")
    if not bucket.startswith("deeplens-sagemaker-"):
        raise RuntimeError(f"BUCKET must name the deeplens-sagemaker bucket, it is {bucket!r}")
    return Environment(bucket, variables.get("CODE", ""))
