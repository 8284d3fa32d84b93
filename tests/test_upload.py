"""A labelled folder goes up once, whatever breaks on the way, and its manifest last."""

import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError

import hostile
from formlens.account import upload
from formlens.account.session import Account, connect, explained
from formlens.manifest import MOST_FILES, read_manifest
from formlens.types import CallError
from forms import draw_form, write_labelled

PREFIX = "training/intake/"


class Bucket:
    """Objects with their checksums; refuses to take more than `most`, as a line that breaks."""

    def __init__(self, most: int = 1000) -> None:
        self.objects: dict[str, bytes] = {}
        self.order: list[str] = []
        self.most = most

    def head_bucket(self, Bucket: str) -> None: ...

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "1"}

    def head_object(self, Bucket: str, Key: str, ChecksumMode: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        data = self.objects[Key]
        return {"ContentLength": len(data), "ChecksumSHA256": b64encode(sha256(data).digest()).decode()}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        if len(self.order) >= self.most:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        self.objects[Key] = Body
        self.order.append(Key)

    def upload_fileobj(self, stream: Any, bucket: str, key: str, **_: Any) -> None:
        self.put_object(bucket, key, stream.read())


def account(bucket: Bucket) -> Account:
    return Account("dev", SimpleNamespace(region_name="eu-central-1", client=lambda *_, **__: bucket))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_labelled(tmp_path / "intake", 2)


def test_all_files_go_up_and_the_manifest_last(folder: Path) -> None:
    bucket = Bucket()
    done = upload.upload_folder(folder, "intake", account(bucket))
    assert (done.sent, done.there) == (5, 0)
    *before, last = bucket.order
    assert last == f"{PREFIX}manifest.json"
    manifest = bucket.objects[last]
    assert done.manifest == sha256(manifest).hexdigest()
    for part in read_manifest(manifest):
        data = bucket.objects[PREFIX + part.name]
        assert (len(data), sha256(data).hexdigest()) == (part.size, part.sha256)
        assert data == (folder / part.name).read_bytes()
    assert len(before) == len(read_manifest(manifest)) == 5


def test_an_upload_that_broke_off_goes_on_and_sends_nothing_twice(folder: Path) -> None:
    bucket = Bucket(most=2)
    with pytest.raises(ClientError):
        upload.upload_folder(folder, "intake", account(bucket))
    assert f"{PREFIX}manifest.json" not in bucket.objects
    bucket.most = 1000
    done = upload.upload_folder(folder, "intake", account(bucket))
    assert (done.sent, done.there) == (3, 2)
    assert len(bucket.order) == len(set(bucket.order)) == 6
    assert upload.upload_folder(folder, "intake", account(bucket)).sent == 0


def test_a_file_that_was_changed_is_sent_again(folder: Path) -> None:
    bucket = Bucket()
    first = upload.upload_folder(folder, "intake", account(bucket))
    (folder / "page1.csv").write_text((folder / "page1.csv").read_text().replace("71.5", "71.6"))
    second = upload.upload_folder(folder, "intake", account(bucket))
    assert (second.sent, second.there) == (1, 4)
    assert second.manifest != first.manifest


def test_a_pdf_of_one_page_goes_up_as_jpeg_and_a_blank_of_several_as_it_is(folder: Path) -> None:
    page = draw_form()
    (folder / "page1.png").unlink()
    (folder / "blank.png").unlink()
    sheet = hostile.scanned(hostile.encoded(page, ".jpg"), page.shape[1], page.shape[0])
    (folder / "page1.pdf").write_bytes(hostile.pdf_of([sheet]))
    (folder / "blank.pdf").write_bytes(hostile.pdf_of([sheet, sheet]))
    bucket = Bucket()
    moved: dict[str, int] = {}
    upload.upload_folder(folder, "intake", account(bucket), moved.__setitem__)
    assert set(moved) == {"page1.jpg", "page1.csv", "page2.png", "page2.csv", "blank.pdf"}
    assert bucket.objects[f"{PREFIX}page1.jpg"][:3] == b"\xff\xd8\xff"
    assert bucket.objects[f"{PREFIX}blank.pdf"] == (folder / "blank.pdf").read_bytes()
    assert upload.upload_folder(folder, "intake", account(bucket)).sent == 0  # the same PDF gives the same JPEG


@pytest.mark.parametrize("size", [0, 1, upload.PART - 1, upload.PART, 2 * upload.PART + 1])
def test_the_checksum_of_a_file_in_parts_is_that_of_its_parts_checksums(size: int) -> None:
    said = upload.checksum(bytes(size))
    if size < upload.PART:
        assert said == b64encode(sha256(bytes(size)).digest()).decode()
    else:
        assert said.endswith(f"-{size // upload.PART + (size % upload.PART > 0)}")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: (f / "page1.csv").unlink(), "page1.png"),
        (lambda f: (f / "page2.png").unlink(), "page2.csv"),
        (lambda f: (f / "page2.png").write_bytes(b"no picture"), "page2.png"),
        (lambda f: [(f / f"{n}.png").write_bytes(b"") for n in range(MOST_FILES)], "0.png"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_learned_from_it(folder: Path, change: Any, named: str) -> None:
    change(folder)
    bucket = Bucket()
    with pytest.raises(CallError, match=named):
        upload.upload_folder(folder, "intake", account(bucket))
    assert f"{PREFIX}manifest.json" not in bucket.objects


def test_more_than_is_learned_at_once_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    for number in range(MOST_FILES // 2 + 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), draw_form()[:20, :20])
        (tmp_path / f"{number}.csv").write_text("visit\n2024-03-17\n")
    bucket = Bucket()
    with pytest.raises(CallError, match="take fewer scans"):
        upload.upload_folder(tmp_path, "intake", account(bucket))
    assert not bucket.order


@pytest.mark.parametrize("name", ["any", "", "../x", "a/b", "-x", "x" * 65])
def test_a_form_has_a_name_that_fits_into_a_key(folder: Path, name: str) -> None:
    with pytest.raises(CallError, match="--form"):
        upload.upload_folder(folder, name, account(Bucket()))


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (NoCredentialsError(), "AWS_PROFILE"),
        (ClientError({"Error": {"Code": "404"}}, "HeadBucket"), "make deploy STAGE=dev"),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "PutObject"), "sign in again"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject"), "refuses PutObject"),
        (HTTPClientError(error=OSError("no route")), "cannot be reached"),
    ],
)
def test_what_aws_refuses_is_said_in_words_with_a_cure(error: Exception, cure: str) -> None:
    with pytest.raises(CallError, match=cure), explained(account(Bucket())):
        raise error


def test_no_region_is_an_error_that_says_so() -> None:
    with pytest.raises(CallError, match="AWS_REGION"):
        connect("dev", SimpleNamespace(region_name=None))


def test_nothing_but_the_commands_that_need_it_imports_boto3() -> None:
    code = "import sys, formlens.cli; sys.exit('boto3' in sys.modules or 'formlens.account' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    missing = (
        "import sys; sys.modules['boto3'] = None\nfrom formlens.cli import main\nmain(['upload', '.', '--form', 'x'])"
    )
    done = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install boto3" in done.stderr
