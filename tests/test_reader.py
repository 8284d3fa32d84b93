"""The reader: crops in, readings out, through the shipped file."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from formlens.decode import DIGITS, NUMBER, TEXT
from formlens.reader import Reader, ReaderError
from formlens.tensor import HEIGHT, MAX_WIDTH, MIN_WIDTH, STEP, to_tensor, written_part
from formlens.types import Image, Reading


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=2)


def written(text: str, ink: int = 40, paper: int = 240, room: int = 12) -> Image:
    """A line drawn with a plotter font, dark on light."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 3)
    image = np.full((height + 2 * room, width + 2 * room, 3), paper, np.uint8)
    cv2.putText(image, text, (room, height + room), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (ink,) * 3, 3, cv2.LINE_AA)
    return image


def test_the_shipped_reader_reads_clear_writing(reader: Reader) -> None:
    texts = ["7", "1234", "-12.5", "Paris 3/4", "GENEVE"]
    readings = reader.read([written(text) for text in texts])
    assert [reading.text for reading in readings] == texts
    assert all(reading.confidence > 0.5 for reading in readings)


def test_a_crop_reads_the_same_whatever_stands_beside_it_and_however_many_threads_read(reader: Reader) -> None:
    crops = [written(text) for text in ("5", "31", "A long line of words", "-7", "2020")]
    together = reader.probabilities(crops)
    backwards = reader.probabilities(crops[::-1])[::-1]
    alone = [reader.probabilities([crop])[0] for crop in crops]
    single = Reader(threads=1).probabilities(crops)
    for others in (backwards, alone, single):
        assert all(np.array_equal(one, other) for one, other in zip(together, others, strict=True))


def test_probabilities_cover_the_blank_and_the_alphabet_and_sum_to_one(reader: Reader) -> None:
    (seen,) = reader.probabilities([written("42")])
    assert seen.dtype == np.float32
    assert seen.shape == (MIN_WIDTH // STEP, 1 + len(reader.alphabet))
    np.testing.assert_allclose(seen.sum(axis=1), 1, atol=1e-5)


def test_writing_too_crowded_for_the_network_is_looked_at_wider(reader: Reader) -> None:
    wide = written("27 December 1911")
    narrow = np.asarray(cv2.resize(wide, None, fx=0.3, fy=1, interpolation=cv2.INTER_AREA), np.uint8)
    assert reader.decode(reader.glance(narrow)).text != "27 December 1911"
    assert reader.read([narrow])[0].text == "27 December 1911"
    assert np.array_equal(reader.probabilities([wide])[0], reader.glance(wide))  # one look is enough for others


def test_several_charsets_cost_one_pass(reader: Reader) -> None:
    (seen,) = reader.probabilities([written("B-12")])
    assert reader.decode(seen, TEXT).text == "B-12"
    assert set(reader.decode(seen, NUMBER).text) <= set("0123456789.,-+/:% ")
    assert reader.decode(seen, DIGITS) == reader.read([written("B-12")], DIGITS)[0]
    assert reader.decode(seen, DIGITS).confidence < 0.1


def test_no_crops_give_no_readings(reader: Reader) -> None:
    assert reader.read([]) == []


def test_blank_paper_is_read_as_nothing_rather_than_as_a_character(reader: Reader) -> None:
    assert reader.read([np.full((60, 200, 3), 235, np.uint8)])[0].text == ""


def test_the_alphabet_and_the_version_travel_inside_the_file(reader: Reader) -> None:
    assert len(set(reader.alphabet)) == len(reader.alphabet)
    assert set("0189AZazéèçßñøåœæþð.,:;/-+%&'\"()#@°€$£ ") <= set(reader.alphabet)
    assert reader.version


@pytest.mark.parametrize("room", [2, 20, 70])
def test_bare_paper_around_a_number_does_not_change_it(reader: Reader, room: int) -> None:
    assert reader.read([written("3827", room=room)], DIGITS)[0].text == "3827"


def test_faint_writing_is_read(reader: Reader) -> None:
    assert reader.read([written("3827", ink=190, paper=235)], DIGITS)[0].text == "3827"


def test_a_lone_minus_keeps_the_room_around_it(reader: Reader) -> None:
    crop = written("-", room=40)
    _, top, _, bottom = written_part(crop)
    inked = np.flatnonzero((crop < 128).any(axis=(1, 2)))
    assert bottom - top > 4 * (inked[-1] + 1 - inked[0])
    assert reader.read([crop])[0].text == "-"


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3, 20_000), (20_000, 3), (3000, 4000)])
def test_a_crop_of_any_shape_becomes_a_bounded_tensor(shape: tuple[int, int]) -> None:
    crop = np.full((*shape, 3), 230, np.uint8)
    crop[shape[0] // 3 : shape[0] // 2 + 1, ::7] = 20
    tensor = to_tensor(crop)
    assert tensor.dtype == np.float32
    assert tensor.shape[:2] == (3, HEIGHT)
    assert MIN_WIDTH <= tensor.shape[2] <= MAX_WIDTH
    assert tensor.shape[2] % STEP == 0
    assert float(np.abs(tensor).max()) <= 1


def test_a_crop_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="without pixels"):
        to_tensor(np.zeros((0, 12, 3), np.uint8))


def test_a_missing_file_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"gone\.onnx is missing; install FormLens again"):
        Reader(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x07" * 500])
def test_garbage_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(content)
    with pytest.raises(ReaderError, match=r"garbage\.onnx is not an ONNX file"):
        Reader(path)


@pytest.mark.parametrize("properties", [{}, {"alphabet": "ab", "version": "1"}])
def test_a_network_that_is_no_reader_is_refused_by_name(tmp_path: Path, properties: dict[str, str]) -> None:
    path = tmp_path / "foreign.onnx"
    crops = helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", 3, HEIGHT, "w"])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3, HEIGHT, "w"])
    graph = helper.make_graph([helper.make_node("Relu", ["crops"], ["probabilities"])], "foreign", [crops], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    helper.set_model_props(model, properties)
    onnx.save(model, str(path))
    with pytest.raises(ReaderError, match="not a reader of FormLens"):
        Reader(path)


def test_reading_is_a_text_and_a_probability(reader: Reader) -> None:
    (reading,) = reader.read([written("8")], DIGITS)
    assert reading == Reading("8", reading.confidence)
    assert 0 <= reading.confidence <= 1
