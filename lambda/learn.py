"""Manifests of labelled folders go in, as messages; learned forms come out in `forms/`, or a reason in `failed/`."""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.typing import LambdaContext

from current import Current
from environment import read_environment
from keys import parse_manifest
from lesson import learn
from store import Store

logger, metrics = Logger(), Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
environment = read_environment(os.environ)
store = Store(boto3.client("s3"), environment.bucket)
current = Current(store)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Learn the form of each manifest; those that fail for another reason than their folder come again."""
    return process_partial_response(event, _learn, processor, context)


def _learn(record: Any) -> None:
    form = parse_manifest(json.loads(record.body)["detail"]["object"]["key"])
    if form is None:
        return
    try:
        use = current.use()
        # another reader may learn the same folder better, as other code may
        learner = f"{environment.code} {use.version}".strip()
        report = learn(form, store=store, reader=use.reader, learner=learner)
    except Exception as error:
        logger.warning("form comes again", form=form, error=type(error).__name__)
        raise
    status = report["status"] if report else "learned before"
    logger.info("form done", form=form, status=status)
    metrics.add_metric("FormsLearned", MetricUnit.Count, int(status == "learned"))
    metrics.add_metric("FormsNotLearned", MetricUnit.Count, int(status == "not learned"))
