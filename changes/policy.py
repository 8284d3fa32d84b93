"""Policy documents go in, single grants come out, and whether one grant lets more than others do.

A grant is one principal, one action, one resource and the conditions under which it holds. Coverage is decided on the
safe side: what is not seen to be covered counts as more.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

from changes.values import listed, text_of

Conditions = frozenset[tuple[str, str, frozenset[str]]]
"""(operator, key, values): all of them must hold, each by one of its values."""


@dataclass(frozen=True, order=True)
class Terms:
    """Patterns, of which one must match; negated, of which none may."""

    patterns: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        text = ", ".join(self.patterns)
        return f"everything but {text}" if self.negated else text


@dataclass(frozen=True)
class Grant:
    """One thing that is allowed, or denied."""

    effect: str
    principal: Terms
    action: Terms
    resource: Terms
    conditions: Conditions = frozenset()


def grants_of(document: Any) -> Iterator[Grant]:
    """Every grant of a policy document, each statement multiplied out."""
    for statement in listed(document.get("Statement")) if isinstance(document, dict) else ():
        if isinstance(statement, dict):
            conditions = frozenset(_conditions(statement.get("Condition") or {}))
            effect = str(statement.get("Effect", "Allow"))
            terms = (
                _terms(statement, "Principal", _principals),
                _terms(statement, "Action", lambda value: [text_of(one) for one in listed(value)]),
                _terms(statement, "Resource", lambda value: [text_of(one) for one in listed(value)]),
            )
            for principal, action, resource in product(*terms):
                yield Grant(effect, principal, action, resource, conditions)


def _terms(statement: dict[str, Any], name: str, read: Any) -> list[Terms]:
    if f"Not{name}" in statement:
        return [Terms(tuple(sorted(read(statement[f"Not{name}"]))), negated=True)]
    return [Terms((text,)) for text in read(statement[name])] if name in statement else [Terms(("",))]


def _principals(value: Any) -> list[str]:
    if not isinstance(value, dict) or not set(value) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        return [text_of(one) for one in listed(value)]
    return [_principal(kind, text_of(one)) for kind, of in value.items() for one in listed(of)]


def _principal(kind: str, text: str) -> str:
    if kind == "AWS":
        return f"arn:aws:iam::{text}:root" if re.fullmatch(r"\d{12}|\$\{AWS::AccountId\}", text) else text
    return text if kind == "Service" else f"{kind} {text}"


def _conditions(block: dict[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for operator, keys in block.items():
        for key, values in keys.items() if isinstance(keys, dict) else [("", keys)]:
            yield operator, key.lower(), frozenset(text_of(one) for one in listed(values))


def missing(grants: Iterable[Grant], among: Iterable[Grant]) -> list[Grant]:
    """Those of the grants that none of the others covers."""
    others = list(among)
    return [grant for grant in grants if not any(covers(other, grant) for other in others)]


def covers(wide: Grant, narrow: Grant) -> bool:
    """Whether all that ``narrow`` speaks of, ``wide`` speaks of too."""
    return (
        wide.effect == narrow.effect
        and _terms_cover(_lower(wide.action), _lower(narrow.action))
        and _terms_cover(wide.resource, narrow.resource)
        and (_terms_cover(wide.principal, narrow.principal) or _account_covers(wide.principal, narrow.principal))
        and all(any(_implies(mine, theirs) for mine in narrow.conditions) for theirs in wide.conditions)
    )


def _terms_cover(wide: Terms, narrow: Terms) -> bool:
    if not wide.negated and not narrow.negated:
        return all(any(matches(one, other) for one in wide.patterns) for other in narrow.patterns)
    if wide.negated and narrow.negated:
        return all(any(matches(other, one) for other in narrow.patterns) for one in wide.patterns)
    if wide.negated:
        return not any(_may_meet(one, other) for one in wide.patterns for other in narrow.patterns)
    return "*" in wide.patterns


def _lower(terms: Terms) -> Terms:
    """IAM does not tell apart how an action is written."""
    return replace(terms, patterns=tuple(text.lower() for text in terms.patterns))


def _account_covers(wide: Terms, narrow: Terms) -> bool:
    """An account's root stands for whoever that account lets; `${Role.Arn}` is of this account."""
    if wide.negated or narrow.negated:
        return False
    accounts = {one.split(":")[4] for one in wide.patterns if re.fullmatch(r"arn:aws:iam::[^:]+:root", one)}
    return all(
        any(other.startswith(f"arn:aws:iam::{account}:") for account in accounts)
        or ("${AWS::AccountId}" in accounts and re.fullmatch(r"\$\{\w+\.Arn\}", other) is not None)
        for other in narrow.patterns
    )


@lru_cache(maxsize=65536)
def matches(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` and `?` stands for all that ``text``, perhaps a pattern itself, stands for."""
    parts = (".*" if one == "*" else "[^*]" if one == "?" else re.escape(one) for one in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _may_meet(one: str, other: str) -> bool:
    if "*" in one + other or "?" in one + other:
        short = min(len(re.split(r"[*?]", text, maxsplit=1)[0]) for text in (one, other))
        return one[:short] == other[:short]
    return one == other


def _implies(mine: tuple[str, str, frozenset[str]], theirs: tuple[str, str, frozenset[str]]) -> bool:
    """Whether the condition ``mine`` holds only where ``theirs`` does."""
    (operator, key, values), (wide, wide_key, allowed) = mine, theirs
    if key != wide_key:
        return False
    if operator == wide and values == allowed:
        return True
    kind, wide_kind = _kind(operator), _kind(wide)
    if operator.endswith("IfExists") and not wide.endswith("IfExists"):
        return False
    if operator.partition(":")[0] != wide.partition(":")[0] and ":" in operator + wide:
        return False
    if "Not" in wide_kind:
        return kind == wide_kind and allowed <= values
    if kind == wide_kind and values <= allowed:
        return True
    if wide_kind in ("StringLike", "ArnLike", "ArnEquals") and kind in (
        "StringEquals",
        "StringLike",
        "ArnEquals",
        "ArnLike",
    ):
        return all(any(matches(pattern, value) for pattern in allowed) for value in values)
    return False


def _kind(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("IfExists")
