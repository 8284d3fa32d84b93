"""Rows and misses of the score in; one table for the terminal and one HTML page with pictures of the errors out."""

import base64
import html
from collections.abc import Mapping, Sequence

import cv2
from rich.table import Table

from formlens.types import Image
from model.section import Miss, Row

PICTURES = 24
"""Errors of a set that are shown; the most confident ones first."""
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }
.misses { display: flex; flex-wrap: wrap; gap: .8rem }
figure { margin: 0; padding: .5rem; border: 1px solid #ddd; border-radius: 4px }
img { display: block; max-height: 64px; max-width: 30rem; margin-bottom: .3rem }
figcaption { font-size: 13px }
del { color: #b3261e; text-decoration: none } ins { color: #146c2e; text-decoration: none }
"""


def table(rows: Mapping[str, Sequence[Row]]) -> Table:
    """All sections' rows as one table."""
    systems = _systems(rows)
    out = Table("section", "set", "measure", "n", *systems, "goal")
    for section, lines in rows.items():
        before = ""
        for i, row in enumerate(lines):
            values = [row.values.get(system, "") for system in systems]
            named = row.set if row.set != before else ""
            last = i == len(lines) - 1
            out.add_row(
                section if i == 0 else "", named, row.measure, f"{row.size:,}", *values, row.goal, end_section=last
            )
            before = row.set
    return out


def page(version: str, rows: Mapping[str, Sequence[Row]], misses: Mapping[str, Sequence[Miss]]) -> str:
    """The same table as HTML that needs no other file, and below it, set by set, what was read wrong."""
    systems = _systems(rows)
    parts = [f"<!doctype html><meta charset=utf-8><title>Score of {_text(version)}</title><style>{STYLE}</style>"]
    parts.append(f"<h1>Score of {_text(version)}</h1><table>")
    parts.append(_line("th", ["section", "set", "measure", "n", *systems, "goal"]))
    for section, lines in rows.items():
        for row in lines:
            values = [row.values.get(system, "") for system in systems]
            parts.append(_line("td", [section, row.set, row.measure, f"{row.size:,}", *values, row.goal]))
    parts.append("</table>")
    for section, wrong in misses.items():
        for name in dict.fromkeys(miss.set for miss in wrong):
            of_set = sorted((miss for miss in wrong if miss.set == name), key=lambda miss: -(miss.confidence or 0))
            shown = f"{len(of_set)} wrong" + (f", the {PICTURES} surest" if len(of_set) > PICTURES else "")
            parts.append(f"<h2>{_text(section)}: {_text(name)}</h2><p>{shown}</p><div class=misses>")
            parts += [_figure(miss) for miss in of_set[:PICTURES]]
            parts.append("</div>")
    return "\n".join(parts)


def _systems(rows: Mapping[str, Sequence[Row]]) -> list[str]:
    return list(dict.fromkeys(system for lines in rows.values() for row in lines for system in row.values))


def _figure(miss: Miss) -> str:
    sure = "" if miss.confidence is None else f" ({miss.confidence:.2f})"
    read = f"<ins>{_text(miss.true) or '∅'}</ins> read <del>{_text(miss.read) or '∅'}</del>{sure}"
    others = "".join(f"<br>{_text(name)}: {_text(text)}" for name, text in miss.others.items())
    return f'<figure><img alt="" src="{_source(miss.image)}"><figcaption>{read}{others}</figcaption></figure>'


def _source(image: Image) -> str:
    small = (
        image if image.shape[0] <= 128 else cv2.resize(image, None, fx=128 / image.shape[0], fy=128 / image.shape[0])
    )
    return "data:image/jpeg;base64," + base64.b64encode(cv2.imencode(".jpg", small)[1].tobytes()).decode()


def _line(kind: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{_text(cell)}</{kind}>" for cell in cells) + "</tr>"


def _text(text: str) -> str:
    return html.escape(text)
