"""A pile of scans goes into the inbox, and an account of its pages comes out: each one read, or failed for a reason."""

import json
from dataclasses import dataclass
from typing import Any

from local.cloud import Cloud
from local.stage import BUCKET, QUEUES


@dataclass(frozen=True)
class Account:
    """What became of the pages that the spreadsheets know of."""

    pages: tuple[dict[str, Any], ...]
    """In the shape of the cells JSON, in the order of the spreadsheets."""
    waiting: int
    """Messages that are queued or being worked on: while there are any, the spreadsheets may still change."""

    @property
    def read(self) -> int:
        """Pages with rows."""
        return sum(page["status"] == "read" for page in self.pages)

    @property
    def failed(self) -> int:
        """Pages that could not be read."""
        return sum(page["status"] == "unreadable" for page in self.pages)

    @property
    def doubtful(self) -> int:
        """Cells that a person should look at."""
        return sum(cell["flagged"] for page in self.pages for cell in page["cells"])


def put_scan(cloud: Cloud, outputs: dict[str, str], name: str, data: bytes, form: str = "any") -> None:
    """Drop one scan into the inbox."""
    cloud.client("s3").put_object(Bucket=outputs[BUCKET], Key=f"inbox/{form}/{name}", Body=data)


def account(cloud: Cloud, outputs: dict[str, str]) -> Account:
    """Where the pile stands now, from the spreadsheets and the queues."""
    # Queues first: once they are empty, what is read next is final.
    waiting = sum(messages(cloud, outputs[queue]) for queue in QUEUES)
    pages = []
    for key in keys(cloud, outputs, "sheets/"):
        if key.endswith(".cells.json"):
            pages += json.loads(fetch(cloud, outputs, key))["pages"]
    return Account(tuple(pages), waiting)


def messages(cloud: Cloud, queue: str) -> int:
    """How many messages a queue holds, those being worked on included."""
    kinds = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    counted = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=kinds)["Attributes"]
    return sum(int(counted[kind]) for kind in kinds)


def keys(cloud: Cloud, outputs: dict[str, str], prefix: str) -> list[str]:
    """The keys below a prefix of the stage's bucket."""
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=outputs[BUCKET], Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def fetch(cloud: Cloud, outputs: dict[str, str], key: str) -> bytes:
    """The bytes of one object of the stage's bucket."""
    data: bytes = cloud.client("s3").get_object(Bucket=outputs[BUCKET], Key=key)["Body"].read()
    return data
