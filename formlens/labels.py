"""The places of a blank form and its printed lines go in; a name for each place, as its label is printed, comes out.

The label of a box to mark is what is printed right of it, or left where nothing is. A place to write is named by the
words above it in its own cell, those left of it on its line (an item's number and what it asks for), those close below;
in a table by its row and what heads its column. Names are one of a kind on the form.
"""

import re
from collections.abc import Mapping, Sequence

from formlens.fillable import Fillable
from formlens.lettering import NUMBER, level, on_line, plain
from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.surroundings import LINE
from formlens.tabled import heading, run_of, stack_of
from formlens.types import Box

_LONGEST = 60
"""Characters of a name; longer labels are cut between words."""
_NAMELESS = "field"
"""What a place without any label is called."""


def name_places(
    places: Sequence[Fillable], words: Sequence[Line], ruled: Ruled, known: Mapping[Fillable, str]
) -> list[str]:
    """A name for each place, in their order; no two are the same, and none is empty.

    ``words`` are those that no box to mark has for its own, ``known`` the labels that are known already.
    """
    labels = [known.get(place) or _label(place, places, words, ruled) for place in places]
    return _unique(places, labels, words)


def is_nameless(name: str) -> bool:
    """Whether a name says nothing but that there is a place."""
    return re.fullmatch(rf"{_NAMELESS}( \d+)?", name) is not None


def label_of_pair(pair: Sequence[Fillable], places: Sequence[Fillable], words: Sequence[Line]) -> str:
    """What a yes and a no beside each other answer: the words left of them on their line, or above."""
    first = min(pair, key=lambda one: one.box[0])
    return _left(first.box, places, words) or _over(first.box, words)


def beside_mark(box: Box, lines: Sequence[Line], ruled: Ruled) -> Line | None:
    """What is printed right of a box to mark, if it is close and in the same cell and is no sentence that goes on."""
    near = [line for line in lines if level(line.box, box) and -8 <= line.box[0] - box[2] < 1.6 * LINE]
    line = min(near, key=lambda line: line.box[0], default=None)
    if line is None or any(
        box[2] + 4 < a < line.box[0] + 4 and b < box[3] and d > box[1] for a, b, _, d in ruled.upright
    ):
        return None
    before = any(level(other.box, box) and -8 <= box[0] - other.box[2] < 0.6 * LINE for other in lines)
    return None if before and line.text[:1].islower() else line


def _label(place: Fillable, places: Sequence[Fillable], words: Sequence[Line], ruled: Ruled) -> str:
    box = place.box
    if place.way == "mark":
        return _left(box, places, words) or _over(box, words)
    run = run_of(place, places)
    if len(run) > 1:
        row, head = _left(run[0].box, places, words), heading(place, places, words, ruled)
        stack = stack_of(place, places)
        if sum(bool(_over(p.box, words)) for p in stack) > 0.5 * len(stack) and len(stack) > 1:
            return _over(box, words) or head or row  # each cell has a label of its own
        if head and not row and len(stack) > 1:
            row = f"row {stack.index(place) + 1}"
        if head:
            return f"{row} {head}" if row and len(row) < 40 else head
        if row and not _over(box, words):
            return row
    beside = [p for p in places if p.way != "mark" and abs(p.box[3] - box[3]) < 6]
    labelled_below = sum(bool(_under(p.box, words)) for p in beside) > 0.6 * len(beside)
    if len(beside) > 1 and labelled_below and _is_open(box, ruled) and (below := _under(box, words)):
        return below
    return _over(box, words) or _left(box, places, words) or _under(box, words) or heading(place, places, words, ruled)


def _is_open(box: Box, ruled: Ruled) -> bool:
    """Whether no upright ruling stands at a side of a place."""
    x0, _, x1, y1 = box
    return not any(
        b < y1 - LINE // 2 and d > y1 - 8 and min(abs(a - x1), abs(c - x0)) < 10 for a, b, c, d in ruled.upright
    )


def _left(box: Box, places: Sequence[Fillable], lines: Sequence[Line]) -> str:
    """The words left of a place on its line: the item's number and the beginning of what it asks for."""
    beside = (p for p in places if p.box[2] <= box[0] + 4 and abs(p.box[3] - box[3]) < 0.6 * LINE and p.way != "mark")
    stop = max((p.box[2] for p in beside), default=0)
    row = [line for line in lines if on_line(line.box, box) and stop - 8 <= line.box[0]]
    row = sorted((line for line in row if line.box[2] <= box[0] + 0.4 * LINE), key=lambda line: -line.box[2])
    number = ""
    if row and NUMBER.fullmatch(plain(row[0].text)) and box[0] - row[0].box[2] < 2.5 * LINE:
        number, row = plain(row[0].text), row[1:]
    if not row:
        return number
    first = _beginning(row[0], lines)
    text = plain(first.text)
    if first is row[0]:  # pieces of one line that the detector parted
        text = " ".join(plain(line.text) for line in reversed(row[: _pieces(row)]))
        first = row[_pieces(row) - 1]
    before = [line for line in lines if level(line.box, first.box) and line.box[2] <= first.box[0] + 4]
    if not number and before:
        near = max(before, key=lambda line: line.box[2])
        number = plain(near.text) if NUMBER.fullmatch(plain(near.text)) else ""
    return f"{number} {text}" if number and not text.startswith(number + " ") else text


def _pieces(row: Sequence[Line]) -> int:
    """How many lines of a row, from right to left, follow each other without a gap."""
    count = 1
    while count < len(row) and abs(row[count - 1].box[0] - row[count].box[2]) < 0.5 * LINE:
        if NUMBER.fullmatch(plain(row[count].text)) or not level(row[count].box, row[count - 1].box):
            break
        count += 1
    return count


def _beginning(line: Line, lines: Sequence[Line]) -> Line:
    """The first line of the paragraph that a line ends: those above that begin where it does, to the item's number."""
    while True:
        x0, y0, _, y1 = line.box
        numbered = any(
            level(other.box, line.box) and 0 < x0 - other.box[2] < 2 * LINE and NUMBER.fullmatch(plain(other.text))
            for other in lines
        )
        above = [
            other for other in lines
            if abs(other.box[0] - x0) < 10 and -0.35 * (y1 - y0) < y0 - other.box[3] < 0.45 * LINE
        ]  # fmt: skip
        if numbered or not above:
            return line
        line = max(above, key=lambda other: other.box[3])


def _over(box: Box, lines: Sequence[Line]) -> str:
    """The words right above a place, within its width."""
    x0, y0, x1, _ = box
    own = [
        line for line in lines
        if x0 - 14 < line.box[0] and line.box[2] < x1 + 14 and -0.4 * LINE < y0 - line.box[3] < 0.6 * LINE
    ]  # fmt: skip
    return " ".join(plain(line.text) for line in sorted(own, key=lambda line: line.box[0]))


def _under(box: Box, lines: Sequence[Line]) -> str:
    x0, _, x1, y1 = box
    own = [
        line for line in lines
        if x0 - LINE < line.box[0] < x1 and line.box[2] < x1 + LINE and -4 <= line.box[1] - y1 < 0.3 * LINE
    ]  # fmt: skip
    return " ".join(plain(line.text) for line in sorted(own, key=lambda line: line.box[0]))


def _unique(places: Sequence[Fillable], labels: Sequence[str], lines: Sequence[Line]) -> list[str]:
    """Labels cut to length; those that are the same get what tells their columns apart, or a number."""
    names = [_shortened(label) or _NAMELESS for label in labels]
    for name in dict.fromkeys(names):
        same = [number for number, one in enumerate(names) if one == name]
        if len(same) < 2 or max(places[n].box[3] for n in same) - min(places[n].box[3] for n in same) > 5:
            continue
        heads = [_heads(places[number], lines) for number in same]
        for height in range(max(map(len, heads))):
            level = [head[height] if height < len(head) else "" for head in heads]
            if len(set(level)) == len(level) and all(level):
                for number, head in zip(same, level, strict=True):
                    names[number] = _shortened(f"{_shortened(head, 24)} {name}")
                break
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[number] = f"{name} {seen[name]}"
            while names[number] in names[:number]:
                seen[name] += 1
                names[number] = f"{name} {seen[name]}"
    return names


def _heads(place: Fillable, lines: Sequence[Line]) -> list[str]:
    """The lines of print over a place that are no wider than it, the nearest first."""
    x0, y0, x1, _ = place.box
    room = max(0, 3 * LINE - (x1 - x0)) // 2
    left, right = x0 - 14 - room, x1 + 14 + room
    above = [line for line in lines if left < line.box[0] and line.box[2] < right and line.box[3] < y0]
    return [plain(line.text) for line in sorted(above, key=lambda line: -line.box[3])]


def _shortened(text: str, longest: int = _LONGEST) -> str:
    if len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" .:;,(—-")
