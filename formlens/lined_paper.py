"""Rulings go in; those that a pen drew come out, without the lines that the paper was sold with."""

import numpy as np

from formlens.families import distinct, ends_of, places_of, spanning, starts_of
from formlens.fragments import Ruling


def without_paper_lines(rows: list[Ruling], columns: list[Ruling]) -> tuple[list[Ruling], list[Ruling]]:
    """The pen's rulings without the fainter printed lines of the paper, unless those serve as the table's rows.

    Lines of the paper are even, clearly fainter than the pen's, and go on beyond the table.
    """
    pen_rows, paper_rows = _by_ink(rows)
    pen_columns, paper_columns = _by_ink(columns)
    pen_rows = distinct(spanning(pen_rows, pen_columns), pen_columns)
    pen_columns = distinct(spanning(pen_columns, pen_rows), pen_rows) if len(pen_rows) > 1 else pen_columns
    rows_printed = is_paper(paper_rows, pen_columns, pen_rows)
    columns_printed = is_paper(paper_columns, pen_rows, pen_columns)
    if rows_printed and columns_printed and len(pen_rows) >= 2 and len(pen_columns) >= 2:
        return pen_rows, pen_columns
    if rows_printed and _divide(pen_rows, paper_rows, pen_columns):
        return pen_rows, columns
    if columns_printed and _divide(pen_columns, paper_columns, pen_rows):
        return rows, pen_columns
    return rows, columns


def _divide(pen: list[Ruling], paper: list[Ruling], others: list[Ruling]) -> bool:
    """Whether the pen drew lines inside its table, more than a header rule above many of the paper's lines.

    Digits beside each other, which look like a broken line, carry less ink or do not go all the way.
    """
    across = float(np.ptp(places_of(others, pen))) if pen else 0.0
    usual = float(np.median([o.ink for o in others]))
    pen = [r for r in pen if r.length > 0.8 * across and r.ink > 0.7 * usual]
    if not pen:
        return False
    step = float(np.median(np.diff(np.sort(places_of(paper, others).mean(axis=1)))))
    first, last = float(np.median(starts_of(others))), float(np.median(ends_of(others)))
    places = places_of(pen, others).mean(axis=1)
    inside = places[(places > first + 0.6 * step) & (places < last - 0.6 * step)]
    if len(inside) == 1:
        head, rest = float(inside[0]) - first, last - float(inside[0])
        return not (head < 2.5 * step and rest > max(4 * step, 3 * head))
    return len(inside) > 1


def _by_ink(lines: list[Ruling]) -> tuple[list[Ruling], list[Ruling]]:
    """The lines in two classes of ink, by Otsu's threshold on its logarithm weighed by length: (darker, fainter)."""
    ink = np.log([max(r.ink, 1.0) for r in lines])
    weight = ends_of(lines) - starts_of(lines)
    order = np.argsort(ink)
    mass, moment = np.cumsum(weight[order]), np.cumsum((weight * ink)[order])
    below, above = moment[:-1] / mass[:-1], (moment[-1] - moment[:-1]) / np.maximum(mass[-1] - mass[:-1], 1e-6)
    spread = mass[:-1] * (mass[-1] - mass[:-1]) * (above - below) ** 2
    if not len(spread) or (above - below)[best := int(spread.argmax())] < np.log(1.7):
        return lines, []
    pen = [lines[i] for i in order[best + 1 :]]
    longest, usual = max(r.length for r in pen), float(np.median([r.ink for r in pen]))
    return [r for r in pen if r.length > 0.4 * longest and r.ink > 0.5 * usual], [lines[i] for i in order[: best + 1]]


def is_paper(lines: list[Ruling], others: list[Ruling], pen: list[Ruling]) -> bool:
    """Whether these are the paper's own: three or more, evenly spaced, mostly going on beyond the table.

    `others` are the lines across and `pen` those of the same direction that make the table.
    """
    if len(lines) < 3 or len(others) < 2:
        return False
    if np.median([r.ink for r in lines]) > 0.66 * np.median([o.ink for o in others]):
        return False
    across = places_of(others, lines)
    low, high = across.min(axis=0), across.max(axis=0)
    beyond = (starts_of(lines) < low - 12) | (ends_of(lines) > high + 12)
    places = places_of(lines, others).mean(axis=1)
    if len(pen) >= 2:
        own = places_of(pen, others).mean(axis=1)
        beyond |= (places < own.min() - 6) | (places > own.max() + 6)
    gaps = np.diff(np.sort(places))
    gaps = gaps[gaps > 5]
    if len(gaps) < 2:
        return False
    step = float(np.median(gaps))
    even = np.abs(gaps / step - np.round(gaps / step)) < 0.15
    return bool(beyond.mean() >= 0.5 and even.mean() >= 0.6)


def is_lined(lines: list[Ruling], others: list[Ruling]) -> bool:
    """Whether many rulings of one ink are spread evenly over all of the sheet, ten or more."""
    if len(lines) < 10:
        return False
    middle = np.sort(places_of(lines, others).mean(axis=1))
    gaps = np.diff(middle)
    gaps = gaps[gaps > 5]
    if len(gaps) < 9:
        return False
    step = float(np.median(gaps))
    ink = np.array([r.ink for r in lines])
    even = np.abs(gaps / step - np.round(gaps / step)) < 0.15
    return bool(even.mean() > 0.8 and np.percentile(ink, 97) < 1.8 * np.percentile(ink, 15))


def is_squared_paper(rows: list[Ruling], columns: list[Ruling]) -> bool:
    """Whether this is a sheet of squared paper and no table: many even squares."""
    if len(rows) < 9 or len(columns) < 9:
        return False
    gaps = [np.diff(places_of(a, b).mean(axis=1)) for a, b in ((rows, columns), (columns, rows))]
    steps = [float(np.median(g)) for g in gaps]
    even = [float((np.abs(g / s - np.round(g / s)) < 0.12).mean()) for g, s in zip(gaps, steps, strict=True)]
    return min(even) > 0.8 and 0.88 < steps[0] / steps[1] < 1.14
