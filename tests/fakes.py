"""A bucket in memory that keeps S3's promises on conditions and order, and counts what it is asked; for the tests."""

import io
from collections import Counter
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.times: dict[str, datetime] = {}
        self.now = datetime(2026, 11, 23, 17, 0, 12, tzinfo=UTC)
        self.calls: Counter[str] = Counter()
        self.bytes = 0
        self.before_put: Any = lambda key: None

    def put_object(self, Bucket: str, Key: str, Body: bytes, **options: Any) -> dict[str, Any]:
        self.before_put(Key)
        self.calls["put"] += 1
        self.bytes += len(Body)
        there = self._etag(Key) if Key in self.objects else None
        if ("IfNoneMatch" in options and there) or ("IfMatch" in options and options["IfMatch"] != there):
            raise _error(412, "PreconditionFailed")
        self.objects[Key], self.times[Key] = Body, self.now
        return {"ETag": self._etag(Key)}

    def get_object(self, Bucket: str, Key: str, **options: Any) -> dict[str, Any]:
        self.calls["get"] += 1
        if Key not in self.objects:
            raise _error(403, "AccessDenied")  # what S3 says to who may not list the bucket
        data = self.objects[Key]
        self.bytes += len(data)
        about = {"ETag": self._etag(Key), "ContentLength": len(data), "LastModified": self.times[Key]}
        return about | {"Body": io.BytesIO(data)}

    def copy_object(self, Bucket: str, Key: str, CopySource: dict[str, str], **options: Any) -> None:
        self.put_object(Bucket, Key, self.objects[CopySource["Key"]])

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int = 1000, StartAfter: str = "") -> dict[str, Any]:
        self.calls["list"] += 1
        keys = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        found = [{"Key": key, "ETag": self._etag(key)} for key in keys[:MaxKeys]]
        return {"Contents": found, "IsTruncated": len(keys) > MaxKeys}

    def _etag(self, key: str) -> str:
        return f'"{md5(self.objects[key], usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "operation")
