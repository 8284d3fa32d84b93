"""One kind of thing that a service keeps: what names it, what the service adds to it, and what it refuses.

A `Kind` is a row of a service's table. The API (`local.served`) and CloudFormation (`local.declared`) both work on its
records, so that what the one made is there for the other.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region

Record = dict[str, Any]
TAKES_S = 0.3
"""What AWS needs minutes for."""
VALIDATION = "ValidationException"
"""The code with which SageMaker refuses whatever it has no better code for."""
NEXT = "#next"
"""In a record: when it changes by itself, and to what; None: it is gone."""


class Refused(Exception):
    """The service says no: its error code, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def nothing(record: Record) -> Any:
    """What a row says where it adds or refuses nothing."""
    return {}


@dataclass(frozen=True)
class Kind:
    """A row of the table."""

    noun: str
    """As the operations call it: CreateDomain, DescribeDomain, ListDomains."""
    keys: tuple[str, ...]
    """Members that together name one, the last its own name."""
    resource: str
    """Its ARN after the account, with members of the record in braces."""
    service: str = "sagemaker"
    """The ARN's service."""
    type: str | None = None
    """What CloudFormation calls it; None where only the API makes it."""
    ref: str = ""
    """The member that CloudFormation's Ref is; as a rule its own name."""
    arn: str = ""
    """The member that holds its ARN; as a rule the noun and `Arn`."""
    state: str = "Status"
    replaced_by: tuple[str, ...] = ()
    """Properties that cannot be changed: CloudFormation makes another."""
    reads: Callable[[Record], Record] = lambda properties: properties
    """What the API would be sent for a template's properties."""
    within: "Kind | None" = None
    """What it is part of: its list is a list of one of these, which must be there."""
    makes: Callable[[Record], Record] = nothing
    """What the service adds to what it was sent; refuses what it would."""
    before_end: Callable[[Record], Any] = nothing
    """Raises Refused where one cannot be deleted now, and takes along what goes with it."""
    ends: Record | None = None
    """What is left of one that was deleted; None: nothing."""
    missing: tuple[str, str] = ("ResourceNotFound", "there is no {noun} {name}")
    """The error of what is not there."""
    records: dict[tuple[str, ...], Record] = field(default_factory=dict)

    def name(self, record: Record) -> tuple[str, ...]:
        """What one is kept under."""
        return tuple(str(record.get(key, "")) for key in self.keys)

    def arn_of(self, record: Record) -> str:
        """The ARN of one, by its names or as it is given; where nothing says which, of any."""
        ours = re.compile(arn(self.service, re.sub(r"\{\w+\}", "[^/]+", self.resource)))
        given = next((one for one in record.values() if isinstance(one, str) and ours.fullmatch(one)), None)
        return given or arn(self.service, self.resource.format_map(_Any(record)))

    def create(self, asked: Record) -> Record:
        """Make one. Raises Refused."""
        now = time.time()
        record = {"CreationTime": now, "LastModifiedTime": now, self.state: "InService", **asked}
        record |= self.makes(record)
        record.setdefault(self.arn or f"{self.noun}Arn", self.arn_of(record))
        if self.all_by_name().get(self.name(record), {}).get(self.state, "Deleted") != "Deleted":
            raise Refused("ResourceInUse", f"{self.noun} {self.name(record)[-1]} already exists")
        self.records[self.name(record)] = record
        return record

    def all_by_name(self) -> dict[tuple[str, ...], Record]:
        """What is there now."""
        for name, record in list(self.records.items()):
            when, change = record.get(NEXT, (None, None))
            if when is not None and time.monotonic() >= when:
                if change is None:
                    del self.records[name]
                else:
                    del record[NEXT]
                    record |= change
        return self.records

    def all(self, **members: str) -> list[Record]:
        """Those that have these values, oldest first."""
        found = self.all_by_name().values()
        return [one for one in found if all(one.get(name, "") == value for name, value in members.items())]

    def find(self, asked: Record) -> Record:
        """The one that is meant, by its name or its ARN. Raises Refused."""
        found = self.all_by_name()
        if record := found.get(self.name(asked)):
            return record
        arns = {one[self.arn or f"{self.noun}Arn"]: one for one in found.values()}
        for value in asked.values():
            if isinstance(value, str) and value in arns:
                return arns[value]
        code, message = self.missing
        raise Refused(code, message.format(noun=self.noun, name=self.name(asked)[-1]))

    def update(self, asked: Record) -> Record:
        """Change one. Raises Refused."""
        record = self.find(asked)
        record |= {**asked, "LastModifiedTime": time.time()}
        return record

    def delete(self, asked: Record, *, at_once: bool = False) -> None:
        """Delete one, which takes a while unless somebody waits for it. Raises Refused."""
        record = self.find(asked)
        self.before_end(record)
        if at_once and self.ends is None:
            del self.records[self.name(record)]
        else:
            later(record, self.ends, **{self.state: "Deleting"})


def later(record: Record, then: Record | None, **now: Any) -> None:
    """Change a record now, and again after the time that the service takes."""
    record |= {**now, NEXT: (time.monotonic() + TAKES_S, then)}


def arn(service: str, resource: str) -> str:
    """An ARN of this account and region."""
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


class _Any(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "*"
