"""Handler files go in, functions come out that have `formlens/` beside them and its libraries as their layer."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from stacks.bundle import LAMBDA_LIMIT, function_bundle, layer_bundle
from stacks.function import code_of, python_function, runtime_of
from stacks.settings import Settings
from stacks.storage import StorageStack

SHARED = ("lambda/environment.py", "lambda/objects.py", "lambda/store.py")
ON_LAPTOPS = ("formlens/account/*", "formlens/cloud.py", "formlens/cli.py")
"""What no function opens: a change in it is no change of a function."""


class Libraries:
    """The layer of one stack. Each stack has its own, of the same bytes: an export of it could never change."""

    def __init__(self, stack: cdk.Stack, *, storage: StorageStack, settings: Settings) -> None:
        self._stack, self._storage, self._settings = stack, storage, settings
        # Tests that look at templates only set `aws:cdk:bundling-stacks` to none, as for any other bundling.
        self._bundle = (
            layer_bundle(settings.python) if stack.bundling_required else function_bundle("lambda/requirements.txt")
        )
        self._layer = lambda_.LayerVersion(
            stack,
            "Libraries",
            code=code_of(self._bundle),
            compatible_runtimes=[runtime_of(settings)],
            compatible_architectures=[lambda_.Architecture.X86_64],
            description="What the functions import: lambda/requirements.txt",
        )

    def function(
        self,
        id: str,
        *files: str,
        description: str,
        memory_mb: int,
        timeout_s: int,
        without: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> lambda_.Function:
        """A function whose handler is in the first of these files."""
        code = function_bundle(*files, *SHARED, packages=("formlens",), without=(*ON_LAPTOPS, *without))
        if (size := code.size + self._bundle.size) > LAMBDA_LIMIT:
            raise ValueError(f"{id} and its layer have {size:,} bytes, Lambda takes {LAMBDA_LIMIT:,}")
        return python_function(
            self._stack,
            id,
            handler=files[0].removeprefix("lambda/").replace(".py", ".handler"),
            code=code,
            description=description,
            settings=self._settings,
            memory_mb=memory_mb,
            timeout_s=timeout_s,
            layers=[self._layer],
            environment={
                "BUCKET": self._storage.bucket.bucket_name,
                "CODE": code.digest,
                "POWERTOOLS_SERVICE_NAME": id.lower(),
                "POWERTOOLS_METRICS_NAMESPACE": f"FormLens/{self._settings.stage}",
                **(environment or {}),
            },
        )
