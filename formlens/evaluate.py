"""A labelled folder and a form go in; every cell beside what people typed, and what could not be compared, come out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.compare import pair_characters, pair_rows, plain, same
from formlens.form import Form
from formlens.labelled import Folder, Labelled
from formlens.pages import read_pages
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.sheet import rows_of
from formlens.types import Box, CallError, Cell, Image, PageResult

PICTURES = 60
"""Wrong cells that are kept with their crops."""

_ROOM = 0.35
"""Page shown around a cell, in heights of the cell."""


@dataclass(frozen=True)
class Checked:
    """One cell that was read, and what people typed for it."""

    source: str
    page: int
    row: int
    column: str
    read: str
    typed: str
    confidence: float
    flagged: bool
    right: bool
    crop: bytes = b""
    """The cell as a PNG; kept for some wrong ones."""


@dataclass(frozen=True)
class Lost:
    """A row without partner, or a page that was not read, and why."""

    source: str
    what: str
    cells: int
    """Typed cells that went unread with it."""


@dataclass(frozen=True)
class Evaluation:
    """What a form read on a labelled folder, cell by cell."""

    form: Form
    reader: str
    scans: int
    pages: int
    checked: tuple[Checked, ...]
    unread: tuple[Lost, ...]
    missing: tuple[Lost, ...]
    """Rows that were typed and not read."""
    extra: tuple[Lost, ...]
    """Rows that were read and not typed."""

    def of(self, column: str | None = None) -> tuple[Checked, ...]:
        """The cells of one column, or all of them."""
        return tuple(one for one in self.checked if column in (None, one.column))

    @property
    def wrong(self) -> list[Checked]:
        """The wrong cells, the surest first."""
        return sorted((one for one in self.checked if not one.right), key=lambda one: -one.confidence)


def evaluate(
    folder: Folder, form: Form, reader: Reader, watch: Callable[[Sequence[Labelled]], Iterable[Labelled]] = iter
) -> Evaluation:
    """Read every scan of a labelled folder and compare; ``watch`` passes the scans on, and may show how far they are.

    Raises CallError, which names the file, where the CSVs have other columns than the form.
    """
    names = [column.name for column in form.columns]
    if sorted(folder.columns) != sorted(names):
        first = folder.labelled[0].scan.path.with_suffix(".csv")
        here = ", ".join(f"`{name}`" for name in sorted(set(folder.columns) ^ set(names)))
        raise CallError(f"{first}: its columns are not those of form {form.name}; only one of the two has {here}")
    checked: list[Checked] = []
    unread: list[Lost] = []
    unpaired: tuple[list[Lost], list[Lost]] = ([], [])
    pages = 0
    for labelled in watch(folder.labelled):
        source, typed = labelled.scan.source, _typed(labelled)
        images: dict[int, Image] = {}
        rows: list[tuple[int, list[Cell]]] = []
        for page in read_pages(labelled.scan.read_bytes(), source):
            result = page if isinstance(page, PageResult) else read_page(page, reader, [form])
            pages += 1
            if isinstance(page, PageResult) or result.status == "unreadable":
                unread.append(Lost(source, f"page {result.page}: {result.reason}", 0))
            else:
                images[result.page] = page.image
                rows += [(result.page, row) for row in rows_of(result)]
        if not images:  # the typed cells went unread with the first of its pages
            at = next(number for number, one in enumerate(unread) if one.source == source)
            unread[at] = replace(unread[at], cells=len(names) * len(typed))
            continue
        checked += _compare(source, names, rows, typed, unpaired)
        boxes = {(page, cell.row, cell.column): cell.box for page, row in rows for cell in row}
        _keep_pictures(checked, source, images, boxes)
    return Evaluation(
        form, reader.version, len(folder.labelled), pages, tuple(checked),
        tuple(unread), tuple(unpaired[0]), tuple(unpaired[1]),
    )  # fmt: skip


def character_errors(cells: Iterable[Checked]) -> float:
    """Characters wrong, missing or too many, for each character typed (CER)."""
    cells = list(cells)
    wrong = sum(a != b for one in cells if not one.right for a, b in _characters(one))
    return wrong / max(1, sum(len(plain(one.typed)) for one in cells))


def confusions(cells: Iterable[Checked]) -> Counter[tuple[str, str]]:
    """How often which character (typed, read) was taken for which; "" where one of them lacks."""
    pairs = (pair for one in cells if not one.right for pair in _characters(one))
    return Counter((typed, read) for read, typed in pairs if read != typed)


def confidences(cells: Sequence[Checked]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The confidence of each cell, and whether it is right."""
    return np.array([one.confidence for one in cells], np.float64), np.array([one.right for one in cells], np.bool_)


def _characters(one: Checked) -> list[tuple[str, str]]:
    return pair_characters(plain(one.read), plain(one.typed))


def _typed(labelled: Labelled) -> list[dict[str, str]]:
    return list(labelled.rows)


def _compare(
    source: str,
    names: Sequence[str],
    rows: Sequence[tuple[int, list[Cell]]],
    typed: Sequence[dict[str, str]],
    unpaired: tuple[list[Lost], list[Lost]],
) -> Iterator[Checked]:
    """The cells of the rows read on one scan, each with its page, beside those typed for it."""
    missing, extra = unpaired
    texts = [{cell.column: cell.text for cell in row} for _, row in rows]
    pairs = pair_rows([[row.get(n, "") for n in names] for row in texts], [[row[n] for n in names] for row in typed])
    for read, wanted in pairs:
        if read is None and wanted is not None:
            about = ", ".join(filter(None, typed[wanted].values()))
            missing.append(Lost(source, f"row {wanted + 1}: {about}", len(names)))
        elif read is not None:
            page, cells = rows[read]
            if wanted is None:
                about = ", ".join(cell.text for cell in cells if cell.text)
                extra.append(Lost(source, f"page {page}, row {cells[0].row + 1}: {about}", 0))
                continue
            for cell in cells:
                true = typed[wanted][cell.column]
                found = source, page, cell.row, cell.column, cell.text, true, cell.confidence, cell.flagged
                yield Checked(*found, same(cell.text, true))


def _keep_pictures(
    checked: list[Checked], source: str, images: dict[int, Image], boxes: dict[tuple[int, int, str], Box]
) -> None:
    """Give the cells of this scan that are among the worst so far their crops; take them from those that are not."""
    wrong = [number for number, one in enumerate(checked) if not one.right]
    worst = set(nsmallest(PICTURES, wrong, key=lambda number: -checked[number].confidence))
    for number in wrong:
        one = checked[number]
        if number not in worst and one.crop:
            checked[number] = replace(one, crop=b"")
        elif number in worst and one.source == source and not one.crop:
            box = boxes[one.page, one.row, one.column]
            checked[number] = replace(one, crop=_picture(images[one.page], box))


def _picture(image: Image, box: Box) -> bytes:
    """A part of a page with some room around it as a PNG; nothing for a cell without place."""
    x0, y0, x1, y1 = box
    room = round(_ROOM * (y1 - y0))
    part = image[max(0, y0 - room) : y1 + room, max(0, x0 - room) : x1 + room]
    if not (x1 > x0 and y1 > y0 and part.size):
        return b""
    scale = min(1.0, 72 / part.shape[0], 420 / part.shape[1])
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else part
    return cv2.imencode(".png", small, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
