"""Files and folders given on the command line."""

from pathlib import Path

import pytest

from formlens.scans import find_scans
from formlens.types import CallError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_a_folder_is_read_in_natural_order_and_the_rest_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "page10.jpg", "page2.JPG", "page1.pdf", "notes.txt", ".hidden.jpg", "page1.csv")
    scans, left = find_scans([tmp_path])
    assert [scan.source for scan in scans] == ["page1.pdf", "page2.JPG", "page10.jpg"]
    assert sorted(path.name for path in left) == ["notes.txt", "page1.csv"]


def test_a_file_named_on_its_own_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    touch(tmp_path, "scan.dat")
    scans, left = find_scans([tmp_path / "scan.dat"])
    assert [scan.source for scan in scans] == ["scan.dat"]
    assert left == []


def test_two_scans_of_one_name_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "monday/1.jpg", "tuesday/1.jpg", "tuesday/2.jpg")
    sources = [scan.source for scan in find_scans([tmp_path])[0]]
    assert sources == [str(tmp_path / "monday/1.jpg"), str(tmp_path / "tuesday/1.jpg"), "2.jpg"]


def test_a_missing_path_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"nowhere\.jpg"):
        find_scans([tmp_path / "nowhere.jpg"])
    with pytest.raises(CallError, match="no scan in"):
        find_scans([tmp_path])
