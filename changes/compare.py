"""Two versions of a stack go in; what happens to each resource comes out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from changes.assembly import Stack
from changes.schema import replacing, unordered
from changes.values import at, differences, mentions, same, scrubbed

Resource = dict[str, Any]
Path = tuple[str, Any, Any]
_OF_THE_TOOLS = ("aws:cdk:path", "aws:asset:path", "aws:asset:property", "aws:asset:is-bundled")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource."""

    stack: str
    id: str
    kind: str
    before: Resource
    """Empty where the resource is new."""
    after: Resource
    """Empty where it goes."""
    paths: tuple[Path, ...] = ()
    """(path, before, after) of what differs in it, beside what follows from an asset."""
    code: bool = False
    """Whether what follows from an asset differs."""
    replaced: tuple[str, ...] = ()
    """Why CloudFormation makes a new one and deletes this: paths of properties."""
    perhaps: tuple[str, ...] = ()
    """Paths whose change replaces in some cases."""
    moved: str = ""
    """Of a new resource: the logical id under which the same went. Of one that goes: that under which it comes."""

    @property
    def properties(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Before and after; empty where there are none."""
        return self.before.get("Properties") or {}, self.after.get("Properties") or {}


def compare(before: Stack | None, after: Stack | None) -> list[Change]:
    """Every resource that changes, those of one stack; a stack that is not there has none."""
    name = (after or before).name  # type: ignore[union-attr]
    old = {} if before is None else scrubbed_ids(before)
    new = {} if after is None else scrubbed_ids(after)
    found: list[Change] = []
    for id in sorted({*old, *new}):
        was, now = old.get(id, {}), new.get(id, {})
        if was and now and was["Type"] != now["Type"]:
            found.append(Change(stack=name, id=id, kind=was["Type"], before=was, after={}))
            found.append(Change(stack=name, id=id, kind=now["Type"], before={}, after=now))
        elif change := _of_one(name, id, was, now):
            found.append(change)
    return _moved(_rippled(found, new, name))


def scrubbed_ids(stack: Stack) -> dict[str, Resource]:
    """A stack's resources, the names of function versions without the digest of their code."""
    return {scrubbed(id): resource for id, resource in stack.resources.items()}


def _of_one(stack: str, id: str, was: Resource, now: Resource) -> Change | None:
    kind = (now or was)["Type"]
    if not was or not now:
        return Change(stack=stack, id=id, kind=kind, before=was, after=now)
    paths = tuple(differences(_bare(scrubbed(was)), _bare(scrubbed(now))))
    code = {path for path, *_ in differences(_bare(was), _bare(now))} != {path for path, *_ in paths}
    if not paths and not code:
        return None
    certain, perhaps = _replacements(kind, was.get("Properties") or {}, now.get("Properties") or {})
    return Change(
        stack=stack,
        id=id,
        kind=kind,
        before=was,
        after=now,
        paths=tuple((path.removeprefix("Properties."), one, other) for path, one, other in paths),
        code=code,
        replaced=tuple(certain),
        perhaps=tuple(perhaps),
    )


def _bare(resource: Resource) -> Resource:
    """Without what the tools write down for themselves; an order of creation is a set."""
    metadata = {name: of for name, of in (resource.get("Metadata") or {}).items() if name not in _OF_THE_TOOLS}
    bare = {name: of for name, of in resource.items() if name not in ("Metadata", "DependsOn")}
    waits = resource.get("DependsOn") or []
    waits = sorted(waits if isinstance(waits, list) else [waits])
    return bare | ({"Metadata": metadata} if metadata else {}) | ({"DependsOn": waits} if waits else {})


def _replacements(kind: str, was: dict[str, Any], now: dict[str, Any]) -> tuple[list[str], list[str]]:
    certain: list[str] = []
    perhaps: list[str] = []
    for pattern, sure in replacing(kind):
        for path in _places(pattern, was, now):
            one, other = at(was, path), at(now, path)
            if unordered(kind, path) and isinstance(one, list) and isinstance(other, list):
                one, other = sorted(one, key=repr), sorted(other, key=repr)
            if not same(one, other):
                (certain if sure else perhaps).append(path)
    return certain, perhaps


def _places(pattern: str, *values: Any) -> Iterator[str]:
    """The paths that a pattern with `*` for any place in a list stands for."""
    before, star, after = pattern.partition(".*")
    if not star:
        yield pattern
        return
    most = max(len(found) if isinstance(found := at(value, before), list) else 0 for value in values)
    for place in range(most):
        yield from _places(f"{before}.{place}{after}", *values)


def _rippled(changes: list[Change], resources: dict[str, Resource], stack: str) -> list[Change]:
    """A resource that is made anew has a new name: whoever was made with its name is made anew too."""
    by_id = {change.id: change for change in changes if change.after}
    # a layer is made anew at each change of its code, and is named nowhere else than where it may change
    queue = [id for id, change in by_id.items() if _is_made_anew(change) and change.kind != "AWS::Lambda::LayerVersion"]
    while queue:
        source = by_id[queue.pop()]
        for id, resource in resources.items():
            known = by_id.get(id) or Change(stack=stack, id=id, kind=resource["Type"], before=resource, after=resource)
            if id == source.id or _is_made_anew(known) or not known.before:
                continue
            held = [
                (f"{path} (names {source.id}, which is replaced)", sure and bool(source.replaced))
                for path, sure in replacing(resource["Type"])
                if mentions(at(resource.get("Properties") or {}, path), source.id)
            ]
            if held:
                certain, perhaps = (tuple(why for why, sure in held if sure is want) for want in (True, False))
                by_id[id] = replace(known, replaced=certain, perhaps=perhaps)
                queue.append(id)
    return [change for change in changes if not change.after] + list(by_id.values())


def _is_made_anew(change: Change) -> bool:
    return bool(change.before and (change.replaced or change.perhaps))


def _moved(changes: list[Change]) -> list[Change]:
    """Find what goes under one logical id and comes back under another."""
    going = {change.id: change for change in changes if not change.after}
    found = []
    pairs: dict[str, str] = {}
    for change in changes:
        if change.before or not change.after:
            continue
        for old in going.values():
            if old.id not in pairs.values() and old.kind == change.kind and _alike(old.before, change.after):
                pairs[change.id] = old.id
                break
    back = {old: new for new, old in pairs.items()}
    for change in changes:
        other = pairs.get(change.id) if not change.before else back.get(change.id) if not change.after else None
        found.append(replace(change, moved=other) if other else change)
    return found


def _alike(was: Resource, now: Resource) -> bool:
    one, other = scrubbed(was.get("Properties") or {}), scrubbed(now.get("Properties") or {})
    return same(one, other) or sum(1 for _ in differences(one, other)) <= len(one) // 3
