"""A processor without AVX, as cameras have, reads the same text as this one; Debian's qemu-user plays the processor."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EMULATOR = shutil.which("qemu-x86_64")
PAGE = Path(__file__).parents[1] / "samples" / "tables" / "card.png"
READ = """
import json, sys
from pathlib import Path
import cv2
from formlens.pipeline import read_forms
from formlens.reader import Reader
cv2.setNumThreads(1)
page = Path(sys.argv[1])
results = read_forms(page.read_bytes(), page.name, Reader(threads=1))
print(json.dumps([[cell.text, cell.confidence, cell.box] for result in results for cell in result.cells]))
"""


def read(*emulator: str) -> list[tuple[str, float, list[int]]]:
    command = [*emulator, sys.executable, "-c", READ, str(PAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return [(text, sure, box) for text, sure, box in json.loads(done.stdout.splitlines()[-1])]


@pytest.mark.cloud  # slow: minutes on a busy machine, as every instruction is translated
@pytest.mark.skipif(EMULATOR is None, reason="no qemu-x86_64: Debian's qemu-user")
def test_a_page_is_read_the_same_without_avx() -> None:
    here, there = read(), read(str(EMULATOR), "-cpu", "Denverton")
    assert [text for text, *_ in there] == [text for text, *_ in here]
    assert any(text for text, *_ in here)
    assert [box for *_, box in there] == [box for *_, box in here]
    assert max(abs(a - b) for (_, a, _), (_, b, _) in zip(here, there, strict=True)) < 1e-2
