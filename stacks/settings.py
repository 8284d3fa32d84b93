"""What differs between stages: the name of a stage goes in, its frozen Settings come out.

Nothing of a deployment (account, region, credentials) is here: the stacks synthesize without knowing any.
"""

import re
import sys
from dataclasses import dataclass, replace

from aws_cdk import aws_logs as logs


@dataclass(frozen=True, kw_only=True)
class Worker:
    """How one function works through its queue."""

    memory_mb: int
    timeout_s: int
    batch: int
    """Messages handed over at once."""
    window_s: int
    """How long a batch may wait to fill, in seconds."""
    concurrency: int
    """Copies that work at the same time; the queue holds the rest back."""

    @property
    def visibility_s(self) -> int:
        """Six times the function's time, and the window, as AWS advises: a throttled batch must not be shown twice."""
        return 6 * self.timeout_s + self.window_s


RETIRED = ("ml.p2.", "ml.p3.")
"""Instance families that SageMaker's API still names but no longer runs."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """SageMaker Studio: a domain, and a profile to open it with. Costs nothing until somebody opens an app."""

    idle_minutes: int = 60
    """After this time without work an app is shut down."""


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """The notebook instance. Costs by the hour while it runs, and its volume by the month."""

    instance_type: str = "ml.g4dn.xlarge"
    volume_gb: int = 50
    idle_minutes: int = 60
    """After this time without work the instance stops itself."""

    def __post_init__(self) -> None:
        refuse_retired(self.instance_type)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """An increase of quotas that is asked for when the stage is deployed; one stage of an account is enough."""

    instance_types: tuple[str, ...] = ("ml.g4dn.xlarge",)
    usages: tuple[str, ...] = ("training job", "processing job", "notebook instance")
    count: int = 1
    """Instances of each type for each usage."""

    def __post_init__(self) -> None:
        for instance_type in self.instance_types:
            refuse_retired(instance_type)

    @property
    def names(self) -> tuple[str, ...]:
        """What Service Quotas calls them."""
        return tuple(f"{type_} for {usage} usage" for type_ in self.instance_types for usage in self.usages)


def refuse_retired(instance_type: str) -> None:
    """Raises ValueError, which names the replacement, for what AWS no longer starts."""
    if instance_type.startswith(RETIRED):
        raise ValueError(f"{instance_type} is retired and cannot be started: use ml.g4dn.xlarge instead")


@dataclass(frozen=True, kw_only=True)
class Training:
    """The training pipeline, its registry and the release of what is approved. Costs nothing until it runs."""

    instance_type: str = "ml.g4dn.xlarge"
    instance_count: int = 1
    spot: bool = False
    processing_type: str = "ml.m5.xlarge"
    threshold: float = 0.8
    """Share of the cells of held-out pages that must be exact."""
    steps: int = 400
    form: str | None = None
    """The form that the schedule trains for."""
    schedule: str | None = None
    """When it starts by itself, as EventBridge takes it: `cron(0 3 ? * SUN *)`; None: never."""
    new_labels: int | None = None
    """After so many corrected scans of a form it starts by itself, for that form; None: never."""
    watch_hours: int = 72
    """How long after a release an alarm takes it back."""

    def __post_init__(self) -> None:
        for chosen in (self.instance_type, self.processing_type):
            refuse_retired(chosen)
        if self.schedule and not self.form:
            raise ValueError("a schedule needs the form that it trains for: Training(form=..., schedule=...)")


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera over a desk."""

    name: str
    csr: str = ""
    """The certificate signing request, PEM, that `formlens enroll` made on the camera; nothing in it is secret."""
    account_key: int = 0
    """Instead of a request: the key is made in the account and kept in Secrets Manager. 1, and any other number for
    another key."""
    form: str = "any"
    """The form that lies under it; `any`: found among those that were learned."""
    greengrass: bool = False
    """Whether it is a Greengrass V2 core, and gets its function from there; otherwise it is a service of its own."""
    source: str = "v4l2:/dev/video0"
    preview_port: int = 8080
    folder: str = "/var/lib/formlens"
    """On a Greengrass core: where pages, forms and the reader are kept."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,30}", self.name):
            raise ValueError(f"camera {self.name!r}: a camera's name has letters and digits, at most 31")
        if self.account_key and self.csr:
            raise ValueError(
                f"camera {self.name}: its key is made on it (csr) or in the account (account_key), not both"
            )
        if not self.account_key and "-----BEGIN CERTIFICATE REQUEST-----" not in self.csr:
            raise ValueError(f"camera {self.name}: csr is not a certificate signing request; run formlens enroll on it")
        if not re.fullmatch(r"[\w.][\w. -]*", self.form):
            raise ValueError(f"camera {self.name}: {self.form!r} is no name of a form")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One stage of FormLens."""

    stage: str
    keep_data: bool
    """Whether the bucket and what is in it outlive the stacks."""
    python: str = "3.14"
    """The functions' runtime; the layer's wheels follow from it."""
    log_keep: logs.RetentionDays = logs.RetentionDays.TWO_WEEKS
    old_version_days: int = 7
    """How long an overwritten or deleted object can still be brought back."""
    attempts: int = 5
    """Deliveries of one message before it goes to the dead-letter queue."""
    mail: str | None = None
    """Who is told of alarms and of the month's bill; without one the topic has no subscriber and there is no budget."""
    budget_usd: int = 20
    late_minutes: int = 120
    """How long work may wait before somebody is told."""
    failed_percent: int = 20
    """Of the pages of a day, mean over the scans."""
    flagged_percent: int = 25
    """Of the cells of a scan, mean over a day."""
    read: Worker = Worker(memory_mb=3008, timeout_s=300, batch=4, window_s=0, concurrency=10)
    sheet: Worker = Worker(memory_mb=1769, timeout_s=120, batch=100, window_s=10, concurrency=2)
    # a dozen scans take a minute and a half; what takes longer than this never ends
    learn: Worker = Worker(memory_mb=3008, timeout_s=900, batch=1, window_s=0, concurrency=2)
    studio: Studio | None = None
    notebook: Notebook | None = None
    training: Training | None = None
    quota: Quota | None = None
    cameras: tuple[Camera, ...] = ()
    camera_python: str = "3.12"
    """What Greengrass runs a camera's function with; it must be on the camera's PATH. Ubuntu 24.04 has 3.12."""
    nucleus: str = "2.12.6"
    """The version of Greengrass' nucleus that cameras are held at."""

    def __post_init__(self) -> None:
        names = [camera.name for camera in self.cameras]
        if len(set(names)) < len(names):
            raise ValueError(f"two cameras of stage {self.stage} have one name")


DEV = Settings(stage="dev", keep_data=False, studio=Studio(), training=Training(), quota=Quota())
PROD = Settings(
    stage="prod",
    keep_data=True,
    log_keep=logs.RetentionDays.THREE_MONTHS,
    old_version_days=90,
    training=Training(),
)
# The embedded cloud runs functions on the interpreter that it was started with, on the cores of one machine.
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LOCAL = replace(
    DEV,
    stage="local",
    python=THIS_PYTHON,
    read=replace(DEV.read, concurrency=2),
    studio=None,
    training=None,
    quota=None,
)

STAGES = {settings.stage: settings for settings in (DEV, PROD, LOCAL)}


def settings_of(stage: str) -> Settings:
    """The Settings of a stage; ValueError names the stages there are."""
    if stage not in STAGES:
        raise ValueError(f"there is no stage {stage!r}: choose one of {', '.join(STAGES)}")
    return STAGES[stage]
