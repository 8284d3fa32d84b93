"""Train the network that tells marked boxes from empty ones: photographed boxes and drawn ones in, `marks.onnx` out.

    python -m model.marks --data ../shared/data --out formlens/marks.onnx [--fold 0]

Real boxes are ODK's (Apache-2.0), split by the sheet that they were cut from: near copies lie on one sheet. The sheets
of one fold of four, by a hash of their names, are never trained on. The same seed gives the same numbers.
"""

import argparse
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.marks import SIDE, fitted, to_tensor
from model.boxes import draw_box

FOLDS = 4
_WAYS = {"X", "barely", "boardering", "check", "diagonal", "filled", "horizontal", "partial", "vertical", "empty"}
_COPIES = {
    "b4_filled": "b2_filled",
    "cb6_filled": "cb3_filled",
    "clarice_filled": "clarice_barely",
    "": "clarice_barely",
}
"""Sheets that hold pictures of one another."""


@dataclass(frozen=True)
class Box:
    """A photographed box."""

    picture: Gray
    marked: bool
    sheet: str
    name: str

    @property
    def fold(self) -> int:
        """Which of `FOLDS` parts its sheet is in."""
        return zlib.crc32(self.sheet.encode()) % FOLDS


def real_boxes(data: Path) -> list[Box]:
    """Every different picture of a box in ODK's collection."""
    seen: set[bytes] = set()
    boxes = []
    for folder in ("bubbles", "checkboxes"):
        for path in sorted((data / "odk_marks" / folder).glob("*.jpg")):
            content = path.read_bytes()
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if content not in seen and picture is not None:
                seen.add(content)
                label, _, rest = path.stem.partition("_")
                sheet = f"{folder}/{_sheet(rest)}"
                boxes.append(Box(np.asarray(picture, np.uint8), label != "empty", sheet, path.name))
    return boxes


def _sheet(rest: str) -> str:
    parts = rest.removesuffix("_image_0").split("_")
    while parts and parts[0] in _WAYS - {"empty", "filled"}:
        parts = parts[1:]
    name = "_".join(part for part in parts[:-1] if part != "cb")
    return _COPIES.get(name, name)


def altered(rng: Generator, picture: Gray) -> Gray:
    """A real box turned, mirrored, scaled, in other light, less sharp."""
    turned = np.rot90(picture, int(rng.integers(4)))
    turned = np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)
    side = turned.shape[0]
    view = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 5)), float(rng.uniform(0.8, 1.35)))
    view[:, :2] = view[:, :2] + rng.normal(0, 0.03, (2, 2))
    view[:, 2] = view[:, 2] + rng.normal(0, 1.2, 2)
    warped = cv2.warpAffine(turned, view, (side, side), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        warped = cv2.GaussianBlur(warped, (0, 0), float(rng.uniform(0.3, 1.2)))
    moved = np.asarray(warped, np.float64)
    paper = float(np.percentile(moved, 80))
    moved = paper + (moved - paper) * rng.uniform(0.5, 1.5)
    moved = moved * rng.uniform(0.8, 1.4) + rng.normal(0, rng.uniform(0.5, 7), moved.shape)
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def sample(
    rng: Generator, real: Sequence[Box], count: int, share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """So many boxes as the network takes them, and 1 for each marked one; `share` of them are real."""
    groups = [[box for box in real if box.marked == marked] for marked in (False, True)]
    tensors, marks = [], []
    for _ in range(count):
        if all(groups) and rng.random() < share:
            group = groups[int(rng.integers(2))]
            box = group[int(rng.integers(len(group)))]
            tensors.append(to_tensor(fitted(altered(rng, box.picture))))
            marks.append(box.marked)
        else:
            drawn = draw_box(rng)
            tensors.append(to_tensor(drawn.picture, drawn.blank if rng.random() < 0.5 else None))
            marks.append(drawn.marked)
    return np.stack(tensors), np.array(marks, np.float32)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on all folds but one, say how well boxes that were not trained on are told apart, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=0, help="sheets of this fold are not trained on")
    parser.add_argument("--boxes", type=int, default=24_000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--share", type=float, default=0.15, help="of real boxes among those trained on")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    from model.mark_network import fit, write  # torch is not everywhere where this module's boxes are of use

    real = real_boxes(given.data)
    kept = [box for box in real if box.fold != given.fold]
    rng = np.random.default_rng(given.seed)
    network = fit(
        sample(rng, kept, given.boxes, given.share), sample(rng, kept, 3000, given.share), given.rounds, given.seed
    )
    held_out = sorted({box.sheet for box in real} - {box.sheet for box in kept})
    card = {
        "licence": "Apache-2.0", "seed": given.seed, "held out": held_out,
        "data": ["photographed boxes, ODK scan (Apache-2.0)", "boxes drawn by model.boxes"],
    }  # fmt: skip
    given.out.write_bytes(write(network, SIDE, json.dumps(card)))


if __name__ == "__main__":
    main()
