"""Processor time of each frame's decision, by what was decided: `python tests/frame_times.py`. One thread."""

import time
from collections import defaultdict

import cv2
import numpy as np

from formlens.frames import Frame
from formlens.watching import SEEN, Watch
from forms import VALUES, draw_form, fill
from recordings import film, lying, placed

SIZE = 1600, 1200


def main() -> None:
    """Two copies, one after the other, and the second once more."""
    cv2.setNumThreads(1)
    watch, times = Watch(), defaultdict[str, list[float]](list)
    copies = [fill(draw_form(), values) for values in VALUES[:2]]
    for page in (copies[0], copies[1], copies[1]):
        for image in film(page, placed(lying(page, tall=0.66), still=8), size=SIZE):
            frame = Frame(jpeg=cv2.imencode(".jpg", image)[1].tobytes())
            began = time.process_time()
            look = watch.look(frame)
            took = 1000 * (time.process_time() - began)
            name = "taken" if look.page is not None else "known again" if look.hint == SEEN else look.hint
            times[name].append(took)
            if look.page is not None:
                watch.kept(look.page)
    for name, each in sorted(times.items(), key=lambda item: -max(item[1])):
        print(f"{name:28} {len(each):4} frames  median {np.median(each):5.1f} ms  most {max(each):5.1f} ms")
    every = [took for each in times.values() for took in each]
    most = np.percentile(every, 95)
    print(f"{'all':28} {len(every):4} frames  mean {np.mean(every):7.1f} ms  95 % below {most:5.1f} ms")


if __name__ == "__main__":
    main()
