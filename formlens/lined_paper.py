"""A table's rulings go in; those that a pen drew come out, with or without the lines that the paper was sold with."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from formlens.families import distinct, ends_of, places_of, spanning, starts_of
from formlens.fragments import Ruling

Bools = NDArray[np.bool_]


def without_paper_lines(
    rows: list[Ruling], columns: list[Ruling], size: tuple[int, int]
) -> tuple[list[Ruling], list[Ruling]]:
    """The pen's rulings without the printed lines of the paper, unless those serve as the table's rows.

    Those that stay are marked as printed. Where the paper is lined one way, what is as
    faint the other way is not the pen's. `size` is (width, height) of the image.
    """
    limit = _faint_below(rows + columns)
    faint_rows, faint_columns = _faint(rows, limit, size[0]), _faint(columns, limit, size[1])
    pen_rows, pen_columns = _drawn(_of(rows, ~faint_rows)), _drawn(_of(columns, ~faint_columns))
    if len(pen_columns) > 1:
        pen_rows = distinct(spanning(pen_rows, pen_columns), pen_columns)
    if len(pen_rows) > 1:
        pen_columns = distinct(spanning(pen_columns, pen_rows), pen_rows)
    level = _printed(rows, pen_columns, pen_rows, faint_rows)
    upright = _printed(columns, pen_rows, pen_columns, faint_columns)
    if level.any() and not upright.any():
        columns, upright = _of(columns, ~faint_columns), upright[~faint_columns]
    if upright.any() and not level.any():
        rows, level = _of(rows, ~faint_rows), level[~faint_rows]
    both = bool(level.any() and upright.any() and pen_rows and pen_columns)
    if both or _divide(pen_rows, _of(rows, level), pen_columns):
        rows, level = _of(rows, ~level), level[~level]
    if both or _divide(pen_columns, _of(columns, upright), pen_rows):
        columns, upright = _of(columns, ~upright), upright[~upright]
    return _marked(rows, level), _marked(columns, upright)


def _of(lines: list[Ruling], chosen: Bools) -> list[Ruling]:
    return [line for line, yes in zip(lines, chosen, strict=True) if yes]


def _marked(lines: list[Ruling], printed: Bools) -> list[Ruling]:
    return [replace(line, printed=bool(p)) for line, p in zip(lines, printed, strict=True)]


def _faint_below(lines: list[Ruling]) -> float:
    """The ink that parts pen from print, by Otsu's threshold on its logarithm; 0 for one ink only.

    Lines weigh by their length squared, so that strokes of digits hardly count.
    """
    ink = np.log([max(r.ink, 1.0) for r in lines])
    order = np.argsort(ink)
    ink, weight = ink[order], np.array([r.length**2 for r in lines])[order]
    mass, moment = np.cumsum(weight), np.cumsum(weight * ink)
    below, above = moment[:-1] / mass[:-1], (moment[-1] - moment[:-1]) / np.maximum(mass[-1] - mass[:-1], 1e-6)
    spread = mass[:-1] * (mass[-1] - mass[:-1]) * (above - below) ** 2
    if not len(spread) or (above - below)[best := int(spread.argmax())] < np.log(1.5):
        return 0.0
    return float(np.exp((ink[best] + ink[best + 1]) / 2))


def _faint(lines: list[Ruling], limit: float, room: int) -> Bools:
    """Which lines are fainter than the pen's; where all are of one ink, those from edge to edge of the image."""
    if limit:
        return np.array([r.ink < limit for r in lines])
    through = np.array([r.start < 0.02 * room and r.end > 0.98 * room for r in lines])
    return through & bool(through.sum() >= 3)


def _drawn(lines: list[Ruling]) -> list[Ruling]:
    """The lines without strokes of digits, which are short."""
    longest = max((r.length for r in lines), default=0.0)
    return [r for r in lines if r.length > 0.4 * longest]


def _printed(lines: list[Ruling], others: list[Ruling], pen: list[Ruling], faint: Bools) -> Bools:
    """Which lines are the paper's own: faint, and some of them go on beyond the table.

    `others` are the pen's lines across and `pen` its lines of the same direction. A faint line that ends within the
    table is the paper's if it is as faint as those that go on: it hides behind writing.
    """
    none = np.zeros(len(lines), np.bool_)
    if not others or not faint.any():
        return none
    ink = np.array([r.ink for r in lines])
    across = places_of(others, lines)
    beyond = (starts_of(lines) < across.min(axis=0) - 12) | (ends_of(lines) > across.max(axis=0) + 12)
    places = places_of(lines, others).mean(axis=1)
    if len(pen) >= 2:
        own = places_of(pen, others).mean(axis=1)
        beyond |= (places < own.min() - 6) | (places > own.max() + 6)
    length, width = np.array([r.length for r in lines]), float(np.ptp(across, axis=0).mean())
    sure = faint & beyond & (length > 0.1 * width)
    inside = (places > np.median(starts_of(others))) & (places < np.median(ends_of(others)))
    if sure.sum() < 2 or length[sure].sum() < width or not (sure & inside).any():
        return none
    return np.asarray(sure | (faint & (ink < 1.6 * float(np.median(ink[sure])))), np.bool_)


def _divide(pen: list[Ruling], paper: list[Ruling], others: list[Ruling]) -> bool:
    """Whether the pen drew lines inside its table, more than a header rule above many of the paper's lines.

    Digits beside each other, which look like a broken line, carry less ink or do not go all the way.
    """
    if not pen or len(paper) < 2 or not others:
        return False
    across = float(np.ptp(places_of(others, pen)))
    usual = float(np.median([o.ink for o in others]))
    pen = [r for r in pen if r.length > 0.8 * across and r.ink > 0.7 * usual]
    if not pen:
        return False
    gaps = np.diff(np.sort(places_of(paper, others).mean(axis=1)))
    step = float(np.median(gaps[gaps > 5])) if (gaps > 5).any() else 0.0
    first, last = float(np.median(starts_of(others))), float(np.median(ends_of(others)))
    places = places_of(pen, others).mean(axis=1)
    inside = places[(places > first + 1.1 * step) & (places < last - 1.1 * step)]
    if len(inside) == 1:
        head, rest = float(inside[0]) - first, last - float(inside[0])
        return not (head < 2.5 * step and rest > max(4 * step, 3 * head))
    return len(inside) > 1


def completed(lines: list[Ruling], others: list[Ruling]) -> list[Ruling]:
    """With the printed lines put in that writing hides: the paper is evenly lined."""
    if sum(line.printed for line in lines) < 3:
        return lines
    gaps = np.diff(places_of(lines, others).mean(axis=1))
    step = float(np.median(gaps))
    done = lines[:1]
    for before, after, gap in zip(lines, lines[1:], gaps, strict=False):
        whole = abs(gap / step - round(gap / step)) < 0.2 and (before.printed or after.printed)
        steps = round(gap / step) if whole else 1
        way = after.at(before.along) - before.across
        done += [replace(before, across=before.across + way * k / steps, printed=True) for k in range(1, steps)]
        done.append(after)
    return done


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
