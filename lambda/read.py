"""New objects in `inbox/` go in, as messages; one JSON a page comes out in `results/`, what failed in `failed/` too."""

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
from keys import parse_upload
from learned import Forms
from scan import read_scan
from store import Store

PAGE_MS = 60_000
"""Time that must be left to begin another page."""

logger, metrics = Logger(), Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
store = Store(boto3.client("s3"), read_environment(os.environ).bucket)
current, forms = Current(store), Forms(store)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Read a batch of scans; those that fail are named, and come again."""
    return process_partial_response(event, _read, processor, context)


def _read(record: Any, lambda_context: LambdaContext) -> None:
    object_ = json.loads(record.body)["detail"]["object"]
    upload = parse_upload(object_["key"])
    if upload is None:
        return
    try:
        use = current.use()
        outcome = read_scan(
            upload,
            object_.get("version-id"),
            store=store,
            reader=use.reader,
            forms=lambda name: forms.of(name, use.forms),
            may_go_on=lambda: lambda_context.get_remaining_time_in_millis() > PAGE_MS,
        )
    except Exception as error:
        logger.warning("scan comes again", form=upload.form, error=type(error).__name__)
        raise
    counts: dict[str, Any] = {
        "read": outcome.read,
        "failed": outcome.failed,
        "cells": outcome.cells,
        "flagged": outcome.flagged,
        "reader": use.reader.version,
    }
    logger.info("scan done", form=upload.form, scan=outcome.digest[:8], duplicate=outcome.duplicate, **counts)
    metrics.add_metric("Duplicates", MetricUnit.Count, int(outcome.duplicate))
    metrics.add_metric("PagesRead", MetricUnit.Count, outcome.read)
    metrics.add_metric("PagesFailed", MetricUnit.Count, outcome.failed)
    metrics.add_metric("CellsRead", MetricUnit.Count, outcome.cells)
    metrics.add_metric("CellsFlagged", MetricUnit.Count, outcome.flagged)
    # shares a scan, so that an alarm's mean needs no arithmetic; a scan that was there before says nothing new
    if outcome.read + outcome.failed:
        share = 100 * outcome.failed / (outcome.read + outcome.failed)
        metrics.add_metric("PagesFailedShare", MetricUnit.Percent, share)
    if outcome.cells:
        metrics.add_metric("CellsFlaggedShare", MetricUnit.Percent, 100 * outcome.flagged / outcome.cells)
