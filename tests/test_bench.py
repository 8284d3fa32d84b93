"""What is timed is what it says it is; the times themselves are `make bench`'s."""

from pathlib import Path

from formlens.tensor import to_tensor
from model.bench import glyphs_of
from model.bench_crops import WIDTH, crops_of


def test_every_crop_that_is_timed_is_as_wide_as_it_says(tmp_path: Path) -> None:
    crops = crops_of(glyphs_of(tmp_path), 5)
    assert [to_tensor(crop).shape[2] for crop in crops] == [WIDTH] * 5
