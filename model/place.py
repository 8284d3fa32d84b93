"""A place goes in, `s3://bucket/prefix/` or a folder; a folder of this machine comes out, empty where nothing is there.

SageMaker refuses a job whose input has no object; what a job can do without, it fetches by this.
"""

from pathlib import Path
from urllib.parse import urlsplit


def fetch(place: str, into: Path, only: str = "") -> Path:
    """The folder itself, or a copy below ``into`` of what lies under an S3 prefix; of that the key ``only`` alone.

    Needs boto3 for S3 alone, and leave to list the prefix and to read its objects.
    """
    if not place.startswith("s3://"):
        return Path(place)
    import boto3

    s3 = boto3.client("s3")
    bucket, prefix = urlsplit(place).netloc, urlsplit(place).path.lstrip("/")
    into.mkdir(parents=True, exist_ok=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + only):
        for entry in page.get("Contents", []):
            path = into / entry["Key"].removeprefix(prefix)
            # a key may hold anything; what would be written elsewhere is not of ours
            if not entry["Key"].endswith("/") and path.resolve().is_relative_to(into.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, entry["Key"], str(path))
    return into
