"""Labelled scans of a form, corrections and base data go in; what training and evaluation need comes out.

    python -m model.prepare --form intake --training intake/ --labels labels/ --models models/ --data DATA --out OUT

OUT/start/reader.onnx     the reader to train on from
OUT/released/reader.onnx  the one that is in use, which the new one must beat
OUT/data/                 the base collections, so that nothing is forgotten; fetched from npm where there are none
OUT/own/                  the crops of the training pages and what they say
OUT/pages/learn, /held    the labelled pages, those to train on and those that are held out

A page is held out by its own bytes: what was trained on once is never asked for later, and the other way round, however
many pages come after it. As the first step of the pipeline, OUT is the folder of a processing job's outputs.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from formlens.labelled import Labelled, read_folder
from formlens.reader import SHIPPED
from formlens.released import POINTER, read_pointer
from formlens.scans import SUFFIXES
from formlens.types import CallError, FormLensError
from model import fetch as npm
from model import fonts
from model.own import gather, write_crops
from model.place import fetch

HELD_OUT = 0.2
"""Share of the pages that are never trained on."""
PRINT = "dejavu-fonts-ttf", "2.37.3"
PRINT_INTEGRITY = "sha512-f1hd7jJbeQa1VWcw+K2KrTXS50zTMaHpVC4XIKJpNcDeYR5ajMtj/iLlQDYNvLOKamUB3ARVVCf79lNwNVztSQ=="


@dataclass(frozen=True)
class Readers:
    """The file to start from, and the file in use."""

    start: Path
    released: Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, prepare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", required=True, help="name of the form")
    parser.add_argument("--training", type=Path, required=True, help="folder of scans and hand-made CSVs")
    parser.add_argument("--labels", required=True, help="corrections from review: a folder, or a place in S3")
    parser.add_argument("--models", required=True, help="released readers: a folder, or a place in S3")
    parser.add_argument("--data", required=True, help="base collections: a folder, or a place in S3")
    parser.add_argument("--base", default="released", help="released, shipped, or the name of a release below models/")
    parser.add_argument("--work", type=Path, default=Path("/tmp/prepare"), help="folder for what is fetched")  # noqa: S108
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        readers = choose_readers(given.models, given.base, given.work / "models")
        prepare(
            given.form,
            [given.training, fetch(given.labels, given.work / "labels")],
            readers,
            fetch(given.data, given.work / "data"),
            given.out,
        )
    except FormLensError as error:
        raise SystemExit(f"prepare: {error}") from error


def prepare(
    form: str,
    folders: Sequence[Path],
    readers: Readers,
    data: Path,
    out: Path,
    *,
    get: npm.Get = npm.download,
    say: Callable[[str], None] = print,
) -> None:
    """Write everything below ``out``. Raises CallError, which names the file, where the scans do not do."""
    for name, path in (("start", readers.start), ("released", readers.released)):
        (out / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / name / "reader.onnx")
    every = merge(folders, out / "pages" / "every" / form)
    held_out, learn = divide(read_folder(every).labelled)
    for name, pages in (("held", held_out), ("learn", learn)):
        folder = out / "pages" / name / form
        folder.mkdir(parents=True)
        for page in pages:
            for path in (page.scan.path, page.scan.path.with_suffix(".csv")):
                shutil.move(path, folder / path.name)
    for blank in every.iterdir():
        shutil.move(blank, out / "pages" / "learn" / form / blank.name)
    shutil.rmtree(out / "pages" / "every")
    say(f"{len(learn)} pages to train on, {len(held_out)} held out")
    write_crops(gather([out / "pages" / "learn" / form], readers.start, say), out / "own")
    gather_data(data, out / "data", get)


def merge(folders: Sequence[Path], into: Path) -> Path:
    """One labelled folder of several; of two scans of one name the last counts: a correction comes after."""
    into.mkdir(parents=True)
    for folder in folders:
        scans = {path.stem for path in _files(folder) if path.suffix.lower() in SUFFIXES}
        for old in [path for path in into.iterdir() if path.stem in scans]:
            old.unlink()
        for path in _files(folder):
            if path.suffix.lower() in SUFFIXES | {".csv"}:
                shutil.copyfile(path, into / path.name)
    return into


def divide(pages: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """Pages held out and pages to train on, by the digest of each scan. Raises CallError where there are not two.

    Of few pages none may be below the share: then the one with the least digest is held out.
    """
    digests = {page.scan.path: sha256(page.scan.path.read_bytes()).hexdigest() for page in pages}
    ordered = sorted(pages, key=lambda page: digests[page.scan.path])
    if len({*digests.values()}) < 2:
        raise CallError(f"{pages[0].scan.path.name}: training takes two different scans, one of them to test by")
    below = [page for page in ordered if int(digests[page.scan.path][:8], 16) < HELD_OUT * 16**8]
    held = {digests[page.scan.path] for page in (below or ordered[:1])}
    if len(held) == len({*digests.values()}):
        held.discard(digests[ordered[-1].scan.path])
    apart = [page for page in pages if digests[page.scan.path] in held]
    return apart, [page for page in pages if digests[page.scan.path] not in held]


def choose_readers(models: str, base: str, work: Path) -> Readers:
    """The reader in use, by the pointer below ``models``, and the one to start from. Raises CallError for none."""
    name = Path(POINTER).name
    there = fetch(models, work, only=name) / name
    now = read_pointer(there.read_bytes()).now if there.is_file() else None
    released = _release(models, now.version, work) if now else SHIPPED
    return Readers({"released": released, "shipped": SHIPPED}.get(base) or _release(models, base, work), released)


def gather_data(data: Path, out: Path, get: npm.Get) -> None:
    """Copy the base collections, and what everybody can fetch where it is not among them."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(data.iterdir()) if data.is_dir() else ():
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, out / path.name)
    if not (out / "mnist_train.npz").is_file() or not (out / "fonts" / "fonts.json").is_file():
        npm.fetch(out, get)
    if not (out / "printed").is_dir():
        if fonts.SYSTEM_FONTS.is_dir() and any(fonts.SYSTEM_FONTS.glob("**/dejavu*/*.ttf")):
            paths = {path.name: path.read_bytes() for path in fonts.printed()}
        else:
            files = npm.package(*PRINT, get, PRINT_INTEGRITY)
            paths = {Path(name).name: files[name] for name in files if name.endswith(".ttf")}
        (out / "printed" / "dejavu").mkdir(parents=True)
        for name, content in paths.items():
            (out / "printed" / "dejavu" / name).write_bytes(content)


def _release(models: str, version: str, work: Path) -> Path:
    path = fetch(models, work, only=f"{version}/reader.onnx") / version / "reader.onnx"
    if not path.is_file():
        raise CallError(
            f"--base {version}: no such release below {models}; take released, shipped or a name from there"
        )
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


if __name__ == "__main__":
    main(sys.argv[1:])
