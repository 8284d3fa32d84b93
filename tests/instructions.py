"""A Python script goes in; how many instructions it takes on an emulated Atom without AVX comes out.

`run` starts it, as it is or under Debian's qemu-user; within it `counted` says how many instructions were executed
until then. One thread: what several execute at once is not counted for certain.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CPU = "Denverton"
"""Goldmont, as the Atom E3930 is."""
GIGAHERTZ = 1.3, 1.8
"""Of an Atom E3930, and the most it takes for a while."""

_COUNT = "FORMLENS_INSTRUCTIONS"


def run(script: str, *arguments: str, emulated: bool) -> None:
    """Run a script of its own process, and end with it where it fails. Emulated, it needs qemu-user and cc."""
    command, variables = [sys.executable, script, *arguments], {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        if emulated:
            emulator, compiler = shutil.which("qemu-x86_64"), shutil.which("cc")
            if not emulator or not compiler:
                raise SystemExit("--emulated needs qemu-x86_64 and cc: Debian's qemu-user and gcc")
            plugin, count = Path(folder) / "instructions.so", Path(folder) / "count"
            subprocess.run(
                [compiler, "-O2", "-shared", "-fPIC", "-o", plugin, Path(__file__).with_suffix(".c")], check=True
            )
            command = [emulator, "-cpu", CPU, "-plugin", f"file={plugin},out={count}", *command]
            variables[_COUNT] = str(count)
        done = subprocess.run(command, check=False, env=variables, stderr=subprocess.PIPE, text=True)
    told = [line for line in done.stderr.splitlines() if "TCG doesn't support" not in line]
    if told:
        print("\n".join(told), file=sys.stderr)
    if done.returncode:
        raise SystemExit(done.returncode)


def counted() -> int:
    """Instructions executed until now; 0 where nothing is emulated."""
    if _COUNT not in os.environ:
        return 0
    os.getppid()  # has the plugin write its count
    return int(Path(os.environ[_COUNT]).read_text())


def milliseconds(instructions: float) -> str:
    """How long an Atom takes at one instruction a cycle: at its slowest and its fastest."""
    slow, fast = (instructions / (1e6 * clock) for clock in GIGAHERTZ)
    return f"{fast:.0f} to {slow:.0f} ms"
