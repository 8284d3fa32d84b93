"""Which pages are held out, what corrections do, and which reader a training begins with."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("faker", reason="the words of the training stream come from Faker: model/requirements-train.txt")
pytest.importorskip("fontTools", reason="the stream needs fonts: model/requirements-train.txt")

from formlens.labelled import Labelled
from formlens.reader import SHIPPED
from formlens.released import POINTER, Pointer, Released, pointer_json
from formlens.scans import Scan
from formlens.types import CallError
from model.prepare import choose_readers, divide, merge


def pages(folder: Path, count: int) -> list[Labelled]:
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(f"scan {number}".encode())
        found.append(Labelled(Scan(path, path.name), ({"a": "1"},)))
    return found


def held(pages: list[Labelled]) -> set[str]:
    return {page.scan.path.name for page in divide(pages)[0]}


def test_a_fifth_of_the_pages_is_held_out_and_stays_so_when_more_come(tmp_path: Path) -> None:
    every = pages(tmp_path, 400)
    assert 50 < len(held(every)) < 110
    assert held(every[:200]) == held(every) & {page.scan.path.name for page in every[:200]}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_of_few_pages_one_at_least_is_held_out_and_one_trained_on(tmp_path: Path, count: int) -> None:
    apart, learn = divide(pages(tmp_path, count))
    assert apart
    assert learn
    assert len(apart) + len(learn) == count


def test_the_same_scan_under_two_names_is_on_one_side(tmp_path: Path) -> None:
    every = pages(tmp_path, 6)
    for page in every[:3]:
        shutil.copy(every[5].scan.path, page.scan.path)
    names = held(every)
    assert len(names & {"0.jpg", "1.jpg", "2.jpg", "5.jpg"}) in (0, 4)
    with pytest.raises(CallError, match="two different scans"):
        divide([every[0], every[5]])


def test_a_correction_takes_the_place_of_the_page_that_it_corrects(tmp_path: Path) -> None:
    for folder, name, text in (("training", "1.jpg", "a"), ("training", "2.jpg", "b"), ("labels/x", "1.png", "c")):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_suffix(".csv").write_text(text)
    (tmp_path / "training" / "manifest.json").write_text("{}")
    out = merge([tmp_path / "training", tmp_path / "labels", tmp_path / "nothing"], tmp_path / "out")
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "1.png": "c",
        "1.csv": "c",
        "2.jpg": "b",
        "2.csv": "b",
    }


def test_a_training_begins_with_the_reader_in_use_unless_told_otherwise(tmp_path: Path) -> None:
    nothing = choose_readers(str(tmp_path / "models"), "released", tmp_path)
    assert (nothing.start, nothing.released) == (SHIPPED, SHIPPED)
    for version in ("0001-a", "0002-b"):
        (tmp_path / "models" / version).mkdir(parents=True)
        (tmp_path / "models" / version / "reader.onnx").write_text(version)
    now = Released("0002-b", "models/0002-b/reader.onnx", "", "p", "", "")
    (tmp_path / POINTER).write_bytes(pointer_json(Pointer(now)))
    for base, text in (("released", "0002-b"), ("0001-a", "0001-a")):
        found = choose_readers(str(tmp_path / "models"), base, tmp_path)
        assert (found.start.read_text(), found.released.read_text()) == (text, "0002-b")
    assert choose_readers(str(tmp_path / "models"), "shipped", tmp_path).start == SHIPPED
    with pytest.raises(CallError, match="--base 0009-x: no such release"):
        choose_readers(str(tmp_path / "models"), "0009-x", tmp_path)
