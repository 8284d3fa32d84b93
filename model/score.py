"""Labelled data beside the repository goes in, one table and one HTML page of errors come out: reader and peers.

    python -m model.score --data ../shared/data [--only crops tables]

Everything is read by the code and the file that ship. Peers (RapidOCR, Tesseract) read the same crops and pages in the
same run; one that is absent is left out with a line that says so, and so is a section whose data is absent.
"""

import argparse
import importlib
from pathlib import Path

from rich.console import Console

from formlens.reader import SHIPPED, Reader
from model import peers, report
from model.section import Absent, Miss, Row, Section, Setup

DATA = Path(__file__).parents[2] / "shared" / "data"
BASE = Path(__file__).parents[1] / ".cache" / "base.onnx"
SECTIONS = (
    "digits",
    "crops",
    "marks",
    "tables",
    "kinds",
    "blank",
)
"""In the order of the table; section `x` is `score(setup)` of the module `model.score_x`."""
BY_HAND: tuple[str, ...] = ("forms", "register", "confidence", "payback", "camera")
"""Sections that take too long to run unasked: only where `--only` names them."""


def main() -> None:
    """Print the table of all sections for which data is there, and write the page."""
    parser = argparse.ArgumentParser(description="Score the shipped reader beside its peers.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of labelled data (default: %(default)s)")
    parser.add_argument("--reader", type=Path, help="another reader's file (default: the shipped one)")
    parser.add_argument("--base", type=Path, default=BASE, help="the untrained base (make base; default: %(default)s)")
    parser.add_argument(
        "--size", type=int, default=200, help="crops that each set holds at most (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, help="of the training in payback (default: those of `formlens train`)")
    names = "{" + ",".join(SECTIONS + BY_HAND) + "}"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=f"some sections, or SECTION/SET: {names}")
    parser.add_argument("--out", type=Path, default=Path("out/score.html"), help="the page (default: %(default)s)")
    given = parser.parse_args()
    asked = [name.partition("/")[0] for name in given.only]
    if unknown := set(asked) - {*SECTIONS, *BY_HAND}:
        parser.error(f"--only {' '.join(sorted(unknown))}: the sections are {names}")
    console = Console(width=200)
    setup = _setup(given, console)
    rows: dict[str, list[Row]] = {}
    misses: dict[str, list[Miss]] = {}
    for name in [one for one in SECTIONS + BY_HAND if one in asked or (not asked and one in SECTIONS)]:
        console.print(f"{name} …", style="dim")
        try:
            for got in _section(name)(setup):
                if isinstance(got, Row):
                    rows.setdefault(name, []).append(got)
                else:
                    misses.setdefault(name, []).append(got)
        except Absent as why:
            console.print(f"{name} skipped: {why}")
    console.print(report.table(rows))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(report.page(setup.reader.version, rows, misses), encoding="utf-8")
    console.print(f"errors as pictures: {given.out}")


def _setup(given: argparse.Namespace, console: Console) -> Setup:
    """What sections share, and a line for each system that is left out."""
    reader = Reader(given.reader)
    base = Reader(given.base) if given.base.is_file() else None
    rapid = peers.rapidocr()
    console.print(f"reader {reader.version}")
    if base is None:
        console.print(f"the base left out: no {given.base} (make base)")
    if rapid is None:
        console.print("RapidOCR left out: pip install -r model/requirements.txt")
    if not peers.has_tesseract():
        console.print("Tesseract left out: no tesseract on the PATH (Debian: tesseract-ocr)")
    return Setup(given.data, reader, base, rapid, peers.has_tesseract(), given.size, tuple(given.only),
                 given.reader or SHIPPED, given.steps)  # fmt: skip


def _section(name: str) -> Section:
    """The section's function; Absent where a package that it needs is not installed."""
    try:
        section: Section = importlib.import_module(f"model.score_{name}").score
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(("model", "formlens")):
            raise
        raise Absent(f"needs {error.name}: pip install -r model/requirements-train.txt") from error
    return section


if __name__ == "__main__":
    main()
