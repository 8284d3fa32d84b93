"""Blank forms alone go in; the share of their fields that are found, and of names that are right, comes out.

    .cache/peers/bin/python -m model.score --only blank        (five minutes; blank/tuning or blank/f8995 is a part)

The truth is what the PDFs say of themselves: where their fields are, and what a screen reader says for each. Print is
read by the detector and recognizer that `rapidocr` carries, as `formlens learn` does it. A field counts as found from
half an overlap (IoU) with a field of the same kind (to write in, or to mark), one to one. A name counts as right if of
all the descriptions on its page that of its own field holds most of the name's words, more than half of them, and more
than any other (of two that hold as many, the one that says less beside; some say the same of two fields).
The layouts are in two halves by a hash of their names: methods were chosen on `tuning` alone.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

import cv2
import numpy as np

from formlens.blank import columns_of
from formlens.form import Column
from formlens.places import overlap
from formlens.printed import print_reader
from formlens.types import Box, CallError, Image
from model.filled import read_blank
from model.score_forms import Tally, is_tuning
from model.section import OURS, Absent, Miss, Row, Setup
from model.widgets import Widget, read_widgets


def score(setup: Setup) -> Iterator[Row | Miss]:
    """Fields and names of each half of the layouts."""
    blanks = sorted((setup.data / "blank_forms").glob("*.pdf"))
    if not blanks:
        raise Absent(f"no blank_forms in {setup.data}")
    try:
        read = print_reader()
    except CallError as error:
        raise Absent("needs rapidocr: pip install -r model/requirements.txt") from error
    parts = {name.partition("/")[2] for name in setup.only if name.startswith("blank/")}
    for half in ("tuning", "unseen"):
        tally = Tally()
        for path in blanks:
            if is_tuning(path) == (half == "tuning") and (not parts or parts & {half, path.stem}):
                image = read_blank(path).image
                columns = columns_of(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8), read)
                compare(path.stem, image, read_widgets(path), columns, tally)
        if tally.all:
            yield from _rows(half, tally)
            for miss in tally.misses:
                yield Miss(f"{half}: {miss.set}", miss.image, miss.true, miss.read)


def compare(name: str, image: Image, widgets: Sequence[Widget], columns: Sequence[Column], tally: Tally) -> None:
    """Count the fields of one blank that were found, what was found beside them, and the names that are right."""
    found = places_of(columns)
    pairs = paired([(widget.box, widget.mark) for widget in widgets], [(box, mark) for _, box, mark in found])
    for number, widget in enumerate(widgets):
        miss = partial(_crop, image, widget.box, f"{name} {widget.said}", "not found")
        tally.count("fields found", number in pairs, miss)
    for number, (label, box, _) in enumerate(found):
        tally.count("found that are fields", number in pairs.values(), partial(_crop, image, box, name, label))
    for number, other in pairs.items():
        label, widget = found[other][0], widgets[number]
        right = is_named(label, number, [one.said for one in widgets])
        tally.count("names right", right, partial(_crop, image, widget.box, widget.said, label))


def places_of(columns: Sequence[Column]) -> list[tuple[str, Box, bool]]:
    """Every place of a form, if it is marked, and its name: that of its column and, of several boxes, of the box."""
    found = []
    for column in columns:
        if column.choice is not None:
            options = column.choice.options
            found += [(f"{column.name} {o.text}" if len(options) > 1 else column.name, o.box, True) for o in options]
        elif column.place is not None:
            found.append((column.name, column.place, False))
    return found


def paired(true: Sequence[tuple[Box, bool]], found: Sequence[tuple[Box, bool]]) -> dict[int, int]:
    """Which found place is which true one: the best overlaps of at least a half first, each place once."""
    shares = [
        (overlap(a, b), i, j) for i, (a, one) in enumerate(true) for j, (b, other) in enumerate(found) if one == other
    ]
    pairs: dict[int, int] = {}
    for share, i, j in sorted(shares, reverse=True):
        if share >= 0.5 and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def is_named(name: str, own: int, said: Sequence[str]) -> bool:
    """Whether of all that is said on a page that for a name's own field holds most of its words."""
    words = _words(name)
    shares = [_held(words, _words(text)) for text in said]
    return shares[own][0] > 0.5 and all(share < shares[own] for n, share in enumerate(shares) if said[n] != said[own])


def _held(words: frozenset[str], said: frozenset[str]) -> tuple[float, float]:
    """The share of some words that is said, and the share of what is said that they are."""
    common = len(words & said)
    return common / max(1, len(words)), common / max(1, len(said))


def _words(text: str) -> frozenset[str]:
    """Lower-case words; letters said one by one ("P T P", "i i") are one."""
    joined = re.sub(r"\b([A-Z]) (?=[A-Z]s?\b)", r"\1", re.sub(r"\b([ivx]) (?=[ivx]\b)", r"\1", text))
    return frozenset(re.findall(r"[^\W_]+", joined.casefold()))


def _crop(image: Image, box: Box, true: str, read: str) -> Miss:
    x0, y0, x1, y1 = box
    return Miss("", image[max(0, y0 - 40) : y1 + 40, max(0, x0 - 200) : x1 + 40], true, read)


def _rows(half: str, tally: Tally) -> Iterator[Row]:
    right, found = tally.right["fields found"], tally.all.get("found that are fields", 0)
    f1 = 2 * right / max(1, tally.all["fields found"] + found)
    yield Row(half, "fields: F1", tally.all["fields found"], {OURS: f"{f1:.3f}"}, ">= 0.95")
    for what in ("fields found", "found that are fields", "names right"):
        yield Row(half, what, tally.all.get(what, 0), {OURS: tally.share(what)})
