"""Pictures of boxes to tick go in, with their blanks where these are known; how likely each is marked comes out.

A small network, trained by `model.marks` on real and drawn boxes, looks at each box alone. What it is given is made
here, for training and reading alike: the darkness of the ink against its paper, and that of the print on the blank.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.pen import Sheet
from formlens.types import Box, Image

SHIPPED = Path(__file__).with_name("marks.onnx")
SIDE = 40
"""Pixels of what the network sees; a box of a form is about half as large, so that overflowing marks are seen too."""

Floats = NDArray[np.float32]
_Y, _X = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
_PLANE: Floats = np.stack([np.ones_like(_X), _X, _Y], axis=-1).reshape(-1, 3)


class Marks:
    """A network that tells marked boxes from empty ones, loaded once from its ONNX file."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.card: str = self._session.get_modelmeta().custom_metadata_map["card"]
        """How it was trained, as JSON."""

    def read(self, boxes: Sequence[Floats]) -> list[float]:
        """The probability that each box, as `to_tensor` has it, is marked."""
        return [float(one) for one in self._session.run(["marked"], {"boxes": np.stack(boxes)})[0]] if boxes else []


def marked(boxes: Sequence[Image | Gray]) -> list[float]:
    """The probability that each picture of one box, with some paper around, shows a marked one; no blank is needed."""
    return _probabilities([to_tensor(fitted(picture)) for picture in boxes])


def marked_on(sheet: Sheet, blank: Gray, boxes: Sequence[Box]) -> list[float]:
    """The probability that each of a form's boxes is marked on a page that lies on the form's blank."""
    gray = np.asarray(cv2.cvtColor(sheet.image, cv2.COLOR_BGR2GRAY), np.uint8)
    return _probabilities([to_tensor(_around(gray, box), _around(blank, box)) for box in boxes])


def weight(sheet: Sheet, box: Box) -> float:
    """How much of a box and what is close around it the pen covers, in areas of the box: a blackened one has most."""
    x0, y0, x1, y1 = box
    room = (x1 - x0 + y1 - y0) // 8
    inked = sheet.components[max(0, y0 - room) : y1 + room, max(0, x0 - room) : x1 + room] > 0
    return float(np.count_nonzero(inked) / max(1, (x1 - x0) * (y1 - y0)))


def fitted(picture: Image | Gray) -> Gray:
    """A picture of a box as the network's size has it, in grey; its middle where it is not square."""
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    height, width = gray.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray[top : top + side, left : left + side], (SIDE, SIDE), interpolation=how), np.uint8)


def to_tensor(picture: Gray, blank: Gray | None = None) -> Floats:
    """What the network sees, shape (4, SIDE, SIDE): ink by its darkest, ink itself, the print, whether it is known."""
    ink = _darkness(picture)
    tensor = np.zeros((4, SIDE, SIDE), np.float32)
    tensor[0] = np.minimum(ink / max(0.12, float(np.percentile(ink, 98))), 1.5)
    tensor[1] = np.sqrt(ink)
    if blank is not None:
        printed = _darkness(blank)
        tensor[2] = np.minimum(printed / max(0.12, float(np.percentile(printed, 98))), 1.5)
        tensor[3] = 1.0
    return tensor


def _darkness(picture: Gray) -> Floats:
    """How much darker than its paper each pixel is, 0 to 1; the paper is a plane through the lighter half."""
    light = picture.astype(np.float32)
    flat = light.ravel()
    paper = np.full(flat.shape, float(np.percentile(flat, 70)), np.float32)
    for _ in range(2):
        paper_like = np.abs(flat - paper) < max(6.0, 0.12 * float(paper.mean()))
        if np.count_nonzero(paper_like) < SIDE:
            break
        on_paper = _PLANE[paper_like]
        normal = on_paper.T @ on_paper + np.diag([0, 20, 20]).astype(np.float32)
        paper = _PLANE @ np.linalg.solve(normal, on_paper.T @ flat[paper_like])
    paper = np.maximum(paper, 24)
    return np.asarray(np.clip((paper - flat) / paper, 0, 1).reshape(SIDE, SIDE), np.float32)


def _around(gray: Gray, box: Box) -> Gray:
    """A box with half its side all round, in the network's size."""
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    scale = min(SIDE / 2 / (wide * tall) ** 0.5, 0.75 * SIDE / max(wide, tall))
    half = (SIDE - 1) / 2
    view = np.array([[scale, 0, half - scale * (x0 + x1 - 1) / 2], [0, scale, half - scale * (y0 + y1 - 1) / 2]])
    if scale < 0.7:  # pixels that would fall between the network's
        gray = np.asarray(cv2.blur(gray, (round(1 / scale),) * 2), np.uint8)
    return np.asarray(
        cv2.warpAffine(gray, view, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _probabilities(tensors: Sequence[Floats]) -> list[float]:
    return _shipped().read(tensors)


@cache
def _shipped() -> Marks:
    return Marks(SHIPPED)
