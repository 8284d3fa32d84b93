"""Keys of new results go in; the spreadsheets that they belong to are up to date when it returns.

A day of a form fills one book after another, each a range of results in arrival order, so that a new page costs the
rebuilding of one book and never of all. A book is three files: `….cells.json`, `….csv`, `….xlsx`. The first is the
truth: it is committed only over the version it was made from. The other two are drawn from it, and drawn again by
whoever finds that another version was committed meanwhile. Which range a book has stands in the day's index, written
only when a book is full, and committed in the same way (optimistic locking throughout; Kung and Robinson 1981). So two
functions at once, the same event twice, events in any order and a function that dies halfway end in the same files.
"""

import io
import json
from bisect import bisect_left
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from formlens.aligned import columns_of, under
from formlens.cells import page_from_json
from formlens.sheet import CsvSheet, XlsxSheet
from store import Store

PAGES = 500
"""Pages in a full book. A table page has some 60 cells, 6 kB: a full book is rebuilt in about two seconds."""


@dataclass(frozen=True)
class Book:
    """A range of results, and the name of the files that show it."""

    name: str
    after: str = ""
    """The range begins after this key and ends with the next book's ``after``."""
    stale: bool = False
    """Its range was changed and its files have not followed yet."""


@dataclass(frozen=True)
class Day:
    """Where the results of one form and day are, and where their books go."""

    form: str
    date: str
    """YYYY-MM-DD."""

    @property
    def results(self) -> str:
        """What the keys of its results begin with."""
        return f"results/{self.form}/{self.date.replace('-', '/')}/"

    @property
    def index(self) -> str:
        """Which book has which range; not there while one book holds all."""
        return f"sheets/{self.form}/{self.date}.books.json"


def day_of(key: str) -> Day:
    """The day to which a results key belongs. Raises ValueError for any other key."""
    _, form, year, month, day, _ = key.split("/")
    return Day(form, f"{year}-{month}-{day}")


class Moved(Exception):
    """Another function changed what this one was working from."""


def update_books(day: Day, keys: Iterable[str], store: Store, *, pages: int = PAGES) -> int:
    """Bring the books that show these results up to date, and those left unfinished; returns how many were rebuilt.

    Starts over whenever another function was quicker: each time somebody got on, so it ends.
    """
    todo, rebuilt = set(keys), 0
    while True:
        books, index_etag = _read_index(day, store)
        begins = [book.after for book in books]
        due = {bisect_left(begins, key) - 1 for key in todo} | {at for at, book in enumerate(books) if book.stale}
        if not due:
            return rebuilt
        place = min(due)
        with suppress(Moved):
            change = _rebuild(place, books, index_etag, day, store, pages)
            if change != books:
                _commit(day.index, _index_json(change), index_etag, store)
            if len(change) == len(books):
                todo = {key for key in todo if bisect_left(begins, key) - 1 != place}
                rebuilt += 1


def _rebuild(place: int, books: list[Book], index_etag: str | None, day: Day, store: Store, pages: int) -> list[Book]:
    """Rebuild one book, or leave it and divide its range if that holds too much; returns the index as it is to be."""
    book = books[place]
    following = books[place + 1].after if place + 1 < len(books) else None
    truth = f"sheets/{day.form}/{book.name}.cells.json"
    there = store.get(truth) if store.etag(truth) else None
    # Only after the truth: whoever divides the book from now on commits its truth too, and then this commit fails.
    if store.etag(day.index) != index_etag:
        raise Moved
    keys = list(store.list(day.results, after=book.after, upto=following))
    # A book in the middle may grow to twice its size, or each late page would leave a book of one page behind.
    if len(keys) > (2 * pages if following else pages):
        cuts = [keys[cut - 1] for cut in range(pages, len(keys), pages)]
        new = [Book(f"{day.date}-{len(books) + n}", after, stale=True) for n, after in enumerate(cuts, 1)]
        return [*books[:place], replace(book, stale=True), *new, *books[place + 1 :]]
    before = json.loads(there.data) if there else {"results": [], "pages": []}
    if there and keys == before["results"]:
        data, etag = there.data, there.etag
    else:
        data = _cells_json(keys, dict(zip(before["results"], before["pages"], strict=True)), store)
        etag = _commit(truth, data, there.etag if there else None, store)
    _draw(truth, data, etag, store)
    return [*books[:place], replace(book, stale=False), *books[place + 1 :]]


def _cells_json(keys: list[str], known: dict[str, Any], store: Store) -> bytes:
    """The cells of a book: those known already, the others fetched."""
    missing = [key for key in keys if key not in known]
    with ThreadPoolExecutor(16) as pool:  # a backlog waits for the network, not for the processor
        fetched = pool.map(lambda key: json.loads(store.get(key).data)["pages"][0], missing)
        known = known | dict(zip(missing, fetched, strict=True))
    return json.dumps({"pages": [known[key] for key in keys], "results": keys}, ensure_ascii=False).encode()


def _draw(truth: str, data: bytes, etag: str, store: Store) -> None:
    """Write CSV and XLSX from the cells, until they are drawn from the cells that are there."""
    name = truth.removesuffix(".cells.json")
    while True:
        text, book = io.StringIO(newline=""), io.BytesIO()
        pages = [page_from_json(page) for page in json.loads(data)["pages"]]
        columns = columns_of(pages)
        for sheet in (CsvSheet(text, columns=columns), XlsxSheet(book, columns=columns)):
            for page in pages:
                sheet.add(under(columns, page))
            sheet.close()
        store.put(f"{name}.csv", text.getvalue().encode())
        store.put(f"{name}.xlsx", book.getvalue())
        if store.etag(truth) == etag:
            return
        there = store.get(truth)
        data, etag = there.data, there.etag


def _read_index(day: Day, store: Store) -> tuple[list[Book], str | None]:
    if store.etag(day.index) is None:
        return [Book(day.date)], None
    there = store.get(day.index)
    return [Book(**book) for book in json.loads(there.data)["books"]], there.etag


def _index_json(books: list[Book]) -> bytes:
    return json.dumps({"books": [asdict(book) for book in books]}).encode()


def _commit(key: str, data: bytes, etag: str | None, store: Store) -> str:
    written = store.put_over(key, data, etag)
    if written is None:
        raise Moved
    return written
