"""The training loop: a network, a stream and held-out sets in, the averaged network of the best scoring out.

Weights are averaged over the last steps (Polyak & Juditsky 1992), and only that average is scored and kept. Every step
depends on the checkpoint before it and on nothing else, so a training that was killed ends where it would have ended.
"""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from formlens.tensor import to_tensor
from formlens.types import Image
from model import checkpoint, heldout
from model.checkpoint import Progress
from model.curves import draw_curves
from model.data import Sample
from model.network import Network
from model.stream import Batch, Pools, batches

LOG_EVERY = 60
"""Steps: the batches of a whole number of pools, for wide and narrow crops differ in loss."""


@dataclass(frozen=True)
class Plan:
    """How to train; the defaults are those of the shipped reader."""

    steps: int = 4000
    rate: float = 5e-4
    warm_up: int = 100
    decay: float = 0.01
    average: float = 0.998
    """Share of the old average that a step keeps."""
    score_every: int = 500
    save_every: int = 100
    patience: int = 4
    """Scorings without a better one after which the training stops."""
    seed: int = 1
    workers: int = 1
    frozen: tuple[str, ...] = ()
    """Parts of the network that keep the base's numbers: the first ones cost most and change least."""


@dataclass(frozen=True)
class Place:
    """Where this process runs: its device, its number, and how many there are."""

    device: torch.device = torch.device("cpu")  # noqa: RUF009
    rank: int = 0
    world: int = 1


def fit(model: Network, pools: Pools, sets: dict[str, list[Sample]], plan: Plan, work: Path, at: Place) -> Network:
    """Train up to `plan.steps` steps from where `work` stands.

    The averaged network with the lowest mean character error over `sets` comes back, to the first process of a job; to
    the others, and without sets, the last one. All processes call this together, with the same sets.
    """
    torch.manual_seed(plan.seed)
    model = channels_last(model.to(at.device)).train()
    average = copy.deepcopy(model).eval()
    for name in plan.frozen:
        model.get_submodule(name).requires_grad_(False)
    optimizer = torch.optim.AdamW(_groups(model, plan.decay), lr=plan.rate, betas=(0.9, 0.98))
    scaler = torch.amp.GradScaler(at.device.type, enabled=precision(at.device) is torch.float16)
    parts: dict[str, Any] = {"model": model, "average": average, "optimizer": optimizer, "scaler": scaler}
    progress = Progress()
    if (held := checkpoint.restore(work, at.device)) is not None:
        progress, states = held
        for name, part in parts.items():
            part.load_state_dict(states[name])
    trained: nn.Module = DistributedDataParallel(model) if at.world > 1 else model
    stream = batches(pools, progress.turn, progress.batch, rank=at.rank, world=at.world, workers=plan.workers)
    started = time.monotonic()
    if sets and not progress.scores:  # the base is the first candidate
        _score(average, sets, pools, progress, work, at)
    while progress.step < plan.steps and not _settled(progress, plan):
        progress.turn, progress.batch, batch = next(stream)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, plan)
        loss = _step(trained, batch.to(at.device), optimizer, scaler)
        _blend(average, model, min(plan.average, (1 + progress.step) / (10 + progress.step)))
        progress.step, progress.batch = progress.step + 1, progress.batch + 1
        progress.recent.append(loss)
        last = progress.step == plan.steps
        if progress.step % LOG_EVERY == 0 or last:
            progress.losses.append((progress.step, float(np.mean(progress.recent)), learning_rate(progress.step, plan)))
            progress.recent.clear()
        if sets and (progress.step % plan.score_every == 0 or last):
            _score(average, sets, pools, progress, work, at)
        if at.rank == 0 and (progress.step % plan.save_every == 0 or last):
            checkpoint.save(work, progress, {name: part.state_dict() for name, part in parts.items()})
            _report(progress, work, time.monotonic() - started)
    if sets and at.rank == 0:  # other hosts have no such file
        best = torch.load(work / "best.pt", map_location=at.device, weights_only=True)
        average.load_state_dict(best)
    return average


def learning_rate(step: int, plan: Plan) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    share = (step - plan.warm_up) / max(plan.steps - plan.warm_up, 1)
    return plan.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def ctc_loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Negative log likelihood of the texts per character (Graves et al. 2006)."""
    log_probabilities = model(batch.crops).transpose(0, 1)  # (w / 8, n, classes)
    steps = torch.full((len(batch.lengths),), len(log_probabilities), dtype=torch.long)
    each = F.ctc_loss(log_probabilities, batch.classes, steps, batch.lengths, reduction="none", zero_infinity=True)
    return each.sum() / batch.lengths.sum()


def precision(device: torch.device) -> torch.dtype:
    """Bfloat16 where the device computes in it, float16 on older GPUs."""
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.float16 if old else torch.bfloat16


def channels_last(model: Network) -> Network:
    """The same network with its convolutions' weights laid out as CPUs and tensor cores want them."""
    nn.utils.convert_conv2d_weight_memory_format(model, torch.channels_last)
    return model


def see(model: Network, crops: Sequence[Image]) -> list[NDArray[np.float32]]:
    """Probabilities of each crop by the module, as `Reader.probabilities` has them: one crop at a time."""
    device = next(model.parameters()).device
    with torch.inference_mode():
        tensors = (torch.from_numpy(to_tensor(crop)[np.newaxis]).to(device) for crop in crops)
        return [np.asarray(model(tensor)[0].exp().cpu().numpy(), np.float32) for tensor in tensors]


def _step(model: nn.Module, batch: Batch, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> float:
    device = batch.crops.device
    with torch.autocast(device.type, precision(device)):
        loss = ctc_loss(model, batch)
    torch.autograd.backward(scaler.scale(loss))
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    return float(loss.detach())


def _groups(model: Network, decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.dim() > 1]
    vectors = [p for p in trained if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


@torch.no_grad()
def _blend(average: Network, model: Network, keep: float) -> None:
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - keep)


def _score(
    average: Network, sets: dict[str, list[Sample]], pools: Pools, progress: Progress, work: Path, at: Place
) -> None:
    """Score the average, keep it if it is the best so far, and let every process know."""
    mean = torch.zeros((), device=at.device)
    if at.rank == 0:
        alphabet = pools.sources.alphabet
        scores = {
            name: heldout.score(lambda crops: see(average, crops), alphabet, samples) for name, samples in sets.items()
        }
        progress.scores.append((progress.step, {k: (v.exact, v.character_errors) for k, v in scores.items()}))
        mean += float(np.mean([one.character_errors for one in scores.values()]))
    if at.world > 1:
        dist.broadcast(mean, 0)
    if float(mean) < progress.best:
        progress.best, progress.best_step, progress.stale = float(mean), progress.step, 0
        if at.rank == 0:
            checkpoint.write(average.state_dict(), work / "best.pt")
    else:
        progress.stale += 1


def _settled(progress: Progress, plan: Plan) -> bool:
    return progress.stale >= plan.patience


def _report(progress: Progress, work: Path, seconds: float) -> None:
    """Write the log anew from the history, so that it never tells of steps that a kill undid, and the curves."""
    entries: list[tuple[int, str]] = [
        (step, f"step {step:6}  loss {loss:.4f}  rate {rate:.2e}") for step, loss, rate in progress.losses
    ]
    for step, sets in progress.scores:
        parts = "  ".join(f"{name} {exact:.1%}/{wrong:.3f}" for name, (exact, wrong) in sets.items())
        entries.append((step, f"step {step:6}  held out, exact/character errors:  {parts}"))
    lines = [line for _, line in sorted(entries, key=lambda entry: entry[0])]
    (work / "log.txt").write_text("\n".join(lines) + "\n")
    draw_curves(progress, work / "curves.png")
    print(f"{lines[-1] if lines else ''}  ({seconds:.0f} s since start)", flush=True)
