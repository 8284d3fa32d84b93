"""Findings go in, the comment for a pull request comes out; nothing where nothing changes."""

import re
from collections import defaultdict

from changes.finding import Finding, Matter, code
from changes.prices import AS_OF

_MOST = 60_000
"""Characters: GitHub takes 65,536 in a comment."""


def comment(findings: list[Finding], dearer: float = 0.0) -> str:
    """Markdown, the weightiest first; lines that are the same in several stages are one."""
    if not findings:
        return ""
    grave = sum(len(_merged(findings, matter)) for matter in (Matter.DATA, Matter.ACCESS, Matter.COST))
    head = (
        f"**{grave} to look at before this is merged.**" if grave else "Nothing here loses data, opens access or costs."
    )
    parts = ["## What this changes in AWS", head]
    for matter in Matter:
        lines = _merged(findings, matter)
        if not lines:
            continue
        title = matter.value
        if matter is Matter.COST:
            title += f": {dearer:+.2f} USD a month ({AS_OF}; what use costs is not in it)"
        if matter is Matter.REST:
            lines = _shortened(lines, _MOST - sum(map(len, parts)) - 500)
            parts.append(f"<details{'' if grave else ' open'}><summary>{title} ({len(lines)})</summary>\n")
            parts.append("\n".join(f"- {line}" for line in lines) + "\n\n</details>")
        else:
            parts += [f"### {title}", "\n".join(f"- {line}" for line in _shortened(lines, _MOST // 4))]
    return "\n\n".join(parts) + "\n"


def _merged(findings: list[Finding], matter: Matter) -> list[str]:
    """Lines of one part with the stacks that they are true of; what differs by the stage's name alone is the same."""
    lines: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for finding in findings:
        if finding.matter is matter:
            lines[_without_stage(finding.text, finding.stack)].append((finding.stack, finding.text))
    found = []
    for told in lines.values():
        stacks = sorted({stack for stack, _ in told})
        found.append(f"{', '.join(code(stack) for stack in stacks)}: {told[0][1]}")
    return found


def _without_stage(text: str, stack: str) -> str:
    parts = stack.split("-")
    stage = parts[1] if len(parts) == 3 else ""
    kind = parts[-1]
    return f"{kind}: " + (re.sub(rf"(?<![A-Za-z]){re.escape(stage)}(?![A-Za-z])", "*", text) if stage else text)


def _shortened(lines: list[str], most: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        most -= len(line) + 3
        if most < 0:
            return [*kept, f"… and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept
