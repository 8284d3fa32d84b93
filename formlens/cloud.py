"""The commands that speak to AWS. What they call is imported when they are called: nothing else here needs boto3."""

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from formlens.account.checks import Check

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


@app.command(
    epilog="Example: `formlens preflight --instance-type ml.g5.xlarge`, before `make deploy` and after it. Exit status "
    "1: something is to be done first."
)
def preflight(
    instance_type: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="What is to train; more than once for several.")
    ] = None,
    stage: Stage = "dev",
) -> None:
    """Say if the AWS account is ready: credentials, bootstrap, bucket, quotas, instances, limits; and the costs."""
    from formlens.account.preflight import preflight as answers
    from formlens.account.session import connect, explained

    account = connect(stage)
    with explained(account):
        _show(answers(account, tuple(instance_type or ["ml.g4dn.xlarge"])))


@app.command(epilog="Example: `formlens status --stage prod`. Exit status 1: something needs a person.")
def status(stage: Stage = "dev") -> None:
    """Say what of a stage is deployed, and whether it is healthy: from stacks and functions to forms and cameras."""
    from formlens.account.session import connect, explained
    from formlens.account.status import status as answers

    account = connect(stage)
    with explained(account):
        _show(answers(account))


@app.command(
    epilog="Example: `formlens export intake --out intake.parquet` writes all rows that were read of that form."
)
def export(
    form: Annotated[
        str, typer.Argument(metavar="NAME", help="The form in the bucket; `any` for tables without a form.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Ends with .csv, .xlsx or .parquet.")],
    with_source: Annotated[
        bool, typer.Option("--with-source", help="Put the columns source and page in front; Parquet has them always.")
    ] = False,
    stage: Stage = "dev",
) -> None:
    """Write all rows of a form, as they were read in the cloud, into one file."""
    from formlens.account.export import export_form
    from formlens.account.session import connect, explained

    account = connect(stage)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=errors, transient=True
    ) as bar:
        task = bar.add_task("Pages", total=None)
        with explained(account):
            done = export_form(form, out, account, with_source=with_source, fetched=lambda: bar.advance(task))
    unread = f", {done.unread} not read" if done.unread else ""
    errors.print(f"{done.rows} rows of {done.pages} pages{unread} -> {out}")


def _show(checks: "Iterable[Check]") -> None:
    """A line for each answer; exit status 1 where something is to be done."""
    from formlens.account.checks import State

    styles = {State.good: "green", State.wait: "yellow", State.todo: "red", State.told: ""}
    table = Table(box=None, show_header=False, pad_edge=False)
    todo = 0
    with errors.status("Asking AWS"):
        for check in checks:
            table.add_row(Text(check.state, styles[check.state]), Text(check.what), Text(check.text))
            todo += check.state is State.todo
    Console(highlight=False, width=None if sys.stdout.isatty() else 240).print(table)
    if todo:
        raise typer.Exit(1)
