"""A labelled folder and the form that it taught go in; each scan's cells, read as if it were new, come out beside what
people typed.

Places, and ways of writing, stay as all scans taught them; what may stand in a column is learned from the other scans.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from formlens.abreast import abreast
from formlens.compare import pair_rows, same
from formlens.fields import find_form, read_fields
from formlens.form import Column, Form
from formlens.hand import Lesson, learn_hand
from formlens.kinds import written_kind_of
from formlens.labelled import Labelled, only_page
from formlens.reader import Reader
from formlens.sheet import rows_of
from formlens.trust import Checked
from formlens.types import PageResult, UnreadableError

_FOLDS = 8
"""Parts that many scans are divided into; few are left out one by one."""


def check_held_out(
    labelled: Sequence[Labelled], form: Form, reader: Reader, lessons: Sequence[Sequence[Lesson]] = ()
) -> Iterator[Checked]:
    """Read every scan with what the others teach; nothing comes out of a single scan.

    ``lessons`` are the crops of known text of each scan from which the form's hand was learned, where it has one.
    """
    for checked in abreast(
        lambda one: list(_check(*one, reader)), _held(labelled, form, reader, lessons), reader.threads
    ):
        yield from checked


def _held(
    labelled: Sequence[Labelled], form: Form, reader: Reader, lessons: Sequence[Sequence[Lesson]]
) -> Iterator[tuple[Labelled, int, Form]]:
    """Each scan, its number, and the form as the others teach it."""
    count = len(labelled)
    for fold in range(min(count, _FOLDS) if count > 1 else 0):
        held = range(fold, count, min(count, _FOLDS))
        others = [row for scan in range(count) if scan not in held for row in labelled[scan].rows]
        columns = tuple(_as_taught(column, [row[column.name] for row in others]) for column in form.columns)
        shown = [lesson for scan, own in enumerate(lessons) if scan not in held for lesson in own]
        hand = learn_hand(shown, reader.version, proven=True) if form.hand else None
        taught = replace(form, columns=columns, hand=hand)
        yield from ((labelled[scan], scan, taught) for scan in held)


def _as_taught(column: Column, values: Sequence[str]) -> Column:
    """A column at its place, written in its ways, that knows of these values alone what it may hold."""
    if not any(values):
        return column
    if column.choice is not None and column.choice.way != "grid" and column.kind.name != "mark":
        parts = {part.strip() for value in values for part in value.split(column.choice.joint.strip() or "\n")}
        options = tuple(replace(o, sure=o.sure and o.text in parts) for o in column.choice.options)
        return replace(column, choice=replace(column.choice, options=options))
    if column.kind.name == "mark" or column.choice is not None:
        return column
    kind = written_kind_of(values)
    if kind.name != column.kind.name:  # too few of them to tell the kind: it stays, its values are theirs
        kind = replace(column.kind, examples=kind.examples)
    return replace(column, kind=replace(kind, ways=column.kind.ways))


def _check(labelled: Labelled, scan: int, form: Form, reader: Reader) -> Iterator[Checked]:
    """The cells of one scan; a page that is not found to be the form has none."""
    image = only_page(labelled)
    try:
        form, where = find_form(image, [form])
    except UnreadableError:
        return
    cells = tuple(read_fields(image, form, where, reader, 0.0))
    read = list(rows_of(PageResult(labelled.scan.source, 1, "read", form.name, cells)))
    names = [column.name for column in form.columns]
    once = {column.name for column in form.columns if column.place is not None}
    typed = [[row[name] for name in names] for row in labelled.rows]
    pairs = pair_rows([[cell.text for cell in row] for row in read], typed)
    both = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    for number, (mine, theirs) in enumerate(both):
        for cell in read[mine]:
            # what stands once on a page is checked once
            if cell.clues is not None and (not number or cell.column not in once):
                yield Checked(scan, cell.column, cell.clues, same(cell.text, labelled.rows[theirs][cell.column]))
