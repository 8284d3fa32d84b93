"""A blank form alone goes in; a form comes out, with a column for each place to fill, named as its label is printed.

What may stand in a column is little: numbers where the label asks for an amount, marks in boxes, text elsewhere. A yes
and a no beside each other are one question.
"""

import re
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from formlens.choices import Choice, Option
from formlens.fillable import Fillable, find_fillable
from formlens.form import Column
from formlens.ink import Gray
from formlens.kinds import Kind
from formlens.labels import beside_mark, label_of_pair, name_places
from formlens.lettering import apart, plain
from formlens.printed import Line, ReadPrint
from formlens.ruled import Ruled, take_apart
from formlens.surroundings import LINE
from formlens.tabled import heading
from formlens.types import Box

_AMOUNTS = re.compile(
    r"\b(amounts?|total|sum|price|costs?|count|quantity|qty|weight|height|dose|age|how many|number of|no\. of|betrag"
    r"|summe|anzahl|alter|gewicht|montant|prix|nombre|poids|importe|cantidad|peso|edad)\b|[%€$£]|\((kg|g|mg|ml|cm|mm|l)\)",
    re.IGNORECASE,
)
_NO_AMOUNTS = re.compile(r"\b(names?|address|date|signature|phone|e-?mail|city|street|form|list)\b", re.IGNORECASE)

_YES = {"yes": "no", "oui": "non", "ja": "nein", "sí": "no", "si": "no", "y": "n"}


def columns_of(blank: Gray, read: ReadPrint) -> tuple[Column, ...]:
    """The columns of a blank in a form's frame, in reading order; none where nothing is to be filled."""
    ruled = take_apart(blank)
    lines = read(np.asarray(cv2.cvtColor(blank, cv2.COLOR_GRAY2BGR), np.uint8))
    places = find_fillable(blank, ruled, lines)
    lines = apart(lines, ruled)
    beside = {one: beside_mark(one.box, lines, ruled) for one in places if one.way == "mark"}
    texts = {one: plain(line.text) for one, line in beside.items() if line}
    words = [line for line in lines if not any(line is other for other in beside.values())]
    places, headed = _answered(places, words, ruled)
    texts |= headed
    pairs = {pair[0]: pair for pair in _pairs(texts)}
    seconds = {pair[1] for pair in pairs.values()}
    asked = [one for one in places if one not in seconds]
    known = texts | {first: label_of_pair(pair, places, words) for first, pair in pairs.items()}
    names = name_places(asked, words, ruled, known)
    return tuple(_column(pairs.get(one, (one,)), name, texts) for one, name in zip(asked, names, strict=True))


def _answered(
    places: Sequence[Fillable], words: Sequence[Line], ruled: Ruled
) -> tuple[list[Fillable], dict[Fillable, str]]:
    """The places, those of columns that are headed by a yes or a no as boxes to mark; and what heads each of these."""
    headed: dict[Fillable, str] = {}
    found: list[Fillable] = []
    for one in places:
        narrow = one.way == "text" and one.box[2] - one.box[0] < 4 * LINE
        word = heading(one, places, words, ruled) if narrow else ""
        answer = Fillable(_middle(one.box), "mark") if word.casefold() in {*_YES, *_YES.values()} else one
        found.append(answer)
        if answer is not one:
            headed[answer] = word
    return found, headed


def _middle(box: Box) -> Box:
    """Where a cell is crossed: its middle, so that a cross in the next one is not seen with it."""
    x0, y0, x1, y1 = box
    wide = round(max(1.3 * (y1 - y0), 0.6 * (x1 - x0)))
    left = max(x0, (x0 + x1 - wide) // 2)
    return left, y0, min(x1, left + wide), y1


def _pairs(texts: Mapping[Fillable, str]) -> list[tuple[Fillable, Fillable]]:
    """Boxes beside each other, one with yes printed beside it, the next with no."""
    pairs = []
    for one, text in texts.items():
        no = _YES.get(text.casefold())
        near = [
            other for other, word in texts.items()
            if no and word.casefold() == no
            and abs(other.box[1] - one.box[1]) < 0.5 * LINE and 0 < other.box[0] - one.box[2] < 12 * LINE
        ]  # fmt: skip
        if near:
            pairs.append((one, min(near, key=lambda other: other.box[0])))
    return pairs


def _column(places: Sequence[Fillable], name: str, texts: Mapping[Fillable, str]) -> Column:
    first = places[0]
    if first.way != "mark":
        return Column(name, _kind(name), first.box, cells=first.cells)
    yes, no = (texts[one] for one in places) if len(places) == 2 else ("yes", "no")
    options = tuple(Option(word, one.box) for word, one in zip((yes, no), places, strict=False))
    choice = Choice(options, "" if len(places) == 2 else no)
    return Column(name, Kind("mark", "", f"{yes}\n{no}"), choice.place, choice)


def _kind(name: str) -> Kind:
    """What may stand in a place, by its label: an amount is a number, whatever its digits; all else is text."""
    if _AMOUNTS.search(name) and not _NO_AMOUNTS.search(name):
        return Kind("decimal", "0123456789.,", ".|||", ((".|||", 0.6), (".|,||", 0.4)))
    return Kind("text", ways=(("same", 1.0),))
