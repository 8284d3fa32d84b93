"""Rulings go in, lattices come out: which level and upright lines form one table, and where they cross."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formlens.borders import bordered
from formlens.evidence import edges_drawn, is_closed, is_faint, is_roomy
from formlens.families import crossings, distinct, ends_of, long_ones, reached, spanning, starts_of, whole, wide
from formlens.fragments import Floats, Ruling
from formlens.lined_paper import completed, is_lined, is_squared_paper, without_paper_lines
from formlens.rulings import Gray, Trace

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lattice:
    """The crossings of a table's rulings, shape (rows+1, columns+1, 2), and the share of its edges that is drawn."""

    corners: Floats
    drawn: float


def find_lattices(level: Trace, upright: Trace) -> list[Lattice]:
    """The tables that these rulings form; what is a fiftieth of the largest is writing beside it."""
    rows, columns = level.rulings, upright.rulings
    if not rows or not columns:
        return []
    touch = _touching(rows, columns, crossings(rows, columns))
    found: list[Lattice] = []
    if is_lined(rows, columns) and is_lined(columns, rows):
        return []
    groups = [([rows[i] for i in a], [columns[j] for j in b]) for a, b in _groups(touch, rows, columns)]
    least = 0.0
    for group in sorted(groups, key=lambda g: -_reach(*g)):
        if _reach(*group) > least:
            found += _tables(*group, level.hat, upright.hat)
            least = max((0.02 * float(np.prod(np.ptp(f.corners, axis=(0, 1)))) for f in found), default=0.0)
    return [f for f in found if np.prod(np.ptp(f.corners, axis=(0, 1))) > least]


def _reach(rows: list[Ruling], columns: list[Ruling]) -> float:
    """Area in square pixels that a group of rulings extends over."""
    return float((ends_of(rows).max() - starts_of(rows).min()) * (ends_of(columns).max() - starts_of(columns).min()))


def _touching(rows: list[Ruling], columns: list[Ruling], cross: Floats) -> Bools:
    """Which rulings meet, or nearly: pens stop short of corners."""
    long_row = np.array([r.length for r in rows])[:, None]
    long_column = np.array([c.length for c in columns])[None, :]
    near = np.clip(0.08 * np.minimum(long_row, long_column), 6, 30)
    x, y = cross[..., 0], cross[..., 1]
    on_row = (x > starts_of(rows)[:, None] - near) & (x < ends_of(rows)[:, None] + near)
    on_column = (y > starts_of(columns)[None, :] - near) & (y < ends_of(columns)[None, :] + near)
    return np.asarray(on_row & on_column, np.bool_)


def _groups(touch: Bools, rows: list[Ruling], columns: list[Ruling]) -> list[tuple[list[int], list[int]]]:
    """Sets of level and upright rulings that hang together, each by at least two of the others or as one of a comb."""
    alive = touch.copy()
    row_teeth, column_teeth = _teeth(touch, rows), _teeth(touch.T, columns)
    while True:
        weak_rows = (alive.sum(axis=1) == 1) & ~row_teeth
        weak_columns = (alive.sum(axis=0) == 1) & ~column_teeth
        if not (weak_rows.any() or weak_columns.any()):
            return _connected(alive)
        alive[weak_rows] = False
        alive[:, weak_columns] = False


def _teeth(touch: Bools, lines: list[Ruling]) -> Bools:
    """Lines of about the same length that one line across holds together, three or more."""
    length = ends_of(lines) - starts_of(lines)
    teeth = np.zeros(len(lines), np.bool_)
    for held in touch.T:
        if held.sum() >= 3:
            comb = held & (length >= 0.6 * length[held].max())
            teeth |= comb & (comb.sum() >= 3)
    return teeth


def _connected(touch: Bools) -> list[tuple[list[int], list[int]]]:
    todo = set(np.flatnonzero(touch.any(axis=1)).tolist())
    groups = []
    while todo:
        rows, columns, fresh = set[int](), set[int](), {todo.pop()}
        while fresh:
            rows |= fresh
            columns = set(np.flatnonzero(touch[sorted(rows)].any(axis=0)).tolist())
            fresh = set(np.flatnonzero(touch[:, sorted(columns)].any(axis=1)).tolist()) - rows
        todo -= rows
        groups.append((sorted(rows), sorted(columns)))
    return groups


def _tables(rows: list[Ruling], columns: list[Ruling], level: Gray, upright: Gray) -> list[Lattice]:
    """The tables in one group of rulings that hang together."""
    rows, columns = whole(rows), whole(columns)
    pen_rows, pen_columns = without_paper_lines(rows, columns, (level.shape[1], level.shape[0]))
    found = _crossed(pen_rows, pen_columns, level, upright)
    if not found and len(pen_rows) + len(pen_columns) < len(rows) + len(columns):
        return _crossed(rows, columns, level, upright)
    return found


def _crossed(rows: list[Ruling], columns: list[Ruling], level: Gray, upright: Gray) -> list[Lattice]:
    """The tables that these rulings make, after those that do not go across, and with borders nobody drew."""
    if not rows or not columns:
        return []
    core = reached(long_ones(rows), long_ones(columns))
    columns = spanning(columns, core)
    for _ in range(2):
        rows = spanning(rows, columns)
        columns = spanning(columns, rows)
        if not rows or not columns:
            return []
        rows, columns = distinct(rows, columns), distinct(columns, rows)
    rows, columns = completed(rows, columns), completed(columns, rows)
    if is_squared_paper(rows, columns):
        return []
    rows, columns = bordered(rows, columns, level.shape[0]), bordered(columns, rows, level.shape[1])
    rows, columns = wide(rows, columns), wide(columns, rows)
    if len(rows) < 2 or len(columns) < 2 or len(rows) + len(columns) < 5:
        return []
    return _drawn_parts(rows, columns, level, upright)


def _drawn_parts(rows: list[Ruling], columns: list[Ruling], level: Gray, upright: Gray) -> list[Lattice]:
    """Cut where no ruling leads across, leave out lines that are hardly drawn, keep what is drawn well enough."""
    corners = crossings(rows, columns)
    by_row = edges_drawn(rows, corners, level, 0)
    by_column = edges_drawn(columns, corners.transpose(1, 0, 2), upright, 1)
    inks = [float(np.median([k.ink for k in lines if k.ink] or [1.0])) for lines in (rows, columns)]
    faint_rows = [i for i, r in enumerate(rows) if r.ink and not r.printed and is_faint(by_row[i], r.ink / inks[0])]
    faint_columns = [
        j for j, c in enumerate(columns) if c.ink and not c.printed and is_faint(by_column[j], c.ink / inks[1])
    ]
    if faint_rows or faint_columns:
        rows = [r for i, r in enumerate(rows) if i not in faint_rows]
        columns = [c for j, c in enumerate(columns) if j not in faint_columns]
        if len(rows) < 2 or len(columns) < 2:
            return []
        return _drawn_parts(rows, columns, level, upright)
    real_rows, real_columns = [bool(r.ink) for r in rows], [bool(c.ink) for c in columns]
    down = _leading(by_column[real_columns], len(rows) - 1)
    over = _leading(by_row[real_rows], len(columns) - 1)
    found = []
    for top, bottom in _stretches(down > 0.25):
        for left, right in _stretches(over > 0.25):
            part = corners[top : bottom + 1, left : right + 1]
            edges = np.concatenate(
                [
                    by_row[top : bottom + 1, left:right][np.array(real_rows)[top : bottom + 1]].ravel(),
                    by_column[left : right + 1, top:bottom][np.array(real_columns)[left : right + 1]].ravel(),
                ]
            )
            drawn = float(edges.mean()) if len(edges) else 0.0
            if (
                drawn >= (0.6 if part.shape[0] * part.shape[1] > 8 else 0.8)
                and part.shape[0] + part.shape[1] >= 5
                and is_roomy(part)
                and is_closed(rows[top : bottom + 1], columns[left : right + 1], part)
            ):
                found.append(Lattice(part, drawn))
    return found


def _leading(edges: Floats, bands: int) -> Floats:
    """How well the second best line of three or more leads through each band: one may lead on into writing."""
    if not len(edges):
        return np.ones(bands)
    return np.asarray(np.sort(edges, axis=0)[-2 if len(edges) > 2 else -1])


def _stretches(linked: Bools) -> list[tuple[int, int]]:
    """First and last line of each run of bands that hang together."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], linked.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
