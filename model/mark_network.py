"""The network that tells marked boxes from empty ones: tensors and marks in, trained numbers and their ONNX file out.

Four layers of three by three pixels, what is left of the picture, and its mean: 45 thousand numbers. Its certainty is
scaled on boxes that it was not fitted to (temperature scaling, Guo et al., ICML 2017).
"""

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model import checkpoint

Sample = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Tensors (n, 4, side, side), in half precision for their number, and 1 for each marked box (n)."""
RATE, BATCH = 4e-3, 128


class Marks(nn.Module):
    """Boxes (n, 4, side, side) to the probability (n) that each is marked."""

    def __init__(self) -> None:
        super().__init__()
        widths = [4, 16, 32, 48, 48]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=1 + (i > 0), padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for i, (a, b) in enumerate(pairwise(widths))
        )
        self.squeeze = nn.Conv2d(48, 8, 1)
        self.last = nn.Linear(8 * 25 + 48, 1)
        self.register_buffer("temperature", torch.ones(1))

    def logits(self, boxes: Tensor) -> Tensor:
        """What the probability is made of."""
        seen = boxes
        for layer in self.layers:
            seen = layer(seen)  # ends as (n, 48, 5, 5)
        parts = torch.cat([self.squeeze(seen).flatten(1), seen.mean((2, 3))], 1)
        return self.last(functional.dropout(parts, 0.1, self.training)).squeeze(1)

    def forward(self, boxes: Tensor) -> Tensor:
        """A box and its mirror images are marked alike: their mean is surer than one of them."""
        views = [boxes, boxes.flip(2), boxes.flip(3), boxes.flip((2, 3))]
        return torch.sigmoid(sum(self.logits(view) for view in views) / 4 / self.temperature)


def fit(draw: Callable[[int], Sample], other: Sample, rounds: int, seed: int, work: Path | None = None) -> Marks:
    """Train on what `draw` gives for each round, scale the certainty on the other boxes; prints a line a round.

    One thread and half precision (bfloat16): the same numbers come out each time on processors of one kind, also where
    ``work`` keeps what is needed to go on behind the last whole round.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = Marks().to(memory_format=torch.channels_last)
    unseen, truth = (torch.from_numpy(part).float() for part in other)
    tuner = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    first, parts = 0, {"network": network, "tuner": tuner}
    state = None if work is None else work / "marks.pt"
    if state is not None and state.is_file():
        held = torch.load(state, weights_only=True)
        first = held["rounds"]
        torch.set_rng_state(held["random"])
        for name, part in parts.items():
            part.load_state_dict(held[name])
    for number in range(first, rounds):
        network.train()
        boxes, marks = (torch.from_numpy(part) for part in draw(number))
        order = torch.randperm(len(boxes))
        for start in range(0, len(boxes) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            for group in tuner.param_groups:
                group["lr"] = _rate((number + start / len(boxes)) / rounds)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network.logits(_turned(boxes[chosen].float()))
            loss = functional.binary_cross_entropy_with_logits(logits.float(), marks[chosen])
            tuner.zero_grad()
            loss.backward()
            tuner.step()
        if state is not None:
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoint.write({"rounds": number + 1, "random": torch.get_rng_state(), **states}, state)
        print(f"round {number + 1}: {100 * _right(network, unseen, truth):.2f} % of boxes not fitted to", flush=True)
    network.eval()
    with torch.no_grad():
        logits = network.logits(unseen)
    scales = torch.linspace(0.5, 4, 36)
    losses = [float(functional.binary_cross_entropy_with_logits(logits / scale, truth)) for scale in scales]
    network.temperature[0] = scales[int(np.argmin(losses))]
    return network


def _right(network: Marks, boxes: Tensor, truth: Tensor) -> float:
    network.eval()
    with torch.no_grad():
        return float(((network.logits(boxes) > 0) == (truth > 0.5)).float().mean())


def _rate(done: float) -> float:
    """A tenth of the rounds to warm up, then half a cosine down."""
    return RATE * (done / 0.1 if done < 0.1 else 0.01 + 0.5 * (1 + float(np.cos(np.pi * (done - 0.1) / 0.9))))


def _turned(boxes: Tensor) -> Tensor:
    """A batch mirrored or turned, all of it the same way."""
    flips = [axis for axis in (2, 3) if torch.rand(()) < 0.5]
    boxes = boxes.flip(flips)
    return boxes.transpose(2, 3).contiguous(memory_format=torch.channels_last) if torch.rand(()) < 0.5 else boxes


def write(network: Marks, side: int, card: str) -> bytes:
    """The ONNX file, its card inside."""
    stream, example = io.BytesIO(), torch.zeros(2, 4, side, side)
    torch.onnx.export(
        network.eval().to(memory_format=torch.contiguous_format), (example,), stream, input_names=["boxes"],
        output_names=["marked"], dynamic_axes={"boxes": {0: "n"}, "marked": {0: "n"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load_from_string(stream.getvalue())
    onnx.helper.set_model_props(model, {"card": card})
    return bytes(model.SerializeToString(deterministic=True))
