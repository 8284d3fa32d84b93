"""What each frame's decision takes, by what was decided; one thread.

    PYTHONPATH=. python tests/frame_times.py [--emulated]

Processor time of this machine, and with `--emulated` instructions of an Atom without AVX (`instructions.py`), in
frames of 2 megapixels and of the 4 of the camera.
"""

import pickle
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from formlens.frames import Frame
from formlens.watching import Watch
from forms import VALUES, draw_form, fill
from instructions import counted, milliseconds, run
from model.recordings import film, lying, placed

SIZES = (1600, 1200), (2688, 1520)
QUALITY = 85


def record(size: tuple[int, int]) -> Iterator[bytes]:
    """Two copies, one after the other, and the second once more."""
    copies = [fill(draw_form(), values) for values in VALUES[:2]]
    middle = 0.5, size[1] / size[0] / 2
    for page in (copies[0], copies[1], copies[1]):
        where = lying(page, tall=0.85 * size[1] / size[0], at=middle)
        for image in film(page, placed(where), size=size):
            yield cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def measure(recording: list[bytes]) -> None:
    """Watch a recording, and print what each kind of decision took."""
    cv2.setNumThreads(1)
    times, counts = defaultdict[str, list[float]](list), defaultdict[str, list[int]](list)
    for again in (True, False):  # the first time around loads what is loaded once
        times.clear()
        counts.clear()
        watch = Watch()
        for jpeg in recording[:50] if again else recording:
            began, before = time.process_time(), counted()
            look = watch.look(Frame(jpeg=jpeg))
            name = look.hint
            times[name].append(1000 * (time.process_time() - began))
            counts[name].append(counted() - before)
            if look.ready:
                began, before = time.process_time(), counted()
                look = watch.take()
                name = f"a close look: {'a page' if look.page is not None else look.hint}"
                times[name].append(1000 * (time.process_time() - began))
                counts[name].append(counted() - before)
                if look.page is not None:
                    watch.kept()
    decisions = [name for name in times if not name.startswith("a close look")]
    times["every decision"] = [took for name in decisions for took in times[name]]
    counts["every decision"] = [count for name in decisions for count in counts[name]]
    for name, each in times.items():
        print(f"{name:42} {len(each):4} frames  mean {np.mean(each):6.1f} ms  most {max(each):6.1f} ms", end="")
        if most := max(counts[name]):
            print(f"  mean {np.mean(counts[name]) / 1e6:6.1f} M, most {most / 1e6:6.1f} M instructions: "
                  f"{milliseconds(most)}", end="")  # fmt: skip
        print()


def main() -> None:
    """Record here, and watch in a process of its own."""
    if len(sys.argv) > 1 and sys.argv[1] != "--emulated":
        measure(pickle.loads(Path(sys.argv[1]).read_bytes()))  # noqa: S301  # our own
        return
    for size in SIZES:
        recording = list(record(size))
        print(f"{size[0]} x {size[1]}, {np.mean([len(jpeg) for jpeg in recording]) / 1000:.0f} kB a frame", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recording"
            path.write_bytes(pickle.dumps(recording))
            run(__file__, str(path), emulated="--emulated" in sys.argv)


if __name__ == "__main__":
    main()
