"""A public recognizer goes in, the base of our readers comes out: one ONNX file with its alphabet inside.

    python -m model.base --out .cache/base.onnx

The base is PP-OCRv6 small (PaddlePaddle, Apache-2.0) as PyPI `rapidocr` carries it: a CTC network over 18,710
characters. Its last layer is cut to the characters of western European forms, which nearly halves the file; the same
input always gives the same bytes.
"""

import argparse
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from formlens.tensor import HEIGHT
from formlens.types import FormLensError

ORIGIN = "PP-OCRv6_rec_small.onnx of PyPI rapidocr 3.10.0 (PaddlePaddle, Apache-2.0)"
BASE_SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"

ALPHABET = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŒœŸ"
    ".,:;/-+%&'\"()#@°€$£ "
)
"""What a form holds; the space comes last. Of the western European letters the base lacks only the capital ẞ."""

LOOKALIKES = {"-": "–—−一", "'": "’‘′", '"': "“”″", "°": "º"}
"""Classes of the base that are the same stroke of the pen; their probability counts for the character of a form.

Of 80 lone minus signs in handwriting fonts 77 are read without it and 80 with it: the base sees a dash or the Chinese
one. Fullwidth letters, digits and stops are left out: the base never sees them in western writing.
"""

WEIGHT, BIAS = "linear_8.w_0", "linear_8.b_0"


class BaseError(FormLensError):
    """The public package is absent, or its file is not the pinned one."""


def installed_base() -> Path:
    """The recognizer inside the installed `rapidocr`. Raises BaseError where that is absent."""
    package = importlib.util.find_spec("rapidocr")
    if package is None or package.origin is None:
        raise BaseError("rapidocr is not installed: pip install -r model/requirements.txt")
    return Path(package.origin).parent / "models" / "PP-OCRv6_rec_small.onnx"


def load_base(path: Path) -> onnx.ModelProto:
    """The base network. Raises BaseError for any other file than the pinned one."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != BASE_SHA256:
        raise BaseError(f"{path} is not {ORIGIN}: its SHA-256 differs")
    return onnx.load_from_string(data)


def cut(model: onnx.ModelProto) -> onnx.ModelProto:
    """The base with its last layer cut to the alphabet.

    Input ``crops``, float32 (batch, 3, 48, width); output ``probabilities``, float32 (batch, steps, 1 + alphabet): the
    blank first, then the alphabet in order, summing to one over the kept classes.
    """
    characters = ["", *_metadata(model)["character"].split("\n"), " "]
    class_of = {character: i for i, character in enumerate(characters)}
    kept = ["", *ALPHABET]
    extra = [(kept.index(ours), theirs) for ours, alike in LOOKALIKES.items() for theirs in alike]
    columns = [class_of[character] for character in kept] + [class_of[theirs] for _, theirs in extra]
    merge = np.zeros((len(columns), len(kept)), np.float32)
    merge[range(len(kept)), range(len(kept))] = 1
    merge[range(len(kept), len(columns)), [ours for ours, _ in extra]] = 1

    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for name in (WEIGHT, BIAS):
        values: NDArray[np.float32] = numpy_helper.to_array(tensors[name])
        tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values[..., columns]), name))
    softmax = next(node for node in graph.node if graph.output[0].name in node.output)
    softmax.output[0] = "kept"
    graph.initializer.append(numpy_helper.from_array(merge, "lookalikes"))
    graph.node.append(onnx.helper.make_node("MatMul", ["kept", "lookalikes"], ["probabilities"], "merge"))
    for node in graph.node:
        node.input[:] = ["crops" if name == graph.input[0].name else name for name in node.input]
    shapes: dict[str, list[str | int | None]] = {
        "crops": ["batch", 3, HEIGHT, "width"],
        "probabilities": ["batch", "steps", len(kept)],
    }
    for value, (name, shape) in zip((graph.input[0], graph.output[0]), shapes.items(), strict=True):
        value.CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    del graph.value_info[:]  # shapes of the uncut layers, which the runtime would complain about
    return model


def seal(model: onnx.ModelProto) -> bytes:
    """The bytes of the file: alphabet, origin and version go inside, the version being a digest of everything else."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {"alphabet": ALPHABET, "origin": ORIGIN})
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    entry = model.metadata_props.add()
    entry.key, entry.value = "version", f"ppocrv6-small-{digest[:12]}"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def build(base: Path) -> bytes:
    """The reader as FormLens ships it, from the base's file. Raises BaseError for another file."""
    return seal(cut(load_base(base)))


def _metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


def main() -> None:
    """Build the reader from the installed package, or from a file given by hand."""
    parser = argparse.ArgumentParser(description="Cut the reader from its public base.")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--base", type=Path, help="the base's ONNX file (default: the one of the installed rapidocr)")
    given = parser.parse_args()
    data = build(given.base or installed_base())
    given.out.write_bytes(data)
    print(f"{given.out}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
