"""Where a training stands: everything that the next step depends on, in one file that is always whole.

Written beside its final name and moved there in one step, so that a kill at any moment leaves the old or the new file.
Read back without pickle's power to run code (`weights_only`).
"""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

NAME = "checkpoint.pt"


@dataclass
class Progress:
    """How far the training is, and what it has seen of itself on the way."""

    step: int = 0
    turn: int = 0
    """Pools that every process has begun."""
    batch: int = 0
    """Batches of the present pool that are done."""
    best: float = float("inf")
    best_step: int = 0
    stale: int = 0
    """Scorings since the best."""
    recent: list[float] = field(default_factory=list)
    """Losses since the last entry of `losses`."""
    losses: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, mean loss per character, learning rate)."""
    scores: list[tuple[int, dict[str, tuple[float, float]]]] = field(default_factory=list)
    """(step, set → (exact, character errors))."""


def save(folder: Path, progress: Progress, states: dict[str, dict[str, Any]]) -> None:
    """Write the checkpoint; the previous one stays until this one is whole."""
    write({"progress": asdict(progress), "states": states}, folder / NAME)


def restore(folder: Path, device: torch.device) -> tuple[Progress, dict[str, Any]] | None:
    """The last checkpoint in a folder, or None where there is none."""
    path = folder / NAME
    if not path.is_file():
        return None
    held = torch.load(path, map_location=device, weights_only=True)
    return Progress(**held["progress"]), held["states"]


def write(content: dict[str, Any] | dict[str, Tensor], path: Path) -> None:
    """Save a file of tensors under a name that never holds half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
