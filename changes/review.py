"""Two assemblies go in; every finding about what changes between them comes out."""

from changes.access import widened
from changes.assembly import Stack
from changes.compare import Change, compare
from changes.cost import dearer, total
from changes.data import endangered
from changes.exports import held_exports
from changes.finding import Finding, Matter, code
from changes.rest import others

Stacks = dict[str, Stack]


def review(before: Stacks, after: Stacks) -> tuple[list[Finding], float]:
    """The findings, and by how many USD a month at rest gets dearer. No change, no finding."""
    findings: list[Finding] = []
    every: list[Change] = []
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        changes = compare(was, now)
        every += changes
        findings += _of_the_stack(was, now)
        if now is None:
            continue  # it stays in the account until somebody destroys it
        findings += [Finding(Matter.DATA, name, line) for change in changes for line in endangered(change)]
        findings += widened(was, now, changes)
        findings += dearer(changes)
        findings += others(was, now, changes)
    findings += held_exports(before, after)
    return findings, total([change for change in every if change.stack in after])


def _of_the_stack(was: Stack | None, now: Stack | None) -> list[Finding]:
    if now is None and was is not None:
        text = "is no longer in the app: a deploy leaves it, and what it costs, in the account; destroy it by hand"
        return [Finding(Matter.DATA, was.name, f"{code(was.name)} {text}")]
    if was is None and now is not None:
        return [Finding(Matter.REST, now.name, f"{code(now.name)} is a new stack")]
    found = []
    if was and now:
        if was.environment != now.environment:
            text = (
                f"moves from {code(was.environment)} to {code(now.environment)}: a deploy makes everything anew there"
            )
            found.append(Finding(Matter.DATA, now.name, f"{code(now.name)} {text}"))
        if was.protected and not now.protected:
            found.append(
                Finding(Matter.DATA, now.name, f"{code(now.name)} can be deleted: termination protection is off")
            )
    return found
