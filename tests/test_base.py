"""The base that readers are trained from is cut from the pinned public package; the shipped reader is one of them."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from formlens.reader import SHIPPED, Reader
from model.base import ALPHABET, LOOKALIKES, ORIGIN, BaseError, build, installed_base, load_base


@pytest.fixture(scope="module")
def shipped() -> onnx.ModelProto:
    return onnx.load(str(SHIPPED))


BUILT = "a47969e1e451ac114d42dc93c96058f7525a2f382d981d2afa0d0461f6d6cd8e"
"""SHA-256 of the base that the shipped reader was trained from."""


def test_the_base_is_built_byte_for_byte() -> None:
    try:
        base = installed_base()
    except BaseError:
        pytest.skip("rapidocr is not installed (model/requirements.txt): the base is not at hand")
    assert sha256(build(base)).hexdigest() == BUILT


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")
    with pytest.raises(BaseError, match=r"other\.onnx is not PP-OCRv6_rec_small\.onnx"):
        load_base(other)


def test_the_file_says_what_it_is_and_where_it_comes_from(shipped: onnx.ModelProto) -> None:
    properties = {entry.key: entry.value for entry in shipped.metadata_props}
    assert properties["alphabet"] == ALPHABET == Reader().alphabet
    assert properties["origin"] == ORIGIN
    assert properties["version"].startswith("formlens-")
    assert "MNIST" in properties["card"]


def test_the_file_stays_small_and_its_size_is_known(shipped: onnx.ModelProto) -> None:
    numbers = sum(numpy_helper.to_array(tensor).size for tensor in shipped.graph.initializer)
    assert numbers < 3.05e6
    assert SHIPPED.stat().st_size < 12.5e6


def test_each_lookalike_counts_for_one_character_of_the_alphabet(shipped: onnx.ModelProto) -> None:
    merge = next(numpy_helper.to_array(t) for t in shipped.graph.initializer if t.name == "lookalikes")
    assert merge.shape == (1 + len(ALPHABET) + sum(map(len, LOOKALIKES.values())), 1 + len(ALPHABET))
    assert np.array_equal(merge.sum(axis=1), np.ones(len(merge)))
    counted = {ALPHABET[i - 1]: int(n) - 1 for i, n in enumerate(merge.sum(axis=0)) if n > 1}
    assert counted == {character: len(alike) for character, alike in LOOKALIKES.items()}
