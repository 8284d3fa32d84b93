"""Crops go in, readings come out, through one ONNX file that carries its own alphabet and version.

Each crop goes through the network alone, on one thread of its own: on a CPU a batch is no faster, wastes time on
padding, and would let a crop's neighbours and the number of cores into its result.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from formlens.decode import TEXT, Charset, decode, signs_of
from formlens.free import SURE, read_free
from formlens.tensor import HEIGHT, to_tensor
from formlens.types import FormLensError, Image, Reading

SHIPPED = Path(__file__).with_name("reader.onnx")

CROWDED, WIDER = 1.75, 1.4
"""Steps from sign to sign below which a crop is looked at again, and how much wider: CTC wants a step for each sign and
nearly as many between them, and a small or narrow hand leaves it too few."""


class ReaderError(FormLensError):
    """The reader's file is absent, or is not a reader."""


class Reader:
    """The recognizer, loaded once.

    ``path`` is a reader's ONNX file (default: the shipped one), ``threads`` how many crops are read at the same time
    (default: the cores this process may use). Raises ReaderError for a file that is not a reader.
    """

    def __init__(self, path: Path | None = None, threads: int | None = None) -> None:
        self._session = _load(path or SHIPPED)
        properties = self._session.get_modelmeta().custom_metadata_map
        self.alphabet: str = properties["alphabet"]
        self.version: str = properties["version"]
        self.threads = threads or len(os.sched_getaffinity(0))

    def probabilities(self, crops: Sequence[Image]) -> list[NDArray[np.float32]]:
        """What the network sees in each crop: shape (steps, 1 + len(alphabet)), the blank first, summing to one."""
        if self.threads == 1 or len(crops) < 2:
            return [self._see(crop) for crop in crops]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._see, crops))

    def decode(self, probabilities: NDArray[np.float32], charset: Charset = TEXT) -> Reading:
        """Read what `probabilities` gave for one crop, as the network alone has it.

        Several charsets cost one pass through the network.
        """
        return decode(probabilities, self.alphabet, charset)

    def read(self, crops: Sequence[Image], charset: Charset = TEXT) -> list[Reading]:
        """Read each crop, one line of writing, in the order given; any text with a preference for words."""
        found = self.probabilities(crops)
        if charset == TEXT:
            return [read_free(seen, self.alphabet) for seen in found]
        return [self.decode(seen, charset) for seen in found]

    def glance(self, crop: Image, stretch: float = 1.0) -> NDArray[np.float32]:
        """What the network sees at one look, a step for every `formlens.tensor.STEP` pixels of the tensor."""
        tensor = to_tensor(crop, stretch)
        seen: NDArray[np.float32] = self._session.run(["probabilities"], {"crops": tensor[np.newaxis]})[0][0]
        return seen

    def _see(self, crop: Image) -> NDArray[np.float32]:
        seen = self.glance(crop)
        return self.glance(crop, WIDER) if _crowded(seen) else seen


def _crowded(seen: NDArray[np.float32]) -> bool:
    """Whether signs stand too close for the steps, in a crop that is not read surely anyway."""
    if float(seen.max(axis=1).prod()) >= SURE:
        return False
    signs = signs_of(seen.argmax(axis=1))
    return len(signs) > 2 and bool(signs[-1] - signs[0] < CROWDED * (len(signs) - 1))


def _load(path: Path) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ReaderError(f"the reader's file {path} is missing; install FormLens again, which brings its own")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has no common base class for what a file can be
        raise ReaderError(f"{path} is not an ONNX file that can be run") from error
    if not _is_reader(session):
        raise ReaderError(f"{path} is an ONNX file, but not a reader of FormLens")
    return session


def _is_reader(session: onnxruntime.InferenceSession) -> bool:
    """Whether inputs, outputs and properties are those of a reader."""
    properties = session.get_modelmeta().custom_metadata_map
    inputs = [(value.name, value.shape[1:3]) for value in session.get_inputs()]
    outputs = [(value.name, value.shape[2:]) for value in session.get_outputs()]
    return (
        {"alphabet", "version"} <= properties.keys()
        and inputs == [("crops", [3, HEIGHT])]
        and outputs == [("probabilities", [1 + len(properties["alphabet"])])]
    )
