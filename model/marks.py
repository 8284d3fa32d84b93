"""Train the network that tells marked boxes from empty ones: photographed boxes and drawn ones in, `marks.onnx` out.

    python -m model.marks --data ../shared/data --out formlens/marks.onnx
    python -m model.marks --data ../shared/data --out .cache/marks/0.onnx --fold 0

Real boxes are ODK's (Apache-2.0), split by the sheet that they were cut from: near copies lie on one sheet. With
`--fold` the sheets of one part of four, by a hash of their names, are not trained on; `make score` reads each box with
the file that never saw its sheet. The same seed gives the same bytes on processors of one kind; five minutes of a core.
"""

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from formlens.ink import Gray
from formlens.marks import SIDE, fitted, to_tensor
from model.boxes import draw_box

Tensors = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Boxes as the network takes them (n, 4, side, side), and 1 for each marked one (n)."""

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
    """A real box turned, mirrored, scaled, in other light, less sharp, with a paler or darker pen."""
    side = picture.shape[0]
    view = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 5)), float(rng.uniform(0.8, 1.35)))
    view[:, :2] = view[:, :2] + rng.normal(0, 0.04, (2, 2))
    view[:, 2] = view[:, 2] + rng.normal(0, 1.2, 2)
    warped = cv2.warpAffine(picture, view, (side, side), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        warped = cv2.GaussianBlur(warped, (0, 0), float(rng.uniform(0.3, 1.2)))
    moved = np.asarray(warped, np.float64)
    paper = float(np.percentile(moved, 80))
    moved = paper + (moved - paper) * rng.uniform(0.5, 1.5)
    if rng.random() < 0.3:
        moved *= cv2.resize(rng.uniform(0.8, 1.0, (2, 2)), (side, side))
    moved = moved * rng.uniform(0.8, 1.4) + rng.normal(0, rng.uniform(0.5, 7), moved.shape)
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def drawn(seed: int, count: int) -> Tensors:
    """So many drawn boxes, with their blanks or without."""
    rng = np.random.default_rng((seed, 1))
    tensors, marks = np.zeros((count, 4, SIDE, SIDE), np.float16), np.zeros(count, np.float32)
    for number in range(count):
        box = draw_box(rng)
        tensors[number] = to_tensor(box.picture, box.blank if rng.random() < 0.5 else None)
        marks[number] = box.marked
    return tensors, marks


def photographed(rng: Generator, real: Sequence[Box], count: int) -> Tensors:
    """So many real boxes, each altered anew, as often marked as not."""
    groups = [[box for box in real if box.marked == marked] for marked in (False, True)]
    chosen = [group[int(rng.integers(len(group)))] for group in (groups[int(rng.integers(2))] for _ in range(count))]
    tensors = [to_tensor(fitted(altered(rng, box.picture))).astype(np.float16) for box in chosen]
    return np.stack(tensors), np.array([box.marked for box in chosen], np.float32)


def kept(seed: int, count: int, work: Path | None) -> Tensors:
    """`drawn`, or what an earlier call put into a folder."""
    if work is None:
        return drawn(seed, count)
    path = work / f"drawn-{seed}-{count}.npz"
    if not path.is_file():
        boxes, marks = drawn(seed, count)
        work.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".part.npz"), boxes=boxes, marks=marks)
        path.with_suffix(".part.npz").replace(path)
    with np.load(path) as held:
        return held["boxes"], held["marks"]


def rounds_of(real: Sequence[Box], seed: int, pool: Tensors, share: float) -> Callable[[int], Tensors]:
    """What each round trains on: the same drawn boxes, and real ones that are other each time."""
    first = len(pool[0])
    count = round(first / (1 - share))
    boxes, marks = np.zeros((count, 4, SIDE, SIDE), np.float16), np.zeros(count, np.float32)
    boxes[:first], marks[:first] = pool

    def draw(number: int) -> Tensors:
        boxes[first:], marks[first:] = photographed(np.random.default_rng((seed, 2, number)), real, count - first)
        return boxes, marks

    return draw


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, say how well boxes that were not trained on are told apart, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fold", type=int, choices=range(FOLDS), help="leave this part's sheets out (default: none)")
    parser.add_argument("--boxes", type=int, default=32_000, help="drawn boxes")
    parser.add_argument("--work", type=Path, help="a folder that keeps what a training needs that was broken off")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--share", type=float, default=0.2, help="of real boxes among those trained on")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    from model.mark_network import fit, write  # torch is not everywhere where this module's boxes are of use

    real = real_boxes(given.data)
    seen = [box for box in real if box.fold != given.fold]
    rounds = rounds_of(seen, given.seed, kept(given.seed, given.boxes, given.work), given.share)
    network = fit(rounds, kept(given.seed + 1, 3000, given.work), given.rounds, given.seed, given.work)
    held_out = sorted({box.sheet for box in real} - {box.sheet for box in seen})
    card = {
        "licence": "Apache-2.0", "seed": given.seed, "held out": held_out,
        "data": ["photographed boxes, ODK scan (Apache-2.0)", "boxes drawn by model.boxes"],
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_bytes(write(network, SIDE, json.dumps(card)))


if __name__ == "__main__":
    main()
