"""Nothing goes in, times and memory come out: a page of a 200 dpi table, a page of a form, and crops, read by FormLens
and RapidOCR; and many pages of the form in one call.

    python -m model.bench [--only crops]
    python -m model.bench --only many --many 1000

Pages are read by each system in processes of its own, in turn. Memory is the peak of a fresh process that reads pages,
cold start the whole life of one that imports, loads and reads its first page.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from formlens.types import Image
from model.bench_crops import compare_crops
from model.bench_form import GOALS, compare_many, write_form
from model.score import DATA
from model.score_digits import compose

ROWS, COLUMNS = 10, 6
PAGE = (2339, 1654)
"""A4 at 200 dpi, height and width in pixels."""
PARTS = ("page", "form", "crops", "stream", "many")
SYSTEMS = {"FormLens": "formlens", "RapidOCR": "rapidocr"}
"""The name of each system and its package."""


def main() -> None:
    """Print the table, or, as a child process, read the page and print what that took."""
    parser = argparse.ArgumentParser(description="Time a page of a table, warm and cold.")
    parser.add_argument("--data", type=Path, default=DATA, help="where MNIST is, if anywhere (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes of each system (default: %(default)s)")
    parser.add_argument("--pages", type=int, default=5, help="warm pages in each process (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts (default: all)")
    parser.add_argument("--many", type=int, default=100, help="pages of a form in one call (default: %(default)s)")
    parser.add_argument("--form", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.child, given.page, given.pages, given.form)))
        return
    console, glyphs = Console(width=110), glyphs_of(given.data)
    if "page" in given.only:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.png"
            cv2.imwrite(str(page), draw_page(glyphs))
            console.print(
                f"A4 page at 200 dpi with a {ROWS} x {COLUMNS} table, medians of {given.rounds} processes each:"
            )
            compare(page, None, given.rounds, given.pages, console)
    if "form" in given.only:
        with tempfile.TemporaryDirectory() as folder:
            page, form, values = write_form(glyphs, Path(folder))
            of = f"{len(values)} fields of a form, medians of {given.rounds} processes each ({GOALS})"
            console.print(f"A4 page at 200 dpi with {of}:")
            compare(page, form, given.rounds, given.pages, console)
    if "crops" in given.only:
        compare_crops(glyphs, 8 * given.rounds, console)
    if "stream" in given.only:
        try:
            from model.bench_stream import compare_stream

            compare_stream(given.data, given.rounds, console)
        except (ImportError, ValueError, OSError) as error:
            console.print(f"the training stream left out: {error} (model/requirements-train.txt, ../shared/data)")
    if "many" in given.only:
        compare_many(glyphs, given.many, console)


def compare(page: Path, form: Path | None, rounds: int, pages: int, console: Console) -> None:
    """Let fresh processes of each system read the page in turn, ours with its form; print medians and ratios."""
    present = [name for name, package in SYSTEMS.items() if importlib.util.find_spec(package)]
    if len(present) < len(SYSTEMS):
        console.print("RapidOCR left out: pip install -r model/requirements.txt")
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in present}
    for _ in range(rounds):
        for name in present:
            runs[name].append(_child(name, page, form, pages))
    columns = {
        "warm": "s a page, warm",
        "work": "processor s",
        "peak": "peak MB",
        "cold": "cold start s",
        "load": "of it import and load",
    }
    table = Table("system", *columns.values(), "texts read")
    for name in present:
        cells = [f"{median(run[key] for run in runs[name]):.2f}" for key in columns]
        table.add_row(name, *cells, f"{runs[name][0]['texts']:.0f}")
    if len(present) == len(SYSTEMS):
        pairs = list(zip(runs["RapidOCR"], runs["FormLens"], strict=True))
        table.add_row("RapidOCR / FormLens", *(f"{median(r[key] / f[key] for r, f in pairs):.1f}" for key in columns))
    console.print(table)


def _child(name: str, page: Path, form: Path | None, pages: int) -> dict[str, float]:
    command = [sys.executable, "-m", "model.bench", "--child", name, "--page", str(page)]
    command += [*(["--form", str(form)] if form else []), "--pages", str(pages)]
    began = time.perf_counter()
    cold = subprocess.run([*command[:-1], "0"], capture_output=True, text=True, check=True)  # noqa: S603
    seconds = time.perf_counter() - began
    warm = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    first: dict[str, float] = json.loads(cold.stdout.splitlines()[-1])
    return {**json.loads(warm.stdout.splitlines()[-1]), "cold": seconds, "load": first["load"]}


def measure(system: str, page: Path, pages: int, form: Path | None = None) -> dict[str, float]:
    """Seconds to import and load, the median of `pages` warm pages in seconds, by the clock and of all processors, and
    this process's peak memory in MB."""
    data = page.read_bytes()
    began = time.perf_counter()
    if system == "FormLens":
        from formlens.form import load_form
        from formlens.pipeline import read_forms
        from formlens.reader import Reader

        reader = Reader()
        forms = [load_form(form)] if form else []
        load = time.perf_counter() - began

        def read() -> int:
            results = read_forms(data, page.name, reader, forms)
            return sum(bool(cell.text) for result in results for cell in result.cells)
    else:
        from rapidocr import RapidOCR

        rapid = RapidOCR(params={"Global.log_level": "critical"})
        load = time.perf_counter() - began

        def read() -> int:
            return len(rapid(data).txts or ())

    texts = read()
    times, works = [], []
    for _ in range(pages):
        start, work = time.perf_counter(), time.process_time()
        read()
        times.append(time.perf_counter() - start)
        works.append(time.process_time() - work)
    return {
        "load": load, "warm": median(times or [0.0]), "work": median(works or [0.0]), "peak": _peak(), "texts": texts,
    }  # fmt: skip


def _peak() -> float:
    """Peak resident memory of this process itself, in MB; Linux counts what it was before exec, too, in ru_maxrss."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def glyphs_of(data: Path) -> dict[str, list[NDArray[np.uint8]]]:
    """White-on-black pictures of each digit: from MNIST where it is, else drawn with OpenCV's plotter font."""
    if (data / "mnist_train.npz").is_file():
        with np.load(data / "mnist_train.npz") as mnist:
            images, labels = mnist["x"][-5000:], mnist["y"][-5000:]
        return {str(digit): list(images[labels == digit][:50]) for digit in range(10)}
    return {digit: [_plotted(digit)] for digit in "0123456789"}


def _plotted(digit: str) -> NDArray[np.uint8]:
    image = np.zeros((28, 28), np.uint8)
    cv2.putText(image, digit, (5, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,), 2, cv2.LINE_AA)
    return image


def draw_page(glyphs: dict[str, list[NDArray[np.uint8]]], seed: int = 0) -> Image:
    """A printed table, ROWS by COLUMNS, each cell filled with a number of one to four digits."""
    rng = np.random.default_rng(seed)
    page = np.full((*PAGE, 3), 245, np.uint8)
    tall, wide, left, top = 150, 230, 130, 300
    for row in range(ROWS):
        for column in range(COLUMNS):
            digits = rng.integers(0, 10, rng.integers(1, 5))
            pictures = [glyphs[str(digit)][rng.integers(len(glyphs[str(digit)]))] for digit in digits]
            crop = compose(pictures, rng)
            height, width = crop.shape[:2]
            y, x = top + row * tall + (tall - height) // 2, left + column * wide + (wide - width) // 2
            ink = crop.astype(np.float32) / np.median(crop.reshape(-1, 3), axis=0)
            page[y : y + height, x : x + width] = np.clip(245 * ink, 0, 245).astype(np.uint8)
    for row in range(ROWS + 1):
        cv2.line(page, (left, top + row * tall), (left + COLUMNS * wide, top + row * tall), (60, 60, 60), 3)
    for column in range(COLUMNS + 1):
        cv2.line(page, (left + column * wide, top), (left + column * wide, top + ROWS * tall), (60, 60, 60), 3)
    return page


if __name__ == "__main__":
    main()
