import importlib
import io
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import FakeS3

keys = importlib.import_module("keys")
scan = importlib.import_module("scan")
store_ = importlib.import_module("store")
environment = importlib.import_module("environment")
learned = importlib.import_module("learned")

FORM = "intake"


class Reader:
    """Reads every crop as the same number."""

    version = "fake-1"

    def probabilities(self, crops: Any) -> Any:
        return [np.zeros((4, 3), np.float32) for _ in crops]

    def decode(self, *_: Any) -> Any:
        return SimpleNamespace(text="7", confidence=0.5)

    def read(self, crops: Any, *_: Any) -> Any:
        return [self.decode() for _ in crops]


def table(lines: int = 4) -> np.ndarray[Any, Any]:
    """A small page with a ruled table on it, and something in its first cell."""
    page = np.full((450, 350, 3), 255, np.uint8)
    for at in np.linspace(50, 300, lines).astype(int):
        cv2.line(page, (int(at), 50), (int(at), 400), (0, 0, 0), 2)
    for at in range(50, 401, 70):
        cv2.line(page, (50, at), (300, at), (0, 0, 0), 2)
    cv2.putText(page, "7", (65, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 3)
    return page


def png(page: np.ndarray[Any, Any]) -> bytes:
    return cv2.imencode(".png", page)[1].tobytes()


def tiff(*pages: np.ndarray[Any, Any]) -> bytes:
    done, data = cv2.imencodemulti(".tiff", list(pages))
    assert done
    return data.tobytes()


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def deliver(s3: FakeS3, key: str, data: bytes | None = None, may_go_on: Any = lambda: True) -> Any:
    if data is not None:
        s3.put_object("b", key, data)
    upload = keys.parse_upload(key)
    store = store_.Store(s3, "b")
    forms = learned.Forms(store)
    return scan.read_scan(upload, None, store=store, reader=Reader(), forms=forms.of, may_go_on=may_go_on)


def under(s3: FakeS3, prefix: str) -> dict[str, bytes]:
    return {key: data for key, data in s3.objects.items() if key.startswith(prefix)}


def test_a_scan_becomes_one_json_a_page_in_the_shape_of_the_contract(s3: FakeS3) -> None:
    outcome = deliver(s3, "inbox/intake/pile 1/scan_017.tiff", tiff(table(), table(5)))
    first, second = under(s3, "results/")
    assert first.startswith("results/intake/2026/11/23/170012-scan_017-")
    assert first.endswith("-0001.json")
    assert second.endswith("-0002.json")
    (page,) = json.loads(s3.objects[second])["pages"]
    assert json.loads(s3.objects[second])["reader"] == Reader.version
    assert page["source"] == "scan_017.tiff"
    assert page["page"] == 2
    assert page["status"] == "read"
    assert set(page["cells"][0]) == {"row", "column", "text", "confidence", "flagged", "box"}
    assert (outcome.read, outcome.failed, outcome.flagged > 0) == (2, 0, True)


def test_the_same_scan_again_changes_nothing_and_reads_nothing(s3: FakeS3) -> None:
    data = png(table())
    deliver(s3, "inbox/intake/a.png", data)
    before = under(s3, "results/")
    s3.now += timedelta(days=1)
    for key in ("inbox/intake/a.png", "inbox/intake/b.png"):
        assert deliver(s3, key, data).duplicate
    assert under(s3, "results/") == before


def test_the_same_bytes_for_another_form_are_another_scan(s3: FakeS3) -> None:
    data = png(table())
    deliver(s3, "inbox/intake/a.png", data)
    assert not deliver(s3, "inbox/other/a.png", data).duplicate
    assert len(under(s3, "results/")) == 2


def test_other_bytes_under_the_same_key_are_another_scan(s3: FakeS3) -> None:
    deliver(s3, "inbox/intake/a.png", png(table(4)))
    deliver(s3, "inbox/intake/a.png", png(table(5)))
    assert len(under(s3, "results/")) == 2


def test_two_deliveries_at_the_same_moment_leave_one_set_of_results(s3: FakeS3) -> None:
    data = tiff(table(), table(5))
    s3.put_object("b", "inbox/intake/a.tiff", data)
    meanwhile = iter([True])

    def other_function(key: str) -> None:
        if key.endswith("-0001.json") and next(meanwhile, False):
            deliver(s3, "inbox/intake/a.tiff")

    s3.before_put = other_function
    outcome = deliver(s3, "inbox/intake/a.tiff")
    assert outcome.read == 0  # the other one's writes count
    assert len(under(s3, "results/")) == 2


def test_a_function_that_dies_halfway_goes_on_where_it_stopped(s3: FakeS3) -> None:
    time_left = iter([True, False])
    with pytest.raises(scan.OutOfTime):
        deliver(s3, "inbox/intake/a.tiff", tiff(table(), table(5), table(6)), lambda: next(time_left))
    before = under(s3, "results/")
    s3.now += timedelta(hours=9)
    outcome = deliver(s3, "inbox/intake/a.tiff")
    after = under(s3, "results/")
    assert len(before) == 1
    assert len(after) == 3
    assert before.items() <= after.items()
    assert {key.rsplit("-", 1)[0] for key in after} == {next(iter(before)).rsplit("-", 1)[0]}
    assert outcome.read == 2


@pytest.mark.parametrize(
    ("name", "data"), [("empty.jpg", b""), ("text.jpg", b"Dear colleague,"), ("cut.png", b"\x89PNG")]
)
def test_what_cannot_be_read_is_set_aside_with_its_reason(s3: FakeS3, name: str, data: bytes) -> None:
    outcome = deliver(s3, f"inbox/intake/{name}", data)
    copy, reason = sorted(under(s3, "failed/intake/2026/11/23/"), key=lambda key: key.endswith(".json"))
    (page,) = json.loads(s3.objects[reason])["pages"]
    assert s3.objects[copy] == data
    assert copy.endswith(name[-4:])
    assert reason.startswith(copy[:-4])
    assert page["status"] == "unreadable"
    assert page["reason"]
    assert (outcome.read, outcome.failed) == (0, 1)
    # so that the spreadsheet can name it and the counts add up
    assert list(under(s3, "results/").values()) == [s3.objects[reason]]


def test_one_bad_page_does_not_lose_its_neighbours(s3: FakeS3) -> None:
    blank = np.full((450, 350, 3), 255, np.uint8)
    outcome = deliver(s3, "inbox/intake/a.tiff", tiff(table(), blank, table(5)))
    assert (outcome.read, outcome.failed) == (2, 1)
    assert len(under(s3, "results/")) == 3


def test_a_file_beyond_the_limit_is_refused_without_being_held(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "Limits", lambda: SimpleNamespace(bytes=1000))
    data = png(table())
    deliver(s3, "inbox/intake/a.png", data)
    (page,) = json.loads(next(iter(under(s3, "results/").values())))["pages"]
    assert page["status"] == "unreadable"


@pytest.mark.parametrize(
    ("key", "form", "source"),
    [
        ("inbox/intake/scan 1+2 ü%20.jpg", "intake", "scan 1+2 ü%20.jpg"),
        ("inbox/intake/pile 1/a.jpg", "intake", "a.jpg"),
        ("inbox/any/a.jpg", "any", "a.jpg"),
        ("inbox/a.jpg", "any", "a.jpg"),
        ("inbox/../a.jpg", "any", "a.jpg"),
        ("inbox//a.jpg", "any", "a.jpg"),
    ],
)
def test_a_key_is_taken_as_it_is(key: str, form: str, source: str) -> None:
    upload = keys.parse_upload(key)
    assert (upload.key, upload.form, upload.source) == (key, form, source)


@pytest.mark.parametrize("key", ["inbox/", "inbox/intake/", "inbox/intake/pile/"])
def test_a_folder_marker_is_no_scan(key: str) -> None:
    assert keys.parse_upload(key) is None


def test_results_sort_by_arrival_then_name_then_page(s3: FakeS3) -> None:
    for minute, name in enumerate(["z.png", "a.png"]):
        s3.now = s3.now.replace(minute=minute)
        deliver(s3, f"inbox/intake/{name}", png(table(4 + minute)))
    sources = [json.loads(s3.objects[key])["pages"][0]["source"] for key in sorted(under(s3, "results/"))]
    assert sources == ["z.png", "a.png"]


def test_a_function_without_its_bucket_does_not_start() -> None:
    with pytest.raises(RuntimeError, match="BUCKET must name"):
        environment.read_environment({})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("BUCKET", "deeplens-sagemaker-test")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "read")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FormLens/test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    module = importlib.import_module("read")
    monkeypatch.setattr(module, "current", SimpleNamespace(use=lambda: SimpleNamespace(reader=Reader(), forms={})))
    yield module
    sys.modules.pop("read")


def test_the_handler_names_what_must_come_again_and_logs_no_text(
    read: Any, s3: FakeS3, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "store", store_.Store(s3, "b"))
    monkeypatch.setattr(read, "forms", learned.Forms(store_.Store(s3, "b")))
    log = io.StringIO()
    read.logger.registered_handler.setStream(log)
    s3.put_object("b", "inbox/intake/secret name.png", png(table()))
    keys_ = ["inbox/intake/secret name.png", "inbox/intake/gone.png", "inbox/intake/"]
    answer = read.handler({"Records": [message(f"m{i}", key) for i, key in enumerate(keys_)]}, context())
    out = capsys.readouterr().out
    assert log.getvalue().count("scan done") == log.getvalue().count("scan comes again") == 1
    assert "secret" not in log.getvalue()
    assert '"text"' not in log.getvalue()
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "secret" not in out
    assert '"PagesRead":[1.0]' in out.replace(" ", "")


def message(id: str, key: str) -> dict[str, Any]:
    body = {"detail": {"bucket": {"name": "b"}, "object": {"key": key, "size": 1, "etag": "e"}}}
    return {"messageId": id, "eventSource": "aws:sqs", "body": json.dumps(body)}


def context() -> Any:
    return SimpleNamespace(
        function_name="read",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:eu-central-1:1:function:read",
        aws_request_id="r",
        get_remaining_time_in_millis=lambda: 300_000,
    )
