"""A labelled folder goes in; its files, and last its manifest, lie in the bucket. What is there is not sent again.

What is there is known by the SHA-256 that S3 itself computed when the object arrived. Large files go in parts, and S3
then keeps the digest of the parts' digests, which is computed here in the same way.
"""

import io
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from formlens.account.session import Account
from formlens.labelled import pages_of, read_folder
from formlens.manifest import FORM_NAME, NAME, Part, part_of, write_manifest
from formlens.scans import Scan
from formlens.types import CallError

PART = 8_388_608
"""Bytes of one part of a large file."""
_AT_ONCE = 8
_TYPES = {".csv": "text/csv; charset=utf-8", ".jpg": "image/jpeg", ".png": "image/png", ".json": "application/json"}


@dataclass(frozen=True)
class Uploaded:
    """What an upload came to."""

    sent: int
    there: int
    """Files that lay in the bucket already, the same bytes."""
    manifest: str
    """SHA-256 of the manifest, hexadecimal."""


def upload_folder(
    folder: Path, form: str, account: Account, moved: Callable[[str, int], None] = lambda name, size: None
) -> Uploaded:
    """Check a folder as `learn` does, and upload it; ``moved`` is told each file that is there, and its bytes.

    Raises CallError, which names the file, for whatever does not fit; the manifest is sent only when all else is there,
    so that nothing is learned from half a folder.
    """
    if not FORM_NAME.fullmatch(form) or form == "any":
        raise CallError(f"--form {form}: a form's name has letters, digits, spaces, dots and dashes, and is not `any`")
    files = files_of(folder)
    write_manifest([Part(str(path), path.stat().st_size, "") for path, _ in files])  # refuses what is too much
    s3, bucket = account.client("s3"), account.bucket()
    s3.head_bucket(Bucket=bucket)

    def put(path: Path, scan: Scan | None) -> tuple[Part, bool]:
        name, data = _as_sent(path.relative_to(folder), path, scan)
        sent = _put(s3, bucket, f"training/{form}/{name}", data)
        moved(name, len(data))
        return part_of(name, data), sent

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(put, *zip(*files, strict=True)))
    manifest = write_manifest([part for part, _ in done])
    key = f"training/{form}/{NAME}"
    # always: whether there is anything to learn from it anew is for the function to say
    s3.put_object(Bucket=bucket, Key=key, Body=manifest, ContentType=_TYPES[".json"], ChecksumAlgorithm="SHA256")
    sent = sum(sent for _, sent in done)
    return Uploaded(sent, len(done) - sent, sha256(manifest).hexdigest())


def files_of(folder: Path) -> list[tuple[Path, Scan | None]]:
    """The files of a labelled folder, with the scan that each is. Raises CallError for what does not fit together."""
    found = read_folder(folder)
    scans = [labelled.scan for labelled in found.labelled]
    tables = [(scan.path.with_suffix(".csv"), None) for scan in scans]
    return [*((scan.path, scan) for scan in [*scans, *filter(None, [found.blank])]), *tables]


def _as_sent(name: Path, path: Path, scan: Scan | None) -> tuple[str, bytes]:
    """A file's name and bytes in the bucket. Raises CallError for a scan that cannot be read."""
    pages = list(pages_of(scan)) if scan else []
    # of several pages (a blank in which the right one is found) each would be another file
    if path.suffix.lower() == ".pdf" and len(pages) == 1:
        jpeg = cv2.imencode(".jpg", pages[0].image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        return name.with_suffix(".jpg").as_posix(), jpeg.tobytes()
    return name.as_posix(), path.read_bytes()


def wait_for_report(
    account: Account, form: str, manifest: str, seconds: float = 960
) -> Iterator[dict[str, Any] | None]:
    """Look for what was learned from a manifest: None as long as it is not there, and last the report.

    Raises CallError when it takes longer than a function may run.
    """
    s3, bucket = account.client("s3"), account.bucket()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            report = json.loads(s3.get_object(Bucket=bucket, Key=f"forms/{form}/report.json")["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            report = {}
        if report.get("manifest") == manifest:
            yield report
            return
        yield None
    raise CallError(f"form {form} was not learned in {seconds:.0f} s; `formlens status` says how the functions are")


def _put(s3: Any, bucket: str, key: str, data: bytes) -> bool:
    """Send an object unless the same bytes are there; returns whether they were sent."""
    try:
        there = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        if there["ContentLength"] == len(data) and there.get("ChecksumSHA256") == checksum(data):
            return False
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
    suffix = Path(key).suffix.lower()
    extra = {"ChecksumAlgorithm": "SHA256", "ContentType": _TYPES.get(suffix, "application/octet-stream")}
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(data), bucket, key, ExtraArgs=extra, Config=parts)
    return True


def checksum(data: bytes) -> str:
    """The SHA-256 that S3 keeps of an object which was sent in parts of `PART` bytes, or whole where it has but one."""
    digests = [sha256(data[at : at + PART]).digest() for at in range(0, max(len(data), 1), PART)]
    if len(data) < PART:
        return b64encode(digests[0]).decode()
    return f"{b64encode(sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"
