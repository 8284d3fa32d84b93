"""What a stage costs: a month at rest, and for 1,000 pages. List prices of us-east-1 in USD, November 2026.

Sources: aws.amazon.com/{lambda,s3,cloudwatch,sqs}/pricing and aws.amazon.com/sagemaker/ai/pricing. Nothing is fetched;
other regions cost up to a third more, and what AWS gives away each month is not deducted.
"""

ALARM, DASHBOARD, METRIC = 0.10, 3.00, 0.30  # a month
STORED_GB, LOG_GB = 0.023, 0.50  # S3 a month; CloudWatch Logs once
PUT, GET = 0.005e-3, 0.0004e-3
MESSAGE, REQUEST, GB_SECOND = 0.4e-6, 0.2e-6, 0.0000166667
NOTEBOOK_GB = 0.14  # a month
INSTANCES = {  # an hour, for notebooks, training and processing
    "ml.t3.medium": 0.05,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.c5.xlarge": 0.204,
    "ml.g4dn.xlarge": 0.7364,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g6.xlarge": 1.1267,
}

METRICS = 10
"""That the functions write, once pages are read."""
READ_GB = 3008 / 1024
READ_S = 2.5
"""Of the read function a page: an A4 page with 60 cells takes 1.6 s of a processor; the rest is loading and waiting."""
SHEET_GB_S = 0.6
PUTS, GETS, MESSAGES, LOGGED = 8, 6, 6, 4000
"""Of a page: claim, result, its share of the books; queue and function; bytes of logs."""


def at_rest(alarms: int, dashboards: int) -> float:
    """USD a month of a stage in which nothing happens, without what is stored."""
    return alarms * ALARM + dashboards * DASHBOARD


def thousand_pages() -> float:
    """USD for reading 1,000 pages into spreadsheets."""
    seconds = (READ_S * READ_GB + SHEET_GB_S) * GB_SECOND
    calls = PUTS * PUT + GETS * GET + MESSAGES * MESSAGE + 2 * REQUEST
    return 1000 * (seconds + calls + LOGGED / 1e9 * LOG_GB)
