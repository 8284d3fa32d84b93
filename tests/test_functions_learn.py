import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

from fakes import FakeS3
from formlens.form import load_form
from formlens.manifest import NAME, part_of, write_manifest
from formlens.reader import Reader
from formlens.types import CallError
from forms import VALUES, draw_form, fill, scan, write_labelled

keys = importlib.import_module("keys")
learned = importlib.import_module("learned")
lesson = importlib.import_module("lesson")
scans = importlib.import_module("scan")
store_ = importlib.import_module("store")

FORM = "forms/intake/intake.form"
REPORT = "forms/intake/report.json"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled(tmp_path_factory.mktemp("labelled"), 1)


@pytest.fixture(scope="module")
def bucket(reader: Reader, folder: Path) -> dict[str, bytes]:
    """A bucket in which the form was learned."""
    s3 = FakeS3()
    upload(s3, folder)
    assert learn(s3, reader)["status"] == "learned"
    return s3.objects


@pytest.fixture
def s3(bucket: dict[str, bytes]) -> FakeS3:
    fresh = FakeS3()
    for key, data in bucket.items():
        fresh.put_object("b", key, data)
    return fresh


def upload(s3: FakeS3, folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, data in files.items():
        s3.put_object("b", f"training/intake/{name}", data)
    s3.put_object("b", f"training/intake/{NAME}", write_manifest([part_of(*item) for item in files.items()]))


def learn(s3: FakeS3, reader: Any, learner: str = "one") -> Any:
    return lesson.learn("intake", store=store_.Store(s3, "b"), reader=reader, learner=learner)


def read(s3: FakeS3, reader: Any, key: str, image: Any, forms: Any = None) -> list[dict[str, Any]]:
    """Read a page from the inbox; returns its results, whose keys say the form."""
    s3.put_object("b", key, cv2.imencode(".png", image)[1].tobytes())
    store = store_.Store(s3, "b")
    before = set(s3.objects)
    forms = forms or learned.Forms(store)
    scans.read_scan(keys.parse_upload(key), None, store=store, reader=reader, forms=forms.of, may_go_on=lambda: True)
    new = [name for name in s3.objects if name.startswith("results/") and name not in before]
    return [json.loads(s3.objects[name])["pages"][0] | {"in": name.split("/")[1]} for name in new]


def test_a_labelled_folder_becomes_a_form_and_a_report(s3: FakeS3, tmp_path: Path) -> None:
    path = tmp_path / "intake.form"
    path.write_bytes(s3.objects[FORM])
    form = load_form(path)
    assert form.name == "intake"
    report = json.loads(s3.objects[REPORT])
    assert [column["name"] for column in report["columns"]] == [column.name for column in form.columns]
    assert all(column["found"] for column in report["columns"])
    assert isinstance(report["doubts"], list)


def test_the_same_manifest_again_learns_nothing(s3: FakeS3) -> None:
    before = dict(s3.objects)
    assert learn(s3, None) is None  # no reader: it would fail if it were asked for
    assert s3.objects == before


def test_another_version_of_the_program_learns_anew(s3: FakeS3, reader: Reader) -> None:
    assert learn(s3, reader, "two")["learner"] == "two"


def test_a_function_that_dies_between_form_and_report_is_made_good(s3: FakeS3, reader: Reader) -> None:
    form = s3.objects[FORM]
    del s3.objects[REPORT]
    assert learn(s3, reader)["status"] == "learned"
    assert s3.objects[FORM] == form


def test_of_two_that_learn_at_once_one_is_told_to_come_again(s3: FakeS3, reader: Reader) -> None:
    del s3.objects[REPORT]
    there = s3.objects[FORM]

    def other_function(key: str) -> None:
        if key == FORM:
            s3.objects[FORM] = b"learned meanwhile"

    s3.before_put = other_function
    with pytest.raises(lesson.Moved):
        learn(s3, reader)
    assert there != s3.objects[FORM]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f.pop("page1.csv"), "page1.csv: not the file that"),
        (lambda f: f.update({"page1.csv": b"visit\n2024-03-17\n"}), "page1.csv: not the file that"),
        (lambda f: f.update({NAME: b"{}"}), "not what `formlens upload` writes"),
        (lambda f: f.update({NAME: write_manifest([part_of("page1.png", f["page1.png"])])}), "page1.png: no CSV"),
    ],
)
def test_a_folder_that_does_not_fit_fails_with_its_reason_and_leaves_the_form(
    s3: FakeS3, change: Any, reason: str
) -> None:
    form = s3.objects[FORM]
    prefix = "training/intake/"
    files = {key.removeprefix(prefix): s3.objects.pop(key) for key in list(s3.objects) if key.startswith(prefix)}
    change(files)
    for name, data in files.items():
        s3.put_object("b", prefix + name, data)
    report = learn(s3, None, "two")
    assert report["status"] == "not learned"
    assert reason in report["reason"]
    assert not report["reason"].startswith("/")
    (failed,) = [key for key in s3.objects if key.startswith("failed/intake/2026/11/23/170012-manifest-")]
    assert json.loads(s3.objects[failed]) == json.loads(s3.objects[REPORT]) == report
    assert s3.objects[FORM] == form


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version": 1}', b'{"version": 2, "files": []}'])
def test_a_manifest_of_another_make_is_refused(data: bytes) -> None:
    with pytest.raises(CallError, match="formlens upload"):
        lesson.read_manifest(data)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png", "", ".", "a//b.png"])
def test_a_manifest_names_files_of_its_own_folder_only(name: str) -> None:
    with pytest.raises(CallError):
        lesson.read_manifest(write_manifest([part_of(name, b"")]))


def test_a_scan_is_read_with_the_form_of_its_folder(s3: FakeS3, reader: Reader) -> None:
    (page,) = read(s3, reader, "inbox/intake/new.png", scan(fill(draw_form(), VALUES[3]), 8).image)
    assert (page["status"], page["form"], page["in"]) == ("read", "intake", "intake")
    assert {cell["column"]: cell["text"] for cell in page["cells"]} == {**VALUES[3], "smoker": "no"}


def test_a_page_whose_form_is_not_known_goes_to_the_form_that_it_is(s3: FakeS3, reader: Reader) -> None:
    (own,) = read(s3, reader, "inbox/any/new.png", scan(fill(draw_form(), VALUES[3]), 8).image)
    assert (own["status"], own["form"], own["in"]) == ("read", "intake", "intake")
    (other,) = read(s3, reader, "inbox/any/other.png", draw_form(5))
    assert (other["status"], other["in"]) == ("unreadable", "any")
    assert other["reason"] == 'this page does not look like form "intake"'


def test_the_same_scan_again_is_not_read_twice_although_its_pages_went_elsewhere(s3: FakeS3, reader: Reader) -> None:
    image = scan(fill(draw_form(), VALUES[3]), 8).image
    assert len(read(s3, reader, "inbox/any/new.png", image)) == 1
    (claim,) = [key for key in s3.objects if key.startswith("claims/")]
    begun = json.loads(s3.objects[claim])
    del begun["pages"]  # as if the function had died before it was done
    s3.objects[claim] = json.dumps(begun).encode()
    assert read(s3, reader, "inbox/any/new.png", image) == []


def test_a_form_is_loaded_once_for_each_version_of_it(s3: FakeS3, reader: Reader) -> None:
    forms = learned.Forms(store_.Store(s3, "b"))
    (first,) = forms.of("intake")
    assert forms.of("any") == [first]
    assert forms.of("none") == []
    assert s3.calls["get"] == 1
    s3.put_object("b", FORM, s3.objects[FORM] + b"\0")  # a zip file may have a tail
    (second,) = forms.of("intake")
    assert second is not first
    del s3.objects[FORM]
    assert forms.of("any") == forms.of("intake") == []


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("training/intake/manifest.json", "intake"),
        ("training/intake/deep/manifest.json", None),
        ("training/manifest.json", None),
        ("training/any/manifest.json", None),
        ("training/../manifest.json", None),
        ("training/intake/page1.csv", None),
    ],
)
def test_a_manifest_lies_in_the_folder_of_its_form(key: str, form: str | None) -> None:
    assert keys.parse_manifest(key) == form


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("BUCKET", "deeplens-sagemaker-test")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "learn")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FormLens/test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    yield importlib.import_module("learn")
    sys.modules.pop("learn")


def test_the_handler_names_what_must_come_again(
    function: Any, s3: FakeS3, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function, "store", store_.Store(s3, "b"))
    monkeypatch.setattr(function.current, "_store", function.store)
    log = io.StringIO()
    function.logger.registered_handler.setStream(log)
    s3.put_object("b", "training/broken/manifest.json", b"{}")
    names = ["training/broken/manifest.json", "training/gone/manifest.json", "training/intake/page1.csv"]
    bodies = [json.dumps({"detail": {"object": {"key": name}}}) for name in names]
    records = [{"messageId": f"m{i}", "eventSource": "aws:sqs", "body": body} for i, body in enumerate(bodies)]
    context = SimpleNamespace(
        function_name="learn", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r"
    )
    answer = function.handler({"Records": records}, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert '"FormsNotLearned":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert log.getvalue().count("form comes again") == 1
