"""The commands that speak to AWS. What they call is imported when they are called: nothing else here needs boto3."""

import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

app = typer.Typer(rich_markup_mode="markdown")
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Stage = Annotated[str, typer.Option(help="The deployed stage.", envvar="FORMLENS_STAGE")]


@app.command(
    epilog="Example: `formlens upload intake/ --form intake --wait` uploads page1.jpg, page1.csv, …, waits until the "
    "form is learned, and says what is not sure; then scans in `inbox/intake/` are read with it."
)
def upload(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Scans, each with its CSV; and blank.pdf, if any.")],
    form: Annotated[str, typer.Option(metavar="NAME", help="What the form is called in the bucket.")],
    stage: Stage = "dev",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the form is learned.")] = False,
) -> None:
    """Upload a labelled folder to be learned in the cloud; called again, it goes on where it was broken off."""
    from formlens.account.session import connect, explained
    from formlens.account.upload import files_of, upload_folder, wait_for_report

    account = connect(stage)
    files = files_of(folder)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[size]}"))
    lock, bytes_ = threading.Lock(), 0
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("Uploading", total=len(files), size="")

        def moved(_: str, size: int) -> None:
            nonlocal bytes_
            with lock:
                bytes_ += size
                bar.update(task, advance=1, size=f"{bytes_ / 1e6:.1f} MB")

        with explained(account):
            done = upload_folder(folder, form, account, moved)
    errors.print(f"{done.sent} files sent, {done.there} were there -> training/{form}/")
    if not wait:
        return
    report = None
    with errors.status("Learning"), explained(account):
        for report in wait_for_report(account, form, done.manifest):
            if report is None:
                time.sleep(2)
    if report is None or report["status"] != "learned":
        errors.print(f"not learned: {(report or {}).get('reason')}", style="red")
        raise typer.Exit(1)
    for doubt in report["doubts"]:
        errors.print(doubt, style="yellow")
    found = sum(column["found"] for column in report["columns"])
    errors.print(f"{found} of {len(report['columns'])} columns found -> forms/{form}/")
