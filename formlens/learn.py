"""Scans and what people typed for them go in; the form, and what is not sure about it, come out.

All scans are put on the blank, or on each other where there is none; the pen's strokes on all of them give the places;
each column goes to the place where the reader finds its values likeliest, over all scans and columns together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, log

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.assign import assign
from formlens.blank import columns_of
from formlens.boxes import find_boxes
from formlens.choices import Choice, Option
from formlens.choosing import Candidates, Settled, beside_name, choose, labels_of, words_of
from formlens.circled import circled, find_words
from formlens.combs import cut_place
from formlens.emptied import empty
from formlens.fields import lay_on
from formlens.fillable import find_combs
from formlens.form import SIDE, Column, Form
from formlens.grammar import lifts, settle
from formlens.hand import Lesson
from formlens.heldout import check_held_out
from formlens.ink import Gray
from formlens.kinds import Kind, kind_of, may_be_written, silent_kind_of, written_kind_of
from formlens.labelled import Folder, Labelled, only_page, pages_of
from formlens.labels import is_nameless
from formlens.listed import learn_listing
from formlens.marks import marked_on
from formlens.pen import Sheet
from formlens.places import find_places
from formlens.printed import ReadPrint, print_reader
from formlens.reader import Reader
from formlens.rectify import square
from formlens.register import Print, Registration, find_print, register
from formlens.ruled import levelled
from formlens.trust import ERROR, learn_trust
from formlens.types import Box, CallError, Image, Page

_DOUBT = 3.0
"""A column whose place is less than so much likelier (nats) than another is reported."""

_WEAK = 1.5
"""A column whose place is likelier (nats) than chance by less is reported."""

_WRITTEN = 1.0
"""Nats a scan by which a column is likelier written than not where nobody needs to look for marks."""

_MOST_FOR_BLANK = 12
"""Copies that a blank is rebuilt from."""

Seen = NDArray[np.float32]


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
        form, doubts, lessons = learn_listing(folder, name, reader, watch)
        learned = Learned(form, doubts)
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
    columns, doubts = _columns(folder.columns, rows, sheets, form, reader)
    learned = Learned(Form(name, columns, form.blank), doubts)
    return _trusted(learned, folder, reader, error) if trusted else learned


def _learn_blank(folder: Folder, name: str, read: ReadPrint) -> Learned:
    """A form whose columns are the places to fill on its blank."""
    if folder.blank is None:
        raise CallError("neither a labelled scan nor a blank to learn from")
    pages = list(pages_of(folder.blank))
    blank = _framed(square(pages[0].image).image)
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
        row = folder.labelled[0].values

        def fit(sheets: Sequence[Sheet], places: Sequence[Box]) -> NDArray[np.float64]:
            seen = _see(sheets, places, reader)
            kinds = {name: kind_of([value]) for name, value in row.items()}
            written = [name for name, value in row.items() if value and kinds[name].name != "mark"]
            fits = [_fit_best_way(kinds[name], [row[name]], seen, reader.alphabet)[1] for name in written]
            return np.array(fits).reshape(len(written), len(places))

        return empty(_in_frame(square(images[0]).image), fit)
    if folder.blank is None:
        return _rebuilt(images, str(folder.labelled[0].scan.path))
    pages = list(pages_of(folder.blank))
    # a blank of several pages: the one that the scans are copies of
    prints = [find_print(page.image) for page in pages] if len(pages) > 1 else []
    scores = [(where.score if (where := register(images[0], p)) else 0.0) for p in prints]
    page: Page = pages[int(np.argmax(scores))] if scores else pages[0]
    return _framed(square(page.image).image)


def _framed(image: Image) -> Gray:
    return np.asarray(cv2.cvtColor(_in_frame(levelled(image)), cv2.COLOR_BGR2GRAY), np.uint8)


def _in_frame(image: Image) -> Image:
    scale = SIDE / max(image.shape[:2])
    height, width = (round(side * scale) for side in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)


def _rebuilt(images: Sequence[Image], first_path: str) -> Gray:
    """The empty form from filled copies that lie on each other: the print stays, the pen is elsewhere on each.

    Raises CallError, which names the first, where no two look alike.
    """
    prints: list[Print] = []
    matches: list[list[tuple[Image, Registration]]] = []
    for first in images[:3]:
        squared = square(first).image
        prints.append(find_print(squared))
        found = [(image, register(image, prints[-1])) for image in images[:_MOST_FOR_BLANK]]
        matches.append([(image, where) for image, where in found if where is not None])
        if len(matches[-1]) > 0.8 * len(found):
            break
    best = int(np.argmax([len(match) for match in matches]))
    height, width = (round(side * SIDE / max(prints[best].gray.shape)) for side in prints[best].gray.shape)
    stack = np.stack(
        [cv2.cvtColor(where.warp(image, width, height), cv2.COLOR_BGR2GRAY) for image, where in matches[best]]
    )
    if len(stack) < 2:
        raise CallError(
            f"{first_path}: no other scan looks like it; take copies of one form, or add the empty form as blank.pdf"
        )
    return _common_print(np.asarray(stack, np.uint8))


def _common_print(copies: Gray) -> Gray:
    """What copies of a form that lie on each other, shape (n, height, width), have in common, on white.

    Strokes of pens cross by chance, or stand at one place on most copies as the dashes of dates do. So print is what
    all copies have (of more than four, all but one), as far as it is most of the ink that it hangs together with.
    """
    rank = len(copies) - 1 - (len(copies) > 4)
    common = np.asarray(np.partition(copies, rank, axis=0)[rank], np.uint8)
    dark = _dark(common)
    near = cv2.dilate(dark, np.ones((3, 3), np.uint8)) > 0
    votes = np.zeros(dark.shape, np.uint8)
    for copy in copies:
        count, components = cv2.connectedComponents(_dark(copy), connectivity=8)
        area = np.maximum(np.bincount(components.ravel(), minlength=count), 1)
        votes += (np.bincount(components[near], minlength=count) > 0.6 * area)[components] & (components > 0)
    kept = cv2.dilate((votes > 0.5 * len(copies)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    kept |= cv2.blur(common, (9, 9)) < 200
    usual = np.asarray(np.median(copies, axis=0), np.uint8)
    return np.asarray(np.where(kept, usual, np.maximum(usual, np.percentile(usual, 90))), np.uint8)


def _dark(gray: Gray) -> Gray:
    return np.asarray(
        cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20), np.uint8
    )


def _columns(
    names: Sequence[str], rows: Sequence[dict[str, str]], sheets: Sequence[Sheet], form: Form, reader: Reader
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
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
