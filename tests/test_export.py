"""The trained network as the one file that ships."""

# ruff: noqa: E402 - what the imports need may be absent

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="exporting needs torch: model/requirements-train.txt")

from formlens.reader import SHIPPED, Reader
from model.export import alphabet_of, blend, export
from model.fit import see
from model.half import halve, widen
from model.network import Network, network, store


@pytest.fixture(scope="module")
def base() -> onnx.ModelProto:
    return onnx.load(SHIPPED)


def shaken(base: onnx.ModelProto, seed: int = 0) -> Network:
    """A network that differs from the base in every number that training may change."""
    module = network(base).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in module.parameters():
            size = 0.02 * float(values.std().nan_to_num())
            values.add_(size * torch.randn(values.shape, generator=generator))
    return module


def crops() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for height, width in ((48, 160), (30, 200), (64, 500))]


def test_the_file_says_what_the_network_says(base: onnx.ModelProto, tmp_path: Path) -> None:
    module = shaken(base)
    (tmp_path / "reader.onnx").write_bytes(export(module, base, {}))
    before, after = Reader(), Reader(tmp_path / "reader.onnx")
    for theirs, ours, old in zip(
        after.probabilities(crops()), see(module, crops()), before.probabilities(crops()), strict=True
    ):
        assert np.abs(theirs - ours).max() < 5e-3  # what 16 bits a weight leave, on noise
        assert np.abs(old - ours).max() > 1e-2  # the test would see an export that changes nothing


def test_an_untrained_network_is_its_base(base: onnx.ModelProto) -> None:
    assert store(network(base), base).SerializeToString() == widen(base).SerializeToString()


def test_the_file_computes_with_its_own_numbers_in_32_bits(base: onnx.ModelProto, tmp_path: Path) -> None:
    data = export(shaken(base), base, {})
    assert len(data) < 7_000_000
    (tmp_path / "reader.onnx").write_bytes(data)
    again = network(onnx.load_from_string(data)).eval()
    for theirs, ours in zip(Reader(tmp_path / "reader.onnx").probabilities(crops()), see(again, crops()), strict=True):
        assert np.abs(theirs - ours).max() < 1e-4


def test_halving_twice_or_going_on_from_a_half_file_loses_nothing_more(base: onnx.ModelProto) -> None:
    once = halve(base)
    assert halve(once).SerializeToString() == once.SerializeToString()
    assert halve(widen(once)).SerializeToString() == once.SerializeToString()


def test_a_number_that_16_bits_cannot_hold_is_named(base: onnx.ModelProto) -> None:
    tensor = onnx.numpy_helper.from_array(np.full((2, 2), 1e6, np.float32), "huge")
    with pytest.raises(ValueError, match="huge holds 1e"):
        halve(onnx.helper.make_model(onnx.helper.make_graph([], "one", [], [], [tensor])))


def test_the_file_carries_alphabet_version_and_card(base: onnx.ModelProto, tmp_path: Path) -> None:
    data = export(shaken(base), base, {"training": "4000 steps"})
    held = {entry.key: entry.value for entry in onnx.load_from_string(data).metadata_props}
    assert held["alphabet"] == alphabet_of(base)
    assert held["version"].startswith("formlens-")
    card = json.loads(held["card"])
    assert card["training"] == "4000 steps"
    assert card["licence"] == "Apache-2.0"
    assert any("MNIST" in source for source in card["data"])
    assert any("Lyon" in source for source in card["data"])


def test_the_card_names_no_data_that_was_left_out(base: onnx.ModelProto) -> None:
    model = onnx.load_from_string(export(network(base), base, {}, ["lyon"]))
    card = next(entry.value for entry in model.metadata_props if entry.key == "card")
    assert "Lyon" not in card
    assert "Stanford" in card


def test_equal_readers_have_equal_versions_and_others_do_not(base: onnx.ModelProto) -> None:
    def version(seed: int) -> str:
        model = onnx.load_from_string(export(shaken(base, seed), base, {}))
        return str(next(entry.value for entry in model.metadata_props if entry.key == "version"))

    assert version(0) == version(0) != version(1)


def test_a_blend_goes_from_the_base_to_the_trained(base: onnx.ModelProto) -> None:
    trained, old = shaken(base), network(base)
    half = blend(shaken(base), old, 0.5)
    for mixed, ours, theirs in zip(half.parameters(), trained.parameters(), old.parameters(), strict=True):
        assert torch.allclose(mixed, (ours + theirs) / 2, atol=1e-6)
    assert all(map(torch.equal, blend(shaken(base), old, 0.0).parameters(), old.parameters()))


def test_a_file_that_is_no_reader_is_refused() -> None:
    empty = onnx.helper.make_model(onnx.helper.make_graph([], "none", [], []))
    with pytest.raises(ValueError, match="no reader"):
        network(empty)
    with pytest.raises(ValueError, match="no alphabet"):
        alphabet_of(empty)


def test_another_architecture_is_refused(base: onnx.ModelProto) -> None:
    other = onnx.ModelProto()
    other.CopyFrom(base)
    first = next(node for node in other.graph.node if node.op_type == "Conv")
    other.graph.node.remove(first)
    with pytest.raises(ValueError, match="layers of kind Conv"):
        network(other)
