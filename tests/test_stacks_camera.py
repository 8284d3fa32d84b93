"""What a camera is in the account: itself, its own topics, its own part of the bucket, and nothing else."""

import ast
import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import stacks.camera
from stacks import build
from stacks.camera import FILES, CameraStack
from stacks.settings import DEV, Camera
from templates import CAMERAS, REQUEST, ROOT, only, resources, statements, template

HALL = "formlens-cameras-hall"


def document(id: str) -> list[dict[str, Any]]:
    policy = resources("cameras", "Camera", "AWS::IoT::Policy")[f"{id}Policy"]
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def ends(resource: Any) -> list[str]:
    """The ends of resources: what stands after region and account."""
    if isinstance(resource, list):
        return [end for one in resource for end in ends(one)]
    if isinstance(resource, dict) and "Fn::Join" in resource:
        return [str(resource["Fn::Join"][1][-1])]
    return [json.dumps(resource)] if isinstance(resource, dict) else [resource]


def test_no_stage_has_a_camera_until_settings_name_one() -> None:
    assert not DEV.cameras
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    build(app, DEV)
    assert not [child for child in app.node.children if isinstance(child, CameraStack)]


@pytest.mark.parametrize("name", ["hall", "desk"])
def test_a_camera_is_a_thing_with_a_certificate_from_its_own_request(name: str) -> None:
    thing = resources("cameras", "Camera", "AWS::IoT::Thing")[f"{name}Thing"]["Properties"]
    certificate = resources("cameras", "Camera", "AWS::IoT::Certificate")[f"{name}Certificate"]["Properties"]
    assert thing == {"ThingName": f"formlens-cameras-{name}"}
    assert certificate == {"CertificateSigningRequest": REQUEST, "Status": "ACTIVE"}
    principal = {"Fn::GetAtt": [f"{name}Certificate", "Arn"]}
    is_ = resources("cameras", "Camera", "AWS::IoT::ThingPrincipalAttachment")[f"{name}Is"]["Properties"]
    opens = resources("cameras", "Camera", "AWS::IoT::PolicyPrincipalAttachment")[f"{name}Opens"]["Properties"]
    assert is_ == {"ThingName": {"Ref": f"{name}Thing"}, "Principal": principal}
    assert opens == {"PolicyName": {"Ref": f"{name}Policy"}, "Principal": principal}


def test_no_key_is_in_the_template() -> None:
    text = json.dumps(template("cameras", "Camera"))
    assert "PRIVATE KEY" not in text
    assert "AWS::SecretsManager" not in text
    assert "resolve:secretsmanager" not in text


@pytest.mark.parametrize("name", ["hall", "desk"])
def test_a_certificate_opens_the_things_own_name_topics_and_alias(name: str) -> None:
    thing = f"formlens-cameras-{name}"
    for statement in document(name):
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            assert "*" not in action
            if action.startswith("greengrass:"):
                continue
            for end in ends(statement["Resource"]):
                own = f'"{name}RoleAlias"' if action == "iot:AssumeRoleWithCertificate" else thing
                assert own in end
    connect = next(s for s in document(name) if s["Action"] == ["iot:Connect"])
    assert ends(connect["Resource"]) == [f":client/{thing}"]
    assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}


def test_only_a_greengrass_core_may_ask_greengrass() -> None:
    actions = {name: {a for s in document(name) for a in s["Action"]} for name in ("hall", "desk")}
    assert actions["desk"] == {"iot:Connect", "iot:Publish", "iot:AssumeRoleWithCertificate"}
    assert actions["hall"] - actions["desk"] == {
        "iot:Receive",
        "iot:Subscribe",
        "greengrass:GetComponentVersionArtifact",
        "greengrass:ResolveComponentCandidates",
        "greengrass:GetDeploymentConfiguration",
        "greengrass:ListThingGroupsForCoreDevice",
    }


def test_the_alias_gives_a_role_that_adds_this_cameras_pages_and_changes_none() -> None:
    may = [
        (statement["Action"], ends(statement["Resource"]), statement.get("Condition"))
        for id, statement in statements("cameras", "Camera")
        if id.startswith("hallRoleDefaultPolicy")
    ]
    assert len(may) == 5
    pages, state = (one for one in may if one[0] == "s3:PutObject")
    forms, listed, told = (
        next(one for one in may if one[0] == action) for action in ("s3:GetObject", "s3:ListBucket", "iot:Publish")
    )
    added = ["/claims/intake/*", "/failed/intake/*", f"/inbox/intake/{HALL}/*", "/results/intake/*"]
    assert pages == ("s3:PutObject", added, {"Null": {"s3:if-none-match": "false"}})
    assert forms == ("s3:GetObject", ["/forms/intake/*", "/models/*"], None)
    assert (listed[0], listed[2]) == ("s3:ListBucket", {"StringLike": {"s3:prefix": ["forms/intake/*", "models/*"]}})
    # the one object that it may write over says how it is
    assert state == ("s3:PutObject", [f"/cameras/{HALL}.json"], None)
    assert told == ("iot:Publish", [f":topic/formlens/{HALL}/events"], None)
    roles = resources("cameras", "Camera", "AWS::IAM::Role")
    (role,) = (id for id in roles if id.startswith("hallRole"))
    (trust,) = roles[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "credentials.iot.amazonaws.com"}
    alias = resources("cameras", "Camera", "AWS::IoT::RoleAlias")["hallRoleAlias"]["Properties"]
    assert alias["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
    assert alias["RoleAlias"] == HALL


def test_the_component_is_a_version_of_the_function_pinned_without_a_container() -> None:
    (version,) = resources("cameras", "Camera", "AWS::Lambda::Version")
    made = only("cameras", "Camera", "AWS::GreengrassV2::ComponentVersion")["Properties"]["LambdaFunction"]
    assert made["LambdaArn"] == {"Ref": version}  # and so never $LATEST
    assert "ComponentVersion" not in made  # it is the function's: versions never collide
    parameters = made["ComponentLambdaParameters"]
    assert parameters["Pinned"] is True
    assert parameters["LinuxProcessParams"] == {"IsolationMode": "NoContainer"}
    assert made["ComponentPlatforms"][0]["Attributes"] == {"os": "linux", "architecture": "amd64"}
    assert all(need["DependencyType"] == "HARD" for need in made["ComponentDependencies"].values())
    assert "aws.greengrass.TokenExchangeService" in made["ComponentDependencies"]


def test_the_deployment_names_its_version_holds_the_nucleus_and_rolls_back() -> None:
    deployment = only("cameras", "Camera", "AWS::GreengrassV2::Deployment")["Properties"]
    assert deployment["TargetArn"] == {"Fn::GetAtt": ["hallThing", "Arn"]}
    name = "formlens.cameras.hall"
    component = deployment["Components"][name]
    assert component["ComponentVersion"] == {"Fn::GetAtt": ["hallComponent", "ComponentVersion"]}
    assert deployment["Components"]["aws.greengrass.Nucleus"]["ComponentVersion"] == DEV.nucleus
    assert deployment["DeploymentPolicies"]["FailureHandlingPolicy"] == "ROLLBACK"
    merged = component["ConfigurationUpdate"]["Merge"]["Fn::Join"][1]
    told = json.loads("".join(part if isinstance(part, str) else "BUCKET" for part in merged))
    variables = told["lambdaExecutionParameters"]["EnvironmentVariables"]
    assert (variables["FORM"], variables["SOURCE"], variables["BUCKET"]) == ("intake", "v4l2:/dev/video0", "BUCKET")
    assert variables["FUNCTION"] == "BUCKET"  # another token: the version, so that the camera can say which it runs


def test_an_older_version_of_the_component_is_not_cloudformations_to_delete() -> None:
    component = only("cameras", "Camera", "AWS::GreengrassV2::ComponentVersion")
    assert component["UpdateReplacePolicy"] == "Retain"
    assert component["DeletionPolicy"] == "Delete"


def test_what_is_left_of_a_camera_is_taken_away_after_all_by_which_it_could_leave_something() -> None:
    every = template("cameras", "Camera")["Resources"]
    for name in ("hall", "desk"):
        (left,) = (id for id, one in every.items() if one["Type"] == "Custom::CameraLeft" and id.startswith(name))
        kinds = {
            one["Type"]
            for id, one in every.items()
            if id.startswith(name) and left in one.get("DependsOn", ()) and id != left
        }
        least = {"AWS::IoT::Thing", "AWS::IoT::Certificate", "AWS::IAM::Role", "AWS::IAM::Policy"}
        assert kinds >= least | ({"AWS::GreengrassV2::ComponentVersion"} if name == "hall" else set())


def test_a_key_that_the_account_makes_is_in_no_template_and_its_certificate_opens_the_same() -> None:
    made = resources("cameras", "Camera", "Custom::CameraKey")
    ((id, key),) = made.items()
    said = key["Properties"]
    assert (said["Key"], said["Secret"]) == ("1", "formlens/formlens-cameras-till")
    principal = {"Fn::GetAtt": [id, "Arn"]}
    for kind, attached in (("ThingPrincipalAttachment", "tillIs"), ("PolicyPrincipalAttachment", "tillOpens")):
        assert resources("cameras", "Camera", f"AWS::IoT::{kind}")[attached]["Properties"]["Principal"] == principal
    assert template("cameras", "Camera")["Outputs"]["tillCertificateId"]["Value"] == {"Ref": id}


def test_what_may_be_taken_away_does_not_depend_on_which_cameras_there_are() -> None:
    """A deploy changes roles first: a camera that it takes out must still be cleared away after that."""
    found = []
    for cameras in (CAMERAS, CAMERAS[1:2]):
        app = cdk.App(context={"aws:cdk:bundling-stacks": []})
        build(app, replace(DEV, cameras=cameras))
        stack = next(child for child in app.node.children if isinstance(child, CameraStack))
        every = Template.from_stack(stack).find_resources("AWS::IAM::Policy")
        found.append([one["Properties"] for id, one in every.items() if id.startswith("ForgetRole")])
    assert found[0] == found[1]
    assert found[0]


def test_who_makes_keys_may_write_the_secrets_of_this_stages_cameras_and_no_other() -> None:
    may = {
        action: ends(statement["Resource"])
        for id, statement in statements("cameras", "Camera")
        if id.startswith("CertifyRoleDefault")
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    secret = {end for action, found in may.items() if action.startswith("secretsmanager:") for end in found}
    assert secret == {":secret:formlens/formlens-cameras-*"}
    iot = {action for action in may if action.startswith("iot:")}
    verbs = ("CreateKeysAndCertificate", "DescribeCertificate", "UpdateCertificate", "DeleteCertificate")
    assert iot == {f"iot:{verb}" for verb in verbs}


def test_a_change_of_the_component_alone_makes_another_version_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def versions() -> set[str]:
        app = cdk.App(context={"aws:cdk:bundling-stacks": []})
        build(app, replace(DEV, cameras=CAMERAS))
        stack = next(child for child in app.node.children if isinstance(child, CameraStack))
        return set(Template.from_stack(stack).find_resources("AWS::Lambda::Version"))

    before = versions()
    monkeypatch.setitem(stacks.camera.PARAMETERS, "timeout_in_seconds", 61)
    assert versions().isdisjoint(before)


def test_a_camera_that_is_only_a_service_brings_nothing_to_run_on_it() -> None:
    app = cdk.App(context={"aws:cdk:bundling-stacks": []})
    build(app, replace(DEV, cameras=CAMERAS[1:2]))
    stack = next(child for child in app.node.children if isinstance(child, CameraStack))
    every = Template.from_stack(stack).to_json()["Resources"].values()
    assert not {resource["Type"] for resource in every if "Greengrass" in resource["Type"]}
    functions = [one["Properties"]["Handler"] for one in every if one["Type"] == "AWS::Lambda::Function"]
    assert functions == ["forget.handler"]


def test_the_bundle_names_every_module_that_the_handler_imports() -> None:
    functions = {path.stem for path in (ROOT / "lambda").glob("*.py")}
    reached, todo = set(), ["camera"]
    while todo:
        name = todo.pop()
        if name in reached or name not in functions:
            continue
        reached.add(name)
        for node in ast.walk(ast.parse((ROOT / "lambda" / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                todo.append(node.module)
            elif isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
    assert reached == set(FILES)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "the hall"}, "letters and digits"),
        ({"csr": "-----BEGIN CERTIFICATE-----"}, "not a certificate signing request"),
        ({"form": "../results"}, "no name of a form"),
        ({"form": "in*"}, "no name of a form"),
        ({"account_key": 1}, "not both"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_by_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(Camera(name="hall", csr=REQUEST), **wrong)


def test_two_cameras_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        replace(DEV, cameras=(CAMERAS[0], CAMERAS[0]))
