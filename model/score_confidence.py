"""Confidence against truth: how well it ranks right and wrong cells, and whether a promised error rate is kept.

    python -m model.score --only confidence

Forms are made from the blanks that the general calibration was not made with, written with the other half of the
held-out digits and fonts. Each is learned once; its new copies are divided 200 times into some that calibrate and
some that are tested. The Lyon cells (real; crops, pages divided in the same way) are read as free lines: a reader that
was trained on some of these pages is scored on them too kindly. A promise counts as kept where at most 1 % of the
unflagged cells of the tested part are wrong.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formlens.bounds import calibration_error, ranking
from formlens.calibrate import confidence
from formlens.clues import written_clues
from formlens.compare import same
from formlens.dates import PATTERNS, parse
from formlens.decode import TEXT
from formlens.reader import Reader
from formlens.trust import ERROR, Checked, Rule, learn_trust, rule
from formlens.types import CallError
from model import lines
from model.calibration import LEARNED, half, held_out_pens, layouts, learned_form, read_with
from model.filled import camera, flatbed
from model.section import OURS, Absent, Row, Setup, folder

SPLITS = 200
COPIES = 16
"""New copies of each form, half of them photos."""


@dataclass(frozen=True)
class Outcome:
    """What became of the tested cells of one split."""

    unflagged: int
    wrong: int
    cells: int
    ground: str

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.wrong <= ERROR * self.unflagged


def score(setup: Setup) -> Iterator[Row]:
    """AUROC, calibration error, how often the promise was kept, and how much was left unflagged."""
    groups = {"forms": list(_forms(setup)), "Lyon": [list(_lyon(setup))]}
    together: dict[int, list[Outcome]] = defaultdict(list)
    for name, forms in groups.items():
        outcomes, sure, right = [], [], []
        for number in range(SPLITS):
            rng = np.random.default_rng(number)
            for at, cells in enumerate(forms):
                how, tested = _divide(cells, setup.reader.version, rng)
                outcome = _outcome(how, tested)
                together[number].append(outcome)
                if at == number % len(forms):
                    outcomes.append(outcome)
                    sure += [confidence(cell.clues, cell.column, how.general, how.own) for cell in tested]
                    right += [cell.right for cell in tested]
        yield from _rows(name, outcomes, np.array(sure), np.array(right, np.bool_))
    every = [
        Outcome(sum(o.unflagged for o in one), sum(o.wrong for o in one), sum(o.cells for o in one), "all")
        for one in together.values()
    ]
    yield from _promise_rows("together", every)


def _rows(name: str, outcomes: Sequence[Outcome], sure: np.ndarray, right: np.ndarray) -> Iterator[Row]:
    rank = ranking(sure, right)
    yield Row(name, "cells exact", len(right), {OURS: f"{100 * right.mean():.1f} %"})
    yield Row(name, "AUROC", len(right), {OURS: "–" if rank is None else f"{rank:.3f}"}, "≥ 0.90")
    yield Row(
        name, "confidence beside share right, on average", len(right), {OURS: f"{calibration_error(sure, right):.3f}"}
    )
    yield from _promise_rows(name, outcomes)


def _promise_rows(name: str, outcomes: Sequence[Outcome]) -> Iterator[Row]:
    count = len(outcomes)
    kept = sum(outcome.kept for outcome in outcomes) / count
    yield Row(name, "splits with at most 1 % of the unflagged wrong", count, {OURS: f"{100 * kept:.1f} %"}, "≥ 95 %")
    unflagged, wrong = sum(o.unflagged for o in outcomes), sum(o.wrong for o in outcomes)
    yield Row(
        name,
        "wrong of the unflagged, all splits",
        unflagged,
        {OURS: f"{100 * wrong / max(1, unflagged):.2f} %"},
        "≤ 1 %",
    )
    share = unflagged / max(1, sum(o.cells for o in outcomes))
    yield Row(name, "cells unflagged", count, {OURS: f"{100 * share:.1f} %"})
    own = sum(outcome.ground == "own" for outcome in outcomes) / count
    yield Row(name, "splits with a promise from the form's own cells", count, {OURS: f"{100 * own:.1f} %"})


def _divide(cells: Sequence[Checked], reader: str, rng: np.random.Generator) -> tuple[Rule, list[Checked]]:
    """Calibrate on half of the scans; the rule, and the cells of the others."""
    scans = sorted({cell.scan for cell in cells})
    own = set(rng.permutation(scans)[: len(scans) // 2].tolist())
    trust = learn_trust([cell for cell in cells if cell.scan in own], reader)
    return rule(trust, reader, ERROR), [cell for cell in cells if cell.scan not in own]


def _outcome(how: Rule, tested: Sequence[Checked]) -> Outcome:
    unflagged = wrong = 0
    for cell in tested:
        sure = confidence(cell.clues, cell.column, how.general, how.own)
        if cell.clues.family != "nowhere" and sure >= how.columns.get(cell.column, how.pooled).threshold:
            unflagged += 1
            wrong += not cell.right
    return Outcome(unflagged, wrong, len(tested), how.pooled.ground)


def _forms(setup: Setup) -> Iterator[list[Checked]]:
    folder(setup, "blank_forms")
    folder(setup, "fonts")
    folder(setup, "mnist_train.npz")
    pens = half(held_out_pens(setup.data), 1)
    for layout in layouts(setup.data, tuning=False):
        try:
            form = learned_form(layout, pens, setup.reader, flatbed, LEARNED)
        except CallError:
            continue
        flat = read_with(form, layout, pens, setup.reader, flatbed, range(200, 200 + COPIES // 2))
        photos = read_with(form, layout, pens, setup.reader, camera, range(300, 300 + COPIES // 2))
        yield [*flat, *photos]


def _lyon(setup: Setup) -> Iterator[Checked]:
    """The Lyon cells, a scan a page, read as free lines; dates and names as two columns."""
    place = folder(setup, "lines_lyon")
    chosen = [*lines.lines(place, False, setup.reader.alphabet), *lines.lines(place, True, setup.reader.alphabet)]
    pages = sorted({_page(line) for line in chosen})
    if not chosen:
        raise Absent(f"no lines in {place}")
    for line in chosen:
        yield replace(_read(line, setup.reader), scan=pages.index(_page(line)))


def _page(line: lines.Line) -> str:
    return line.path.stem.rsplit("_", 1)[0]


def _read(line: lines.Line, reader: Reader) -> Checked:
    (seen,) = reader.probabilities([lines.photograph(line)])
    reading = reader.decode(seen, TEXT)
    column = "date" if any(parse(line.text, pattern) for pattern in PATTERNS) else "name"
    return Checked(0, column, written_clues(reading, seen, reader.alphabet, 0.0, 1.0), same(reading.text, line.text))
