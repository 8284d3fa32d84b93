"""Columns with what people typed, and pages that lie on their form, go in; where each column stands, and what is not
sure about it, come out.

The pen's strokes on all pages give the places; each column goes to the place where the reader finds its values
likeliest, over all pages and columns together.
"""

from collections.abc import Mapping, Sequence
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from formlens.assign import assign
from formlens.boxes import find_boxes
from formlens.choices import Choice, Option
from formlens.choosing import Candidates, Settled, beside_name, choose, labels_of, words_of
from formlens.circled import circled, find_words
from formlens.combs import cut_place
from formlens.emptied import Fit
from formlens.fillable import find_combs
from formlens.form import Column, Form
from formlens.grammar import lifts, settle
from formlens.kinds import Kind, kind_of, may_be_written, silent_kind_of, written_kind_of
from formlens.marks import marked_on
from formlens.pen import Sheet
from formlens.places import find_places
from formlens.reader import Reader
from formlens.types import Box

_DOUBT = 3.0
"""A column whose place is less than so much likelier (nats) than another is reported."""

_WEAK = 1.5
"""A column whose place is likelier (nats) than chance by less is reported."""

_WRITTEN = 1.0
"""Nats a scan by which a column is likelier written than not where nobody needs to look for marks."""

Seen = NDArray[np.float32]


def place_columns(
    names: Sequence[str], rows: Sequence[dict[str, str]], sheets: Sequence[Sheet], form: Form, reader: Reader
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns of these names at their places, and a sentence for each that is not sure.

    ``rows`` has what was typed for each of the ``sheets``, which lie on the form; of this its print alone is needed.
    """
    kinds = [kind_of([row[name] for row in rows]) for name in names]
    combs = find_combs(form.blank)
    places = _with_combs(find_places(sheets, form.printed), combs)
    seen = _see(sheets, places, reader, combs)
    fits = np.full((len(names), len(places)), -1e6)
    words: dict[int, Kind] = {}
    for i, name in enumerate(names):
        values = [row[name] for row in rows]
        if kinds[i].name != "mark":
            kinds[i], fits[i] = _fit_best_way(kinds[i], values, seen, reader.alphabet)
        elif may_be_written(values):  # answers of yes and no may be words on the paper
            words[i], fits[i] = _fit_best_way(written_kind_of(values), values, seen, reader.alphabet)
            fits[i][fits[i] < _WRITTEN * len(rows)] = -1e6
    # what is plainly written somewhere is not looked for among the marks
    asked = [i for i in range(len(names)) if fits[i].max(initial=-1.0) < _WRITTEN * len(rows)]
    marks = _marks([names[i] for i in asked], rows, [kinds[i] for i in asked], sheets, form, reader)
    marks = {asked[n]: one for n, one in marks.items() if one.fit > fits[asked[n]].max(initial=0.0)}
    fits[list(marks)] = -1e6
    given = assign(fits)
    kinds = [
        words[i] if i in words and i not in marks and given[i] is not None else kinds[i] for i in range(len(names))
    ]
    silent = _silent(
        names, rows, [i for i, where in enumerate(given) if where is None and i not in marks], marks, form, reader
    )
    columns, doubts = [], []
    for i, (name, where) in enumerate(zip(names, given, strict=True)):
        if i in marks:
            columns.append(Column(name, kinds[i], marks[i].choice.place, marks[i].choice))
            if marks[i].fit < _WEAK:
                doubts.append(f"column `{name}`: its place is not sure; add labelled scans")
            continue
        if i in silent:
            columns.append(silent[i])
            no = silent[i].kind.typed.partition("\n")[2]
            found = (
                "its place is not known" if silent[i].place is None else "its box is the one with its name beside it"
            )
            doubts.append(
                f"column `{name}`: `{no}` on every labelled scan, so {found}; add a labelled scan with another answer"
            )
            continue
        place = None if where is None else places[where]
        columns.append(Column(name, kinds[i], place, cells=1 if place is None else combs.get(place, 1)))
        if where is None:
            doubts.append(f"column `{name}`: not found on the page; it comes out empty")
        elif (lead := _lead(fits[i], where, given)) < _DOUBT:
            doubts.append(f"column `{name}`: two places fit; {_ask(_DOUBT - lead, fits[i, where], len(rows))}")
        elif fits[i, where] < _WEAK:
            doubts.append(
                f"column `{name}`: its place is not sure; {_ask(_WEAK - fits[i, where], fits[i, where], len(rows))}"
            )
    return tuple(columns), tuple(doubts)


def fitting(row: Mapping[str, str], reader: Reader) -> Fit:
    """How well the written values of the only row that is known fit places on the only page."""

    def fit(sheets: Sequence[Sheet], places: Sequence[Box]) -> NDArray[np.float64]:
        seen = _see(sheets, places, reader)
        kinds = {name: kind_of([value]) for name, value in row.items()}
        written = [name for name, value in row.items() if value and kinds[name].name != "mark"]
        fits = [_fit_best_way(kinds[name], [row[name]], seen, reader.alphabet)[1] for name in written]
        return np.array(fits).reshape(len(written), len(places))

    return fit


def _silent(
    names: Sequence[str], rows: Sequence[dict[str, str]], lost: Sequence[int], marks: Mapping[int, Settled], form: Form,
    reader: Reader,
) -> dict[int, Column]:  # fmt: skip
    """The columns that were found nowhere and say no on every scan: at the free box that has their name beside it."""
    kinds = {i: kind for i in lost if (kind := silent_kind_of([row[names[i]] for row in rows])) is not None}
    if not kinds:
        return {}
    taken = {option.box for one in marks.values() for option in one.choice.options}
    boxes = [box for box in find_boxes(form.blank) if box not in taken]
    labels = labels_of(form.blank, boxes, reader)
    found: dict[int, Column] = {}
    for i, kind in kinds.items():
        at = beside_name(names[i], boxes, labels)
        yes, _, no = kind.typed.partition("\n")
        choice = None if at is None else Choice((Option(yes, boxes[at], sure=False),), no)
        found[i] = Column(names[i], kind, choice.place if choice else None, choice)
    return found


def _lead(fit: NDArray[np.float64], where: int, given: Sequence[int | None]) -> float:
    """By how much (nats) a column's place is likelier than the best that no column has; where there is none, by all."""
    others = np.delete(fit, [place for place in given if place is not None])
    return float(fit[where] - others.max(initial=-1e6))


def _ask(lacking: float, fit: float, scans: int) -> str:
    """How many more scans it takes for so many nats, if each tells as much as those that are there do."""
    more = min(max(ceil(lacking / max(fit / scans, 0.7)), 1), 5)
    return f"add {more} labelled scan" + "s" * (more > 1)


def _with_combs(places: Sequence[Box], combs: Mapping[Box, int]) -> list[Box]:
    """Places with the combs of the print among them, in place of what pens left in single boxes of these."""
    outside = [
        place for place in places
        if not any(
            min(place[2], x1) - max(place[0], x0) > 0.6 * (place[2] - place[0])
            and min(place[3], y1) - max(place[1], y0) > 0.5 * (place[3] - place[1])
            for x0, y0, x1, y1 in combs
        )
    ]  # fmt: skip
    return sorted([*outside, *combs], key=lambda box: (box[1], box[0]))


def _see(
    sheets: Sequence[Sheet], places: Sequence[Box], reader: Reader, combs: Mapping[Box, int] | None = None
) -> list[list[Seen | None]]:
    """What the reader sees in each place of each sheet; None where no ink is."""
    cells = combs or {}
    crops = [[cut_place(sheet, place, cells.get(place, 1)) for sheet in sheets] for place in places]
    seen = iter(reader.probabilities([crop for row in crops for crop in row if crop is not None]))
    return [[None if crop is None else next(seen) for crop in row] for row in crops]


def _fit_best_way(
    kind: Kind, values: Sequence[str], seen: Sequence[Sequence[Seen | None]], alphabet: str
) -> tuple[Kind, NDArray[np.float64]]:
    """How well a column fits each place, written the way that fits its best place best; the kind knows that way."""
    if not seen:
        return kind, np.zeros(0)
    table = np.array([_fit(kind, values, found, alphabet) for found in seen], np.float64)  # (places, ways)
    place, way = np.unravel_index(int(table.argmax()), table.shape)
    pairs = zip(values, seen[int(place)], strict=True)
    labelled = [(value, found) for value, found in pairs if value and found is not None]
    return settle(kind, labelled, alphabet), np.asarray(table[:, way], np.float64)


def _fit(kind: Kind, values: Sequence[str], found: Sequence[Seen | None], alphabet: str) -> NDArray[np.float64]:
    """How much likelier (nats) the values stand in a place, by each way of writing them, than something else does."""
    fit = np.log([weight for _, weight in kind.ways])
    fit -= fit.max()
    for value, seen in zip(values, found, strict=True):
        if not value:
            fit += log(0.9 / 0.5) if seen is None else log(0.1 / 0.5)
        elif seen is None:
            fit += log(0.05 / 0.5)
        else:  # people mistype, so no value is impossible
            fit += np.log(0.9 * np.array(lifts(value, seen, alphabet, kind)) + 0.1)
    return fit


def _marks(
    names: Sequence[str], rows: Sequence[dict[str, str]], kinds: Sequence[Kind], sheets: Sequence[Sheet], form: Form,
    reader: Reader,
) -> dict[int, Settled]:  # fmt: skip
    """The columns that are answered by marks: boxes first, then printed words for what boxes do not explain."""
    if not names:
        return {}
    boxes = find_boxes(form.blank)
    on_boxes = np.array([marked_on(sheet, form.blank, boxes) for sheet in sheets]).reshape(len(sheets), len(boxes))
    marks = choose(names, rows, kinds, Candidates(tuple(boxes), on_boxes, labels_of(form.blank, boxes, reader)))
    words = find_words(form.printed)
    on_words = np.array([circled(sheet, words) for sheet in sheets]).reshape(len(sheets), len(words))
    used = [word for word in range(len(words)) if (on_words[:, word] > 0.5).any()]
    left = [name for i, name in enumerate(names) if i not in marks]
    if used and left:
        kept = tuple(words[word] for word in used)
        around = Candidates(kept, on_words[:, used], words_of(form.blank, kept, reader), words=True)
        numbers = [names.index(name) for name in left]
        found = choose(left, rows, [kinds[i] for i in numbers], around)
        marks |= {numbers[i]: one for i, one in found.items()}
    return marks
