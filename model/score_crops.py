"""Crops of unseen writers, pages and fonts: exact texts, character errors and the worth of confidence, beside peers."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from formlens.decode import Charset
from formlens.reader import Reader
from formlens.types import Image
from model.data import sources
from model.evaluate import Read, auroc, calibration_error, character_errors, exact, wilson
from model.peers import rapidocr_lines, tesseract_lines
from model.section import OURS, Absent, Miss, Row, Setup, folder
from model.testsets import TestSet, test_sets

NEEDED = ("mnist_train.npz", "odk_marks", "omniglot_latin", "fonts", "lines_lyon", "lines_stanford", "lines_poilus")
RAPIDOCR_CROPS, TESSERACT_CROPS = 100, 30
"""Slow peers read only the first so many crops of a set; the cell says so, and a row compares all on those."""

Reads = dict[str, list[Read]]
"""System → one reading a crop."""


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Three rows a set, then what all sets say together."""
    for name in NEEDED:
        folder(setup, name)
    try:
        unseen = sources(setup.data, setup.reader.alphabet, held_out=True)
    except ValueError as error:
        raise Absent(str(error)) from error
    everything: dict[str, Reads] = {}
    for name, one in test_sets(unseen, setup.size).items():
        if not _asked(setup, name):
            continue
        reads = everything[name] = _read(setup, one)
        yield from _rows(name, reads, one.goal)
        for sample, read in zip(one.samples, reads[OURS], strict=True):
            if not read.right:
                yield Miss(name, sample.image, read.true, read.text, read.confidence)
    together: Reads = {}
    for reads in everything.values():
        for system, those in reads.items():
            together.setdefault(system, []).extend(those)
    if len(everything) > 1:
        yield Row("all sets", "AUROC / ECE", len(together[OURS]), _worth(together), "AUROC ≥ .90")
        yield from _shared(everything)
    yield from _against_base("Stanford and Poilus", everything, ("Stanford lines", "Poilus lines"), "≤ 60 %")
    yield from _above_base("all printed", everything, [name for name in everything if "printed" in name], "≤ 0.5")


def _asked(setup: Setup, name: str) -> bool:
    """Whether `--only` leaves the set in: it names the section, or the set by the start of its name."""
    own = [one.partition("/")[2] for one in setup.only if one.startswith("crops")]
    return not own or any(name.lower().startswith(one.lower()) for one in own)


def _read(setup: Setup, test: TestSet) -> Reads:
    crops, truths = [one.image for one in test.samples], [one.text for one in test.samples]
    systems: dict[str, tuple[int, Callable[[Sequence[Image]], list[tuple[str, float | None]]]]] = {
        OURS: (len(crops), lambda crops: _ours(setup.reader, crops, test.charset))
    }
    if (base := setup.base) is not None:
        systems["base"] = len(crops), lambda crops: _ours(base, crops, test.charset)
    if setup.rapid is not None:
        systems["RapidOCR"] = RAPIDOCR_CROPS, lambda crops: _masked(rapidocr_lines(setup.rapid, crops), test.charset)
    if setup.tesseract:
        systems["Tesseract"] = (
            TESSERACT_CROPS,
            lambda crops: _masked([(text, None) for text in tesseract_lines(crops)], test.charset),
        )
    return {
        name: [Read(true, text, sure) for true, (text, sure) in zip(truths, read(crops[:most]), strict=False)]
        for name, (most, read) in systems.items()
    }


def _ours(reader: Reader, crops: Sequence[Image], charset: Charset) -> list[tuple[str, float | None]]:
    return [(one.text, one.confidence) for one in reader.read(crops, charset)]


def _masked(lines: Sequence[tuple[str, float | None]], charset: Charset) -> list[tuple[str, float | None]]:
    """A peer is told what may stand in a crop by dropping all else from its text."""
    if charset.characters is None:
        return list(lines)
    allowed = set(charset.characters)
    return [("".join(c for c in text if c in allowed).strip(), sure) for text, sure in lines]


def _rows(name: str, reads: Reads, goal: str) -> Iterator[Row]:
    size = len(reads[OURS])
    yield Row(name, "exact", size, {system: _exact(those, size) for system, those in reads.items()}, goal)
    errors = {
        system: f"{100 * character_errors(those):.1f} ({100 * character_errors(those, strict=False):.1f}) %"
        for system, those in reads.items()
    }
    yield Row(name, "CER (no accents, case)", size, errors)
    yield Row(name, "AUROC / ECE", size, _worth(reads))


def _shared(everything: Mapping[str, Reads]) -> Iterator[Row]:
    """All systems on the crops that every one of them read."""
    shared: Reads = {}
    for reads in everything.values():
        least = min(map(len, reads.values()))
        for system, those in reads.items():
            shared.setdefault(system, []).extend(those[:least])
    size = len(shared[OURS])
    right = {name: _exact(those, size) for name, those in shared.items()}
    yield Row("all sets", "exact, crops that all read", size, right)
    errors = {name: f"{100 * character_errors(those):.1f} %" for name, those in shared.items()}
    yield Row("all sets", "CER, crops that all read", size, errors)


def _exact(reads: Sequence[Read], size: int) -> str:
    low, high = wilson(sum(one.right for one in reads), len(reads))
    fewer = "" if len(reads) == size else f" of {len(reads)}"
    return f"{100 * exact(reads):.1f} % [{100 * low:.0f}–{100 * high:.0f}]{fewer}"


def _worth(reads: Mapping[str, Sequence[Read]]) -> dict[str, str]:
    values = {system: (auroc(those), calibration_error(those)) for system, those in reads.items()}
    return {
        system: f"{'–' if rank is None else f'{rank:.3f}'} / {gap:.3f}"
        for system, (rank, gap) in values.items()
        if gap is not None
    }


def _errors_of(everything: Mapping[str, Reads], names: Sequence[str], system: str) -> tuple[float, int] | None:
    """Character errors in all these sets together, and how many crops they hold."""
    reads = [read for name in names if name in everything for read in everything[name].get(system, [])]
    return (character_errors(reads), len(reads)) if reads else None


def _against_base(label: str, everything: Mapping[str, Reads], names: Sequence[str], goal: str) -> Iterator[Row]:
    ours, base = (_errors_of(everything, names, system) for system in (OURS, "base"))
    if ours and base and base[0]:
        yield Row(label, "CER, share of the base's", ours[1], {OURS: f"{100 * ours[0] / base[0]:.0f} %"}, goal)


def _above_base(label: str, everything: Mapping[str, Reads], names: Sequence[str], goal: str) -> Iterator[Row]:
    ours, base = (_errors_of(everything, names, system) for system in (OURS, "base"))
    if ours and base:
        yield Row(label, "CER, points above the base", ours[1], {OURS: f"{100 * (ours[0] - base[0]):+.2f}"}, goal)
