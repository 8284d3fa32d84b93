"""New objects in `labels/` go in; when enough corrected scans of a form have come, a training for it starts, once.

Which corrections a training was started for stands in `runs/started/<form>.json`: written before it starts, with the
token that makes starting twice the same as once, and completed after. So two events at once, an event twice and a
function that dies halfway start one training.
"""

import json
import os
from hashlib import sha256
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from environment import read_environment
from formlens.manifest import FORM_NAME
from store import Store

logger = Logger()
store = Store(boto3.client("s3"), read_environment(os.environ).bucket)
sagemaker = boto3.client("sagemaker")
pipeline, enough = os.environ.get("PIPELINE", ""), int(os.environ.get("NEW_LABELS", "0"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> str:
    """Returns what was done, for the log."""
    form = event["detail"]["object"]["key"].split("/")[1]
    done = start(form) if FORM_NAME.fullmatch(form) else "no form"
    logger.info("done", form=form, outcome=done)
    return done


def start(form: str) -> str:
    """Start a training for a form if it is due, or finish starting one."""
    key = f"runs/started/{form}.json"
    etag = store.etag(key)
    last: dict[str, Any] = json.loads(store.get(key).data) if etag else {"labels": {}, "execution": "none"}
    if last["execution"]:
        labels = {name: tag for name, tag in store.etags(f"labels/{form}/") if name.endswith(".csv")}
        new = sum(last["labels"].get(name) != tag for name, tag in labels.items())
        if new < enough:
            return f"{new} of {enough} new corrections"
        token = sha256(json.dumps([form, labels], sort_keys=True).encode()).hexdigest()
        last = {"labels": labels, "token": token, "execution": ""}
        etag = store.put_over(key, json.dumps(last).encode(), etag)
        if etag is None:
            return "another run starts it"
    started = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineExecutionDisplayName=f"{enough}-new-corrections",
        PipelineParameters=[{"Name": "Form", "Value": form}],
        ClientRequestToken=last["token"],
    )
    last["execution"] = started["PipelineExecutionArn"]
    store.put_over(key, json.dumps(last).encode(), etag)
    return f"started {last['execution']}"
