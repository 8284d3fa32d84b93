"""A labelled folder and its learned form go in; crops as the reader is shown them and what they say come out.

The crops are cut where `formlens learn` found the columns, by the code that cuts them when a form is read.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from formlens.alignment import align
from formlens.anchor import anchor
from formlens.decode import likelihood
from formlens.entries import read_entries
from formlens.fields import lay_on
from formlens.form import Form
from formlens.grammar import lifts, spell
from formlens.kinds import Kind
from formlens.labelled import Labelled, only_page
from formlens.pen import cut
from formlens.reader import Reader
from formlens.register import register
from formlens.types import CallError, Image
from model.data import Sample

Seen = NDArray[np.float32]


def examples(labelled: Labelled, form: Form, path: Path | None = None) -> list[Sample]:
    """The crops of one labelled scan, read by the reader of that path to tell which row is which.

    Raises CallError, which names the file, for a scan that is not the form.
    """
    reader = Reader(path)
    image = only_page(labelled)
    where = register(image, form.print) if form.listing is None else anchor(image, form.blank, form.listing.headers)
    if where is None:
        raise CallError(f"{labelled.scan.path}: this page does not look like form {form.name}")
    found: list[tuple[Image, str]] = []
    if form.listing is None:
        sheet = lay_on(image, form, where)
        for column in form.columns:
            value = labelled.values[column.name]
            crop = cut(sheet, column.place) if column.place and column.kind.name != "mark" and value else None
            if crop is not None:
                found.append((crop, _written(value, column.kind, reader.probabilities([crop])[0], reader.alphabet)))
    else:
        shown: dict[int, list[tuple[Image, Seen]]] = {}
        list(read_entries(image, form, where, reader, 0.0, lambda n, *pair: shown.setdefault(n, []).append(pair)))
        for number, pairs in shown.items():
            column = form.columns[number]
            values = [row[column.name] for row in labelled.rows if row[column.name]]
            found += paired(values, pairs, column.kind, reader.alphabet)
    known = set(reader.alphabet)
    return [Sample(crop, text, "own") for crop, text in found if text and known.issuperset(text)]


def paired(
    values: Sequence[str], shown: Sequence[tuple[Image, Seen]], kind: Kind, alphabet: str
) -> Iterable[tuple[Image, str]]:
    """Each value beside its crop; a value whose crop cannot be told from chance is left out with it."""
    fit = np.full((len(values), len(shown)), -1e3)
    room = 3 + abs(len(values) - len(shown))
    for i, value in enumerate(values):
        for j in range(max(0, i - room), min(len(shown), i + room + 1)):
            fit[i, j] = np.log(0.9 * max(lifts(value, shown[j][1], alphabet, kind)) + 0.1)
    if len(values) == len(shown):  # every row has its crop: the order alone says which
        fit = np.where(np.eye(len(values), dtype=bool), fit + 1.0, fit)
    for value, crop in zip(values, align(fit, 0.5), strict=True):
        if crop is not None:
            image, seen = shown[crop]
            yield image, _written(value, kind, seen, alphabet)


def _written(value: str, kind: Kind, seen: Seen, alphabet: str) -> str:
    """The way to write a value that the crop looks most like."""
    texts = {text for way, _ in kind.ways for text in spell(kind, value.strip(), way)} or {value.strip()}
    spellings = {text: [alphabet.find(sign) + 1 for sign in text] for text in sorted(texts)}
    fits = {text: likelihood(seen, spelling) for text, spelling in spellings.items() if 0 not in spelling}
    return max(fits, key=lambda text: fits[text]) if fits else ""
