"""The changes of two versions of a stack go in; a line for each thing that is not dangerous comes out.

What follows from the bytes of an asset is one line for a whole stack.
"""

from collections.abc import Iterator

from changes.assembly import Stack
from changes.compare import Change
from changes.finding import Finding, Matter, code
from changes.values import differences, plain, scrubbed

_SECTIONS = ("Outputs", "Parameters", "Conditions", "Mappings", "Rules", "Description", "Transform", "Metadata")
_MOST_PATHS = 6


def others(before: Stack | None, after: Stack | None, changes: list[Change]) -> Iterator[Finding]:
    """What is new, what goes and what changes."""
    name = (after or before).name  # type: ignore[union-attr]
    changed = sorted(change.id for change in changes if change.code)
    if changed:
        yield Finding(Matter.REST, name, f"code: {', '.join(code(id) for id in changed)}")
    for change in changes:
        if line := _line(change):
            yield Finding(Matter.REST, name, line)
    if before and after:
        for section in _SECTIONS:
            old, new = (scrubbed(stack.template.get(section, {})) for stack in (before, after))
            for path, one, other in differences(old, new):
                where = f"{section}.{path}" if path else section
                yield Finding(Matter.REST, name, _value(where, one, other))


def _line(change: Change) -> str:
    name = f"{code(change.id)} ({code(change.kind)})"
    if not change.before:
        again = f", before {code(change.moved)}" if change.moved else ""
        return f"new {name}{again}"
    if not change.after:
        return f"gone {name}{f', now {code(change.moved)}' if change.moved else ''}"
    if not change.paths and (change.code or not (change.replaced or change.perhaps)):
        return ""
    replaced = " is replaced" if change.replaced else " may be replaced" if change.perhaps else ""
    told = [_value(path, old, new) for path, old, new in change.paths[:_MOST_PATHS]]
    told = told or [code(why) for why in change.replaced or change.perhaps]
    more = len(change.paths) - len(told)
    return f"{name}{replaced}: {'; '.join(told)}{f'; and {more} more' if more > 0 else ''}"


def _value(path: str, old: object, new: object) -> str:
    if old is None:
        return f"{code(path)} {code(plain(new), 80)} is new"
    if new is None:
        return f"{code(path)} {code(plain(old), 80)} is gone"
    return f"{code(path)} {code(plain(old), 80)} → {code(plain(new), 80)}"
