"""A form with a table and the scans that it was learned from go in; columns that stand once on a page come out placed.

A value that the CSV repeats in every row of a page (the village, the day, who wrote the list) is looked for beside the
table, where it is written once. The print there comes from the blank, or is what all scans have in common.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from formlens.anchor import anchor
from formlens.emptied import empty
from formlens.fields import lay_beside
from formlens.form import Form
from formlens.ink import Gray
from formlens.labelled import Folder, only_page, pages_of
from formlens.listing import Listing
from formlens.placing import fitting, place_columns
from formlens.reader import Reader
from formlens.rebuilt import common_print
from formlens.types import Image


def learn_beside(form: Form, folder: Folder, reader: Reader) -> tuple[Form, tuple[str, ...]]:
    """The form with the columns that its table lacks at their places beside it, and a sentence for each of these that
    is not sure, or was found nowhere.
    """
    listing = form.listing
    if listing is None:
        return form, ()
    lost = [column.name for number, column in enumerate(form.columns) if number not in listing.columns]
    once = [name for name in lost if folder.repeats(name)]
    doubts = tuple(f"column `{name}`: not found on the page; it comes out empty" for name in lost if name not in once)
    if not once:
        return form, doubts
    whole = replace(form, blank=_print(form, listing, folder, once, reader))
    rows, sheets = [], []
    for labelled in folder.labelled:
        image = only_page(labelled)
        if (where := anchor(image, form.blank, listing.headers)) is not None:
            rows.append({name: labelled.values[name] for name in once})
            sheets.append(lay_beside(image, whole, where)[0])
    columns, unsure = place_columns(once, rows, sheets, whole, reader)
    found = {column.name: column for column in columns}
    whole = replace(whole, columns=tuple(found.get(column.name, column) for column in form.columns))
    return whole if whole.located > form.located else form, (*doubts, *unsure)


def _print(form: Form, listing: Listing, folder: Folder, once: Sequence[str], reader: Reader) -> Gray:
    """What is printed on the form, its table left white but for the heads of its columns."""
    given = [page.image for page in pages_of(folder.blank)] if folder.blank else []
    copies = [copy for image in given if (copy := _framed(image, form, listing)) is not None][:1]
    if not copies:
        scans = (only_page(labelled) for labelled in folder.labelled)
        copies = [copy for image in scans if (copy := _framed(image, form, listing)) is not None]
        if not copies:
            return form.blank
        if len(copies) == 1:
            row = {name: folder.labelled[0].values[name] for name in once}
            blank = empty(copies[0], fitting(row, reader))
        else:
            grays = [cv2.cvtColor(copy, cv2.COLOR_BGR2GRAY) for copy in copies]
            blank = common_print(np.asarray(np.stack(grays), np.uint8))
    else:
        blank = np.asarray(cv2.cvtColor(copies[0], cv2.COLOR_BGR2GRAY), np.uint8)
    blank = blank.copy()
    for x0, y0, x1, y1 in listing.headers:  # by these the form is found: they stay as they are
        blank[y0:y1, x0:x1] = form.blank[y0:y1, x0:x1]
    return blank


def _framed(image: Image, form: Form, listing: Listing) -> Image | None:
    """A page as the form sees it, its table painted over with paper; None where it is not the form."""
    where = anchor(image, form.blank, listing.headers)
    if where is None:
        return None
    height, width = form.blank.shape
    page = where.warp(image, width, height).copy()
    paper = np.percentile(page.reshape(-1, 3)[::97], 80, axis=0).astype(np.uint8)
    for x0, y0, x1, y1 in listing.bodies:
        page[y0:y1, x0:x1] = paper
    return page
