"""The changes of a stack go in; what costs more at rest comes out."""

from collections.abc import Iterator

from changes.compare import Change
from changes.finding import Finding, Matter, code
from changes.prices import cost_of
from changes.values import plain


def dearer(changes: list[Change]) -> Iterator[Finding]:
    """A line for each resource that is new and costs, costs more than before, or no longer stops by itself."""
    for change in changes:
        yield from (Finding(Matter.COST, change.stack, line) for line in _goes_on(change))
        was = cost_of(change.before) if change.before else None
        now = cost_of(change.after) if change.after and not (change.moved and not change.before) else None
        if now is None or (was is not None and was.usd is not None and now.usd is not None and now.usd <= was.usd):
            continue
        if was is not None and was == now:
            continue
        before = f", before {was.usd:.2f}" if was is not None and was.usd is not None else ""
        usd = "an unknown sum" if now.usd is None else f"{now.usd:.2f} USD"
        kind = "new " if was is None else ""
        yield Finding(
            Matter.COST,
            change.stack,
            f"{kind}{code(change.id)} ({code(change.kind)}): {usd} a month{before}; {code(now.why)}",
        )


def _goes_on(change: Change) -> Iterator[str]:
    """What stopped by itself, and now stops later or never; and a bill of which nobody is told any more."""
    name = f"{code(change.id)} ({code(change.kind)})"
    if change.kind == "AWS::Budgets::Budget" and not change.after and not change.moved:
        yield f"{name} is gone: nobody is told when the month gets dear"
    for path, old, new in change.paths:
        if path.endswith("LifecycleManagement") and old == "ENABLED":
            yield f"{name} no longer stops what idles: {code(path)} is {code(plain(new))}"
        elif path.endswith("IdleTimeoutInMinutes") and not path.endswith("MinIdleTimeoutInMinutes"):
            later = new is None or (isinstance(old, int) and isinstance(new, int) and new > old)
            if old is not None and later:
                yield f"{name} stops later what idles: {code(path)} {code(plain(old))} → {code(plain(new))}"


def total(changes: list[Change]) -> float:
    """By how much the month gets dearer at rest, in USD, as far as prices are known; negative where it gets cheaper."""
    sums = [
        (cost.usd or 0.0) * sign
        for change in changes
        for resource, sign in ((change.before, -1), (change.after, 1))
        if resource and (cost := cost_of(resource))
    ]
    return sum(sums)
