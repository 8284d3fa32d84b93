"""Cameras of a stage go in; whether each is registered and online, and what it does and runs, comes out.

What a camera runs it says itself, in an object of the bucket (lambda/report.py): when that was written last is when the
camera was online last.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from formlens.account.checks import Check, State
from formlens.account.enroll import certificates
from formlens.account.session import Account

SILENT = timedelta(minutes=15)
"""After this time without a word a camera is not online; it says one every five minutes."""
GONE = ("NoSuchKey", "ResourceNotFoundException")


def cameras(account: Account, things: list[str], components: list[str]) -> Iterator[Check]:
    """A line for each thing; ``components`` are the ARNs of what is deployed to those that are Greengrass cores."""
    for thing in sorted(things):
        yield _camera(account, thing, _deployed(account.stage, thing, components))


def _camera(account: Account, thing: str, deployed: str | None) -> Check:
    what = f"camera {thing.removeprefix(f'formlens-{account.stage}-')}"
    states = {found["status"] for found in certificates(account.client("iot"), thing)}
    if "ACTIVE" not in states:
        why = "its certificate is revoked" if "REVOKED" in states else "it has no active certificate"
        return Check(what, State.todo, f"not registered, {why}: give it another request, and deploy")
    said = _asked(account.client("s3").get_object, Bucket=account.bucket(), Key=f"cameras/{thing}.json")
    if said is None:
        return Check(what, State.todo, "registered, never online: run `formlens enroll` on it, and start it")
    state, heard = json.loads(said["Body"].read()), said["LastModified"]
    online = datetime.now(UTC) - heard < SILENT
    trouble = [] if online else ["is it on, and in the network?"]
    words = ["registered", "online" if online else f"last online {heard:%Y-%m-%d %H:%M}", _page(state["last"])]
    behind = deployed is not None and state["function"] != deployed
    words.append(f"function {state['function']}" + (f" ({deployed} is on its way)" if behind else ""))
    words += [f"reader {state['reader']}", f"{state['waiting']} pages wait"]
    if deployed is not None:
        core = _asked(account.client("greengrassv2").get_core_device, coreDeviceThingName=thing)
        if core is None or core["status"] != "HEALTHY":
            trouble.append(
                f"Greengrass says {core['status'].lower() if core else 'nothing'}: see its log on the camera"
            )
    text = ", ".join(words) + "".join(f"; {one}" for one in trouble)
    return Check(what, State.todo if trouble else State.wait if behind else State.good, text)


def _page(last: dict[str, Any] | None) -> str:
    if last is None:
        return "no page yet"
    unread = "" if last["status"] == "read" else ", not read"
    return f"last page {last['at']} ({last['form'] or 'no form'}{unread})"


def _deployed(stage: str, thing: str, components: list[str]) -> str | None:
    """The version that the stack has this camera run; None where Greengrass has no part in it."""
    name = f":components:formlens.{stage}.{thing.removeprefix(f'formlens-{stage}-')}:versions:"
    return next((arn.partition(name)[2] for arn in components if name in arn), None)


def _asked(call: Any, **which: str) -> Any:
    """The answer, or None where there is no such thing."""
    try:
        return call(**which)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return None
