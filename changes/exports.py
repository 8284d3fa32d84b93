"""Two assemblies go in; exports that CloudFormation will refuse to change, since another stack holds them, come out."""

from collections import defaultdict
from collections.abc import Iterator

from changes.assembly import Json, Stack
from changes.compare import compare
from changes.finding import Finding, Matter, code
from changes.values import at, mentions, same, text_of


def held_exports(before: dict[str, Stack], after: dict[str, Stack]) -> Iterator[Finding]:
    """A stack is deployed before those that import from it, which still hold what it exported."""
    holders: dict[str, list[str]] = defaultdict(list)
    for stack in before.values():
        if stack.name in after:
            for name in _imported(stack.template):
                holders[name].append(stack.name)
    for stack in before.values():
        if stack.name not in after or stack == after[stack.name]:
            continue
        replaced = [change.id for change in compare(stack, after[stack.name]) if change.replaced]
        now = _exported(after[stack.name])
        for name, value in _exported(stack).items():
            others = [holder for holder in holders.get(name, []) if holder != stack.name]
            gone = name not in now or not same(value, now[name]) or any(mentions(value, id) for id in replaced)
            if others and gone:
                what = "is gone" if name not in now else "changes"
                held = ", ".join(code(holder) for holder in sorted(set(others)))
                text = f"the export {code(name)} {what} while {held} imports it: CloudFormation refuses the deploy"
                yield Finding(Matter.DATA, stack.name, text)


def _exported(stack: Stack) -> dict[str, Json]:
    outputs = stack.template.get("Outputs") or {}
    return {
        text_of(at(output, "Export.Name")): output.get("Value")
        for output in outputs.values()
        if at(output, "Export.Name")
    }


def _imported(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for name, of in value.items():
            if name == "Fn::ImportValue":
                yield text_of(of)
            else:
                yield from _imported(of)
    elif isinstance(value, list):
        for of in value:
            yield from _imported(of)
