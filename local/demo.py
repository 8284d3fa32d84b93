"""`make demo`: FormLens deployed on the embedded cloud, real scans in, a spreadsheet out; nothing touches AWS.

Every page that goes in is accounted for before the spreadsheet is shown. One of the scans is cut short on purpose.
Then a form is learned from scans and the CSVs typed for them, and a photo of it is read into its columns.
"""

import argparse
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.prompt import Confirm

from formlens.pages import read_pages
from local import stage
from local.cdk import CdkError
from local.cloud import Cloud, CloudError
from local.install import ROOT, InstallError
from local.pile import Account, account, fetch, keys, put_scan
from local.show import show_pages

SAMPLES = ROOT / "samples" / "tables"
FORM = ROOT / "samples" / "intake"
SCANS = (".jpg", ".png", ".pdf")
OUT = ROOT / "out" / "demo"
PATIENCE = 90.0
"""Seconds without any progress after which the demo gives up on the pages that are missing."""

console = Console(highlight=False, soft_wrap=True)
began = time.monotonic()


class DemoError(Exception):
    """The demo did not come to its end; the text says what is missing."""


def main(arguments: list[str]) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--destroy", action="store_true", help="run `cdk destroy` at the end without asking")
    parser.add_argument("--keep", action="store_true", help="leave the cloud up at the end, to look around in it")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # All as Ctrl-C, also where the caller ignores it: cdk runs in a session of its own, and would not end with us.
        signal.signal(number, signal.default_int_handler)
    try:
        run(destroy=options.destroy, keep=options.keep)
    except (CdkError, CloudError, InstallError, DemoError) as error:
        console.print(f"\n{error}", markup=False, style="red")
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped. The cloud is gone, and everything in it.")
        return 130
    return 0


def run(*, destroy: bool, keep: bool) -> None:
    """The demo from its first step to its last."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise DemoError("The functions' packages are those of Lambda: the demo runs on Linux on x86_64.")
    assembly = ROOT / "out" / "assembly"
    with ExitStack() as at_end:
        with step("Starting the embedded cloud: AWS on this machine, in one process"):
            cloud = at_end.enter_context(Cloud())
        with step("cdk bootstrap: what cdk itself needs in an account"):
            stage.bootstrap(cloud)
            before = stage.inventory(cloud)
        with step("cdk synth: templates, functions and their packages (fetched the first time)"):
            stage.synthesize(assembly)
        with step("cdk deploy: one bucket, three queues, the functions behind them"):
            outputs = stage.deploy(cloud, assembly)
        scans = pile()
        expected = sum(len(list(read_pages(data, name))) for name, data in scans.items())
        with step(f"{len(scans)} scans into s3://{outputs[stage.BUCKET]}/inbox/any/"):
            for name, data in scans.items():
                put_scan(cloud, outputs, name, data)
        with step(f"Waiting for their {expected} pages", show=False):
            done = wait(cloud, outputs, expected)
        console.print(f"\n{expected} pages went in: {done.read} read, {done.failed} failed, none missing.\n")
        show_pages([{**page, "source": where(page["source"])} for page in done.pages], console)
        console.print(
            f"{done.doubtful} cells are marked with a question mark: worth a look, because FormLens is not sure."
        )
        learn(cloud)
        put_scan(cloud, outputs, "photo.jpg", (FORM / "photo.jpg").read_bytes(), FORM.name)
        with step(f"A photo of the form into s3://{outputs[stage.BUCKET]}/inbox/{FORM.name}/", show=False):
            done = wait(cloud, outputs, expected + 1)
        console.print()
        show_pages([page for page in done.pages if page["form"] == FORM.name], console)
        for path in download(cloud, outputs):
            console.print(str(path.relative_to(ROOT)), style="bold")
        if keep:
            linger(cloud)
        if destroy or (not keep and console.is_terminal and sys.stdin.isatty() and Confirm.ask("\nRun cdk destroy?")):
            with step("cdk destroy"):
                stage.destroy(cloud, assembly)
            left = stage.inventory(cloud) - before
            console.print(
                "\n".join(["Left behind:", *sorted(left)]) if left else "Nothing is left of it in any service."
            )


def pile() -> dict[str, bytes]:
    """The scans of the demo by name; the last one is cut short, as by a transfer that broke off."""
    scans = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir()) if path.suffix in SCANS}
    whole = scans["tables.pdf"]
    return {**scans, "cut short.pdf": whole[: len(whole) // 2]}


def learn(cloud: Cloud) -> None:
    """Upload the labelled sample by the command that people use, and wait for what is learned from it."""
    words = ["upload", str(FORM.relative_to(ROOT) / "labelled"), "--form", FORM.name, "--stage", "local", "--wait"]
    with step(f"formlens {' '.join(words)}"):
        command = [sys.executable, "-m", "formlens", *words]
        done = subprocess.run(command, cwd=ROOT, env=cloud.environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise DemoError(f"{done.stderr}\n{cloud.log()[-4000:]}")
    console.print(done.stderr.strip(), markup=False)


def where(source: str) -> str:
    """The path of a scan from the root of the project, if it is one of the samples."""
    path = SAMPLES / source
    return str(path.relative_to(ROOT)) if path.exists() else source


def wait(cloud: Cloud, outputs: dict[str, str], expected: int) -> Account:
    """Wait, and show how far it is, until every page is in the spreadsheets. Raises DemoError when nothing moves."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("pages"))
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("Reading", total=expected)
        moved = time.monotonic()
        while True:
            now = account(cloud, outputs)
            if len(now.pages) == expected and not now.waiting:
                return now
            if len(now.pages) != progress.tasks[0].completed:
                progress.update(bar, completed=len(now.pages))
                moved = time.monotonic()
            if time.monotonic() - moved > PATIENCE:
                raise DemoError(
                    f"{expected} pages went in, {len(now.pages)} came out: nothing has moved for {PATIENCE:.0f} s.\n"
                    f"{cloud.log()[-4000:]}"
                )
            time.sleep(0.3)


def download(cloud: Cloud, outputs: dict[str, str]) -> list[Path]:
    """Fetch the spreadsheets; what an earlier demo left there goes."""
    shutil.rmtree(OUT, ignore_errors=True)
    paths = []
    for key in keys(cloud, outputs, "sheets/"):
        path = OUT / key.removeprefix("sheets/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fetch(cloud, outputs, key))
        paths.append(path)
    return paths


def linger(cloud: Cloud) -> None:
    """Leave the cloud up until somebody presses Enter, and say how to reach it."""
    script = OUT / "environment.sh"
    write_environment(cloud, script)
    console.print(f"\nThe cloud stays up. In another shell: source {script.relative_to(ROOT)}, then aws, cdk or boto3.")
    console.input("Press Enter when you are done. ")


def write_environment(cloud: Cloud, script: Path) -> None:
    """Write what a shell sources to use this cloud and no account, with the cdk and the Python of this project."""
    commands = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")])
    lines = [f'export PATH={shlex.quote(commands)}:"$PATH"', "unset AWS_PROFILE AWS_SESSION_TOKEN"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in cloud.access.items()]
    script.write_text("\n".join(lines) + "\n")


@contextmanager
def step(what: str, *, show: bool = True) -> Iterator[None]:
    """Say what is being done, and afterwards how long it took."""
    start = time.monotonic()
    spinner = console.status(what) if console.is_terminal and show else nullcontext()
    if not console.is_terminal:
        console.print(f"{start - began:6.1f} s  {what} ...")
    with spinner:
        yield
    if console.is_terminal:
        console.print(f"{time.monotonic() - began:6.1f} s  {what} ({time.monotonic() - start:.1f} s)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
