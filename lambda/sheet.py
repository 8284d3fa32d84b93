"""New results go in, as messages; the spreadsheets that they belong to come out up to date."""

import json
import os
from collections import defaultdict
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from books import Day, day_of, update_books
from environment import read_environment
from store import Store

logger, metrics = Logger(), Metrics()
store = Store(boto3.client("s3"), read_environment(os.environ).bucket)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Update each day's books once for the whole batch; the messages of a day that fails come again."""
    days: defaultdict[Day, dict[str, str]] = defaultdict(dict)
    for record in event["Records"]:
        key = json.loads(record["body"])["detail"]["object"]["key"]
        days[day_of(key)][record["messageId"]] = key
    failed: list[str] = []
    for day, keys in days.items():
        try:
            rebuilt = update_books(day, keys.values(), store)
        except Exception as error:
            logger.warning("day comes again", form=day.form, date=day.date, error=type(error).__name__)
            failed += keys
            continue
        logger.info("day done", form=day.form, date=day.date, results=len(keys), books=rebuilt)
        metrics.add_metric("BooksRebuilt", MetricUnit.Count, rebuilt)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
