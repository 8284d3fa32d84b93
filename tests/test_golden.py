"""Real pages, pinned: what stands on them, and what FormLens reads. A change of either is a change to be looked at."""

import csv
from pathlib import Path

import pytest

from formlens.pipeline import read_forms
from formlens.reader import Reader
from formlens.sheet import rows_of

SAMPLES = Path(__file__).parents[1] / "samples" / "tables"

MISREAD: dict[str, dict[tuple[int, int], str]] = {"card.png": {}, "notebook.png": {}, "tables.pdf": {}, "photo.jpg": {}}
"""Where the reading differs from the truth today: scan -> (row, column) -> what is read. To be shortened."""


@pytest.mark.parametrize("scan", MISREAD)
def test_a_golden_page_reads_as_pinned(scan: str) -> None:
    truth = list(csv.reader((SAMPLES / scan).with_suffix(".csv").read_text().splitlines()))
    expected = [[MISREAD[scan].get((r, c), text) for c, text in enumerate(row)] for r, row in enumerate(truth)]
    results = read_forms((SAMPLES / scan).read_bytes(), scan, Reader(threads=1))
    assert [[cell.text for cell in row] for result in results for row in rows_of(result)] == expected
