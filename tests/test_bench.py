"""What is timed is what it says it is; the times themselves are `make bench`'s."""

from pathlib import Path

from formlens.form import load_form
from formlens.pipeline import read_forms
from formlens.reader import Reader
from formlens.tensor import to_tensor
from model.bench import glyphs_of
from model.bench_crops import WIDTH, crops_of
from model.bench_form import write_form


def test_every_crop_that_is_timed_is_as_wide_as_it_says(tmp_path: Path) -> None:
    crops = crops_of(glyphs_of(tmp_path), 5)
    assert [to_tensor(crop).shape[2] for crop in crops] == [WIDTH] * 5


def test_the_page_that_is_timed_has_more_than_thirty_fields_and_can_be_read(tmp_path: Path) -> None:
    page, form, values = write_form(glyphs_of(tmp_path), tmp_path)
    (result,) = read_forms(page.read_bytes(), page.name, Reader(threads=1), [load_form(form)])
    assert (result.status, len(result.cells), len(values)) == ("read", 32, 32)
    assert sum(cell.text == values[cell.column] for cell in result.cells) >= 20
