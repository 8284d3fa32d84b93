"""Samples in, batches of tensors out: the part of the training stream that knows torch.

The stream is cut into pools of samples. Within a pool crops are sorted by width and dealt into a fixed number of
batches of about the same area, so little is padded and every process of a training job takes the same number of steps.
A pool depends on seed and number alone: a job that starts again begins with the pool where it stopped.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from formlens.tensor import STEP, to_tensor
from formlens.types import Image
from model.data import Sample, Sources, sample

WIDEST = 1000
"""Pixels; the few wider lines cost as much as twenty fields and are left out."""


@dataclass(frozen=True)
class Batch:
    """Crops (n, 3, 48, w), padded on the right as the reader pads, and their texts as classes, one behind the other."""

    crops: Tensor
    classes: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device; crops in the memory layout that convolutions want there."""
        crops = self.crops.to(device, memory_format=torch.channels_last, non_blocking=True)
        return Batch(crops, self.classes.to(device), self.lengths.to(device))


class Pools(Dataset[list[Batch]]):
    """Pool `i` of a seed as a list of `dealt` batches, in random order, made of `size` samples."""

    def __init__(self, sources: Sources, seed: int, *, size: int = 192, dealt: int = 6) -> None:
        self.sources, self.seed, self.size, self.dealt = sources, seed, size, dealt
        self.class_of = {character: i for i, character in enumerate(sources.alphabet, start=1)}

    def __getitem__(self, pool: int) -> list[Batch]:
        drawn = [self.draw(pool * self.size + i) for i in range(self.size)]
        rng = np.random.default_rng((self.seed, pool, 2))
        pairs = [(to_tensor(stretched(rng, one.image)), one.text) for one in drawn]
        kept = sorted((p for p in pairs if _learnable(*p)), key=lambda pair: pair[0].shape[2])
        area = np.cumsum([tensor.shape[2] for tensor, _ in kept])
        cuts = np.searchsorted(area, area[-1] * np.arange(1, self.dealt) / self.dealt)
        parts = np.split(np.arange(len(kept)), cuts)
        order = np.random.default_rng((self.seed, pool, 1)).permutation(self.dealt)
        return [self._batch([kept[i] for i in parts[k]]) for k in order]

    def draw(self, index: int) -> Sample:
        """Sample `index`; another stream draws its own."""
        return sample(self.sources, self.seed, index)

    def _batch(self, pairs: list[tuple[NDArray[np.float32], str]]) -> Batch:
        classes = [self.class_of[character] for _, text in pairs for character in text]
        lengths = [len(text) for _, text in pairs]
        return Batch(stack([tensor for tensor, _ in pairs]), torch.tensor(classes), torch.tensor(lengths))


def stack(tensors: list[NDArray[np.float32]]) -> Tensor:
    """One array of crops of different widths, filled up on the right with middle grey."""
    crops = np.zeros((len(tensors), *tensors[0].shape[:2], max(t.shape[2] for t in tensors)), np.float32)
    for row, tensor in zip(crops, tensors, strict=True):
        row[:, :, : tensor.shape[2]] = tensor
    return torch.from_numpy(crops)


def batches(
    pools: Pools, turn: int, batch: int, *, rank: int, world: int, workers: int
) -> Iterator[tuple[int, int, Batch]]:
    """(turn, number in the pool, batch) for ever, from a turn and a number on; of one process out of `world`.

    In turn `t` process `r` works through pool `t * world + r`.
    """
    loader = DataLoader(
        pools,
        batch_size=None,
        sampler=range(turn * world + rank, 1 << 40, world),
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        worker_init_fn=_alone,
    )
    for ahead, dealt in enumerate(loader):
        for i, one in enumerate(dealt):
            if ahead or i >= batch:
                yield turn + ahead, i, one


def stretched(rng: Generator, image: Image) -> Image:
    """The crop wider or narrower, two times in three: hands set their letters close or far apart.

    And whoever reads a narrow hand looks at it wider (`formlens.reader`), as no crop of the collections is.
    """
    if rng.random() < 1 / 3:
        return image
    width = max(1, round(image.shape[1] * float(np.exp(rng.uniform(np.log(0.75), np.log(1.7))))))
    return np.asarray(cv2.resize(image, (width, image.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def _learnable(tensor: NDArray[np.float32], text: str) -> bool:
    """Whether the crop has a column for every character, and one between equal neighbours."""
    width = tensor.shape[2]
    needed = len(text) + sum(a == b for a, b in itertools.pairwise(text))
    return bool(width <= WIDEST and needed <= width // STEP)


def _alone(worker: int) -> None:
    """Each worker is one thread: there are as many of them as cores."""
    cv2.setNumThreads(0)
