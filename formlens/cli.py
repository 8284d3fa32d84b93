"""The command line: paths and options go in, files and an exit status come out (0 all read, 1 some not, 2 bad call)."""

import csv
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import cv2
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from formlens import __version__, cloud, desk
from formlens.decode import DIGITS, TEXT
from formlens.evaluate import Evaluation
from formlens.evaluate import evaluate as compare
from formlens.form import Form, load_form, save_form
from formlens.labelled import Labelled, read_folder
from formlens.learn import learn_form
from formlens.output import Output, csv_files
from formlens.pages import read_pages
from formlens.pipeline import read_forms
from formlens.reader import Reader
from formlens.report import HEADER, report, summary
from formlens.scans import Scan, find_scans
from formlens.training import finetune
from formlens.trust import ERROR, count_flagged, promised
from formlens.types import CallError, FormLensError, Image, PageResult
from formlens.values import guard_formula

app = typer.Typer(
    help="Handwriting on paper forms, read into spreadsheets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(cloud.app)
app.add_typer(desk.app)
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Item = TypeVar("Item")

Line = tuple[Path, Image | PageResult]
"""An image of one line and the path it came from, or why there is none."""

Scans = Annotated[list[Path], typer.Argument(metavar="SCAN", help="JPEG, PNG, TIFF, WebP, PDF, or folders of them.")]
WithSource = Annotated[bool, typer.Option("--with-source", help="Put the columns source and page in front.")]
Images = Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Images of one line each, or folders of them.")]


MaxError = Annotated[
    float | None,
    typer.Option(min=0.0001, max=0.5, help="Share of the cells not flagged that may be wrong [default: 0.01]."),
]


class CharsetName(StrEnum):
    """What a line may hold."""

    digits = "digits"
    text = "text"


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    """Handwriting on paper forms, read into spreadsheets."""
    if show:
        typer.echo(f"formlens {__version__}")
        raise typer.Exit


@app.command(
    epilog="Example: `formlens read scans/ --out rows.xlsx --cells cells.json` reads every scan of a folder into one "
    "workbook, doubtful cells marked."
)
def read(
    scans: Scans,
    out: Annotated[Path, typer.Option(help="The spreadsheet to write: .csv or .xlsx.")],
    form: Annotated[
        list[Path] | None,
        typer.Option(
            help="A learned form. Given several times, each page goes to the one it matches; forms of other columns "
            "have a sheet of their own in a workbook, and a file of their own as CSV (rows.NAME.csv)."
        ),
    ] = None,
    cells: Annotated[Path | None, typer.Option(help="Write each cell's text, confidence and box as JSON.")] = None,
    with_source: WithSource = False,
    max_error: MaxError = None,
    own: Annotated[Path | None, typer.Option("--reader", help="A reader that `formlens train` wrote.")] = None,
) -> None:
    """Read scans and photos into a spreadsheet: the fields of learned forms, or each ruled table as it is."""
    _check_name("--out", out, ".csv", ".xlsx")
    if cells is not None:
        _check_name("--cells", cells, ".json")
    forms = [load_form(path) for path in form or ()]
    columns, by_form = _columns(forms)
    outs = [out] if by_form is None or out.suffix.lower() == ".xlsx" else list(csv_files(out, by_form).values())
    found, left = find_scans(scans)
    if left:
        errors.print(f"{_count(len(left), 'other file')} left alone: {_some(path.name for path in left)}", style="dim")
    reader = Reader(own)
    for one in forms:
        _promise(one, reader, max_error)
    rows = flagged = pages = unread = 0
    with Output(out, cells, columns=columns, with_source=with_source, forms=by_form) as output:
        for scan in _progress(found, "Reading", _scan_name):
            for result in read_forms(scan.read_bytes(), scan.source, reader, forms, max_error):
                output.add(result)
                pages += 1
                rows += len({cell.row for cell in result.cells})
                flagged += sum(cell.flagged for cell in result.cells)
                unread += _report(result)
    counts = _count(pages, "page"), _count(rows, "row"), _count(flagged, "cell")
    where = ", ".join(map(str, outs))
    errors.print(
        "{}: {} read, {} not; {}, {} to check -> {}".format(counts[0], pages - unread, unread, *counts[1:], where)
    )
    if unread:
        raise typer.Exit(1)


@app.command(
    epilog="Example: `formlens learn intake/ --out intake.form` learns from page1.jpg and page1.csv, page2.jpg and "
    "page2.csv, …, and blank.pdf where it is there; then `formlens read new/ --form intake.form --out rows.csv`."
)
def learn(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Scans, each with its CSV; blank.pdf if any, or alone.")
    ],
    out: Annotated[Path, typer.Option(metavar="FORM", help="The form to write: one file, data only.")],
    max_error: MaxError = None,
) -> None:
    """Learn where each column lives on a form, from scans and the CSVs typed for them, or from the empty form alone."""
    if out.is_dir():
        raise CallError(f"--out {out}: a folder is there; name a file, for example {out / 'intake.form'}")

    def watch(labelled: Sequence[Labelled]) -> Iterator[Labelled]:
        return _progress(labelled, "Learning", lambda one: one.scan.path.name)

    reader = Reader()
    learned = learn_form(read_folder(folder, blank_alone=True), out.stem, reader, watch, max_error or ERROR)
    save_form(learned.form, out)
    for doubt in learned.doubts:
        errors.print(doubt, style="yellow")
    if learned.form.trust and learned.form.trust.cells:
        flagged = count_flagged(learned.form.trust, reader.version)
        errors.print(
            f"read as if new, {flagged} of {_count(len(learned.form.trust.cells), 'labelled cell')} would be flagged"
        )
    _promise(learned.form, reader, None)
    located = learned.form.located
    errors.print(f"{located} of {_count(len(learned.form.columns), 'column')} found -> {out}")


@app.command(
    epilog="Example: `formlens train intake/ --out mine.onnx` trains on the forms that `learn` takes, ten minutes or "
    "so on two cores; then `formlens read new/ --reader mine.onnx --form intake.form --out rows.csv`."
)
def train(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Folders as `learn` takes them.")],
    out: Annotated[Path, typer.Option(metavar="READER", help="The reader to write, an ONNX file.")],
    data: Annotated[Path, typer.Option(help="What readers are trained on, so that nothing is forgotten.")] = Path(
        ".cache/data"
    ),
    start: Annotated[
        Path | None, typer.Option("--reader", help="The reader to start from (default: the shipped one).")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 32 crops to train on.")] = 400,
    work: Annotated[Path | None, typer.Option(help="Checkpoint, log and curves; a killed training goes on.")] = None,
) -> None:
    """Train the reader on from your own labelled forms; needs `pip install -r model/requirements-train.txt`."""
    _check_name("--out", out, ".onnx")
    finetune(
        folders, out, data=data, work=work or out.with_suffix(".training"), start=start, steps=steps, say=errors.print
    )


@app.command(
    epilog="Example: `formlens evaluate checked/ --form intake.form --report report.html` reads every scan of a "
    "folder, compares with the CSV beside it, and shows the worst cells with their pictures."
)
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Scans, each with its CSV.")],
    form: Annotated[Path, typer.Option(help="The learned form.")],
    to: Annotated[Path | None, typer.Option("--report", help="Write all of it as one HTML file.")] = None,
) -> None:
    """How well a form is read: accuracy, confidence and the worst cells, on scans that it was not learned from."""
    if to is not None:
        _check_name("--report", to, ".html", ".htm")

    def watch(labelled: Sequence[Labelled]) -> Iterator[Labelled]:
        return _progress(labelled, "Reading", lambda one: one.scan.path.name)

    found = compare(read_folder(folder), load_form(form), Reader(), watch)
    for what, group in (("", found.unread), ("missing, ", found.missing), ("too much, ", found.extra)):
        for one in group:
            errors.print(f"{one.source}, {what}{one.what}", style="yellow", markup=False)
    Console(highlight=False).print(_evaluated(found))
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        unfinished = to.with_name(f".{to.name}.unfinished")
        unfinished.write_text(report(found), encoding="utf-8")
        unfinished.replace(to)
    if found.unread:
        raise typer.Exit(1)


@app.command(
    epilog="Example: `formlens recognize crops/*.png --charset digits --out digits.csv` reads each image as one line "
    "of digits."
)
def recognize(
    images: Images,
    out: Annotated[Path, typer.Option(help="The CSV to write: file, text, confidence.")],
    charset: Annotated[CharsetName, typer.Option(help="What a line may hold.")] = CharsetName.text,
) -> None:
    """Read images that are cropped to one line of writing."""
    _check_name("--out", out, ".csv")
    found, _ = find_scans(images)
    reader = Reader()
    allowed = {CharsetName.digits: DIGITS, CharsetName.text: TEXT}[charset]
    unread = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "text", "confidence"])
        for batch in _batches(_lines(_progress(found, "Reading", _scan_name))):
            crops = [line for _, line in batch if not isinstance(line, PageResult)]
            readings = iter(reader.read(crops, allowed))
            for path, line in batch:
                if isinstance(line, PageResult):
                    unread += _report(line)
                    writer.writerow([guard_formula(str(path)), "", "0"])
                else:
                    reading = next(readings)
                    writer.writerow(
                        [guard_formula(str(path)), guard_formula(reading.text), f"{reading.confidence:.6f}"]
                    )
    unfinished.replace(out)
    if unread:
        raise typer.Exit(1)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line (by default the process's own arguments) and exit with its status."""
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.ERROR)
    cv2.setLogLevel(0)  # a bad file is named once, by us
    try:
        app(arguments)
    except FormLensError as error:
        errors.print(f"formlens: {error}", style="red")
        sys.exit(2)
    except OSError as error:
        errors.print(f"formlens: {error.filename}: {error.strerror}", style="red")
        sys.exit(2)
    sys.exit(0)


def _check_name(option: str, path: Path, *suffixes: str) -> None:
    if path.suffix.lower() not in suffixes:
        raise CallError(f"{option} {path}: the name must end in {' or '.join(suffixes)}")
    if path.is_dir():
        raise CallError(f"{option} {path}: this is a folder; name a file")


def _lines(scans: Iterable[Scan]) -> Iterator[Line]:
    """Every page of every image, with the path it came from."""
    for scan in scans:
        for page in read_pages(scan.read_bytes(), scan.source):
            yield scan.path, page if isinstance(page, PageResult) else page.image


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines by the dozen, so that all cores read; fewer where they are large, so that memory stays flat."""
    batch: list[Line] = []
    pixels = 0
    for path, line in lines:
        batch.append((path, line))
        pixels += 0 if isinstance(line, PageResult) else line.size
        if len(batch) == 64 or pixels > 50_000_000:
            yield batch
            batch, pixels = [], 0
    yield batch


def _evaluated(found: Evaluation) -> Table:
    """The summary for a terminal: a line a column, and one for all."""
    title = f"{found.form.name}: {_count(found.scans, 'scan')}, {_count(found.pages, 'page')}"
    table = Table(title=f"{title}, {_count(len(found.missing), 'row')} missing, {len(found.extra)} too much")
    for number, name in enumerate(HEADER):
        table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    for column in found.form.columns:
        table.add_row(escape(column.name), *summary(found, column.name))
    table.add_row("all", *summary(found, None), style="bold")
    return table


def _promise(form: Form, reader: Reader, error: float | None) -> None:
    """Say on stderr what is promised of the cells that are not flagged."""
    for sentence in promised(form.trust, reader.version, error):
        errors.print(f"{form.name}, {sentence}", style="dim", markup=False)


def _report(result: PageResult) -> bool:
    """Name an unreadable page on stderr; say whether it was one."""
    if result.status == "read":
        return False
    errors.print(f"{result.source}, page {result.page}: {result.reason}", style="yellow")
    return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _some(names: Iterable[str], most: int = 5) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def _scan_name(scan: Scan) -> str:
    return scan.path.name


def _columns(forms: Sequence[Form]) -> tuple[list[str] | None, dict[str, list[str]] | None]:
    """The header that all forms share, or, where they differ, that of each form by its name; neither without a form.

    Raises CallError for two forms of one name.
    """
    names = Counter(form.name for form in forms)
    if any(many > 1 for many in names.values()):
        raise CallError(
            f"--form: two forms are called {names.most_common(1)[0][0]}; learn one of them under another name"
        )
    headers = {form.name: [column.name for column in form.columns] for form in forms}
    if len({tuple(header) for header in headers.values()}) > 1:
        return None, headers
    return next(iter(headers.values()), None), None


def _progress(items: Sequence[Item], what: str, name: Callable[[Item], str]) -> Iterator[Item]:
    """The items, one by one, with a progress bar on a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=len(items))
        for item in items:
            progress.update(task, description=f"{what} {name(item)}")
            yield item
            progress.advance(task)
