"""Every exception from the rules, with its reason; tests/test_stacks_rules.py sees to it that there is no other.

The rules: cdk-nag's AwsSolutions, cfn-lint, checkov, and no `*` in an action or a resource of what is allowed.
"""

from dataclasses import dataclass

WILDCARD = "AwsSolutions-IAM5"
LOGS = "/aws/sagemaker/NotebookInstances"
JOB_LOGS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing"))
PEOPLE = ("Studio/StudioRole", "Studio/NotebookRole")


@dataclass(frozen=True)
class Exempt:
    """One finding that is there on purpose."""

    rule: str
    where: str
    """Stack and construct, without the stage."""
    what: str
    """The end of the resource with the wildcard, `<stage>` for any stage; nothing for other rules."""
    reason: str


def _objects(role: str, prefix: str, why: str) -> Exempt:
    return Exempt(WILDCARD, role, f"/{prefix}*", why)


FUNCTIONS = (
    "Storage/Empty",
    "Reading/Read",
    "Reading/Sheet",
    "Reading/Learn",
    "Studio/Close",
    "Training/Close",
    "Training/Release",
    "Training/Start",
    "Quota/Ask",
    "Camera/Forget",
    "Camera/Certify",
)
"""Every function: what checkov says of one it says of all."""
OWN_KEY = "Encrypted with AWS' own key. One of ours costs, and stays a week after all else is destroyed: 0013."


def _each(rule: str, where: tuple[str, ...], reason: str) -> tuple[Exempt, ...]:
    return tuple(Exempt(rule, one, "", reason) for one in where)


CHECKOV = (
    *_each(
        "CKV_AWS_115", FUNCTIONS, "Queues hold back what is too much; a new account has 10 to run, none to reserve."
    ),
    *_each(
        "CKV_AWS_116", FUNCTIONS, "Called by a queue that sets aside what fails, or by CloudFormation, which waits."
    ),
    *_each(
        "CKV_AWS_117", FUNCTIONS, "Reaches AWS' own services alone; a network of ours would need a NAT, by the hour."
    ),
    *(
        Exempt(
            f"CKV_AWS_{number}", "Camera/Camera", "", "Runs on cameras, under Greengrass; nobody calls it in the cloud."
        )
        for number in (115, 116, 117, 173)
    ),
    *_each("CKV_AWS_158", tuple(f"{one}Log" for one in (*FUNCTIONS, "Camera/Camera")), OWN_KEY),
    *_each(
        "CKV_AWS_173",
        ("Reading/Read", "Reading/Sheet", "Reading/Learn", "Training/Release", "Training/Start"),
        "Names of the bucket and the pipeline, the code's digest: no secret. Encrypted with Lambda's own key.",
    ),
    *_each(
        "CKV_AWS_27",
        tuple(f"Reading/{list_}{kind}" for list_ in ("Scans", "Results", "Folders") for kind in ("Queue", "SetAside")),
        "Encrypted: SqsManagedSseEnabled, which this rule does not know. " + OWN_KEY,
    ),
    Exempt(
        "CKV_AWS_26", "Watch/Alarms", "", "CloudWatch can publish only under a key of ours; alarms name no page: 0013."
    ),
    Exempt("CKV_AWS_18", "Storage/Scans", "", "As for AwsSolutions-S1."),
    Exempt(
        "CKV_AWS_187", "Studio/Domain", "", "It has no file system to encrypt (HomeEfsFileSystemCreation: Disabled)."
    ),
    Exempt("CKV_AWS_187", "Studio/Notebook", "", "As for AwsSolutions-SM2."),
)
"""What checkov would have otherwise (its environment: `make checkov`)."""

EXEMPT = (
    *CHECKOV,
    Exempt(
        "AwsSolutions-S1",
        "Storage/Scans",
        "",
        "Access logs need a second bucket that outlives this one; CloudTrail data events do the same without.",
    ),
    _objects("Storage/EmptyRole", "", "Empties the bucket when the stack is destroyed; only where nothing is kept."),
    _objects("Reading/ReadRole", "inbox/", "The names of scans are the clerk's; AWS narrows objects by prefix only."),
    _objects("Reading/ReadRole", "claims/", "One object a scan, named by the scan's digest."),
    _objects("Reading/ReadRole", "results/", "One object a page, named by arrival, scan and page."),
    _objects("Reading/ReadRole", "failed/", "Copies of scans and the reasons, named like results."),
    _objects("Reading/SheetRole", "results/", "Reads any page of any form."),
    _objects("Reading/SheetRole", "sheets/", "Writes the books of any form and day."),
    _objects("Reading/ReadRole", "forms/", "Forms are named by those who upload them."),
    _objects("Reading/LearnRole", "training/", "Any form's folder, and any file in it."),
    _objects("Reading/LearnRole", "forms/", "Writes any form, beside its report."),
    _objects("Reading/LearnRole", "failed/", "The reason why a folder was not learned."),
    *(
        _objects(f"Studio/{role}", f"{prefix}/", "Who trains reads this part of the bucket whole.")
        for role in ("StudioRole", "NotebookRole")
        for prefix in ("training", "labels", "forms", "models", "runs")
    ),
    *(
        _objects(
            f"Camera/{camera}Role", prefix, "Any page of the one form under this camera, under the camera's own name."
        )
        for camera in ("hall", "till")
        for prefix in (
            "results/intake/",
            "failed/intake/",
            "claims/intake/",
            f"inbox/intake/formlens-<stage>-{camera}/",
            "forms/intake/",
            "models/",
        )
    ),
    *(
        _objects("Camera/deskRole", prefix, "Any form lies under this camera: a page goes where its form's pages are.")
        for prefix in ("results/", "failed/", "claims/any/", "inbox/any/formlens-<stage>-desk/", "forms/", "models/")
    ),
    Exempt(WILDCARD, "Camera/ForgetRole", "*", "greengrass:ListDeployments knows no resource to narrow it to."),
    *(
        Exempt(WILDCARD, "Camera/ForgetRole", end, "Any camera that the stage has or had: its leave outlives each.")
        for end in (
            "/cameras/formlens-<stage>-*",
            ":components:formlens.<stage>.*",
            ":coreDevices:formlens-<stage>-*",
            ":thing/formlens-<stage>-*",
        )
    ),
    Exempt(WILDCARD, "Camera/ForgetRole", ":deployments:*", "Deployments are named by Greengrass."),
    Exempt(WILDCARD, "Camera/CertifyRole", "*", "iot:CreateKeysAndCertificate knows no resource."),
    Exempt(WILDCARD, "Camera/CertifyRole", ":cert/*", "Certificates are named by AWS IoT."),
    Exempt(WILDCARD, "Camera/CertifyRole", ":secret:formlens/formlens-<stage>-*", "As for Camera/ForgetRole."),
    Exempt(WILDCARD, "Studio/StudioRole", "*", "sagemaker:ListApps and ListSpaces know no resource to narrow them to."),
    Exempt(WILDCARD, "Studio/CloseRole", "*", "As for Studio/StudioRole."),
    Exempt(WILDCARD, "Studio/StudioRole", "/*", "Apps and spaces of this domain, named by whoever opens them."),
    Exempt(WILDCARD, "Studio/CloseRole", "/*", "As for Studio/StudioRole."),
    *(
        Exempt(
            WILDCARD, f"{stack}/CloseRole", f":log-group:{group}:*", "Finds our streams, and deletes an empty group."
        )
        for stack, groups in (("Studio", ("/aws/sagemaker/studio", LOGS)), ("Training", JOB_LOGS))
        for group in groups
    ),
    *(
        Exempt(
            WILDCARD, f"{stack}/CloseRole", f":log-group:{group}:log-stream:formlens-<stage>{end}", "Our streams alone."
        )
        for stack, groups, end in (("Studio", (LOGS,), "/*"), ("Training", JOB_LOGS, "-*"))
        for group in groups
    ),
    Exempt(WILDCARD, "Quota/AskRole", "*", "What lists quotas knows no resource to narrow it to."),
    Exempt(WILDCARD, "Quota/AskRole", ":sagemaker/*", "The codes of quotas differ by region; found by name."),
    Exempt(WILDCARD, "Studio/NotebookRole", f":log-group:{LOGS}:*", "How the log's own policy names a whole group."),
    Exempt(
        WILDCARD,
        "Studio/NotebookRole",
        f":log-group:{LOGS}:log-stream:formlens-<stage>/*",
        "The streams of this instance alone.",
    ),
    *(_objects(f"Reading/{role}", "models/", "Whichever release is in use.") for role in ("ReadRole", "LearnRole")),
    *(
        _objects(f"Training/{role}", f"{prefix}/", why)
        for role, prefix, why in (
            (
                "TrainingRole",
                "runs",
                "Takes what the step before made; a place for each execution.",
            ),
            ("ProcessingRole", "training", "The scans of whichever form is trained for."),
            ("ProcessingRole", "labels", "The corrections of whichever form is trained for."),
            ("ProcessingRole", "models", "Whichever release is in use, or is to be trained on from."),
            ("ProcessingRole", "runs", "As for Training/TrainingRole."),
            ("PipelineRole", "runs", "Looks at the evaluation of each execution."),
            ("ReleaseRole", "runs", "The package that was approved, in the place of its execution."),
            ("ReleaseRole", "models", "Each release has a place of its own."),
            ("StartRole", "runs/started", "An object for each form."),
        )
    ),
    *(
        Exempt(WILDCARD, role, f":{kind}-job/formlens-<stage>-*", "SageMaker ends the name of each job as it likes.")
        for role in ("Training/PipelineRole", *PEOPLE)
        for kind in ("training", "processing")
    ),
    *(
        Exempt(WILDCARD, role, f":log-group:/aws/sagemaker/{log}{end}", why)
        for role, logs in (
            ("Training/TrainingRole", ("TrainingJobs",)),
            ("Training/ProcessingRole", ("ProcessingJobs",)),
            *((people, ("TrainingJobs", "ProcessingJobs")) for people in PEOPLE),
        )
        for log in logs
        for end, why in (
            (":*", "How the log's own policy names a whole group."),
            (":log-stream:formlens-<stage>-*", "The streams of this stage's jobs alone."),
        )
    ),
    Exempt(WILDCARD, PEOPLE[0], ":log-group:/aws/sagemaker/studio:*", "How the log's own policy names a whole group."),
    *(
        Exempt(
            WILDCARD, f"Training/{kind}Role", "*", "Metrics, narrowed by namespace, and ECR's token know no resource."
        )
        for kind in ("Training", "Processing")
    ),
    *(
        Exempt(WILDCARD, role, ":pipeline/formlens-<stage>/execution/*", "Any execution of this pipeline.")
        for role in ("Training/CloseRole", *PEOPLE)
    ),
    *(
        Exempt(WILDCARD, role, ":model-package/formlens-<stage>/*", "Any version in this registry.")
        for role in ("Training/CloseRole", "Training/PipelineRole", "Training/ReleaseRole", *PEOPLE)
    ),
    *(
        Exempt(WILDCARD, f"Training/{role}", "/*", "Any version in this registry, where it is kept.")
        for role in ("PipelineRole", "ReleaseRole")
    ),
    Exempt("AwsSolutions-SM1", "Studio/Notebook", "", "In a network of ours it would need a NAT, paid by the hour."),
    Exempt("AwsSolutions-SM2", "Studio/Notebook", "", "Encrypted with SageMaker's own key; the reasons are in 0013."),
    Exempt("AwsSolutions-SM3", "Studio/Notebook", "", "The training environment comes from PyPI; see SM1."),
    Exempt("AwsSolutions-VPC7", "Studio/Network", "", "Nothing ever runs in it: there is no flow to log."),
    Exempt("AwsSolutions-L1", "Storage/Empty", "", "Stage local: the Python that the embedded cloud runs on."),
    Exempt("AwsSolutions-L1", "Reading/Read", "", "As for Storage/Empty."),
    Exempt("AwsSolutions-L1", "Reading/Sheet", "", "As for Storage/Empty."),
    Exempt("AwsSolutions-L1", "Reading/Learn", "", "As for Storage/Empty."),
    Exempt("AwsSolutions-L1", "Camera/Camera", "", "What cameras have: the Python of Ubuntu 24.04."),
    Exempt("W3005", "Camera/Camera", "", "As for Storage/Empty."),
    Exempt("W3005", "Camera/Forget", "", "As for Storage/Empty."),
    Exempt("W3005", "Camera/Certify", "", "As for Storage/Empty."),
    Exempt("W3005", "Storage/Empty", "", "CDK has a function wait for its role and the role's policy, GetAtt or not."),
    Exempt("W3005", "Reading/Read", "", "As for Storage/Empty."),
    Exempt("W3005", "Reading/Sheet", "", "As for Storage/Empty."),
    Exempt("W3005", "Reading/Learn", "", "As for Storage/Empty."),
    Exempt("W3005", "Studio/Close", "", "As for Storage/Empty."),
    Exempt("W3005", "Quota/Ask", "", "As for Storage/Empty."),
    Exempt("W3005", "Training/Close", "", "As for Storage/Empty."),
    Exempt("W3005", "Training/Start", "", "As for Storage/Empty."),
    Exempt("W3005", "Training/Release", "", "As for Storage/Empty."),
)
