"""The embedded cloud itself: it behaves like AWS where we rely on it, and leaves nothing behind."""

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from local.cloud import ACCOUNT, REGION, Cloud
from local.demo import write_environment
from local.install import ROOT, InstallError, interpreter
from waiting import eventually

pytestmark = pytest.mark.cloud

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def create(cloud: Cloud, name: str, resources: dict[str, Any], **outputs: Any) -> dict[str, str]:
    """Create a stack and return its outputs."""
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    client = cloud.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def delete(cloud: Cloud, name: str) -> None:
    client = cloud.client("cloudformation")
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})


def function(code: str, **properties: Any) -> dict[str, Any]:
    """A role without rights of its own, and a function that has it."""
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": PYTHON,
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": code},
                **properties,
            },
        },
    }


def invoke(cloud: Cloud, name: str) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    return json.loads(answer["Payload"].read())


def archive(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return data.getvalue()


def test_it_comes_up_and_goes_down_without_a_trace() -> None:
    with Cloud() as cloud:
        assert cloud.client("sts").get_caller_identity()["Account"]
        process, folder = cloud._process, cloud.certificate.parent
        create(
            cloud, "f", function("import os\ndef handler(event, context): return os.getpid()"), Name={"Ref": "Function"}
        )
        worker = invoke(cloud, cloud.client("lambda").list_functions()["Functions"][0]["FunctionName"])
        assert Path(f"/proc/{worker}").exists() or sys.platform != "linux"
    assert process.poll() is not None
    assert not folder.exists()
    assert eventually(lambda: not alive(worker))


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A killed orphan waits for init, which collects it in its own time.
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().split(")")[-1].split()[0] == "Z")


def test_it_ends_with_the_process_that_started_it_however_that_ended() -> None:
    code = (
        "import time\nfrom local.cloud import Cloud\n"
        "with Cloud() as cloud:\n print(cloud._process.pid, cloud.certificate.parent, flush=True)\n time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        server, folder = parent.stdout.readline().split()
        parent.kill()
    assert eventually(lambda: not alive(int(server)) and not Path(folder).exists())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_stopped_halfway_leaves_no_process_behind(how: signal.Signals) -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("this system has no /proc to look into")
    command = [sys.executable, "-m", "local.demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        while "cdk synth" not in demo.stdout.readline():
            assert demo.poll() is None
        assert eventually(lambda: len(descendants(demo.pid)) >= 4)
        started = descendants(demo.pid)
        demo.send_signal(how)
        assert demo.wait(timeout=20) == (-how if how == signal.SIGKILL else 130)
    assert eventually(lambda: not any(map(alive, started)))


def descendants(process: int) -> list[int]:
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    children = [int(child) for child in listed]
    return children + [grandchild for child in children for grandchild in descendants(child)]


def test_a_shell_that_sources_the_environment_has_the_tools_and_reaches_this_cloud_only(
    cloud: Cloud, tmp_path: Path
) -> None:
    script = tmp_path / "environment.sh"
    write_environment(cloud, script)
    ask = "import boto3; c = boto3.client('sts'); print(c.get_caller_identity()['Account'], c.meta.region_name)"
    commands = f'. {script} && python -c "{ask}" && cdk --version'
    elsewhere = {"AWS_PROFILE": "somebody", "AWS_SESSION_TOKEN": "theirs", "AWS_REGION": "us-east-1"}
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), **elsewhere}
    done = subprocess.run(["sh", "-c", commands], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer, version = done.stdout.splitlines()
    assert answer == f"{ACCOUNT} {REGION}"
    assert version


def test_packages_that_cannot_be_fetched_are_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("UV", "PIP"):
        monkeypatch.setenv(f"{tool}_CACHE_DIR", str(tmp_path / "empty"))
        monkeypatch.setenv(f"{tool}_NO_CONFIG", "1")
        monkeypatch.setenv(f"{tool}_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InstallError, match=r"needs the network \(pypi\.org\)"):
        interpreter(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_it_listens_on_loopback_only(cloud: Cloud) -> None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("this system has no /proc/net/tcp to look into")
    port = f":{int(cloud.endpoint.rsplit(':', 1)[1]):04X}"
    listening = [line.split()[1] for line in table.read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(port)] == [f"0100007F{port}"]


def test_functions_see_none_of_the_packages_that_their_layer_must_bring(cloud: Cloud) -> None:
    code = "import importlib.util as u\ndef handler(e, c): return [n for n in {names} if u.find_spec(n)]"
    names = ["numpy", "cv2", "onnxruntime", "pypdfium2", "xlsxwriter", "aws_lambda_powertools", "formlens", "boto3"]
    name = create(cloud, "sees", function(code.format(names=names)), Name={"Ref": "Function"})["Name"]
    assert invoke(cloud, name) == ["boto3"]


def test_functions_see_nothing_of_the_environment_of_who_runs_the_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Cloud() as cloud:
        code = "import os\ndef handler(event, context): return sorted(os.environ)"
        name = create(cloud, "environment", function(code), Name={"Ref": "Function"})["Name"]
        seen = invoke(cloud, name)
    assert "AWS_PROFILE" not in seen
    assert "PYTHONPATH" not in seen


def test_the_proxy_of_who_runs_the_cloud_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Cloud() as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


WORKER = """
import boto3, json, os
def handler(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        key = detail["object"]["key"]
        body = s3.get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read()
        s3.put_object(Bucket=os.environ["BUCKET"], Key="out/" + key.removeprefix("in/"), Body=body)
"""


def journey(*, let_events_in: bool) -> dict[str, Any]:
    """Bucket to EventBridge to queue to function to bucket, every door TLS-only."""
    sender = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    bucket = {"Fn::GetAtt": ["Bucket", "Arn"]}
    rights = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": ["${B}/in/*", {"B": bucket}]}},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": {"Fn::Sub": ["${B}/out/*", {"B": bucket}]}},
    ]
    parts = function(WORKER, Environment={"Variables": {"BUCKET": {"Ref": "Bucket"}}}, Timeout=10)
    parts["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": rights}}
    ]
    return {
        **parts,
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [TLS_ONLY]},
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}, "object": {"key": [{"prefix": "in/"}]}},
                },
                "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [TLS_ONLY, *[sender] * let_events_in]},
            },
        },
        "Source": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "BatchSize": 1,
            },
        },
    }


def keys(cloud: Cloud, bucket: str) -> set[str]:
    return {entry["Key"] for entry in cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])}


def empty(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    listed = s3.list_object_versions(Bucket=bucket)
    for entry in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
        s3.delete_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])


def test_an_upload_travels_to_a_function_under_whatever_name(cloud: Cloud) -> None:
    bucket = create(cloud, "travel", journey(let_events_in=True), Name={"Ref": "Bucket"})["Name"]
    names = ["plain.jpg", "with space.jpg", "grün+plus.pdf", "100%25 & more?.png"]
    for name in names:
        cloud.client("s3").put_object(Bucket=bucket, Key=f"in/{name}", Body=name.encode())
    assert eventually(lambda: {f"out/{name}" for name in names} <= keys(cloud, bucket)), cloud.log()


def test_the_event_of_an_upload_says_which_version_it_is(cloud: Cloud) -> None:
    stack = journey(let_events_in=True)
    del stack["Source"]
    made = create(cloud, "versions", stack, Bucket={"Ref": "Bucket"}, Queue={"Ref": "Queue"})
    put = [
        cloud.client("s3").put_object(Bucket=made["Bucket"], Key="in/x", Body=body)["VersionId"]
        for body in (b"1", b"2")
    ]
    sqs = cloud.client("sqs")
    told: list[str] = []
    while len(told) < len(put):
        (message,) = sqs.receive_message(QueueUrl=made["Queue"], WaitTimeSeconds=5)["Messages"]
        sqs.delete_message(QueueUrl=made["Queue"], ReceiptHandle=message["ReceiptHandle"])
        told.append(json.loads(message["Body"])["detail"]["object"]["version-id"])
    assert sorted(told) == sorted(put)


def test_a_queue_that_does_not_let_the_rule_in_gets_no_event(cloud: Cloud) -> None:
    stack = journey(let_events_in=False)
    del stack["Source"]
    made = create(cloud, "closed", stack, Bucket={"Ref": "Bucket"}, Queue={"Ref": "Queue"})
    cloud.client("s3").put_object(Bucket=made["Bucket"], Key="in/x", Body=b"x")
    assert "Messages" not in cloud.client("sqs").receive_message(QueueUrl=made["Queue"], WaitTimeSeconds=1)


def test_a_function_may_do_what_its_role_says_and_nothing_else(cloud: Cloud) -> None:
    code = """
import boto3, botocore
def attempt(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "done"
def handler(event, context):
    s3 = boto3.client("s3")
    return [attempt(s3.put_object, Bucket="rights-bucket", Key="mine/a", Body=b""),
            attempt(s3.put_object, Bucket="rights-bucket", Key="other/a", Body=b""),
            attempt(s3.delete_object, Bucket="rights-bucket", Key="mine/a"),
            attempt(boto3.client("sqs").create_queue, QueueName="more")]
"""
    parts = function(code)
    right = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::rights-bucket/mine/*"}
    parts["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [right]}}
    ]
    parts["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "rights-bucket"}}
    name = create(cloud, "rights", parts, Name={"Ref": "Function"})["Name"]
    done, *refused = invoke(cloud, name)
    assert done == "done"
    assert len(refused) == 3
    assert all("Denied" in code for code in refused)


def test_a_stack_whose_bucket_still_holds_something_is_not_deleted(cloud: Cloud) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    name = create(cloud, "holds", {"Bucket": bucket}, Name={"Ref": "Bucket"})["Name"]
    cloud.client("s3").put_object(Bucket=name, Key="page", Body=b"1")
    with pytest.raises(WaiterError):
        delete(cloud, "holds")
    cloud.client("s3").delete_object(Bucket=name, Key="page")
    assert not keys(cloud, name)
    with pytest.raises(WaiterError):
        delete(cloud, "holds")
    empty(cloud, name)
    delete(cloud, "holds")
    with pytest.raises(ClientError):
        keys(cloud, name)


def test_a_bucket_has_the_tags_of_its_template(cloud: Cloud) -> None:
    tags = [{"Key": "kept", "Value": "no"}]
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"Tags": tags}}
    name = create(cloud, "tagged", {"Bucket": bucket}, Name={"Ref": "Bucket"})["Name"]
    assert cloud.client("s3").get_bucket_tagging(Bucket=name)["TagSet"] == tags


def take_up(cloud: Cloud, stack: str, bucket: Any) -> None:
    """Create a stack that keeps its bucket, and imports it if it is there."""
    client = cloud.client("cloudformation")
    kept = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": bucket}}
    named = {"StackName": stack, "ChangeSetName": "import"}
    client.create_change_set(
        **named,
        ChangeSetType="CREATE",
        ImportExistingResources=True,
        TemplateBody=json.dumps({"Resources": {"Bucket": kept}}),
    )
    wait = {"Delay": 0.1, "MaxAttempts": 300}
    client.get_waiter("change_set_create_complete").wait(**named, WaiterConfig=wait)
    client.execute_change_set(**named)
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=wait)


def test_a_stack_takes_up_a_bucket_that_is_there_under_a_plain_name(cloud: Cloud) -> None:
    take_up(cloud, "kept", "kept-bucket")
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="page", Body=b"1")
    delete(cloud, "kept")
    with pytest.raises(WaiterError):
        take_up(cloud, "computed", {"Fn::Sub": "kept-bucket"})
    take_up(cloud, "again", "kept-bucket")
    assert keys(cloud, "kept-bucket") == {"page"}
    (taken,) = cloud.client("cloudformation").describe_stack_resources(StackName="again")["StackResources"]
    assert taken["PhysicalResourceId"] == "kept-bucket"


def test_dead_letters_go_back_to_their_queue(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    resources = {
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 0,
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 1},
            },
        },
    }
    made = create(cloud, "redrive", resources, Queue={"Ref": "Queue"}, Dead={"Fn::GetAtt": ["Dead", "Arn"]})

    def receive() -> list[str]:
        return [message["Body"] for message in sqs.receive_message(QueueUrl=made["Queue"]).get("Messages", [])]

    sqs.send_message(QueueUrl=made["Queue"], MessageBody="poison")
    assert [receive(), receive()] == [["poison"], []]
    sqs.start_message_move_task(SourceArn=made["Dead"])
    (task,) = sqs.list_message_move_tasks(SourceArn=made["Dead"])["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert receive() == ["poison"]
    source = sqs.get_queue_attributes(QueueUrl=made["Queue"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(ClientError):
        sqs.start_message_move_task(SourceArn=source)


def layered(cloud: Cloud, size: int) -> dict[str, Any]:
    """A function whose one layer holds a module of `size` bytes or a little more."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=f"packages-{size}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(
        Bucket=f"packages-{size}",
        Key=f"{size}.zip",
        Body=archive(**{"python/deep.py": b"place = __file__\n", "python/weight.bin": bytes(size)}),
    )
    parts = function(
        "import deep, os\ndef handler(e, c): return os.path.realpath(deep.place)", Layers=[{"Ref": "Layer"}]
    )
    parts["Layer"] = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"Content": {"S3Bucket": f"packages-{size}", "S3Key": f"{size}.zip"}},
    }
    parts["Other"] = parts["Function"]
    return parts


def test_environments_share_one_unpacked_layer(cloud: Cloud) -> None:
    made = create(cloud, "layered", layered(cloud, 1000), One={"Ref": "Function"}, Two={"Ref": "Other"})
    assert made["One"] != made["Two"]
    assert invoke(cloud, made["One"]) == invoke(cloud, made["Two"])


def test_more_than_250_mb_unpacked_are_refused(cloud: Cloud) -> None:
    with pytest.raises(WaiterError):
        create(cloud, "heavy", layered(cloud, 262_144_001))
    events = cloud.client("cloudformation").describe_stack_events(StackName="heavy")["StackEvents"]
    assert any("262144000" in event.get("ResourceStatusReason", "") for event in events)


def test_a_function_keeps_the_dead_letter_queue_of_its_template(cloud: Cloud) -> None:
    parts = function("", DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}})
    parts["Dead"] = {"Type": "AWS::SQS::Queue"}
    parts["Role"]["Properties"]["Policies"] = [
        {
            "PolicyName": "own",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Dead", "Arn"]}}
                ],
            },
        }
    ]
    made = create(cloud, "letters", parts, Name={"Ref": "Function"}, Dead={"Fn::GetAtt": ["Dead", "Arn"]})
    config = cloud.client("lambda").get_function_configuration(FunctionName=made["Name"])
    assert config["DeadLetterConfig"] == {"TargetArn": made["Dead"]}


def test_a_function_logs_what_its_role_may_and_makes_no_group_that_went(cloud: Cloud) -> None:
    parts = function("def handler(event, context): print('said')", LoggingConfig={"LogGroup": "ours"})
    right = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    logs, iam = cloud.client("logs"), cloud.client("iam")
    made = create(cloud, "logged", parts, Name={"Ref": "Function"}, Role={"Ref": "Role"})

    def said() -> list[str]:
        invoke(cloud, made["Name"])
        groups = logs.describe_log_groups(logGroupNamePrefix="ours")["logGroups"]
        found = [logs.filter_log_events(logGroupName=group["logGroupName"])["events"] for group in groups]
        return [event["message"] for events in found for event in events if "said" in event["message"]]

    logs.create_log_group(logGroupName="ours")
    assert said() == []
    policy = {"Version": "2012-10-17", "Statement": [right]}
    iam.put_role_policy(RoleName=made["Role"], PolicyName="own", PolicyDocument=json.dumps(policy))
    assert len(said()) == 1
    logs.delete_log_group(logGroupName="ours")
    assert said() == []
    assert not logs.describe_log_groups(logGroupNamePrefix="ours")["logGroups"]


REPLACED = [
    "services.s3._buckets",
    "services.s3._bucket_has_versions",
    "services.s3._bucket_tags",
    "services.lambda_svc._functions",
    "services.lambda_svc._validate_total_unzipped_size",
    "services.sqs.queue_policy_allows",
    "services.s3._fire_s3_event",
    "services.eventbridge._dispatch_event",
    "services.sqs._queues_lock",
    "services.eventbridge._invoke_target",
    "services.eventbridge._dispatch_to_sqs",
    "core.lambda_runtime.zipfile",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "services.cloudformation.changesets._deploy_stack_async",
    "services.cloudformation.stacks._validation_errors",
    "services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "services.budgets._create_budget",
    "services.cloudwatch._dispatch_alarm_actions",
    "services.eventbridge._put_events",
    "services.efs._create_file_system",
    "services.iam._roles",
    "services.iam._create_service_linked_role",
    "core.iam_actions.extract_resource_arn",
    "core.iam_actions.request_tag_context",
    "core.iam_actions.SERVICE_TO_IAM_NAMESPACE",
    "core.iam_evaluator.evaluate",
    "core.iam_evaluator._gather_role_policies",
    "services.cloudwatch_logs._log_groups",
    "services.lambda_svc._emit_lambda_logs",
    "core.iam_actions.s3_service_context",
    "services.iot._describe_endpoint",
    "services.iot._mtls_start_locked",
    "services.iot._mtls_build_ssl_context",
    "services.iot._mtls_ensure_server_cert",
    "services.iot._MtlsAcceptor",
    "services.iot._mtls_resolve_identity",
    "services.iot._mqtt_policy_context",
    "services.iot._mqtt_policy_allows",
    "services.iot._things",
    "services.iot.broker_publish",
    "services.sts._role_id",
    "services.sts.register_session",
    "app.detect_service",
    "app.SERVICE_HANDLERS",
    "app._enforce_data_plane",
]


# Each name is taken away in a copy of one process: the emulator takes a second to import.
WITHOUT = """
import importlib, json, os, sys
from pathlib import Path
import ministack.app
from local.server import install
for name in json.loads(sys.argv[1]):
    module, _, attribute = ("ministack." + name).rpartition(".")
    module = importlib.import_module(module)
    if not os.fork():
        delattr(module, attribute)
        try:
            install(Path())
        except (AttributeError, ImportError) as error:
            print(name, "|", error, flush=True)
        os._exit(0)
    os.wait()
"""


def test_the_cloud_does_not_start_when_a_private_name_it_replaces_is_gone() -> None:
    command = [str(interpreter()), "-c", WITHOUT, json.dumps(REPLACED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said = dict(line.split(" | ") for line in done.stdout.splitlines())
    assert list(said) == REPLACED, done.stderr
    for name, error in said.items():
        attribute = name.rpartition(".")[2]
        assert f"has no attribute '{attribute}'" in error or f"cannot import name '{attribute}'" in error
