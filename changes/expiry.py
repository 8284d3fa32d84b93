"""The lifecycle rules of a bucket, before and after, go in; what is deleted sooner than before comes out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from changes.finding import code
from changes.values import at, listed, text_of


@dataclass(frozen=True)
class _Expiry:
    """One reason for S3 to delete an object or an old version of one."""

    what: str
    prefix: str
    tags: frozenset[tuple[str, str]]
    days: float
    newer: float = 0
    """Of old versions: how many newer ones are kept in any case."""


def expires_sooner(was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Each expiry that no earlier rule covers, in words."""
    before = [expiry for rule in _rules(was) for expiry in _expiries(rule)]
    for expiry in [expiry for rule in _rules(now) for expiry in _expiries(rule)]:
        if not any(_covers(old, expiry) for old in before):
            where = code(f"{expiry.prefix}*") if expiry.prefix else "everywhere"
            old = min((old.days for old in before if _covers(old, expiry, days=False)), default=None)
            when = f"after {expiry.days:g} days" if expiry.days < 1e6 else "from a date on"
            yield f"{expiry.what} {where} are deleted {when}{'' if old is None else f', before after {old:g}'}"


def _covers(old: _Expiry, new: _Expiry, *, days: bool = True) -> bool:
    return (
        old.what == new.what
        and new.prefix.startswith(old.prefix)
        and old.tags <= new.tags
        and (not days or (old.days <= new.days and old.newer <= new.newer))
    )


def _rules(bucket: dict[str, Any]) -> list[dict[str, Any]]:
    rules = listed(at(bucket, "LifecycleConfiguration.Rules"))
    return [rule for rule in rules if isinstance(rule, dict) and rule.get("Status") == "Enabled"]


def _expiries(rule: dict[str, Any]) -> Iterator[_Expiry]:
    prefix = text_of(rule.get("Prefix", at(rule, "Filter.Prefix") or at(rule, "Filter.And.Prefix") or ""))
    tags = [*listed(rule.get("TagFilters")), *listed(at(rule, "Filter.Tag")), *listed(at(rule, "Filter.And.Tags"))]
    said = frozenset((text_of(tag.get("Key")), text_of(tag.get("Value"))) for tag in tags if isinstance(tag, dict))
    if "ExpirationInDays" in rule:
        yield _Expiry("objects", prefix, said, _days(rule["ExpirationInDays"]))
    if "ExpirationDate" in rule:
        yield _Expiry("objects", prefix, said, 1e6)
    old = rule.get("NoncurrentVersionExpiration")
    if isinstance(old, dict):
        newer = _days(old.get("NewerNoncurrentVersions", 0))
        yield _Expiry("old versions", prefix, said, _days(old.get("NoncurrentDays")), newer)
    elif "NoncurrentVersionExpirationInDays" in rule:
        yield _Expiry("old versions", prefix, said, _days(rule["NoncurrentVersionExpirationInDays"]))


def _days(value: Any) -> float:
    """A number; what only the deploy knows counts as none at all, the side on which nothing is overlooked."""
    return float(value) if str(value).isdecimal() else 0.0
