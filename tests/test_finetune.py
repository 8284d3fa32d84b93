"""Fine-tuning on a user's own forms: which crop says what, what is refused, and what the command needs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from formlens.types import CallError


def test_training_without_torch_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from formlens.training import finetune

    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "model.finetune", raising=False)
    with pytest.raises(CallError, match=r"pip install -r model/requirements-train\.txt"):
        finetune([tmp_path], tmp_path / "x.onnx", data=tmp_path, work=tmp_path, start=None, steps=1, say=print)


def test_a_folder_that_is_not_there_is_named_before_anything_is_loaded(tmp_path: Path) -> None:
    from formlens.training import finetune

    with pytest.raises(CallError, match="nowhere: no such folder"):
        finetune(
            [tmp_path / "nowhere"], tmp_path / "x.onnx", data=tmp_path, work=tmp_path, start=None, steps=1, say=print
        )


def test_values_are_paired_with_crops_though_a_crop_is_a_smudge() -> None:
    pytest.importorskip("fontTools", reason="the stream needs fonts: model/requirements-train.txt")
    from formlens.kinds import kind_of
    from model.examples import paired

    alphabet = "0123456789"
    values = ["12", "305", "48", "77"]

    def seen(text: str) -> np.ndarray:
        steps = np.full((2 * len(text) + 1, 11), 0.001, np.float32)
        for i in range(len(steps)):
            steps[i, alphabet.index(text[i // 2]) + 1 if i % 2 else 0] = 0.99
        return steps

    texts = ["12", "9", "305", "48", "77"]
    shown = [(np.full((4, 4, 3), i, np.uint8), seen(text)) for i, text in enumerate(texts)]
    found = [(int(image[0, 0, 0]), text) for image, text in paired(values, shown, kind_of(values), alphabet)]
    assert found == [(0, "12"), (2, "305"), (3, "48"), (4, "77")]


@pytest.mark.parametrize(("pages", "each"), [(8, 10), (5, 1), (3, 4), (1, 30), (20, 100)])
def test_some_crops_are_kept_apart_and_none_of_them_is_trained_on(pages: int, each: int) -> None:
    pytest.importorskip("torch", reason="training needs torch: model/requirements-train.txt")
    from model.data import Sample
    from model.own import APART, part

    crops = [
        [Sample(np.zeros((1, 1, 3), np.uint8), f"{page}/{n}", "own") for n in range(each)] for page in range(pages)
    ]
    given = part(crops)
    train, apart = ({one.text for one in some} for some in (given.train, given.apart))
    assert not train & apart
    assert 0 < len(apart) <= APART
    if pages >= 5:  # whole pages
        assert not {text.split("/")[0] for text in train} & {text.split("/")[0] for text in apart}
