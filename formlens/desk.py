"""The commands of who keeps a camera. What runs on the camera is found beside the package, and imported when called."""

import importlib
import shutil
import sys
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console

from formlens.cells import page_from_json
from formlens.form import load_form
from formlens.identity import CERTIFICATE, KEY, keep_certificate, keep_key, make_request, write_variables
from formlens.output import Output
from formlens.types import CallError

app = typer.Typer(rich_markup_mode="markdown")
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

Stage = Annotated[str, typer.Option(help="The deployed stage.", envvar="FORMLENS_STAGE")]

HERE = Path(__file__).resolve().parent


@app.command(
    epilog="Example: `formlens camera --source v4l2:/dev/video0 --form intake.form --out rows.csv` reads each form "
    "that is put under the camera; the preview is at http://127.0.0.1:8080/, and Ctrl-C ends it and writes the rows."
)
def camera(
    source: Annotated[
        str, typer.Option(help="v4l2:/dev/video0, fifo:PATH, http://…, rtsp://…, file:RECORDING or folder:PICTURES.")
    ],
    form: Annotated[list[Path] | None, typer.Option(help="A learned form; several: each page finds its own.")] = None,
    out: Annotated[Path | None, typer.Option(help="The spreadsheet of this sitting: .csv or .xlsx.")] = None,
    folder: Annotated[Path, typer.Option(help="Where pages are kept: image, reading, what was read last.")] = Path(
        "camera"
    ),
    port: Annotated[int, typer.Option(help="Of the preview; -1 for none.", min=-1, max=65535)] = 8080,
    name: Annotated[str, typer.Option(help="What the camera is called in the names of its pages.")] = "camera",
) -> None:
    """Read what is put under a camera, by hand: the loop that runs on a deployed camera, without an account."""
    if out is not None and out.suffix.lower() not in (".csv", ".xlsx"):
        raise CallError(f"--out {out}: the name must end in .csv or .xlsx")
    function = function_of("camera")
    paths = form or []
    forms = [load_form(path) for path in paths]
    if len({path.stem for path in paths}) < len(paths):
        raise CallError("--form: two forms are called the same; learn one of them under another name")
    shutil.rmtree(folder / "bucket", ignore_errors=True)
    mirror = function_of("mirror").Mirror(folder / "bucket")
    for path in paths:
        mirror.put(f"forms/{path.stem}/{path.stem}.form", path.read_bytes())
    only = paths[0].stem if len(paths) == 1 else "any"
    deployed = function.Deployed(source=source, thing=name, form=only, folder=folder, port=port)
    pages: list[dict[str, Any]] = []

    def kept(page: dict[str, Any]) -> None:
        pages.append(page)
        cells = [cell["text"] for cell in page["cells"]]
        errors.print(f"{page['source']}: " + (page.get("reason") or ", ".join(cells)))

    if port >= 0:
        errors.print(f"preview: http://127.0.0.1:{port}/", style="dim")
    with suppress(KeyboardInterrupt):
        function.work(deployed, kept)
    if out is not None:
        columns = [column.name for column in forms[0].columns] if len(forms) == 1 else None
        with Output(out, columns=columns) as output:
            for page in pages:
                output.add(page_from_json(page))
    unread = sum(page["status"] == "unreadable" for page in pages)
    errors.print(f"{len(pages) - unread} pages read, {unread} not -> {out or folder}")
    if unread:
        raise typer.Exit(1)


@app.command(
    epilog="Example: on the camera, `formlens enroll --name hall` makes a key and prints what goes into "
    "`stacks/settings.py`; after `make deploy`, called again with AWS credentials, it fetches the certificate."
)
def enroll(
    name: Annotated[str, typer.Option(help="What the camera is called in Settings.")],
    stage: Stage = "dev",
    folder: Annotated[Path, typer.Option(help="Where key and certificate are kept.")] = Path("/etc/formlens"),
    source: Annotated[str, typer.Option(help="Where its frames come from, as for `formlens camera`.")] = (
        "v4l2:/dev/video0"
    ),
    form: Annotated[str, typer.Option(help="The form that lies under it.")] = "any",
    authority: Annotated[Path, typer.Option(help="Who vouches for AWS' servers.")] = Path(
        "/etc/ssl/certs/ca-certificates.crt"
    ),
    account_key: Annotated[
        bool, typer.Option("--account-key", help="The account makes the key, and keeps it in Secrets Manager.")
    ] = False,
) -> None:
    """Register this camera, step by step; each step is checked, and can be begun again."""
    if account_key:
        registered = "account_key=1"
        errors.print("1. the account makes the key", style="dim")
    else:
        registered = f'csr="""{make_request(folder, f"formlens-{stage}-{name}")}"""'
        errors.print(f"1. key and request are in {folder}; the key stays there", style="dim")
    from formlens.account.enroll import find_enrolled, key_of
    from formlens.account.session import connect, explained

    try:
        account = connect(stage)
        with explained(account):
            found = find_enrolled(account, name)
            if account_key:
                keep_key(folder, key_of(account, name))
        keep_certificate(folder, found.certificate)
    except CallError as error:
        errors.print(f"2. {error}")
        errors.print("   In stacks/settings.py, to the cameras of this stage; then make deploy, then this once more:")
        typer.echo(f'Camera(name="{name}", form="{form}", {registered}),')
        raise typer.Exit(1) from error
    errors.print("2. the certificate is here, and fits the key", style="dim")
    variables = {
        "AWS_IOT_THING_NAME": found.thing,
        "AWS_DEFAULT_REGION": found.region,
        "BUCKET": found.bucket,
        "CERTIFICATE": str(folder / CERTIFICATE),
        "PRIVATE_KEY": str(folder / KEY),
        "AUTHORITY": str(authority),
        "DATA_HOST": found.data_host,
        "CREDENTIALS_HOST": found.credentials_host,
        "ROLE_ALIAS": found.thing,
        "SOURCE": source,
        "FORM": form,
        "FOLDER": "/var/lib/formlens",
    }
    path = write_variables(folder, variables)
    errors.print(f"3. what the camera is told is in {path}", style="dim")
    link = function_of("link")
    identity = function_of("camera").read_deployed(variables).identity
    try:
        link.credentials(identity)
        link.publish(identity, {"event": "enrolled", "thing": found.thing})
    except (OSError, HTTPException, link.LinkError) as error:
        errors.print(f"4. AWS IoT does not take the certificate: {error}", style="red")
        raise typer.Exit(1) from error
    errors.print("4. AWS IoT knows this camera: systemctl enable --now formlens-camera")


@app.command(epilog="Example: `formlens revoke --name hall` makes the certificate of a stolen camera useless at once.")
def revoke(
    name: Annotated[str, typer.Option(help="What the camera is called in Settings.")],
    stage: Stage = "dev",
) -> None:
    """Revoke a camera's certificate; enrolling with a new key and deploying makes another."""
    from formlens.account.enroll import revoke as revoke_certificates
    from formlens.account.session import connect, explained

    account = connect(stage)
    with explained(account):
        count = revoke_certificates(account, name)
    errors.print(f"{count} certificates of {name} revoked; take the camera out of Settings, or give it another request")


def function_of(name: str) -> ModuleType:
    """A module of the functions: beside the package in a checkout, inside it where it was installed."""
    for place in (HERE / "functions", HERE.parent / "lambda", HERE.parent):
        if (place / f"{name}.py").is_file() and (place / "scan.py").is_file():
            if str(place) not in sys.path:
                sys.path.insert(0, str(place))
            return importlib.import_module(name)
    raise CallError(f"what runs on a camera ({name}.py) is not part of this installation: run it from the repository")
