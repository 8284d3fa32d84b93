"""The network of marks is trained the same way each time."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: model/requirements-train.txt")

from model.mark_network import fit, write
from model.marks import Tensors, drawn


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the exporter that knows our opset is the old one
def test_training_on_the_same_seed_writes_the_same_bytes() -> None:
    boxes = drawn(1, 130)
    first, second = (write(fit(lambda number: boxes, boxes, 1, 3), 40, "{}") for _ in range(2))
    assert first == second


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_training_that_was_killed_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    def killed(number: int) -> Tensors:
        if number:
            raise InterruptedError
        return boxes

    boxes = drawn(1, 130)
    whole = write(fit(lambda number: boxes, boxes, 2, 3), 40, "{}")
    with pytest.raises(InterruptedError):
        fit(killed, boxes, 2, 3, tmp_path)
    assert write(fit(lambda number: boxes, boxes, 2, 3, tmp_path), 40, "{}") == whole
