"""The trainer: it learns, it may be killed, it may run in several processes, and its stream waits for nobody."""

# ruff: noqa: E402 - what the imports need may be absent

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: model/requirements-train.txt")
pytest.importorskip("faker", reason="the words of the training stream come from Faker: model/requirements-train.txt")

from collections_drawn import draw_collections
from formlens.reader import SHIPPED, Reader
from model import checkpoint, fit, heldout
from model.checkpoint import Progress
from model.curves import draw_curves
from model.data import Sources, sample, sources
from model.export import alphabet_of
from model.fit import Place, Plan, ctc_loss, learning_rate, see
from model.heldout import edits, held_out_sets, score
from model.network import Network, network
from model.stream import Pools, batches

ROOT = Path(__file__).parents[1]
PLAN = Plan(steps=4, rate=1e-4, warm_up=2, save_every=1, score_every=2, workers=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_collections(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def drawn(folder: Path) -> Sources:
    return sources(folder, alphabet_of(onnx.load(SHIPPED)), printed=folder / "printed")


def base() -> Network:
    torch.set_num_threads(1)
    return network(onnx.load(SHIPPED))


def small(drawn: Sources) -> Pools:
    return Pools(drawn, 1, size=6, dealt=2)


def same(a: Network, b: Network) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_training_killed_halfway_ends_where_it_would_have_ended(
    drawn: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = {"fonts": [sample(drawn, 9, i, "fonts") for i in range(2)]}
    whole = fit.fit(base(), small(drawn), sets, PLAN, tmp_path / "whole", Place())

    save, calls = checkpoint.save, []

    def killed(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        fit.fit(base(), small(drawn), sets, PLAN, tmp_path / "killed", Place())
    monkeypatch.setattr(checkpoint, "save", save)
    resumed = fit.fit(base(), small(drawn), sets, PLAN, tmp_path / "killed", Place())
    assert same(whole, resumed)
    log = [(tmp_path / name / "log.txt").read_text() for name in ("whole", "killed")]
    assert log[0] == log[1]
    assert (tmp_path / "killed" / "curves.png").is_file()


def test_a_checkpoint_cut_off_while_writing_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, Progress(step=7), {})

    def cut(content: object, file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(tmp_path, Progress(step=8), {})
    held = checkpoint.restore(tmp_path, torch.device("cpu"))
    assert held is not None
    assert held[0].step == 7


def test_a_checkpoint_from_a_stranger_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"progress": Evil()}, tmp_path / checkpoint.NAME)
    with pytest.raises(Exception, match=r"[Ww]eights"):
        checkpoint.restore(tmp_path, torch.device("cpu"))
    assert not (tmp_path / "ran").exists()


def test_a_few_steps_on_one_batch_halve_its_loss(drawn: Sources) -> None:
    model = base().train()
    batch = small(drawn)[0][0]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    losses = []
    for _ in range(12):
        loss = ctc_loss(model, batch)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_batch_statistics_stay_as_they_are(drawn: Sources) -> None:
    model = base().train()
    before = torch.clone(model.neck_norm.running_mean)
    model(small(drawn)[0][0].crops)
    assert torch.equal(model.neck_norm.running_mean, before)


def test_a_worker_process_changes_no_batch(drawn: Sources) -> None:
    ways = [batches(small(drawn), 0, 0, rank=0, world=1, workers=workers) for workers in (0, 1)]
    for _ in range(3):
        (turn, i, one), (turn2, i2, other) = next(ways[0]), next(ways[1])
        assert (turn, i) == (turn2, i2)
        assert torch.equal(one.crops, other.crops)
        assert torch.equal(one.classes, other.classes)


def test_a_stream_taken_up_again_goes_on_where_it_stopped(drawn: Sources) -> None:
    through = batches(small(drawn), 0, 0, rank=0, world=1, workers=0)
    whole = [next(through) for _ in range(4)]
    again = batches(small(drawn), 1, 1, rank=0, world=1, workers=0)
    turn, i, batch = next(again)
    assert (turn, i) == (1, 1) == whole[3][:2]
    assert torch.equal(batch.crops, whole[3][2].crops)


def test_two_processes_share_the_pools_that_one_would_see(drawn: Sources) -> None:
    def seen(rank: int, world: int, count: int) -> list[bytes]:
        stream = batches(small(drawn), 0, 0, rank=rank, world=world, workers=0)
        return [next(stream)[2].crops.numpy().tobytes() for _ in range(count)]

    assert sorted(seen(0, 2, 2) + seen(1, 2, 2)) == sorted(seen(0, 1, 4))


def test_two_processes_train_one_reader(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "model.train", "--steps", "1", "--held-out", "1", "--workers", "0", "--threads", "1"]
    command += ["--pool", "24", "--printed", str(folder / "printed")]
    places = {"SM_CHANNEL_TRAINING": folder, "SM_MODEL_DIR": tmp_path / "model", "SM_OUTPUT_DATA_DIR": tmp_path / "out"}
    environment = {**os.environ, **{name: str(path) for name, path in places.items()}, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert Reader(tmp_path / "model" / "reader.onnx").alphabet == Reader().alphabet
    assert "held out" in (tmp_path / "out" / "log.txt").read_text()


def test_two_hosts_train_one_reader_as_sagemaker_starts_them(folder: Path, tmp_path: Path) -> None:
    hosts = ["127.0.0.1", "localhost"]  # two names that lead here; the first in order leads
    given = {"steps": "1", "held-out": "1", "workers": "0", "threads": "1", "pool": "24"}
    jobs = []
    for host in hosts:
        ml = tmp_path / host
        (ml / "input" / "config").mkdir(parents=True)
        (ml / "input" / "data").mkdir()
        (ml / "input" / "data" / "training").symlink_to(folder)
        for file, content in (
            ("resourceconfig", {"current_host": host, "hosts": hosts}),
            ("inputdataconfig", {"training": {}}),
            ("hyperparameters", {**given, "printed": str(folder / "printed")}),
        ):
            (ml / "input" / "config" / f"{file}.json").write_text(json.dumps(content))
        job = {"FORMLENS_OPT_ML": str(ml), "FORMLENS_INSTALLED": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "model.job", "model.train"]
        with (tmp_path / f"{host}.log").open("w") as log:
            jobs.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **job}, stdout=log, stderr=log))
    ended = [job.wait(timeout=300) for job in jobs]
    assert ended == [0, 0], "".join((tmp_path / f"{host}.log").read_text()[-3000:] for host in hosts)
    first, second = (tmp_path / host for host in hosts)
    assert Reader(first / "model" / "reader.onnx").alphabet == Reader().alphabet
    assert "held out" in (first / "output" / "data" / "log.txt").read_text()
    assert not (second / "model").exists() or not any((second / "model").iterdir())  # one reader, not two


def test_the_learning_rate_warms_up_and_falls() -> None:
    plan = Plan(steps=100, rate=1.0, warm_up=10)
    rates = [learning_rate(step, plan) for step in range(101)]
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert rates[100] == pytest.approx(0.01)


def test_training_stops_when_nothing_gets_better(
    drawn: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = iter(range(1, 100))
    monkeypatch.setattr(heldout, "score", lambda *_: heldout.Score(0.0, float(next(worse))))
    plan = Plan(steps=50, rate=0.0, save_every=50, score_every=1, patience=2, workers=0)
    sets = {"fonts": [sample(drawn, 9, 0, "fonts")]}
    best = fit.fit(base(), small(drawn), sets, plan, tmp_path, Place())
    assert next(worse) == 4  # the base, then two that were worse
    assert same(best, base())


def test_held_out_sets_are_scored_as_the_reader_would_read_them(folder: Path) -> None:
    reader = Reader()
    unseen = sources(folder, reader.alphabet, held_out=True, printed=folder / "printed")
    sets = held_out_sets(unseen, 3)
    assert {"digits", "numbers", "fonts", "printed", "lyon", "stanford", "poilus"} <= set(sets)
    model = base().eval()
    for samples in sets.values():
        ours = score(lambda crops: see(model, crops), reader.alphabet, samples)
        assert ours == score(reader.probabilities, reader.alphabet, samples)


def test_edits_count_what_a_clerk_would_change() -> None:
    assert edits("1903", "1903") == 0
    assert edits("1908", "1903") == 1
    assert edits("193", "1903") == 1
    assert edits("", "1903") == 4
    assert edits("kitten", "sitting") == 3


def test_curves_are_drawn_before_anything_was_scored(tmp_path: Path) -> None:
    draw_curves(Progress(losses=[(20, 0.5, 1e-4), (40, 0.4, 1e-4)]), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
