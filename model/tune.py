"""The crops of a form's pages, the base data and a reader go in; a reader that knows their hands comes out.

    python -m model.tune --own OUT/own --data OUT/data --base OUT/start/reader.onnx --out model/reader.onnx --work RUN

As the pipeline's training job (model/job.py) the folders come from SM_CHANNEL_OWN, _DATA and _START, SM_MODEL_DIR and
SM_CHECKPOINT_DIR, from which an interrupted job goes on. Several processes and hosts run it under torchrun. A reader
that would read other forms worse than before is not written, and the job fails with the reason.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch.distributed as dist

from formlens.types import FormLensError
from model.export import alphabet_of
from model.finetune import base_stream, tune
from model.own import read_crops
from model.train import place_of_this


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train on, export."""
    given = _parser().parse_args(arguments)
    at = place_of_this()
    try:
        tune(
            read_crops(given.own),
            base_stream(given.data, alphabet_of(onnx.load(given.base)), given.data / "printed"),
            given.out,
            work=given.work,
            reader=given.base,
            steps=given.steps,
            rate=given.rate,
            held_out=given.held_out,
            workers=given.workers,
            at=at,
            must_learn=False,  # the pipeline evaluates it beside the released one, and its gate decides
        )
    except FormLensError as error:
        raise SystemExit(f"train: {error}") from error
    if at.world > 1:
        dist.destroy_process_group()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = {name: Path(place) for name, place in os.environ.items() if name.startswith("SM_") and "/" in place}
    start, model = where.get("SM_CHANNEL_START"), where.get("SM_MODEL_DIR")
    for name, default, what in (
        ("own", where.get("SM_CHANNEL_OWN"), "the crops that model.prepare cut"),
        ("data", where.get("SM_CHANNEL_DATA"), "folder of the base collections"),
        ("base", start and start / "reader.onnx", "the reader to start from"),
        ("out", model and model / "reader.onnx", "the ONNX file to write"),
        ("work", where.get("SM_CHECKPOINT_DIR"), "checkpoint, log and curves"),
    ):
        parser.add_argument(f"--{name}", type=Path, default=default, required=default is None, help=what)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rate", type=float, default=3e-4, help="highest learning rate")
    parser.add_argument("--held-out", type=int, default=60, help="crops in each held-out set of the base data")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw the stream")
    return parser


if __name__ == "__main__":
    main()
