"""A stack goes in; who may do what in it comes out, whichever resource says it.

The unit is a role with all its policies, or a resource with the policies upon it: moving a statement from one policy to
another, or giving a policy another logical id, changes nothing here.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from changes.assembly import Stack
from changes.compare import scrubbed_ids
from changes.policy import Grant, Terms, grants_of
from changes.values import listed, text_of

Subject = tuple[str, str]
"""What is said of whom: (`may`, a role), (`may be taken by`, a role), (`lets`, a queue)."""
_ATTACHED = {
    "AWS::IAM::Policy": ("Roles", "Users", "Groups"),
    "AWS::IAM::ManagedPolicy": ("Roles", "Users", "Groups"),
    "AWS::IAM::RolePolicy": ("RoleName",),
    "AWS::IAM::UserPolicy": ("UserName",),
    "AWS::IAM::GroupPolicy": ("GroupName",),
}
_UPON = ("Bucket", "Queues", "Topics", "SecretId", "RepositoryName", "FunctionName", "ResourceArn", "EventBusName")
_EVERYTHING = Grant("Allow", Terms(("*",)), Terms(("*",)), Terms(("*",)))


def subjects_of(stack: Stack | None) -> dict[Subject, list[Grant]]:
    """The grants of each subject of a stack."""
    found: dict[Subject, list[Grant]] = defaultdict(list)
    for id, resource in scrubbed_ids(stack).items() if stack else ():
        properties = resource.get("Properties") or {}
        for subject, grant in _said(id, resource["Type"], properties):
            found[subject].append(grant)
    return dict(found)


def _said(id: str, kind: str, properties: dict[str, Any]) -> Iterator[tuple[Subject, Grant]]:
    if kind in _ATTACHED:
        whom = [text_of(one) for name in _ATTACHED[kind] for one in listed(properties.get(name))] or [f"${{{id}}}"]
        for grant in grants_of(properties.get("PolicyDocument")):
            yield from ((("may", name_of(one)), grant) for one in whom)
    elif kind in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        for grant in grants_of(properties.get("AssumeRolePolicyDocument")):
            yield ("may be taken by", id), grant
        for policy in listed(properties.get("Policies")):
            yield from ((("may", id), grant) for grant in grants_of(policy.get("PolicyDocument")))
        for policy in listed(properties.get("ManagedPolicyArns")):
            yield ("may", id), Grant("Allow", Terms(("",)), Terms((f"all of {text_of(policy)}",)), Terms(("",)))
        if "PermissionsBoundary" in properties:
            limit = Terms((f"all but {text_of(properties['PermissionsBoundary'])}",))
            yield ("may", id), Grant("Deny", Terms(("",)), limit, Terms(("",)))
    elif kind == "AWS::Lambda::Permission":
        conditions = frozenset(
            ("StringEquals", name.lower(), frozenset([text_of(properties[name])]))
            for name in ("SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken", "FunctionUrlAuthType")
            if name in properties
        )
        who, what = Terms((text_of(properties.get("Principal")),)), Terms((text_of(properties.get("Action")),))
        target = text_of(properties.get("FunctionName"))
        yield ("lets", name_of(target)), Grant("Allow", who, what, Terms((target,)), conditions)
    elif kind == "AWS::EC2::VPCEndpoint" and "PolicyDocument" not in properties:
        yield ("lets", id), _EVERYTHING
    else:
        upon = [text_of(one) for name in _UPON for one in listed(properties.get(name))] or [id]
        for document in _documents(properties):
            for grant in grants_of(document):
                yield from ((("lets", name_of(one)), grant) for one in upon)


def _documents(value: Any) -> Iterator[Any]:
    """Every policy document that is somewhere in the properties."""
    if isinstance(value, dict):
        if any(isinstance(one, dict) and "Effect" in one for one in listed(value.get("Statement"))):
            yield value
        else:
            for of in value.values():
                yield from _documents(of)
    elif isinstance(value, list):
        for of in value:
            yield from _documents(of)


def name_of(text: str) -> str:
    """`Queue` for `${Queue}` and `${Queue.Arn}`; anything else as it is."""
    inner = text.removeprefix("${").removesuffix("}")
    return inner.partition(".")[0] if text == f"${{{inner}}}" and "{" not in inner and " " not in inner else text
