"""The way from the command line to the trainer, which is no part of the package: it needs torch, reading does not."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from formlens.reader import SHIPPED
from formlens.types import CallError

_CURE = "train from the repository's folder, after: pip install -r model/requirements-train.txt"


def finetune(
    folders: Sequence[Path],
    out: Path,
    *,
    data: Path,
    work: Path,
    start: Path | None,
    steps: int,
    say: Callable[[str], None],
) -> None:
    """`model.finetune.finetune`. Raises CallError, which names the cure, where what it needs is not installed."""
    for folder in folders:
        if not folder.is_dir():
            raise CallError(f"{folder}: no such folder")
    try:
        trainer = importlib.import_module("model.finetune")
    except ModuleNotFoundError as error:
        raise CallError(f"training needs {error.name}: {_CURE}") from error
    trainer.finetune(folders, out, data=data, work=work, reader=start or SHIPPED, steps=steps, say=say)
