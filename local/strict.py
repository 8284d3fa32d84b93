"""Where AWS is stricter than the emulator: the differences that could hide a mistake of ours, each with its reason.

`install()` is called once, in the cloud's own process and before it serves. The names replaced here are private ones
of a pinned version: when one disappears `install()` fails, so the cloud does not start and its tests say why.
What the emulator lacks or cannot do has a module of its own, as `local.redrive` and `local.adopt`.
"""

import json
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import iam_actions, lambda_runtime
from ministack.services import eventbridge, lambda_svc, s3, sqs
from ministack.services.cloudformation import provisioners

Function = Callable[..., Any]


def install() -> None:
    """Make the emulator as strict as AWS in the points below.

    Raises AttributeError or KeyError, naming it, when something that is replaced here no longer exists.
    """
    for make_strict in (
        keep_buckets_with_objects,
        limit_package_size,
        keep_dead_letter_config,
        ask_the_queue_policy,
        name_the_version,
        deliver_between_sweeps,
        keep_bucket_tags,
        know_conditional_writes,
        unpack_layers_once,
        name_resources,
        name_the_namespace,
    ):
        make_strict()


def keep_buckets_with_objects() -> None:
    """A bucket with objects, or with old versions of some, cannot be deleted: a stack that forgets them must fail."""
    buckets, has_versions = s3._buckets, s3._bucket_has_versions

    def wrap(delete: Function) -> Function:
        def strict(physical_id: str, props: Any) -> Any:
            if (buckets.get(physical_id) or {}).get("objects") or has_versions(physical_id):
                raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
            return delete(physical_id, props)

        return strict

    _swap_handler("AWS::S3::Bucket", "delete", wrap)


def keep_bucket_tags() -> None:
    """A bucket has the tags of its template: what may be done to it can depend on them."""
    tags = s3._bucket_tags

    def wrap(provision: Function) -> Function:
        def strict(*args: Any) -> Any:
            made = provision(*args)
            tags[made[0]] = {tag["Key"]: tag["Value"] for tag in _new_properties(args).get("Tags", [])}
            return made

        return strict

    for verb in ("create", "update"):
        _swap_handler("AWS::S3::Bucket", verb, wrap)


def know_conditional_writes() -> None:
    """A policy may ask whether an object is written only where there is none: a camera's does."""

    def wrap(context: Function) -> Function:
        def strict(action: str, query: Any, path: str = "", headers: Any = None) -> Any:
            found = context(action, query, path, headers)
            if action == "s3:PutObject":
                sent = {name: (headers or {}).get(name) for name in ("if-none-match", "if-match")}
                found |= {f"s3:{name}": value for name, value in sent.items() if value}
            return found

        return strict

    swap(iam_actions, "s3_service_context", wrap)


def limit_package_size() -> None:
    """A function and its layers may unpack to 250 MB: here only the API looked, and CDK deploys by CloudFormation."""
    functions, check = lambda_svc._functions, lambda_svc._validate_total_unzipped_size

    def wrap(provision: Function) -> Function:
        def strict(*args: Any) -> Any:
            made = provision(*args)
            function = functions[made[0]]
            if refused := check(function["code_zip"], function["config"]["Layers"]):
                raise ValueError(refused[2].decode())
            return made

        return strict

    for verb in ("create", "update"):
        _swap_handler("AWS::Lambda::Function", verb, wrap)


def keep_dead_letter_config() -> None:
    """A function's dead-letter queue reaches it from a template too, not only from the API."""
    functions = lambda_svc._functions

    def wrap(provision: Function) -> Function:
        def strict(*args: Any) -> Any:
            made = provision(*args)
            functions[made[0]]["config"]["DeadLetterConfig"] = _new_properties(args).get("DeadLetterConfig")
            return made

        return strict

    for verb in ("create", "update"):
        _swap_handler("AWS::Lambda::Function", verb, wrap)


def ask_the_queue_policy() -> None:
    """EventBridge may send to a queue only if the queue's policy lets this rule: without it AWS drops the event."""
    allows = sqs.queue_policy_allows

    def wrap(invoke: Function) -> Function:
        def strict(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
            arn = target.get("Arn", "")
            if ":sqs:" in arn and not allows(arn, "events.amazonaws.com", rule["Arn"], rule["Arn"].split(":")[4]):
                return None
            return invoke(target, event, rule, view)

        return strict

    swap(eventbridge, "_invoke_target", wrap)


def name_the_version() -> None:
    """An event about a versioned object says which version: of two scans under one key, both must be read."""
    version: ContextVar[str | None] = ContextVar("version", default=None)

    def remember(fire: Function) -> Function:
        def strict(*args: Any, version_id: str | None = None, **kwargs: Any) -> Any:
            # Each event is fired in a thread, and so in a context, of its own.
            version.set(version_id)
            return fire(*args, version_id=version_id, **kwargs)

        return strict

    def add(dispatch: Function) -> Function:
        def strict(event: dict[str, Any], *args: Any) -> Any:
            if event["Source"] == "aws.s3" and (named := version.get()):
                detail = json.loads(event["Detail"])
                detail["object"]["version-id"] = named
                event = {**event, "Detail": json.dumps(detail)}
            return dispatch(event, *args)

        return strict

    swap(s3, "_fire_s3_event", remember)
    swap(eventbridge, "_dispatch_event", add)


def deliver_between_sweeps() -> None:
    """An event waits while a queue is searched for dead letters: the emulator would lose what arrives during that."""
    lock = sqs._queues_lock

    def wrap(deliver: Function) -> Function:
        def strict(*args: Any) -> Any:
            with lock:
                return deliver(*args)

        return strict

    swap(eventbridge, "_dispatch_to_sqs", wrap)


def unpack_layers_once() -> None:
    """A layer is unpacked once and shared: 250 MB for each new environment is the emulator's cost, not AWS's."""
    unpacked: dict[int, str] = {}
    lock = threading.Lock()

    class Archive(zipfile.ZipFile):
        def extractall(self, path: Any = None, *args: Any, **kwargs: Any) -> None:
            if not Path(path).name.startswith("layer_"):
                return super().extractall(path, *args, **kwargs)
            contents = hash(tuple((entry.filename, entry.CRC) for entry in self.infolist()))
            with lock:
                if contents not in unpacked:
                    folder = tempfile.mkdtemp(prefix="layer-")
                    super().extractall(folder)
                    unpacked[contents] = folder
            Path(path).rmdir()
            Path(path).symlink_to(unpacked[contents])
            return None

    def wrap(module: Any) -> SimpleNamespace:
        return SimpleNamespace(ZipFile=Archive, BadZipFile=module.BadZipFile, LargeFileError=module.LargeZipFile)

    swap(lambda_runtime, "zipfile", wrap)


def name_resources() -> None:
    """IAM is asked about a stream of a log group, not of the group, and about the registry that somebody's image is in.

    What may be done to logs is said of `…:*` on AWS; on a group's bare ARN nothing but its tags is asked for.
    """

    def wrap(resource: Function) -> Function:
        def strict(service: str, method: str, path: str, headers: Any, body: bytes, *args: Any) -> str:
            arn: str = resource(service, method, path, headers, body, *args)
            asked = json.loads(body or b"{}") if service in ("logs", "ecr") else {}
            if "logGroupName" in asked:
                return f"{arn}:log-stream:{asked.get('logStreamName', '')}"
            account = args[-1]
            return arn.replace(f":{account}:", f":{asked['registryId']}:") if asked.get("registryId") else arn

        return strict

    swap(iam_actions, "extract_resource_arn", wrap)


def name_the_namespace() -> None:
    """IAM is told the namespace of a metric: who may write to one may not write to every other."""

    def wrap(keys: Function) -> Function:
        def strict(service: str, action: str, body: bytes, *args: Any) -> dict[str, Any]:
            more = {}
            if action == "cloudwatch:PutMetricData":
                more["cloudwatch:namespace"] = str(json.loads(body or b"{}").get("Namespace", ""))
            return {**keys(service, action, body, *args), **more}

        return strict

    swap(iam_actions, "request_tag_context", wrap)


def _new_properties(arguments: tuple[Any, ...]) -> dict[str, Any]:
    # Handlers are called as (id, properties, …) to create and as (id, old, new, …) to update.
    return next(value for value in reversed(arguments) if isinstance(value, dict))


def swap(module: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put something around a name of the emulator. Raises AttributeError, naming it, when it no longer exists."""
    setattr(module, name, wrap(getattr(module, name)))


def _swap_handler(kind: str, verb: str, wrap: Callable[[Function], Function]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    provisioners._RESOURCE_HANDLERS[kind] = {**handlers, verb: wrap(handlers[verb])}
