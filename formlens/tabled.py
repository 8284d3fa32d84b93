"""A place of a blank form and all others go in; the row and the column of a table that it is in, and what heads this
column, come out.
"""

from collections.abc import Sequence

from formlens.fillable import Fillable
from formlens.lettering import NUMBER, plain
from formlens.printed import Line
from formlens.ruled import Ruled
from formlens.surroundings import LINE


def heading(place: Fillable, places: Sequence[Fillable], lines: Sequence[Line], ruled: Ruled) -> str:
    """What heads the column that a place stands in: the words above the topmost of the places above it."""
    x0, y0, x1, _ = place.box
    top = place.box
    column = [p for p in places if p.box[1] < y0 and min(p.box[2], x1) - max(p.box[0], x0) > 0.7 * (x1 - x0)]
    for other in sorted(column, key=lambda p: -p.box[3]):
        if top[1] - other.box[3] < 2.2 * LINE:
            top = other.box
    inside = [line for line in lines if x0 - 14 < line.box[0] and line.box[2] < x1 + 14 and line.box[3] < top[1] + 8]
    head: list[Line] = []
    reach = top[1]
    for line in sorted(inside, key=lambda line: -line.box[3]):
        parted = head and any(
            line.box[3] - 6 < a[1] and a[3] < reach + 6 and min(a[2], x1) - max(a[0], x0) > 0.5 * (x1 - x0)
            for a in ruled.level
        )
        if reach - line.box[3] < (0.7 if head else 2.2) * LINE and not parted:
            head.append(line)
            reach = min(reach, line.box[1])
    if all(NUMBER.fullmatch(plain(line.text)) for line in head):  # a table of the same columns further up has words
        if len(stack_of(place, places)) < 2:
            return ""
        alike = [p for p in places if p.box[3] < top[1] and abs(p.box[0] - x0) < 10 and abs(p.box[2] - x1) < 10]
        return heading(max(alike, key=lambda p: p.box[3]), places, lines, ruled) if alike else ""
    head.sort(key=lambda line: (round(line.box[1] / (0.6 * LINE)), line.box[0]))
    return " ".join(plain(line.text) for line in head)


def stack_of(place: Fillable, places: Sequence[Fillable]) -> list[Fillable]:
    """The cells of a table's column that a place is one of, from the top."""
    column = [p for p in places if abs(p.box[0] - place.box[0]) < 10 and abs(p.box[2] - place.box[2]) < 10]
    column.sort(key=lambda p: p.box[1])
    at = column.index(place)
    first = last = at
    while first > 0 and column[first].box[1] - column[first - 1].box[3] < 2.2 * LINE:
        if len(run_of(column[first - 1], places)) != len(run_of(place, places)):
            break
        first -= 1
    while last + 1 < len(column) and column[last + 1].box[1] - column[last].box[3] < 2.2 * LINE:
        if len(run_of(column[last + 1], places)) != len(run_of(place, places)):
            break
        last += 1
    return column[first : last + 1]


def run_of(place: Fillable, places: Sequence[Fillable]) -> list[Fillable]:
    """The cells of a table's row that a place is one of, from left to right."""
    row = [p for p in places if p.way != "mark" and abs(p.box[3] - place.box[3]) < 5]
    row.sort(key=lambda p: p.box[0])
    at = row.index(place)
    first = last = at
    while first > 0 and row[first].box[0] - row[first - 1].box[2] < 14:
        first -= 1
    while last + 1 < len(row) and row[last + 1].box[0] - row[last].box[2] < 14:
        last += 1
    return row[first : last + 1]
