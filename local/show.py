"""Pages of a cells JSON go in, tables on the terminal come out, doubtful cells marked."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Page = dict[str, Any]
"""One page in the shape of the cells JSON."""

DOUBTFUL = "bold yellow"


def show_pages(pages: list[Page], console: Console) -> None:
    """Print every page: its rows as a table, or why it has none."""
    for page in pages:
        where = f"{page['source']}, page {page['page']}"
        if page["status"] == "unreadable":
            console.print(Text(f"{where}: not read, {page['reason']}", style="red"), "")
        else:
            console.print(grid(page, title=where), "")


def grid(page: Page, title: str) -> Table:
    """The rows of one page, under the columns of its form if it has one.

    A cell that a person should look at has a question mark, also where there is no colour.
    """
    table = Table(title=Text(title), title_justify="left", show_header=bool(page["form"]), show_lines=True)
    for column in dict.fromkeys(cell["column"] for cell in page["cells"]):
        table.add_column(Text(column))
    rows: dict[int, list[Text]] = {}
    for cell in page["cells"]:
        text = Text(f"{cell['text']} ?", style=DOUBTFUL) if cell["flagged"] else Text(cell["text"])
        rows.setdefault(cell["row"], []).append(text)
    for row in rows.values():
        table.add_row(*row)
    return table
