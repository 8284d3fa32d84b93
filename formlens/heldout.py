"""Labelled scans on their form go in; each scan's cells, read as if it were new, come out beside what people typed.

The places of the columns stay; what a column may hold is learned again from the other scans each time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from formlens.compare import same
from formlens.fields import read_sheet
from formlens.form import Form
from formlens.kinds import Kind
from formlens.pen import Sheet
from formlens.reader import Reader
from formlens.register import Registration
from formlens.trust import Checked

_FOLDS = 8
"""Parts that many scans are divided into; few are left out one by one."""

KindFrom = Callable[[int, Sequence[int]], Kind]
"""The kind of a column, by number, as some of the scans teach it."""


def check_held_out(
    sheets: Sequence[Sheet],
    wheres: Sequence[Registration],
    rows: Sequence[dict[str, str]],
    form: Form,
    kind_from: KindFrom,
    reader: Reader,
) -> Iterator[Checked]:
    """Read every scan with what the others teach; nothing comes out of a single scan."""
    count = len(sheets)
    for fold in range(min(count, _FOLDS) if count > 1 else 0):
        held = range(fold, count, min(count, _FOLDS))
        others = [scan for scan in range(count) if scan not in held]
        columns = tuple(
            column if column.place is None or column.kind.name == "mark" else replace(column, kind=kind_from(n, others))
            for n, column in enumerate(form.columns)
        )
        as_others_teach = replace(form, columns=columns)
        for scan in held:
            sheet = sheets[scan]
            for cell in read_sheet(sheet, as_others_teach, wheres[scan], reader, 0.0, sheet.image.shape):
                if cell.clues is not None:
                    yield Checked(scan, cell.column, cell.clues, same(cell.text, rows[scan][cell.column]))
