"""Fine-tune the reader: data and a reader's ONNX file in, a better one out.

    python -m model.train --data DATA --out READER.onnx --work RUN --steps 4000
    torchrun --standalone --nproc_per_node 2 -m model.train --data DATA --out READER.onnx --work RUN

RUN holds a checkpoint, a log and curves: start the same command again after a kill, and the result is the one it would
have been. Several processes, GPUs or hosts run the same script under torchrun. On a machine with other work to do set
OMP_WAIT_POLICY=PASSIVE, or threads burn their waiting time. As a SageMaker job the folders come from
SM_CHANNEL_TRAINING, SM_MODEL_DIR and SM_OUTPUT_DATA_DIR.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
import torch.distributed as dist

from formlens.reader import SHIPPED, Reader
from model import fonts
from model.data import LINES, sources
from model.export import alphabet_of, export
from model.fit import Place, Plan, fit
from model.heldout import held_out_sets
from model.network import network
from model.stream import Pools


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, export."""
    given = _parser().parse_args(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    at = place_of_this()
    plan = Plan(
        steps=given.steps,
        rate=given.rate,
        warm_up=given.warm_up,
        score_every=given.score_every,
        save_every=given.save_every,
        seed=given.seed,
        workers=given.workers,
        frozen=tuple(given.frozen),
    )
    base = onnx.load(given.base)
    alphabet = alphabet_of(base)
    seen = sources(given.data, alphabet, without=given.without, printed=given.printed, reader=Reader(given.base))
    unseen = sources(given.data, alphabet, held_out=True, printed=given.printed)
    sets = held_out_sets(unseen, given.held_out) if given.held_out else {}
    average = fit(network(base), Pools(seen, plan.seed, size=given.pool), sets, plan, given.work, at)
    if at.rank == 0:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_bytes(export(average, base, {"training": str(plan)}, given.without))
        print(f"wrote {given.out}")
    if at.world > 1:
        dist.destroy_process_group()


def place_of_this() -> Place:
    """This process's device and number, as torchrun says; joins the others where there are any."""
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    on_gpu = torch.cuda.is_available()
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if on_gpu else "cpu")
    if world > 1:
        dist.init_process_group("nccl" if on_gpu else "gloo")
    return Place(device, rank, world)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    channel, model, output = (
        os.environ.get(f"SM_{name}") for name in ("CHANNEL_TRAINING", "MODEL_DIR", "OUTPUT_DATA_DIR")
    )
    parser.add_argument("--data", type=Path, default=channel, required=not channel, help="folder of the collections")
    out = Path(model) / "reader.onnx" if model else None
    parser.add_argument("--out", type=Path, default=out, required=not out, help="the ONNX file to write")
    parser.add_argument("--work", type=Path, default=output, required=not output, help="checkpoint, log and curves")
    parser.add_argument("--base", type=Path, default=SHIPPED, help="reader to start from (default: the shipped one)")
    parser.add_argument("--printed", type=Path, default=fonts.SYSTEM_FONTS, help="folder of ordinary fonts")
    parser.add_argument("--without", nargs="*", default=[], choices=LINES, help="line collections to leave out")
    parser.add_argument("--held-out", type=int, default=100, help="crops in each held-out set; 0 scores nothing")
    parser.add_argument("--threads", type=int, default=0, help="threads of the network (default: torch's choice)")
    parser.add_argument("--frozen", nargs="*", default=[], metavar="PART", help="parts that keep the base's numbers")
    parser.add_argument("--pool", type=int, default=192, help="samples that are sorted into six batches at a time")
    plan = Plan()
    for name in ("steps", "warm_up", "score_every", "save_every", "seed", "workers"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(plan, name))
    parser.add_argument("--rate", type=float, default=plan.rate, help="highest learning rate")
    return parser


if __name__ == "__main__":
    main()
