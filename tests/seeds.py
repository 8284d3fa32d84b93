"""Seeded changes of the real templates: each a sentence, a stack, and what is done to it; for tests/test_changes.py."""

from collections.abc import Callable
from typing import Any

Template = dict[str, Any]
Seed = tuple[str, str, Callable[[Template], None], str]
"""What it is, the stack, what is done to its template, and words that the reviewer must read."""


def one(template: Template, kind: str, start: str = "") -> Template:
    """The first resource of a type whose logical id begins so."""
    found: Template = next(
        resource for id, resource in template["Resources"].items() if resource["Type"] == kind and id.startswith(start)
    )
    return found


def id_of(template: Template, kind: str, start: str = "") -> str:
    found: str = next(
        id for id, resource in template["Resources"].items() if resource["Type"] == kind and id.startswith(start)
    )
    return found


def put(kind: str, path: str, value: Any, start: str = "") -> Callable[[Template], None]:
    """Set what is at a dotted path of a resource; None takes it away."""

    def change(template: Template) -> None:
        at: Any = one(template, kind, start)
        *way, last = path.split(".")
        for name in way:
            at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
        if isinstance(at, list):
            at[int(last)] = value
        elif value is None:
            at.pop(last)
        else:
            at[last] = value

    return change


def drop(kind: str, start: str = "") -> Callable[[Template], None]:
    return lambda template: template["Resources"].pop(id_of(template, kind, start))


def rename(kind: str, start: str = "") -> Callable[[Template], None]:
    def change(template: Template) -> None:
        old = id_of(template, kind, start)
        template["Resources"][f"Other{old}"] = template["Resources"].pop(old)

    return change


def add(id: str, kind: str, **properties: Any) -> Callable[[Template], None]:
    return lambda template: template["Resources"].update({id: {"Type": kind, "Properties": properties}})


def statement(start: str, change: Callable[[Template], None], holds: str = "") -> Callable[[Template], None]:
    """Change the first statement that mentions a word, of the policy whose id begins so."""

    def apply(template: Template) -> None:
        for id, resource in template["Resources"].items():
            if id.startswith(start) and "PolicyDocument" in resource.get("Properties", {}):
                for found in resource["Properties"]["PolicyDocument"]["Statement"]:
                    if holds in str(found):
                        change(found)
                        return
        raise AssertionError(f"no statement of {start} holds {holds}")

    return apply


def more(start: str, **said: Any) -> Callable[[Template], None]:
    """Add a statement to the policy whose id begins so."""

    def apply(template: Template) -> None:
        for id, resource in template["Resources"].items():
            if id.startswith(start) and "PolicyDocument" in resource.get("Properties", {}):
                resource["Properties"]["PolicyDocument"]["Statement"].append({"Effect": "Allow", **said})
                return
        raise AssertionError(start)

    return apply


def trust(start: str, change: Callable[[list[Any]], None]) -> Callable[[Template], None]:
    return lambda template: change(
        one(template, "AWS::IAM::Role", start)["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    )


def rules(change: Callable[[list[Any]], None]) -> Callable[[Template], None]:
    return lambda template: change(one(template, "AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"])


BUCKET, QUEUE, LOG, ROLE = "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role"
RULE, TOPIC, FUNCTION, POLICY = "AWS::Events::Rule", "AWS::SNS::Topic", "AWS::Lambda::Function", "AWS::IAM::Policy"
MAPPING, NOTEBOOK, DOMAIN = (
    "AWS::Lambda::EventSourceMapping",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SageMaker::Domain",
)
IDLE = "Properties.DefaultUserSettings.JupyterLabAppSettings.AppLifecycleManagement.IdleSettings"
BLOCK = "Properties.PublicAccessBlockConfiguration"

DATA: tuple[Seed, ...] = (
    ("the bucket goes", "prod-Storage", drop(BUCKET), "stay, outside of the stack"),
    ("the bucket of dev goes", "dev-Storage", drop(BUCKET), "its objects are lost"),
    ("the bucket gets another name", "prod-Storage", put(BUCKET, "Properties.BucketName", "other"), "**replaced**"),
    ("the bucket gets another logical id", "prod-Storage", rename(BUCKET), "the same comes back, empty, as"),
    ("the bucket is no longer kept", "prod-Storage", put(BUCKET, "DeletionPolicy", "Delete"), "DeletionPolicy"),
    ("nor when it is replaced", "prod-Storage", put(BUCKET, "UpdateReplacePolicy", None), "UpdateReplacePolicy"),
    (
        "versions are off",
        "prod-Storage",
        put(BUCKET, "Properties.VersioningConfiguration.Status", "Suspended"),
        "Status",
    ),
    ("versions are gone", "prod-Storage", put(BUCKET, "Properties.VersioningConfiguration", None), "Enabled"),
    (
        "scans expire",
        "prod-Storage",
        rules(lambda found: found.append({"Id": "x", "Status": "Enabled", "ExpirationInDays": 30, "Prefix": "inbox/"})),
        "objects `inbox/*` are deleted after 30 days",
    ),
    (
        "old versions go sooner",
        "prod-Storage",
        rules(lambda found: found[0]["NoncurrentVersionExpiration"].update(NoncurrentDays=3)),
        "before after 90",
    ),
    (
        "a rule reaches further",
        "prod-Storage",
        rules(lambda found: next(rule for rule in found if rule["Id"] == "old-sheets").pop("Prefix")),
        "old versions everywhere are deleted after 1 days",
    ),
    (
        "objects expire at a date",
        "prod-Storage",
        rules(lambda found: found.append({"Id": "x", "Status": "Enabled", "ExpirationDate": "2027-01-01T00:00:00Z"})),
        "from a date on",
    ),
    ("encryption is gone", "prod-Storage", put(BUCKET, "Properties.BucketEncryption", None), "encryption changes"),
    (
        "encryption by another key",
        "prod-Storage",
        put(
            BUCKET,
            "Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault",
            {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"},
        ),
        "encryption changes",
    ),
    ("new scans are not told", "prod-Storage", put(BUCKET, "Properties.NotificationConfiguration", None), "is gone"),
    (
        "prod may be emptied",
        "prod-Storage",
        put(BUCKET, "Properties.Tags", [{"Key": "formlens:empty-on-removal", "Value": "yes"}]),
        "lets a function",
    ),
    ("prod is emptied", "prod-Storage", add("E", "Custom::EmptyBucket", Bucket="b"), "it deletes what is in"),
    ("a queue goes", "prod-Reading", drop(QUEUE, "ScansQueue"), "its messages are lost"),
    ("a queue gets another name", "prod-Reading", put(QUEUE, "Properties.QueueName", "q", "ScansQueue"), "QueueName"),
    ("a queue gets another logical id", "prod-Reading", rename(QUEUE, "ResultsSetAside"), "is **deleted**"),
    (
        "messages are kept shorter",
        "prod-Reading",
        put(QUEUE, "Properties.MessageRetentionPeriod", 3600, "Scans"),
        "falls from",
    ),
    (
        "messages are kept as long as AWS likes",
        "prod-Reading",
        put(QUEUE, "Properties.MessageRetentionPeriod", None, "Scans"),
        "falls from",
    ),
    (
        "what fails is dropped",
        "prod-Reading",
        put(QUEUE, "Properties.RedrivePolicy", None, "ScansQueue"),
        "RedrivePolicy",
    ),
    (
        "a queue is in the clear",
        "prod-Reading",
        put(QUEUE, "Properties.SqsManagedSseEnabled", False, "Scans"),
        "encryption",
    ),
    ("a log is kept shorter", "prod-Reading", put(LOG, "Properties.RetentionInDays", 1, "Read"), "RetentionInDays"),
    ("a log gets another name", "prod-Reading", put(LOG, "Properties.LogGroupName", "/x", "Read"), "its log"),
    ("a rule goes", "prod-Reading", drop(RULE, "Scans"), "events that it took are dropped"),
    ("a rule is off", "prod-Reading", put(RULE, "Properties.State", "DISABLED", "Scans"), "DISABLED"),
    (
        "events are dropped",
        "prod-Reading",
        put(RULE, "Properties.Targets.0.DeadLetterConfig", None, "Scans"),
        "DeadLetterConfig",
    ),
    ("nobody works", "prod-Reading", drop(MAPPING, "ReadScans"), "nobody works through"),
    ("the mapping is off", "prod-Reading", put(MAPPING, "Properties.Enabled", False, "ReadScans"), "Enabled"),
    (
        "failures of a batch are swallowed",
        "prod-Reading",
        put(MAPPING, "Properties.FunctionResponseTypes", None, "Read"),
        "FunctionResponseTypes",
    ),
    ("a topic gets another name", "prod-Watch", put(TOPIC, "Properties.TopicName", "t"), "subscriptions that people"),
    ("the topic goes", "prod-Watch", drop(TOPIC), "subscriptions that people"),
    ("the domain gets another name", "both-Studio", put(DOMAIN, "Properties.DomainName", "d"), "**replaced**"),
    (
        "its profile goes with it",
        "both-Studio",
        put(DOMAIN, "Properties.DomainName", "d"),
        "the spaces that its owner made",
    ),
    ("the domain signs in otherwise", "both-Studio", put(DOMAIN, "Properties.AuthMode", "SSO"), "AuthMode"),
    (
        "the domain goes to another network",
        "both-Studio",
        put(DOMAIN, "Properties.VpcId", "vpc-1"),
        "may be **replaced**",
    ),
    (
        "the network is another, and the domain with it",
        "both-Studio",
        put("AWS::EC2::VPC", "Properties.CidrBlock", "10.1.0.0/26"),
        "names Network, which is replaced",
    ),
    (
        "the notebook gets another name",
        "both-Studio",
        put(NOTEBOOK, "Properties.NotebookInstanceName", "n"),
        "its volume",
    ),
    ("the notebook goes", "both-Studio", drop(NOTEBOOK), "the files on its volume are lost"),
    (
        "another system on the notebook",
        "both-Studio",
        put(NOTEBOOK, "Properties.PlatformIdentifier", "notebook-al2-v3"),
        "PlatformIdentifier",
    ),
    (
        "what is emptied is another bucket",
        "dev-Storage",
        put("Custom::EmptyBucket", "Properties.Bucket", "other"),
        "is told to be deleted",
    ),
    ("a resource becomes another type", "prod-Watch", put(TOPIC, "Type", "AWS::SQS::Queue"), "is **deleted**"),
    (
        "an export goes that others hold",
        "prod-Storage",
        lambda template: template["Outputs"].pop(next(id for id in template["Outputs"] if "GetAttScans" in id)),
        "CloudFormation refuses",
    ),
)

ACCESS: tuple[Seed, ...] = (
    (
        "another action",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s["Action"].append("s3:DeleteObject"), "/claims/*"),
        "`s3:DeleteObject`",
    ),
    (
        "an action with a wildcard",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.update(Action="s3:*"), "/inbox/*"),
        "`s3:*`",
    ),
    (
        "any action",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.update(Action="*"), "/inbox/*"),
        "may now `*`",
    ),
    (
        "any resource",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.update(Resource="*"), "/inbox/*"),
        "on `*`",
    ),
    (
        "the whole bucket",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s["Resource"]["Fn::Join"][1].__setitem__(1, "/*"), "/inbox/*"),
        "/*`",
    ),
    (
        "a condition less",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.pop("Condition"), "ListBucket"),
        "before, only if",
    ),
    (
        "a condition that lets more",
        "prod-Reading",
        statement(
            "ReadRoleDefault", lambda s: s["Condition"]["StringLike"]["s3:prefix"].append("inbox/*"), "ListBucket"
        ),
        "inbox/*",
    ),
    (
        "another statement",
        "prod-Reading",
        more("SheetRoleDefault", Action="iam:PassRole", Resource="*"),
        "`iam:PassRole`",
    ),
    (
        "all but a few actions",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.update(NotAction=s.pop("Action")), "/inbox/*"),
        "everything but",
    ),
    (
        "a managed policy",
        "prod-Reading",
        put(ROLE, "Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"], "Read"),
        "AdministratorAccess",
    ),
    (
        "an inline policy",
        "prod-Reading",
        put(
            ROLE,
            "Properties.Policies",
            [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]},
                }
            ],
            "Read",
        ),
        "`sts:AssumeRole`",
    ),
    (
        "a policy for one more role",
        "prod-Reading",
        lambda t: one(t, POLICY, "ReadRole")["Properties"]["Roles"].append({"Ref": id_of(t, ROLE, "Sheet")}),
        "`SheetRole",
    ),
    (
        "anybody takes the role",
        "prod-Reading",
        trust("Read", lambda s: s[0].update(Principal={"AWS": "*"})),
        "may be taken",
    ),
    (
        "another account takes it",
        "prod-Reading",
        trust(
            "Read",
            lambda s: s.append({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999999999999"}}),
        ),
        "999999999999",
    ),
    (
        "SageMaker takes it for any account",
        "both-Studio",
        trust("Studio", lambda s: s[0].pop("Condition")),
        "before, only if",
    ),
    ("the bucket takes plain connections", "prod-Storage", drop("AWS::S3::BucketPolicy"), "no longer denies"),
    (
        "it denies less",
        "prod-Storage",
        statement("ScansPolicy", lambda s: s.update(Action="s3:PutObject")),
        "no longer denies",
    ),
    (
        "it denies only some",
        "prod-Storage",
        statement("ScansPolicy", lambda s: s["Condition"].update(StringEquals={"aws:PrincipalOrgID": "o"})),
        "no longer denies",
    ),
    (
        "anybody reads the bucket",
        "prod-Storage",
        more("ScansPolicy", Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::x/*"),
        "lets `*` do `s3:GetObject`",
    ),
    (
        "anybody sends to a queue",
        "prod-Reading",
        statement("ScansQueuePolicy", lambda s: s.update(Principal="*"), "events."),
        "lets `*` do",
    ),
    (
        "any rule sends to a queue",
        "prod-Reading",
        statement("ScansQueuePolicy", lambda s: s.pop("Condition"), "events."),
        "before, only if",
    ),
    (
        "any queue sets aside",
        "prod-Reading",
        put(QUEUE, "Properties.RedriveAllowPolicy.redrivePermission", "allowAll", "ScansSetAside"),
        "any queue",
    ),
    (
        "anybody tells the topic",
        "prod-Watch",
        statement("AlarmsPolicy", lambda s: s.pop("Condition"), "cloudwatch."),
        "before, only if",
    ),
    *(
        (f"{name} is off", "prod-Storage", put(BUCKET, f"{BLOCK}.{name}", False), "public access is no longer blocked")
        for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    ),
    ("nothing blocks the public", "prod-Storage", put(BUCKET, BLOCK, None), "public access is no longer blocked"),
    (
        "lists of access count",
        "prod-Storage",
        put(BUCKET, "Properties.OwnershipControls", None),
        "access lists count again",
    ),
    ("the bucket is public", "prod-Storage", put(BUCKET, "Properties.AccessControl", "PublicRead"), "open to others"),
    (
        "a function acts as another",
        "prod-Reading",
        put(FUNCTION, "Properties.Role", {"Fn::GetAtt": ["X", "Arn"]}, "Read"),
        "now acts as",
    ),
    (
        "people in Studio act as another",
        "both-Studio",
        put(DOMAIN, "Properties.DefaultUserSettings.ExecutionRole", "arn:aws:iam::1:role/admin"),
        "now acts as",
    ),
    ("who may not is let", "prod-Storage", statement("ScansPolicy", lambda s: s.update(Effect="Allow")), "`s3:*`"),
    (
        "a condition that likes more",
        "both-Studio",
        trust("Studio", lambda s: s[0].update(Condition={"StringLike": {"aws:SourceAccount": "*"}})),
        "before, only if",
    ),
    (
        "all but a resource",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s.update(NotResource=s.pop("Resource")), "/inbox/*"),
        "everything but",
    ),
    (
        "all but a few may send",
        "prod-Reading",
        statement("ScansQueuePolicy", lambda s: s.update(NotPrincipal=s.pop("Principal")), "events."),
        "everything but",
    ),
    (
        "a function has an address",
        "prod-Reading",
        add("U", "AWS::Lambda::Url", AuthType="NONE", TargetFunctionArn="f"),
        "anybody on the internet",
    ),
    (
        "anybody calls a function",
        "prod-Reading",
        add("P", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", Principal="*", FunctionName={"Ref": "F"}),
        "lets `*` do `lambda:InvokeFunction`",
    ),
    (
        "a new role",
        "prod-Reading",
        add(
            "R",
            ROLE,
            AssumeRolePolicyDocument={
                "Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
                ]
            },
        ),
        "ec2.amazonaws.com",
    ),
    (
        "a key for everybody",
        "prod-Storage",
        add(
            "K",
            "AWS::KMS::Key",
            KeyPolicy={"Statement": [{"Effect": "Allow", "Action": "kms:*", "Principal": "*", "Resource": "*"}]},
        ),
        "`kms:*`",
    ),
    (
        "a group that lets everybody in",
        "both-Studio",
        add(
            "G",
            "AWS::EC2::SecurityGroup",
            SecurityGroupIngress=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}],
        ),
        "`tcp 22` of `0.0.0.0/0` in",
    ),
    ("a way to the internet", "both-Studio", add("W", "AWS::EC2::InternetGateway"), "a way to the internet"),
    (
        "public addresses",
        "both-Studio",
        put("AWS::EC2::Subnet", "Properties.MapPublicIpOnLaunch", True),
        "public address",
    ),
    ("root on the notebook", "both-Studio", put(NOTEBOOK, "Properties.RootAccess", "Enabled"), "is root"),
    (
        "the first metadata version",
        "both-Studio",
        put(NOTEBOOK, "Properties.InstanceMetadataServiceConfiguration", None),
        "forged request",
    ),
)

COST: tuple[Seed, ...] = (
    (
        "apps that idle go on",
        "both-Studio",
        put(DOMAIN, f"{IDLE}.LifecycleManagement", "DISABLED"),
        "no longer stops what idles",
    ),
    ("apps idle for a day", "both-Studio", put(DOMAIN, f"{IDLE}.IdleTimeoutInMinutes", 1440), "stops later"),
    ("a NAT gateway", "both-Studio", add("N", "AWS::EC2::NatGateway", SubnetId="s"), "32.85 USD"),
    (
        "a notebook",
        "dev-Studio",
        add("N", NOTEBOOK, InstanceType="ml.g4dn.xlarge", VolumeSizeInGB=50, RoleArn="r"),
        "544.57 USD",
    ),
    ("a larger instance", "both-Studio", put(NOTEBOOK, "Properties.InstanceType", "ml.g5.2xlarge"), "before 544.57"),
    (
        "an instance that no table knows",
        "both-Studio",
        put(NOTEBOOK, "Properties.InstanceType", "ml.p5.48xlarge"),
        "unknown sum",
    ),
    ("a larger volume", "both-Studio", put(NOTEBOOK, "Properties.VolumeSizeInGB", 500), "607.57 USD"),
    ("a key", "prod-Storage", add("K", "AWS::KMS::Key", KeyPolicy={}), "1.00 USD"),
    ("an alarm", "prod-Watch", add("A", "AWS::CloudWatch::Alarm", MetricName="m"), "0.10 USD"),
    (
        "an endpoint of a network",
        "both-Studio",
        add(
            "V",
            "AWS::EC2::VPCEndpoint",
            VpcEndpointType="Interface",
            SubnetIds=["a", "b"],
            PolicyDocument={"Statement": []},
        ),
        "14.60 USD",
    ),
    (
        "an endpoint of a model",
        "both-Studio",
        add("V", "AWS::SageMaker::EndpointConfig", ProductionVariants=[{"InstanceType": "ml.m5.large"}]),
        "by the hour",
    ),
)


def _moved_policy(template: Template) -> None:
    """The statements of one policy in two, under other ids."""
    old = id_of(template, POLICY, "ReadRole")
    resource = template["Resources"].pop(old)
    statements = resource["Properties"]["PolicyDocument"]["Statement"]
    for number, part in enumerate((statements[:3], statements[3:])):
        properties = resource["Properties"] | {"PolicyName": f"p{number}", "PolicyDocument": {"Statement": part}}
        template["Resources"][f"Part{number}"] = {"Type": POLICY, "Properties": properties}


def _respelled(template: Template) -> None:
    """An ARN by Fn::Sub that was by Fn::Join."""
    for found in one(template, POLICY, "ReadRole")["Properties"]["PolicyDocument"]["Statement"]:
        if "Fn::Join" in found["Resource"] and "/inbox/*" in str(found):
            imported = found["Resource"]["Fn::Join"][1][0]
            found["Resource"] = {"Fn::Sub": ["${Bucket}/inbox/*", {"Bucket": imported}]}
            return
    raise AssertionError


def _one_action_each(template: Template) -> None:
    document = one(template, POLICY, "ReadRole")["Properties"]["PolicyDocument"]
    document["Statement"] = [
        {**found, "Action": action}
        for found in document["Statement"]
        for action in (found["Action"] if isinstance(found["Action"], list) else [found["Action"]])
    ]


HARMLESS: tuple[tuple[str, str, Callable[[Template], None]], ...] = (
    ("a tag", "prod-Storage", put(BUCKET, "Properties.Tags", [{"Key": "team", "Value": "forms"}])),
    ("a description", "prod-Reading", put(FUNCTION, "Properties.Description", "reads", "Read")),
    ("a description of a role", "prod-Reading", put(ROLE, "Properties.Description", "reads", "Read")),
    ("a threshold", "prod-Watch", put("AWS::CloudWatch::Alarm", "Properties.Threshold", 7, "ScansLate")),
    ("a dashboard", "prod-Watch", put("AWS::CloudWatch::Dashboard", "Properties.DashboardBody", "{}")),
    ("more time", "prod-Reading", put(FUNCTION, "Properties.Timeout", 600, "Read")),
    ("more memory", "prod-Reading", put(FUNCTION, "Properties.MemorySize", 3009, "Read")),
    ("another variable", "prod-Reading", put(FUNCTION, "Properties.Environment.Variables.X", "y", "Read")),
    ("another runtime", "prod-Reading", put(FUNCTION, "Properties.Runtime", "python3.15", "Read")),
    ("a larger batch", "prod-Reading", put(MAPPING, "Properties.BatchSize", 5, "Read")),
    ("fewer copies", "prod-Reading", put(MAPPING, "Properties.ScalingConfig.MaximumConcurrency", 3, "Read")),
    ("hidden longer", "prod-Reading", put(QUEUE, "Properties.VisibilityTimeout", 3600, "ScansQueue")),
    ("more attempts", "prod-Reading", put(QUEUE, "Properties.RedrivePolicy.maxReceiveCount", 9, "ScansQueue")),
    ("a log kept longer", "prod-Reading", put(LOG, "Properties.RetentionInDays", 365, "Read")),
    ("a log kept for ever", "prod-Reading", put(LOG, "Properties.RetentionInDays", None, "Read")),
    (
        "old versions kept longer",
        "prod-Storage",
        rules(lambda found: found[0]["NoncurrentVersionExpiration"].update(NoncurrentDays=365)),
    ),
    ("a rule less that deletes", "prod-Storage", rules(lambda found: found.pop(1))),
    (
        "a rule that is off",
        "prod-Storage",
        rules(lambda found: found.append({"Status": "Disabled", "ExpirationInDays": 1})),
    ),
    ("the rules in another order", "prod-Storage", rules(lambda found: found.reverse())),
    ("dev is kept from now on", "dev-Storage", put(BUCKET, "DeletionPolicy", "Retain")),
    ("an action less", "prod-Reading", statement("ReadRoleDefault", lambda s: s["Action"].pop(), "/claims/*")),
    (
        "a statement less",
        "prod-Reading",
        lambda t: one(t, POLICY, "ReadRole")["Properties"]["PolicyDocument"]["Statement"].pop(),
    ),
    (
        "a condition more",
        "prod-Reading",
        statement(
            "ReadRoleDefault", lambda s: s.update(Condition={"Bool": {"aws:SecureTransport": "true"}}), "/inbox/*"
        ),
    ),
    (
        "a narrower condition",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s["Condition"]["StringLike"]["s3:prefix"].pop(), "ListBucket"),
    ),
    (
        "a narrower resource",
        "prod-Reading",
        statement("ReadRoleDefault", lambda s: s["Resource"]["Fn::Join"][1].__setitem__(1, "/inbox/any/*"), "/inbox/*"),
    ),
    ("one action a statement", "prod-Reading", _one_action_each),
    ("a policy in two parts under other ids", "prod-Reading", _moved_policy),
    ("the same ARN spelled otherwise", "prod-Reading", _respelled),
    ("the bucket's policy under another id", "prod-Storage", rename("AWS::S3::BucketPolicy")),
    (
        "another statement that denies",
        "prod-Storage",
        more("ScansPolicy", Effect="Deny", Principal="*", Action="s3:*", Resource="*"),
    ),
    (
        "only one account takes the role",
        "prod-Reading",
        trust("Read", lambda s: s[0].update(Condition={"StringEquals": {"aws:SourceAccount": "1"}})),
    ),
    ("the notebook stops sooner", "both-Studio", put(NOTEBOOK, "Properties.InstanceType", "ml.t3.medium")),
    ("an alarm less", "prod-Watch", drop("AWS::CloudWatch::Alarm", "ScansLate")),
    ("an output", "prod-Watch", lambda template: template["Outputs"].update(X={"Value": "y"})),
    ("a queue that is new", "prod-Reading", add("Q", QUEUE, SqsManagedSseEnabled=True)),
    ("an order of creation", "prod-Reading", lambda t: one(t, FUNCTION, "Read")["DependsOn"].reverse()),
    ("metadata", "prod-Storage", put(BUCKET, "Metadata.note", "hello")),
)
