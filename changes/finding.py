"""What a reviewer is told: one line, where it is, and how much it matters."""

import re
from dataclasses import dataclass
from enum import Enum

_EXPORT = re.compile(r"\$\{import [\w-]*?(\w+):ExportsOutput(?:Ref|FnGetAtt)(\w+?)[0-9A-F]{8}(\w*?)[0-9A-F]{8}\}")
"""What the CDK calls a value of another stack, which nobody can read: the stack, the construct, the attribute."""


class Matter(Enum):
    """The parts of the comment, the weightiest first."""

    DATA = "Data that is deleted, replaced or no longer protected"
    ACCESS = "Access that is wider than before"
    COST = "Cost at rest"
    REST = "The rest"


@dataclass(frozen=True)
class Finding:
    """One line. ``text`` is Markdown whose code spans `code` has made safe."""

    matter: Matter
    stack: str
    text: str


def code(text: str, most: int = 160) -> str:
    """Text of a template as a code span: nothing in it can end the span, mention a person or become a link."""
    flat = _EXPORT.sub(r"${\1.\2\3}", " ".join(text.replace("`", "'").split()))
    short = flat if len(flat) <= most else f"{flat[: most - 1]}…"
    return f"`{short}`" if short else "` `"
