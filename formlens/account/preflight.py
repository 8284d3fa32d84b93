"""An account goes in; whether a stage can be deployed and trained there, and what it will cost, comes out.

The same answers before a deploy and after: what is there by then is counted instead of assumed.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from formlens.account import prices
from formlens.account.checks import Check, Question, State, asked
from formlens.account.session import Account

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
"""What the templates ask for."""
CONCURRENCY = 14
"""Copies of the functions that may run at once: 10 that read, 2 for sheets, 2 that learn."""
ALARMS, DASHBOARDS = 11, 1
"""Of a stage; after a deploy they are counted."""
USAGES = ("training job", "processing job", "notebook instance")
OPEN = ("PENDING", "CASE_OPENED")


def preflight(account: Account, instance_types: Sequence[str]) -> Iterator[Check]:
    """Every answer. Raises CallError where AWS does not know who is asking: then there is no other answer."""
    yield from who(account)
    yield from asked(
        account,
        {
            "bootstrap": bootstrap,
            "bucket": bucket,
            "quotas": quotas(instance_types),
            "instances": offered(instance_types),
            "concurrency": concurrency,
            "cost": costs(instance_types),
        },
    )


def who(account: Account) -> Iterator[Check]:
    """Whose credentials these are, and where. Raises ClientError or BotoCoreError."""
    identity = account.client("sts").get_caller_identity()
    yield Check("credentials", State.good, f"account {identity['Account']} as {identity['Arn']}")
    known = account.session.get_available_regions("lambda")
    there = not known or account.region in known
    text = account.region if there else f"{account.region} is no region that this boto3 knows: set AWS_REGION"
    yield Check("region", State.good if there else State.todo, text)


def bootstrap(account: Account) -> Iterator[Check]:
    """Whether the CDK has made its bucket and roles here."""
    try:
        value = account.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        yield Check("bootstrap", State.todo, f"not done in {account.region}: run `cdk bootstrap`, once for an account")
        return
    enough = str(value).isdecimal() and int(value) >= BOOTSTRAP_VERSION
    wanted = "" if enough else f", {BOOTSTRAP_VERSION} is needed: run `cdk bootstrap` again"
    yield Check("bootstrap", State.good if enough else State.todo, f"version {value}{wanted}")


def bucket(account: Account) -> Iterator[Check]:
    """Whether the bucket's name is free, or the bucket ours."""
    name = account.bucket()
    try:
        account.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account.number())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchBucket"):
            yield Check("bucket", State.good, f"{name} is free")
            return
        if code not in ("403", "AccessDenied"):
            raise
        text = f"{name} belongs to another account, or these credentials may not look at it: no deploy can make it"
        yield Check("bucket", State.todo, text)
        return
    stacks = {stack["StackName"] for stack in deployed(account)}
    kept = f"{_prefix(account)}Storage" not in stacks
    yield Check(
        "bucket", State.good, f"{name} is ours{', kept from before: a deploy takes it up again' if kept else ''}"
    )


def quotas(instance_types: Sequence[str]) -> Question:
    """Whether instances of these types may be started: granted, pending or denied, by name."""

    def ask(account: Account) -> Iterator[Check]:
        client = account.client("service-quotas")
        names = [f"{type_} for {usage} usage" for type_ in instance_types for usage in USAGES]
        found = _named(client, set(names))
        for name in names:
            quota = found.get(name)
            if quota is None:
                yield Check(name, State.todo, f"there is no such quota in {account.region}: take another instance type")
            elif quota["Value"] >= 1:
                yield Check(name, State.good, f"granted, {quota['Value']:g}")
            else:
                yield _asked_for(client, name, quota["QuotaCode"])

    return ask


def _asked_for(client: Any, name: str, code: str) -> Check:
    pages = client.get_paginator("list_requested_service_quota_change_history_by_quota").paginate(
        ServiceCode="sagemaker", QuotaCode=code
    )
    history = sorted(
        (one for page in pages for one in page["RequestedQuotas"]), key=lambda one: str(one.get("Created"))
    )
    if not history:
        return Check(
            name, State.todo, f"0, and not asked for: deploy the stack Quota, or ask for {code} in the console"
        )
    last = history[-1]
    case = f", case {last['CaseId']}" if last.get("CaseId") else ""
    if last["Status"] in OPEN:
        return Check(name, State.wait, f"pending, {last['DesiredValue']:g} asked for{case}")
    if last["Status"] in ("APPROVED", "CASE_CLOSED"):
        return Check(name, State.wait, f"decided ({last['Status'].lower()}{case}), and still 0 here")
    return Check(name, State.todo, f"denied ({last['Status'].lower()}{case}): write to AWS Support")


def _named(client: Any, names: set[str]) -> dict[str, dict[str, Any]]:
    """Quotas by name: what holds for the account, or AWS' default where it was never changed."""
    found: dict[str, dict[str, Any]] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        if names <= set(found):
            break
        for page in client.get_paginator(operation).paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] in names:
                    found.setdefault(quota["QuotaName"], quota)
    return found


def offered(instance_types: Sequence[str]) -> Question:
    """Whether the region has these instances at all. SageMaker does not say; EC2, whose they are, does."""

    def ask(account: Account) -> Iterator[Check]:
        bare = {type_.removeprefix("ml."): type_ for type_ in instance_types}
        filters = [{"Name": "instance-type", "Values": list(bare)}]
        pages = (
            account.client("ec2")
            .get_paginator("describe_instance_type_offerings")
            .paginate(LocationType="availability-zone", Filters=filters)
        )
        zones: dict[str, list[str]] = {}
        for page in pages:
            for offer in page["InstanceTypeOfferings"]:
                zones.setdefault(offer["InstanceType"], []).append(offer["Location"])
        for one, type_ in bare.items():
            where = ", ".join(sorted(zones.get(one, [])))
            text = f"in {where}" if where else f"not offered in {account.region}: take another type or region"
            yield Check(type_, State.good if where else State.todo, text)

    return ask


def concurrency(account: Account) -> Iterator[Check]:
    """Whether Lambda lets the functions run at once; a new account has 10."""
    limit = account.client("lambda").get_account_settings()["AccountLimit"]
    free = int(limit["UnreservedConcurrentExecutions"])
    if free >= CONCURRENCY:
        yield Check("concurrency", State.good, f"{free} functions at once, {CONCURRENCY} are enough")
    else:
        text = f"{free} functions at once, {CONCURRENCY} are wanted: piles are read, but slower; ask for more"
        yield Check("concurrency", State.wait, f"{text} in Service Quotas, `Concurrent executions`")


def costs(instance_types: Sequence[str]) -> Question:
    """A month at rest, 1,000 pages, and an hour of each instance."""

    def ask(account: Account) -> Iterator[Check]:
        kinds = [kind for kind, _ in resources(account)]
        alarms = kinds.count("AWS::CloudWatch::Alarm") if kinds else ALARMS
        boards = kinds.count("AWS::CloudWatch::Dashboard") if kinds else DASHBOARDS
        rest = prices.at_rest(alarms, boards)
        text = f"{rest:.2f} USD: {alarms} alarms, {boards} dashboard"
        used = prices.METRICS * prices.METRIC
        yield Check("a month at rest", State.told, f"{text}; {used:.2f} more for metrics once pages are read")
        stored = f"{prices.STORED_GB:g} USD a GB and month"
        yield Check("what is stored", State.told, f"{stored}; a scan has 0.2 to 2 MB")
        for name in [id for kind, id in resources(account) if kind == "AWS::SageMaker::NotebookInstance"]:
            yield _notebook(account, name)
        per = math.ceil(prices.thousand_pages() * 100) / 100
        yield Check("1,000 pages", State.told, f"about {per:.2f} USD")
        for type_ in instance_types:
            hour = prices.INSTANCES.get(type_)
            known = f"{hour:.2f} USD an hour while it runs" if hour else "no price in the table: see the pricing page"
            yield Check(f"{type_}, an hour", State.told, known)
        yield Check(
            "prices", State.told, "us-east-1, November 2026, without the free tier; other regions up to a third more"
        )

    return ask


def _notebook(account: Account, name: str) -> Check:
    found = account.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name.rpartition("/")[2])
    gb, hour = found["VolumeSizeInGB"], prices.INSTANCES.get(found["InstanceType"])
    running = f", {hour:.2f} an hour while it runs" if hour else ""
    text = f"{gb * prices.NOTEBOOK_GB:.2f} USD a month for its {gb} GB{running}"
    return Check(f"notebook {found['NotebookInstanceName']}", State.told, text)


def deployed(account: Account) -> list[dict[str, Any]]:
    """The stacks of the stage that are there."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    return [stack for page in pages for stack in page["Stacks"] if stack["StackName"].startswith(_prefix(account))]


def resources(account: Account) -> list[tuple[str, str]]:
    """(type, physical id) of everything in the stage's stacks."""
    client = account.client("cloudformation")
    return [
        (one["ResourceType"], one.get("PhysicalResourceId", ""))
        for stack in deployed(account)
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        for one in page["StackResourceSummaries"]
    ]


def _prefix(account: Account) -> str:
    return f"FormLens-{account.stage}-"
