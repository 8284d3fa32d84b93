"""The changes of a stack go in; what costs more at rest comes out."""

from collections.abc import Iterator

from changes.compare import Change
from changes.finding import Finding, Matter, code
from changes.prices import cost_of


def dearer(changes: list[Change]) -> Iterator[Finding]:
    """A line for each resource that is new and costs, or costs more than before."""
    for change in changes:
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


def total(changes: list[Change]) -> float:
    """By how much the month gets dearer at rest, in USD, as far as prices are known; negative where it gets cheaper."""
    sums = [
        (cost.usd or 0.0) * sign
        for change in changes
        for resource, sign in ((change.before, -1), (change.after, 1))
        if resource and (cost := cost_of(resource))
    ]
    return sum(sums)
