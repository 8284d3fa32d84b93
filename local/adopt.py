"""What the emulator's CloudFormation trips over: a bucket that a change set imports has its name already.

With ImportExistingResources it plans the import as AWS does, but executing it fails, because the check for names that
are taken knows only the buckets that the stack has, not those that it is about to take up.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services.cloudformation import changesets, stacks

from local.strict import swap


def install() -> None:
    """Have a change set take up the buckets that it imports; every other name that is taken is refused as before.

    Raises AttributeError, naming it, when something that is replaced here no longer exists.
    """
    taken_up: ContextVar[frozenset[str]] = ContextVar("taken_up", default=frozenset())

    def remember(execute: Callable[..., Any]) -> Callable[..., Any]:
        async def importing(*args: Any, imports: dict[str, dict[str, str]] | None = None, **kwargs: Any) -> None:
            # Each change set is executed in a task, and so in a context, of its own.
            names = (identifier.get("BucketName") for identifier in (imports or {}).values())
            taken_up.set(frozenset(name for name in names if name))
            await execute(*args, imports=imports, **kwargs)

        return importing

    def exempt(check: Callable[..., Any]) -> Callable[..., Any]:
        def importing(*args: Any) -> Any:
            *checked, owned = args
            return check(*checked, owned | taken_up.get())

        return importing

    swap(changesets, "_deploy_stack_async", remember)
    swap(stacks, "_validation_errors", exempt)
