"""Scans and what people typed for them go in; the form, and what is not sure about it, come out.

All scans are put on the blank, or on each other where there is none; the pen's strokes on all of them give the places;
each column goes to the place where the reader finds its values likeliest, over all scans and columns together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formlens.beside import learn_beside
from formlens.blank import columns_of
from formlens.emptied import empty
from formlens.fields import lay_on
from formlens.form import Form
from formlens.hand import Lesson
from formlens.heldout import check_held_out
from formlens.ink import Gray
from formlens.labelled import Folder, Labelled, only_page, pages_of
from formlens.labels import is_nameless
from formlens.listed import learn_listing
from formlens.placing import fitting, place_columns
from formlens.printed import ReadPrint, print_reader
from formlens.reader import Reader
from formlens.rebuilt import framed, in_frame, rebuilt
from formlens.rectify import square
from formlens.register import find_print, register
from formlens.trust import ERROR, learn_trust
from formlens.types import CallError, Image, Page


@dataclass(frozen=True)
class Learned:
    """A form, and what a person should know about it, a sentence each."""

    form: Form
    doubts: tuple[str, ...]


def learn_form(
    folder: Folder,
    name: str,
    reader: Reader,
    watch: Callable[[Sequence[Labelled]], Iterable[Labelled]] = iter,
    error: float = ERROR,
    read_print: Callable[[], ReadPrint] = print_reader,
    *,
    trusted: bool = True,
) -> Learned:
    """Learn a form from a labelled folder; ``watch`` passes the scans on, and may show how far they are.

    ``error`` is the share of wrong cells that may go unflagged, ``read_print`` makes what reads the labels of a blank
    that no labelled scan is beside. A form that is not ``trusted`` takes half as long: it is not calibrated on its
    scans, and serves to find where things stand.

    Raises CallError, which names the file, for a scan that cannot be read or is not the same form as the others.
    """
    if folder.is_blank_alone:
        return _learn_blank(folder, name, read_print())
    if folder.is_table:
        form, unlike, lessons = learn_listing(folder, name, reader, watch)
        form, doubts = learn_beside(form, folder, reader)
        learned = Learned(form, (*doubts, *unlike))
        return _trusted(learned, folder, reader, error, lessons) if trusted else learned
    images = {labelled.scan.source: only_page(labelled) for labelled in folder.labelled}
    form = Form(name, (), _blank(folder, list(images.values()), reader))
    sheets = []
    for labelled in watch(folder.labelled):
        image = images.pop(labelled.scan.source)
        where = register(image, form.print)
        if where is None:
            raise CallError(f"{labelled.scan.path}: this page does not look like the other scans, or the blank")
        sheets.append(lay_on(image, form, where))
    rows = [labelled.values for labelled in folder.labelled]
    columns, doubts = place_columns(folder.columns, rows, sheets, form, reader)
    learned = Learned(Form(name, columns, form.blank), doubts)
    return _trusted(learned, folder, reader, error) if trusted else learned


def _learn_blank(folder: Folder, name: str, read: ReadPrint) -> Learned:
    """A form whose columns are the places to fill on its blank."""
    if folder.blank is None:
        raise CallError("neither a labelled scan nor a blank to learn from")
    pages = list(pages_of(folder.blank))
    blank = framed(square(pages[0].image).image)
    columns = columns_of(blank, read)
    if not columns:
        raise CallError(f"{folder.blank.path}: no place to fill was found on it; put scans with their CSVs beside it")
    doubts = [f"{folder.blank.path.name} has {len(pages)} pages; the form is its first"] if len(pages) > 1 else []
    doubts += [f"column `{c.name}`: no label was found beside its place" for c in columns if is_nameless(c.name)]
    return Learned(Form(name, columns, blank), tuple(doubts))


def _trusted(
    learned: Learned, folder: Folder, reader: Reader, error: float, lessons: Sequence[Sequence[Lesson]] = ()
) -> Learned:
    """The same form, calibrated on its labelled scans; ``lessons`` are those of each that taught its hand."""
    checked = tuple(check_held_out(folder.labelled, learned.form, reader, lessons))
    return Learned(replace(learned.form, trust=learn_trust(checked, reader.version, error)), learned.doubts)


def _blank(folder: Folder, images: Sequence[Image], reader: Reader) -> Gray:
    """The empty form, in the size of a form's frame."""
    if folder.blank is None and len(images) == 1:
        return empty(in_frame(square(images[0]).image), fitting(folder.labelled[0].values, reader))
    if folder.blank is None:
        return rebuilt(images, str(folder.labelled[0].scan.path))
    pages = list(pages_of(folder.blank))
    # a blank of several pages: the one that the scans are copies of
    prints = [find_print(page.image) for page in pages] if len(pages) > 1 else []
    scores = [(where.score if (where := register(images[0], p)) else 0.0) for p in prints]
    page: Page = pages[int(np.argmax(scores))] if scores else pages[0]
    return framed(square(page.image).image)
