"""Pages in, read as a camera and as the cloud reads them, compared.

    PYTHONPATH=. python tests/edge_cloud.py [COUNT [FIRST]]

The camera's path: a process of its own with one thread, `here.Here`, forms from a folder. The cloud's path: the read
function's own handler, called with the queue's message, over a bucket in memory, with as many threads as there are
cores. Pages: forms filled by a program and photographed under the camera, real pen-drawn tables photographed so, drawn
tables, and some on which nothing can be read.
"""

import importlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import cv2
import numpy as np

from draw import Style, draw_table
from fakes import FakeS3
from formlens.form import save_form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.outline import find_sheet
from formlens.reader import Reader
from formlens.rectify import cut_out
from forms import draw_form, fill
from model.recordings import Moment, film, lying

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
NOW = datetime(2026, 11, 23, 17, 0, 12, tzinfo=UTC)
FORM = "intake"


def pages(first: int, count: int, loop: Any) -> Iterator[tuple[str, bytes]]:
    """The form that each page is uploaded for, and the page as a camera keeps it."""
    for number in range(first, first + count):
        rng = np.random.default_rng([8, number])
        kind = number % 8
        if kind < 4:
            day = f"20{rng.integers(10, 30)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}"
            values = {"visit": day, "weight": f"{rng.integers(400, 1200) / 10}", "dose": str(rng.integers(1, 999))}
            values["age"] = str(rng.integers(1, 99))
            yield (
                "any" if kind == 3 else FORM,
                loop.encoded(_seen(fill(draw_form(), values, ticked=bool(number % 2)), 0.66, rng)),
            )
        elif kind == 4:
            name = ("card", "notebook")[number // 8 % 2]
            yield "tables", loop.encoded(_seen(cv2.imread(str(SAMPLES / "tables" / f"{name}.png")), 0.38, rng))
        elif kind < 7:
            style = Style(rows=int(rng.integers(2, 8)), columns=int(rng.integers(2, 6)), wobble=2.0, tilt=1.0)
            yield "tables", loop.encoded(draw_table(style, seed=number).image)
        else:
            yield FORM, loop.encoded(rng.integers(200, 255, (600, 400, 3)).astype(np.uint8))


def _seen(page: Any, tall: float, rng: np.random.Generator) -> Any:
    where = lying(page, tall=tall, turned=float(rng.uniform(-8, 8)) + 180 * int(rng.integers(2)))
    (frame,) = film(page, [Moment(where, blur=float(rng.uniform(0, 0.6)))], seed=int(rng.integers(1 << 30)))
    found = find_sheet(frame)
    return cut_out(frame, where * 1600 if found is None else found)


def on_a_camera(folder: str) -> None:
    """Read the pages of a folder as a camera does."""
    here, mirror, learned = (importlib.import_module(name) for name in ("here", "mirror", "learned"))
    bucket, reader = mirror.Mirror(Path(folder) / "bucket"), Reader(threads=1)
    bucket.put(f"forms/{FORM}/{FORM}.form", (Path(folder) / "forms" / FORM / f"{FORM}.form").read_bytes())
    forms = learned.Forms(bucket).of
    found = []
    for form, jpeg in pickle.loads((Path(folder) / "pages").read_bytes()):  # noqa: S301  # our own
        found.append(here.Here("cam1", form, reader, forms).read(jpeg, NOW)[1])
    (Path(folder) / "camera").write_bytes(pickle.dumps(found))


def in_the_cloud(found: list[tuple[str, dict[str, bytes]]], forms: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    """What the bucket holds after the function was told of each page."""
    s3 = FakeS3()
    vars(boto3)["client"] = lambda *_, **__: s3
    os.environ |= {"BUCKET": "deeplens-sagemaker-test", "POWERTOOLS_TRACE_DISABLED": "1"}
    os.environ |= {
        "POWERTOOLS_METRICS_NAMESPACE": "test",
        "POWERTOOLS_SERVICE_NAME": "read",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    read = importlib.import_module("read")
    about = dict.fromkeys(("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id"), "1")
    context = SimpleNamespace(**about, get_remaining_time_in_millis=lambda: 300_000)
    warnings.simplefilter("ignore")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # the function's metrics
    for key, parts in found:
        s3.objects.clear()
        s3.now = NOW
        for name, data in [*forms.items(), (key, parts[key])]:
            s3.put_object("b", name, data)
        body = json.dumps({"detail": {"object": {"key": key}}})
        record = {"messageId": "1", "body": body, "eventSource": "aws:sqs", "receiptHandle": "1", "attributes": {}}
        assert read.handler({"Records": [record]}, context) == {"batchItemFailures": []}
        yield {key: data for key, data in s3.objects.items() if not key.startswith("forms/")}
    sys.stdout = sys.__stdout__


def main() -> None:
    """Both paths over the same pages; fails at the first byte that differs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    loop = importlib.import_module("loop")
    with tempfile.TemporaryDirectory() as folder:
        form = Path(folder) / "forms" / FORM / f"{FORM}.form"
        form.parent.mkdir(parents=True)
        save_form(learn_form(read_folder(SAMPLES / "intake" / "labelled"), FORM, Reader()).form, form)
        (Path(folder) / "pages").write_bytes(pickle.dumps(list(pages(first, count, loop))))
        command = [sys.executable, __file__, "--camera", folder]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        camera = pickle.loads((Path(folder) / "camera").read_bytes())  # noqa: S301
        keyed = [(next(key for key in parts if key.startswith("inbox/")), parts) for parts in camera]
        kinds: Counter[str] = Counter()
        for parts, cloud in zip(
            camera, in_the_cloud(keyed, {f"forms/{FORM}/{FORM}.form": form.read_bytes()}), strict=True
        ):
            (page,) = json.loads(next(data for key, data in parts.items() if key.startswith("results/")))["pages"]
            name = f"{page['form'] or 'a table'} read" if page["status"] == "read" else "not read"
            same = parts == cloud
            kinds.update({name: 1, f"{name}, the same bytes": same, "cells": len(page["cells"])})
    for name, number in sorted(kinds.items()):
        print(f"{name:28} {number}")
    if sum(number for name, number in kinds.items() if name.endswith("bytes")) != count:
        raise SystemExit("the camera and the cloud do not read the same")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "lambda"))
    if sys.argv[1:2] == ["--camera"]:
        on_a_camera(sys.argv[2])
    else:
        main()
