"""The bucket, as the functions use it: bytes by key, conditional writes, listing in order."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from objects import Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TYPES = {
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Store:
    """One bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def get(self, key: str, *, version: str | None = None, at_most: int | None = None) -> Stored:
        """Read an object, or no more than its first ``at_most`` bytes."""
        which: dict[str, Any] = {"VersionId": version} if version else {}
        got = self._s3.get_object(Bucket=self._bucket, Key=key, **which)
        with got["Body"] as body:
            return Stored(body.read(at_most), got["ETag"], got["ContentLength"], got["LastModified"])

    def put(self, key: str, data: bytes) -> str:
        """Write an object, whatever was there; returns its ETag."""
        return self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=_type(key))["ETag"]

    def put_over(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write an object only over the one with this ETag (None: only where there is none).

        Returns the new ETag, or None if somebody else was there first.
        """
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        try:
            put = self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=_type(key), **condition)
            return put["ETag"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
                return None
            raise  # 409 is a write at the same moment: the message comes again, and then it is clear who won

    def copy(self, key: str, to: str, *, version: str | None = None) -> None:
        """Copy an object inside the bucket, without its tags (they would need one more permission)."""
        source = {"Bucket": self._bucket, "Key": key} | ({"VersionId": version} if version else {})
        self._s3.copy_object(Bucket=self._bucket, Key=to, CopySource=source, TaggingDirective="REPLACE")  # type: ignore[arg-type]

    def etag(self, key: str) -> str | None:
        """The ETag of an object, None if there is none. Listing says so without leave to list the whole bucket."""
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return next((item["ETag"] for item in listed if item["Key"] == key), None)

    def etags(self, prefix: str, *, after: str = "") -> Iterator[tuple[str, str]]:
        """Keys under a prefix in their order, those after ``after``, each with its ETag."""
        last: str | None = after
        while last is not None:
            got = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, StartAfter=last)
            found = [(item["Key"], item["ETag"]) for item in got.get("Contents", [])]
            yield from found
            last = found[-1][0] if got["IsTruncated"] else None

    def list(self, prefix: str, *, after: str = "", upto: str | None = None) -> Iterator[str]:
        """Keys under a prefix in their order, those after ``after`` and not beyond ``upto``."""
        for key, _ in self.etags(prefix, after=after):
            if upto is not None and key > upto:
                return
            yield key


def _type(key: str) -> str:
    return next((kind for suffix, kind in TYPES.items() if key.endswith(suffix)), "application/octet-stream")
