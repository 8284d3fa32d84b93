"""An account goes in; what of a stage is deployed there, and whether it is healthy, comes out."""

from collections.abc import Iterator
from typing import Any

from formlens.account.cameras import cameras
from formlens.account.checks import Check, Question, State, asked
from formlens.account.preflight import deployed, resources
from formlens.account.session import Account
from formlens.types import CallError

_MOST = 100  # alarms that CloudWatch describes at once


def status(account: Account) -> Iterator[Check]:
    """Every answer. Raises CallError where the stage is not deployed."""
    if not deployed(account):
        raise CallError(
            f"stage {account.stage} is not in {account.region}: deploy it with make deploy STAGE={account.stage}"
        )
    yield from asked(account, {"stacks": stacks})
    there = resources(account)

    def of(kind: str) -> list[str]:
        return [id for found, id in there if found == kind]

    questions: dict[str, Question] = {
        "functions": lambda account: functions(account, of("AWS::Lambda::Function")),
        "queues": lambda account: queues(account, of("AWS::SQS::Queue")),
        "alarms": lambda account: alarms(account, of("AWS::CloudWatch::Alarm")),
        "forms": forms,
        "cameras": lambda account: cameras(account, of("AWS::IoT::Thing"), of("AWS::GreengrassV2::ComponentVersion")),
        "quotas": asked_quotas,
        "notebook": lambda account: notebooks(account, of("AWS::SageMaker::NotebookInstance")),
        "studio": lambda account: domains(account, of("AWS::SageMaker::Domain")),
    }
    yield from asked(account, questions)


def stacks(account: Account) -> Iterator[Check]:
    """Each stack as CloudFormation left it."""
    for stack in sorted(deployed(account), key=lambda stack: str(stack["StackName"])):
        state, when = stack["StackStatus"], stack.get("LastUpdatedTime") or stack.get("CreationTime")
        good = state in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
        busy = state.endswith("_IN_PROGRESS")
        text = f"{state.lower().replace('_', ' ')}{f', {when:%Y-%m-%d %H:%M}' if when else ''}"
        why = (
            "" if good or busy else f": {stack.get('StackStatusReason') or 'see the events of the stack'}; deploy again"
        )
        yield Check(stack["StackName"], State.good if good else State.wait if busy else State.todo, text + why)


def functions(account: Account, names: list[str]) -> Iterator[Check]:
    """Each function, and whether its queue is connected."""
    client = account.client("lambda")
    for name in sorted(names):
        found = client.get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        sources = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        off = [one for one in sources if one.get("State") not in ("Enabled", "Enabling", "Creating", "Updating")]
        # one that is not called for weeks goes idle, and wakes by itself
        good = state in ("Active", "Inactive") and update == "Successful" and not off
        why = found.get("StateReason") or found.get("LastUpdateStatusReason") or ""
        trouble = "".join(f"; its queue is {one.get('State', 'off').lower()}" for one in off)
        wrong = f", {update.lower()} update" if update != "Successful" else ""
        text = f"{state.lower()}{wrong}, {found.get('Runtime', '')}, {found.get('MemorySize')} MB{trouble}"
        yield Check(name, State.good if good else State.todo, f"{text}{f': {why}' if why and not good else ''}")


def queues(account: Account, urls: list[str]) -> Iterator[Check]:
    """What waits, and what was set aside after it failed too often."""
    client = account.client("sqs")
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for url in sorted(urls, key=lambda url: url.rpartition("/")[2]):
        said: dict[str, Any] = client.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        waiting, busy = (int(said.get(name, 0)) for name in counts)
        name = url.rpartition("/")[2]
        if "SetAside" in name:
            text = f"{waiting} set aside: docs/aws.md says how they go back" if waiting else "nothing set aside"
            yield Check(name, State.todo if waiting else State.good, text)
        else:
            yield Check(name, State.good, f"{waiting} waiting, {busy} being worked on")


def alarms(account: Account, names: list[str]) -> Iterator[Check]:
    """The alarms that ring, each by its own words; one line where none does."""
    ringing = []
    for at in range(0, len(names), _MOST):
        found = account.client("cloudwatch").describe_alarms(AlarmNames=names[at : at + _MOST])["MetricAlarms"]
        ringing += [alarm for alarm in found if alarm["StateValue"] == "ALARM"]
    for alarm in ringing:
        yield Check(alarm["AlarmName"], State.todo, alarm.get("AlarmDescription") or "rings")
    if names and not ringing:
        yield Check("alarms", State.good, f"none of {len(names)} rings")


def forms(account: Account) -> Iterator[Check]:
    """The forms that were learned."""
    found: list[str] = []
    for page in (
        account.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=account.bucket(), Prefix="forms/", Delimiter="/")
    ):
        found += [one["Prefix"].split("/")[1] for one in page.get("CommonPrefixes", [])]
    text = ", ".join(sorted(found)) if found else "none yet: `formlens upload FOLDER --form NAME` has one learned"
    yield Check("forms", State.told, text)


def asked_quotas(account: Account) -> Iterator[Check]:
    """What became of the quotas when they were asked for; `formlens preflight` knows how it went on."""
    for stack in deployed(account):
        for output in stack.get("Outputs", []):
            if output["OutputKey"] == "Quotas":
                yield Check("quotas at deploy", State.told, output["OutputValue"])


def notebooks(account: Account, names: list[str]) -> Iterator[Check]:
    """Whether the notebook instance runs, and so costs."""
    for name in names:
        id = name.rpartition("/")[2]
        found = account.client("sagemaker").describe_notebook_instance(NotebookInstanceName=id)
        state = found["NotebookInstanceStatus"]
        why = f": {found['FailureReason']}" if found.get("FailureReason") else ""
        text = f"{state.lower()}, {found['InstanceType']}{why}"
        yield Check(f"notebook {id}", State.todo if state == "Failed" else State.good, text)


def domains(account: Account, ids: list[str]) -> Iterator[Check]:
    """Whether Studio can be opened."""
    for id in ids:
        found = account.client("sagemaker").describe_domain(DomainId=id)
        good = found["Status"] == "InService"
        text = found["Url"] if good and found.get("Url") else found["Status"].lower()
        yield Check(f"studio {id}", State.good if good else State.todo, text)
