"""Two versions of a stack go in; where it lets somebody do more than before comes out."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from changes.assembly import Stack
from changes.compare import Change
from changes.doors import opened
from changes.finding import Finding, Matter, code
from changes.policy import Conditions, Grant, Terms, covers, missing
from changes.subjects import Subject, subjects_of


def widened(before: Stack | None, after: Stack | None, changes: list[Change]) -> Iterator[Finding]:
    """What is newly allowed, what is no longer denied, and which doors stand open."""
    name = (after or before).name  # type: ignore[union-attr]
    old, new = subjects_of(before), subjects_of(after)
    gone = {change.id for change in changes if not change.after}
    for subject in sorted({*old, *new}):
        was, now = old.get(subject, []), new.get(subject, [])
        if text := _newly_allowed(subject, was, now, new=subject not in old):
            yield Finding(Matter.ACCESS, name, text)
        if subject[1] not in gone:
            for line in _no_longer_denied(subject, was, now):
                yield Finding(Matter.ACCESS, name, line)
    for change in changes:
        yield from (Finding(Matter.ACCESS, name, line) for line in opened(change))


def _newly_allowed(subject: Subject, was: list[Grant], now: list[Grant], *, new: bool) -> str:
    """One text for a subject, its grants below each other; nothing where it may do no more than before."""
    allowed = [grant for grant in was if grant.effect == "Allow"]
    more = missing([grant for grant in now if grant.effect == "Allow"], allowed)
    lines = []
    for (principal, resource, conditions), actions in _grouped(more):
        who = f"{code(str(principal))} do " if str(principal) and subject[0] == "lets" else ""
        what = code(str(principal)) if subject[0] == "may be taken by" else ", ".join(code(str(one)) for one in actions)
        on = f" on {code(str(resource))}" if subject[0] != "may be taken by" and str(resource) else ""
        lines.append(f"{who}{what}{on}{_if(conditions)}{_dropped(more, allowed, conditions, resource, principal)}")
    if not lines:
        return ""
    verb, whom = subject
    head = (
        f"**new** {code(whom)} {verb}"
        if new
        else f"{code(whom)} {verb} now"
        if verb == "may"
        else f"{code(whom)} {verb}"
    )
    return f"{head} {lines[0]}" if len(lines) == 1 else "\n  - ".join([f"{head}:", *lines])


def _dropped(more: list[Grant], allowed: list[Grant], conditions: Conditions, resource: Terms, principal: Terms) -> str:
    """What held it back before: conditions that are gone or wider."""
    for grant in more:
        if (grant.conditions, grant.resource, grant.principal) == (conditions, resource, principal):
            for other in allowed:
                if other.conditions and covers(replace(other, conditions=frozenset()), grant):
                    return f"; before{_if(other.conditions)}"
    return ""


def _no_longer_denied(subject: Subject, was: list[Grant], now: list[Grant]) -> Iterator[str]:
    denied = [grant for grant in was if grant.effect == "Deny"]
    for (principal, resource, conditions), actions in _grouped(missing(denied, [g for g in now if g.effect == "Deny"])):
        who = f" {code(str(principal))}" if str(principal) else ""
        what = ", ".join(code(str(action)) for action in actions)
        yield f"{code(subject[1])} no longer denies{who} {what} on {code(str(resource) or '*')}{_if(conditions)}"


def _grouped(grants: list[Grant]) -> list[tuple[tuple[Terms, Terms, Conditions], list[Terms]]]:
    groups: dict[tuple[Terms, Terms, Conditions], set[Terms]] = defaultdict(set)
    for grant in grants:
        groups[grant.principal, grant.resource, grant.conditions].add(grant.action)
    return [(key, sorted(actions)) for key, actions in groups.items()]


def _if(conditions: Conditions) -> str:
    texts = [f"{key} {operator} {', '.join(sorted(values))}" for operator, key, values in sorted(conditions, key=repr)]
    return f", only if {code('; '.join(texts))}" if texts else ""
