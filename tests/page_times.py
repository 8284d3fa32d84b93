"""What a page takes, from the close look to the disk; one thread.

    PYTHONPATH=. python tests/page_times.py [--emulated] [NAME...]

Processor time of this machine, and with `--emulated` instructions of an Atom without AVX (`instructions.py`). Pages:
a form that was learned (`intake`), a table drawn by pen (`card`), and a double page of a register (`register`, not
unless it is named), each lying under a camera of 4 megapixels.
"""

import importlib
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from formlens.form import load_form, save_form
from formlens.frames import Frame
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.reader import Reader
from formlens.spool import Spool
from formlens.watching import Watch
from instructions import counted, milliseconds, run
from model.recordings import Moment, film, lying

ROOT = Path(__file__).parents[1]
SIZE = 2688, 1520
PAGES = {
    "intake": ("intake/labelled/page1.jpg", 0),
    "card": ("tables/card.png", 0),
    "register": ("register/page62_KL.jpg", 90),
}
"""Each page, and how far it is turned so that it fills the picture."""
LEARNED = {"intake": "intake/labelled", "register": "register"}


def record(name: str) -> bytes:
    """One frame of the page under the camera."""
    sample, turned = PAGES[name]
    page = np.asarray(cv2.imread(str(ROOT / "samples" / sample)), np.uint8)
    height, width = page.shape[:2]
    across, down = (width, height) if not turned else (height, width)
    tall = min(0.86 * SIZE[1] / SIZE[0] / down, 0.86 / across) * height
    where = lying(page, tall=tall, turned=turned, at=(0.5, SIZE[1] / SIZE[0] / 2))
    return cv2.imencode(".jpg", next(film(page, [Moment(where)], size=SIZE)), [cv2.IMWRITE_JPEG_QUALITY, 85])[
        1
    ].tobytes()


def measure(name: str, jpeg: bytes, form: Path) -> None:
    """Put the page under the loop twice, and print what its parts took the second time."""
    cv2.setNumThreads(1)
    loop, here = importlib.import_module("loop"), importlib.import_module("here")
    forms = [load_form(form)] if form.is_file() else []
    camera = here.Here("cam1", name, Reader(threads=1), lambda _: forms)
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), 10**9)
        for turn in range(2):
            watch, took = Watch(), dict[str, tuple[float, int]]()
            for _ in range(60):
                if watch.look(Frame(jpeg=jpeg)).ready:
                    break
            page = timed(took, "close look", watch.take).page
            read = timed(took, "JPEG", partial(loop.encoded, page))
            outcome, parts = timed(took, "read", partial(camera.read, read, datetime.now(UTC)))
            timed(took, "keep", partial(spool.keep, parts))
            if turn:
                took["all"] = sum(one for one, _ in took.values()), sum(count for _, count in took.values())
                for part, (seconds, count) in took.items():
                    print(f"{name:9} {page.shape[1]} x {page.shape[0]}, {outcome.cells} cells  {part:10} "
                          f"{seconds:7.3f} s", end="")  # fmt: skip
                    print(f"  {count / 1e6:7.0f} M instructions: {milliseconds(count)}" if count else "")


def timed(took: dict[str, tuple[float, int]], name: str, call: Callable[[], Any]) -> Any:
    """What a call returns; how long it took is noted."""
    began, before = time.process_time(), counted()
    found = call()
    took[name] = time.process_time() - began, counted() - before
    return found


def main() -> None:
    """Record and learn here, and read in a process of its own."""
    if sys.argv[1:2] == ["--measure"]:
        sys.path.insert(0, str(ROOT / "lambda"))
        measure(sys.argv[2], *pickle.loads(Path(sys.argv[3]).read_bytes()))  # noqa: S301  # our own
        return
    names = [name for name in sys.argv[1:] if name != "--emulated"] or ["intake", "card"]
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            form = Path(folder) / f"{name}.form"
            if name in LEARNED:
                save_form(learn_form(read_folder(ROOT / "samples" / LEARNED[name]), name, Reader()).form, form)
            path = Path(folder) / "recording"
            path.write_bytes(pickle.dumps((record(name), form)))
            run(__file__, "--measure", name, str(path), emulated="--emulated" in sys.argv)


if __name__ == "__main__":
    main()
