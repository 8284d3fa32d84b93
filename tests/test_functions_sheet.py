import csv
import importlib
import io
import json
import random
from collections import Counter
from typing import Any

import openpyxl
import pytest

from fakes import FakeS3
from formlens.cells import page_json
from formlens.types import Cell, PageResult

books = importlib.import_module("books")
store_ = importlib.import_module("store")

DAY = "results/intake/2026/11/23/"


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def key_of(number: int) -> str:
    return f"{DAY}{number:06}-scan-0a1b2c3d-0001.json"


def add(s3: FakeS3, number: int) -> str:
    """One page with one cell, which says its number."""
    cell = Cell(0, "0", str(number), 0.99, False, (0, 0, 9, 9))
    result = PageResult(f"scan_{number}.jpg", 1, "read", cells=(cell,))
    s3.put_object("b", key_of(number), json.dumps({"pages": [page_json(result)]}).encode())
    return key_of(number)


def update(s3: FakeS3, *keys: str, pages: int = 4) -> int:
    done: int = books.update_books(books.day_of(keys[0]), keys, store_.Store(s3, "b"), pages=pages)
    return done


def rows(s3: FakeS3) -> list[int]:
    """What all spreadsheets of the day say, in no particular order; CSV, XLSX and cells must agree."""
    found: list[int] = []
    for key in s3.objects:
        if key.startswith("sheets/") and key.endswith(".csv"):
            in_csv = [int(row[0]) for row in csv.reader(io.StringIO(s3.objects[key].decode()))]
            sheet = openpyxl.load_workbook(io.BytesIO(s3.objects[f"{key[:-4]}.xlsx"]))["Rows"]
            cells = json.loads(s3.objects[f"{key[:-4]}.cells.json"])["pages"]
            assert [row[0] for row in sheet.iter_rows(values_only=True)] == in_csv
            assert [int(page["cells"][0]["text"]) for page in cells] == in_csv
            assert in_csv == sorted(in_csv)
            found += in_csv
    return found


def test_a_new_page_is_a_new_row_of_its_day(s3: FakeS3) -> None:
    for number in (10, 11):
        update(s3, add(s3, number))
    assert s3.objects["sheets/intake/2026-11-23.csv"] == b"10\n11\n"
    assert rows(s3) == [10, 11]
    assert not any("books" in key for key in s3.objects)  # one book needs no index


def test_pages_out_of_order_and_twice_are_in_order_and_once(s3: FakeS3) -> None:
    keys = [add(s3, number) for number in (12, 10, 11)]
    for key in (keys[0], keys[2], keys[0], keys[1], keys[2]):
        update(s3, key)
    assert rows(s3) == [10, 11, 12]


def test_a_full_book_is_followed_by_another(s3: FakeS3) -> None:
    for number in range(10):
        update(s3, add(s3, number))
    assert s3.objects["sheets/intake/2026-11-23.csv"] == b"0\n1\n2\n3\n"
    assert s3.objects["sheets/intake/2026-11-23-2.csv"] == b"4\n5\n6\n7\n"
    assert s3.objects["sheets/intake/2026-11-23-3.csv"] == b"8\n9\n"


def test_a_backlog_fills_as_many_books_as_it_needs(s3: FakeS3) -> None:
    keys = [add(s3, number) for number in range(30)]
    update(s3, keys[-1])
    assert sorted(rows(s3)) == list(range(30))
    assert sum(key.endswith(".csv") for key in s3.objects) == 8


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_any_batches_shows_every_page_once(s3: FakeS3, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    waiting = chance.sample(range(100), 40)
    while waiting:
        batch, waiting = waiting[: chance.randint(1, 7)], waiting[chance.randint(1, 7) :]
        update(s3, *[add(s3, number) for number in batch])
    pages = [int(key[len(DAY) :][:6]) for key in s3.objects if key.startswith(DAY)]
    assert Counter(rows(s3)) == Counter(pages)


@pytest.mark.parametrize("seed", range(10))
def test_functions_that_run_at_the_same_time_or_die_lose_and_double_nothing(s3: FakeS3, seed: int) -> None:
    """Before any write another function may run to its end, and any write may be the last; messages come again."""
    chance = random.Random(seed)  # noqa: S311
    waiting = [add(s3, number) for number in chance.sample(range(60), 24)]
    depth = 0

    def interfere(key: str) -> None:
        nonlocal depth
        if key.startswith("results/"):
            return
        if chance.random() < 0.1:
            raise ConnectionError
        if depth < 2 and chance.random() < 0.3:
            depth += 1
            try:
                attempt(chance.sample(waiting, 3))
            finally:
                depth -= 1

    again: list[str] = []

    def attempt(batch: list[str]) -> None:
        try:
            update(s3, *batch)
        except ConnectionError:
            again.extend(batch)

    s3.before_put = interfere
    for at in range(0, 24, 2):
        attempt(waiting[at : at + 2])
    s3.before_put = lambda key: None
    while again:
        batch, again[:] = again[:5], again[5:]
        update(s3, *batch)
    assert Counter(rows(s3)) == Counter(int(key[len(DAY) :][:6]) for key in waiting)


def test_a_writer_that_comes_late_with_old_cells_puts_the_new_ones_back(s3: FakeS3) -> None:
    first, second = add(s3, 1), key_of(2)

    def meanwhile(key: str) -> None:
        if key.endswith(".csv"):
            s3.before_put = lambda key: None
            add(s3, 2)
            update(s3, second)

    s3.before_put = meanwhile
    update(s3, first)
    assert s3.objects["sheets/intake/2026-11-23.csv"] == b"1\n2\n"
    assert rows(s3) == [1, 2]


def test_a_page_costs_the_same_however_many_there_are(s3: FakeS3) -> None:
    """Requests and bytes for 20 more pages, on top of 200 and of 4,000."""

    def cost(there: int) -> tuple[int, int]:
        known = sum(key.startswith(DAY) for key in s3.objects)
        update(s3, *[add(s3, number) for number in range(known, there)], pages=100)
        s3.calls.clear()
        s3.bytes = 0
        for number in range(there, there + 20):
            update(s3, add(s3, number), pages=100)
        return s3.calls.total(), s3.bytes

    requests, size = cost(200)
    requests_later, size_later = cost(4000)
    assert requests_later == requests
    # the day's index has a line for every full book, and is read twice and at most written thrice; nothing else grows
    lines = (4000 - 200) // 100
    assert size_later - size <= 20 * 5 * 80 * lines


def test_unreadable_pages_are_listed_in_the_workbook(s3: FakeS3) -> None:
    update(s3, add(s3, 1))
    result = PageResult("torn.jpg", 1, "unreadable", reason="the file is cut off")
    s3.put_object("b", key_of(2), json.dumps({"pages": [page_json(result)]}).encode())
    update(s3, key_of(2))
    book = openpyxl.load_workbook(io.BytesIO(s3.objects["sheets/intake/2026-11-23.xlsx"]))
    assert [cell.value for cell in book["Not read"][2]] == ["torn.jpg", 1, "the file is cut off"]


def test_a_day_that_fails_is_named_and_the_others_are_done(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "deeplens-sagemaker-test")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FormLens/test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    sheet: Any = importlib.import_module("sheet")
    monkeypatch.setattr(sheet, "store", store_.Store(s3, "b"))
    s3.put_object("b", DAY.replace("23", "24") + "000001-x-00000000-0001.json", b"not JSON")
    found = [add(s3, 1), add(s3, 2), DAY.replace("23", "24") + "000001-x-00000000-0001.json"]
    records = [
        {"messageId": f"m{i}", "body": json.dumps({"detail": {"object": {"key": key}}})} for i, key in enumerate(found)
    ]
    context: Any = importlib.import_module("test_functions_read").context()
    assert sheet.handler({"Records": records}, context) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert rows(s3) == [1, 2]


def test_a_sheet_of_a_form_has_its_columns_and_one_of_tables_has_no_header(s3: FakeS3) -> None:
    add(s3, 1)
    update(s3, key_of(1))
    assert sheet(s3) == [["1"]]
    add_row(s3, 2, visit="2024-03-17", dose="5")
    update(s3, key_of(2))
    # the table that was read before the form was learned loses nothing
    assert sheet(s3) == [["visit", "dose", "0"], ["", "", "1"], ["2024-03-17", "5", ""]]


def test_a_form_that_was_learned_again_puts_nothing_under_a_wrong_heading(s3: FakeS3) -> None:
    add_row(s3, 1, visit="2024-03-17", dose="5")
    add_row(s3, 2, age="34", visit="2024-03-18")
    update(s3, key_of(1), key_of(2))
    assert sheet(s3) == [["age", "visit", "dose"], ["", "2024-03-17", "5"], ["34", "2024-03-18", ""]]


def add_row(s3: FakeS3, number: int, **texts: str) -> None:
    """A page of a form with one row."""
    cells = tuple(Cell(0, column, text, 0.99, False, (0, 0, 9, 9)) for column, text in texts.items())
    result = PageResult(f"scan_{number}.jpg", 1, "read", "intake", cells)
    s3.put_object("b", key_of(number), json.dumps({"pages": [page_json(result)]}).encode())


def sheet(s3: FakeS3) -> list[list[str]]:
    """The day's one sheet; CSV and XLSX must agree."""
    rows = list(csv.reader(io.StringIO(s3.objects["sheets/intake/2026-11-23.csv"].decode())))
    book = openpyxl.load_workbook(io.BytesIO(s3.objects["sheets/intake/2026-11-23.xlsx"]))["Rows"]
    shown = [[_shown(value) for value in row] for row in book.iter_rows(values_only=True)]
    assert shown == rows
    return rows


def _shown(value: Any) -> str:
    return "" if value is None else str(value).removesuffix(" 00:00:00")
