"""Labelled folders and a reader go in; a reader that knows their hands comes out, or none where it forgot too much.

    formlens train FOLDER... --out READER.onnx

Every folder's form is learned, its crops are cut as they are when the form is read, and mixed half and half with the
stream that the reader was trained on, so that nothing is forgotten. Every fifth page is kept apart to choose by. A
reader that reads the held-out sets of the stream worse than before, beyond chance, is not written.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from formlens.reader import SHIPPED
from formlens.types import CallError
from model import heldout
from model.damage import damage
from model.data import LINES, Sample, Sources, sample, sources
from model.export import alphabet_of, blend, export
from model.fit import Place, Plan, fit, see
from model.fonts import SYSTEM_FONTS
from model.lines import alter
from model.network import Network, network
from model.own import Given, gather
from model.stream import Pools

OWN_SHARE = 0.5
"""Share of the user's crops in the mix."""
FORGOTTEN = 0.005
"""Mean character errors over the held-out base sets that may be added: what chance does to a hundred crops."""
BLENDS = (1.0, 0.7, 0.5)
"""Shares of the new numbers that are tried, from all: less is forgotten with less."""

Say = Callable[[str], None]


class Mixed(Pools):
    """The base stream with the user's own crops in it, each altered anew every time."""

    def __init__(self, sources: Sources, own: Sequence[Sample], seed: int) -> None:
        super().__init__(sources, seed)
        self.own = own

    def draw(self, index: int) -> Sample:
        """Sample `index`: one of the user's, or one of the base's kinds for which there is data."""
        rng = np.random.default_rng((self.seed, index, 2))
        if rng.random() >= OWN_SHARE:
            return sample(self.sources, self.seed, index, str(rng.choice(kinds(self.sources))))
        one = self.own[int(rng.integers(len(self.own)))]
        image = alter(rng, one.image)
        return Sample(damage(rng, image) if rng.random() < 0.3 else image, one.text, one.kind)


def kinds(src: Sources) -> list[str]:
    """The kinds of the base stream that can be drawn from what is there."""
    there = {"digits": bool(src.boxed), "letters": bool(src.letters), "lines": any(src.lines)}
    return [kind for kind in ("digits", "fonts", "mixed", "printed", "letters", "lines") if there.get(kind, True)]


def finetune(
    folders: Sequence[Path],
    out: Path,
    *,
    data: Path,
    work: Path,
    reader: Path = SHIPPED,
    steps: int = 400,
    rate: float = 3e-4,
    held_out: int = 60,
    say: Say = print,
) -> None:
    """Write a reader trained on the folders. Raises CallError where the base stream's data is not there, and where
    the trained reader reads the base's held-out sets worse.

    ``work`` keeps checkpoint, log and curves: the same call goes on where a killed one stopped.
    """
    stream = base_stream(data, alphabet_of(onnx.load(reader)))
    given = gather(folders, reader, say)
    tune(given, stream, out, work=work, reader=reader, steps=steps, rate=rate, held_out=held_out, say=say)


def base_stream(data: Path, alphabet: str, printed: Path = SYSTEM_FONTS) -> tuple[Sources, Sources]:
    """What the reader was trained on, and the part of it that is held out. Raises CallError where it is not there."""
    without = [name for name in LINES if not (data / f"lines_{name}").is_dir()]
    try:
        seen, unseen = (
            sources(data, alphabet, held_out=held_out, without=without, printed=printed) for held_out in (False, True)
        )
    except (ValueError, OSError) as error:
        raise CallError(f"--data {data}: {error}; fetch it with: python -m model.fetch --out {data}") from error
    return seen, unseen


def tune(
    given: Given,
    stream: tuple[Sources, Sources],
    out: Path,
    *,
    work: Path,
    reader: Path = SHIPPED,
    steps: int = 400,
    rate: float = 3e-4,
    held_out: int = 60,
    workers: int = Plan.workers,
    say: Say = print,
    at: Place = Place(),  # noqa: B008 - a frozen value
) -> None:
    """Write a reader trained on these crops and on the stream; raises CallError like `finetune`.

    All processes of a job call this together; the first of them alone writes.
    """
    base = onnx.load(reader)
    alphabet, (seen, unseen) = alphabet_of(base), stream
    say(f"{len(given.train)} crops to train on, {len(given.apart)} kept apart to choose by")
    base_sets = base_sets_of(unseen, held_out)
    sets = {**base_sets, **({"own": given.apart} if given.apart else {})}
    plan = Plan(steps=steps, rate=rate, warm_up=min(50, steps // 8), score_every=max(steps // 4, 1), save_every=50)
    plan = replace(plan, patience=9, workers=workers)
    trained = fit(network(base), Mixed(seen, given.train, plan.seed), sets, plan, work, at)
    if at.rank:
        return
    trained = trained.to("cpu")
    start = network(base)
    before = errors_of(start, alphabet, sets)
    for share in BLENDS:
        mixed = blend(network(base), trained, 1 - share)
        after = errors_of(mixed, alphabet, sets)
        lost = mean_of(after, base_sets) - mean_of(before, base_sets)
        say(f"{share:.0%} of the training: " + ", ".join(f"{k} {before[k]:.3f} → {after[k]:.3f}" for k in sets))
        if lost <= FORGOTTEN:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(export(mixed, base, {"fine-tuned": f"{len(given.train)} crops, {steps} steps"}, ()))
            say(f"character errors on the base's held-out sets {lost:+.4f} -> {out}")
            return
    was, now = mean_of(before, base_sets), mean_of(after, base_sets)
    raise CallError(
        f"no reader written: it would read other forms worse (character errors on the base's held-out sets {was:.3f} "
        f"before, {now:.3f} after); add labelled scans, or train with fewer --steps"
    )


def base_sets_of(unseen: Sources, size: int) -> dict[str, list[Sample]]:
    """Held-out crops of each kind that the base stream has data for."""
    there = kinds(unseen)
    return {kind: [sample(unseen, heldout.SEED, index, kind) for index in range(size)] for kind in there}


def errors_of(model: Network, alphabet: str, sets: dict[str, list[Sample]]) -> dict[str, float]:
    """Character errors of each set."""
    model.eval()
    return {
        name: heldout.score(lambda crops: see(model, crops), alphabet, samples).character_errors
        for name, samples in sets.items()
    }


def mean_of(errors: dict[str, float], sets: dict[str, list[Sample]]) -> float:
    """Mean over the sets named."""
    return float(np.mean([errors[name] for name in sets]))
