"""One change goes in; what it opens to the network, the public or root comes out, beside what policies say."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from changes.compare import Change
from changes.finding import code
from changes.values import at, listed, plain, text_of

Rule = tuple[str, int, int, str]
"""Protocol, first and last port, and from where."""
_S3_BLOCK = "PublicAccessBlockConfiguration"
# (type, path, the values that are safe, what it means when they are left)
_SWITCHES: tuple[tuple[str, str, tuple[Any, ...], str], ...] = (
    *(
        ("AWS::S3::Bucket", f"{_S3_BLOCK}.{name}", (True, "true"), "public access is no longer blocked")
        for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    ),
    (
        "AWS::S3::Bucket",
        "OwnershipControls.Rules.0.ObjectOwnership",
        ("BucketOwnerEnforced",),
        "access lists count again",
    ),
    (
        "AWS::S3::Bucket",
        "AccessControl",
        (None, "Private", "LogDeliveryWrite", "BucketOwnerFullControl"),
        "open to others",
    ),
    ("AWS::Lambda::Url", "AuthType", ("AWS_IAM",), "anybody on the internet may call it"),
    (
        "AWS::ApiGateway::Method",
        "AuthorizationType",
        ("AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
        "anybody may call it",
    ),
    ("AWS::ApiGatewayV2::Route", "AuthorizationType", ("AWS_IAM", "CUSTOM", "JWT"), "anybody may call it"),
    ("AWS::SageMaker::NotebookInstance", "RootAccess", ("Disabled",), "whoever opens it is root"),
    ("AWS::SageMaker::NotebookInstance", "DirectInternetAccess", ("Disabled",), "it reaches the internet directly"),
    (
        "AWS::SageMaker::NotebookInstance",
        "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
        ("2",),
        "its credentials can be read by a forged request",
    ),
    ("AWS::SageMaker::Domain", "AppNetworkAccessType", ("VpcOnly",), "apps reach the internet directly"),
    ("AWS::SQS::Queue", "RedriveAllowPolicy.redrivePermission", ("byQueue", "denyAll"), "any queue may set aside here"),
    ("AWS::EC2::Subnet", "MapPublicIpOnLaunch", (None, False, "false"), "what starts in it gets a public address"),
    ("AWS::RDS::DBInstance", "PubliclyAccessible", (False, "false"), "it has a public address"),
    ("AWS::KMS::Key", "EnableKeyRotation", (True, "true"), "the key is no longer rotated"),
    ("AWS::Cognito::UserPool", "AdminCreateUserConfig.AllowAdminCreateUserOnly", (True, "true"), "anybody may sign up"),
)
_OPENS = {
    "AWS::EC2::InternetGateway": "a way to the internet",
    "AWS::EC2::VPCGatewayAttachment": "the network gets a way to the internet",
    "AWS::EC2::VPCPeeringConnection": "another network is let in",
    "AWS::Lambda::Url": "the function gets an address on the internet",
    "AWS::IAM::AccessKey": "a key that never expires",
}


_ACTS_AS = re.compile(r"(^|\.)(\w*Role|\w*RoleArn|\w*RoleARN)$")
"""Paths of properties that say as whom a resource acts."""


def opened(change: Change) -> Iterator[str]:
    """Each door that this change opens, in words."""
    was, now = change.properties
    if not change.after:
        return
    if not change.before and change.kind in _OPENS:
        yield f"{code(change.id)} is new: {_OPENS[change.kind]}"
    for kind, path, safe, means in _SWITCHES:
        if kind == change.kind and at(now, path) not in safe:
            # of a new one only what is said: what AWS does by default is another question
            left = at(was, path) in safe if change.before else at(now, path) is not None
            if left:
                yield f"{code(change.id)}: {code(path)} is {code(text_of(at(now, path)))}: {means}"
    if change.kind == "AWS::EC2::Route" and at(now, "DestinationCidrBlock") == "0.0.0.0/0" and not change.before:
        yield f"{code(change.id)} is new: a route to everywhere"
    for path, old, new in change.paths:
        if _ACTS_AS.search(path) and old is not None and new is not None:
            yield f"{code(change.id)} now acts as {code(plain(new))}, before as {code(plain(old))} ({code(path)})"
    for way in ("Ingress", "Egress"):
        before, after = _rules(change.kind, was, way, change.before), _rules(change.kind, now, way, change.after)
        for rule in sorted(after):
            if not any(_rule_covers(other, rule) for other in before):
                yield f"{code(change.id)} lets {_rule_text(rule)} {'in' if way == 'Ingress' else 'out'}"


def _rules(kind: str, properties: dict[str, Any], way: str, there: Any) -> set[Rule]:
    if not there:
        return set()
    if kind == f"AWS::EC2::SecurityGroup{way}":
        return {_rule(properties)}
    if kind != "AWS::EC2::SecurityGroup":
        return set()
    listed_ = listed(properties.get(f"SecurityGroup{way}"))
    if way == "Egress" and "SecurityGroupEgress" not in properties:
        return {("-1", 0, 65535, "0.0.0.0/0")}  # what EC2 gives a group that says nothing
    return {_rule(one) for one in listed_ if isinstance(one, dict)}


def _rule(of: dict[str, Any]) -> Rule:
    protocol = text_of(of.get("IpProtocol", "-1"))
    first, last = (0, 65535) if protocol == "-1" else (_port(of.get("FromPort"), 0), _port(of.get("ToPort"), 65535))
    ends = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId")
    source = next((text_of(of[name]) for name in (*ends, "DestinationPrefixListId") if name in of), "anywhere")
    return protocol, first, last, source


def _port(value: Any, otherwise: int) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"\d+", text) else otherwise


def _rule_covers(wide: Rule, narrow: Rule) -> bool:
    if wide[0] not in ("-1", narrow[0]) or not wide[1] <= narrow[1] <= narrow[2] <= wide[2]:
        return False
    try:
        mine, theirs = ipaddress.ip_network(narrow[3]), ipaddress.ip_network(wide[3])
        return mine.version == theirs.version and mine.subnet_of(theirs)  # type: ignore[arg-type]
    except ValueError:
        return narrow[3] == wide[3]


def _rule_text(rule: Rule) -> str:
    protocol, first, last, source = rule
    ports = "everything" if protocol == "-1" else f"{protocol} {first}" + (f" to {last}" if last != first else "")
    return f"{code(ports)} of {code(source)}"
