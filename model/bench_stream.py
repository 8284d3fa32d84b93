"""The training data in, samples a second out: how fast one worker draws them, and how fast one core trains on them.

Both are measured in processor time of one thread, in turn, in the environment that trains.
"""

import time
from pathlib import Path

import onnx
import torch
from rich.console import Console
from rich.table import Table

from formlens.reader import SHIPPED
from model.data import LINES, sources
from model.export import alphabet_of
from model.finetune import FROZEN
from model.fit import channels_last, ctc_loss, precision
from model.network import network
from model.stream import Batch, Pools

GOAL = 3.0
"""Times faster that a worker should draw than a core trains."""
POOL = 192


def compare_stream(data: Path, pools: int, console: Console) -> None:
    """Print both paces, of all parts of the network and with its first parts frozen. Raises ValueError without data."""
    torch.set_num_threads(1)
    base = onnx.load(SHIPPED)
    without = [name for name in LINES if not (data / f"lines_{name}").is_dir()]
    stream = Pools(sources(data, alphabet_of(base), without=without), 1, size=POOL)
    stream[0]  # fonts are opened
    drawing, training = 0.0, {"all parts": 0.0, "first parts frozen": 0.0}
    for pool in range(1, pools + 1):
        began = time.process_time()
        batches = stream[pool]
        drawing += time.process_time() - began
        for way in training:
            training[way] += _train(base, batches, FROZEN if "frozen" in way else ())
    drawn = pools * POOL
    table = Table("one core", "samples a second", "stream / step")
    table.add_row("the stream draws", f"{drawn / drawing:.0f}", "")
    for way, seconds in training.items():
        table.add_row(f"a step trains, {way}", f"{drawn / seconds:.0f}", f"{seconds / drawing:.1f}")
    console.print(
        f"training: {drawn} samples in batches of {POOL // stream.dealt}, processor time (goal: {GOAL:.0f} times):"
    )
    console.print(table)


def _train(base: onnx.ModelProto, batches: list[Batch], frozen: tuple[str, ...]) -> float:
    """Seconds of one thread for a step on each batch, as `model.fit` takes it."""
    model = channels_last(network(base)).train()
    for name in frozen:
        model.get_submodule(name).requires_grad_(False)
    device = torch.device("cpu")
    tuner = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-4)
    began = time.process_time()
    for batch in batches:
        with torch.autocast("cpu", precision(device)):
            loss = ctc_loss(model, batch.to(device))
        torch.autograd.backward(loss)
        tuner.step()
        tuner.zero_grad()
    return time.process_time() - began
