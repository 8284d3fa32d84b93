"""Rulings that run the same way and those across them go in; which of them make one table comes out.

`lines` are always the rulings looked at, `others` those that cross them; either may be the level or the upright ones.
"""

import numpy as np

from formlens.fragments import Floats, Ruling


def crossings(rows: list[Ruling], columns: list[Ruling]) -> Floats:
    """Where each level ruling meets each upright one, both led on where they end; shape (rows, columns, 2)."""
    y = np.array([[r.across[1:-1].mean()] * len(columns) for r in rows])
    x = np.zeros_like(y)
    for _ in range(3):
        for j, column in enumerate(columns):
            x[:, j] = column.at(y[:, j])
        for i, row in enumerate(rows):
            y[i] = row.at(x[i])
    return np.stack([x, y], axis=2)


def places_of(lines: list[Ruling], others: list[Ruling]) -> Floats:
    """Where each line is, across, at each of the lines that cross it; shape (lines, others)."""
    others_at = np.array([o.across[1:-1].mean() for o in others])
    places = np.array([line.at(others_at) for line in lines])
    for _ in range(2):
        along = np.array([o.at(places[:, j]) for j, o in enumerate(others)]).T
        places = np.array([line.at(along[i]) for i, line in enumerate(lines)])
    return places


def step_of(places: Floats) -> float:
    """The usual distance between neighbours; 0 where there is no neighbour."""
    middle = np.sort(places.mean(axis=1))
    gaps = np.diff(middle)
    gaps = gaps[gaps > 5]
    return float(np.percentile(gaps, 75)) if len(gaps) else 0.0


def starts_of(rulings: list[Ruling]) -> Floats:
    """Where each begins, along."""
    return np.array([r.start for r in rulings])


def ends_of(rulings: list[Ruling]) -> Floats:
    """Where each ends, along."""
    return np.array([r.end for r in rulings])


def whole(lines: list[Ruling]) -> list[Ruling]:
    """Pieces of one line put together, where they lie one behind the other and continue each other roughly."""
    order = sorted(lines, key=lambda r: -r.length)
    done: list[Ruling] = []
    for piece in order:
        for k, line in enumerate(done):
            overlap = min(piece.end, line.end) - max(piece.start, line.start)
            near, far = (piece.end, line.start) if piece.start < line.start else (piece.start, line.end)
            off = float(np.abs(piece.at(np.array([near, far])) - line.at(np.array([near, far]))).max())
            if (
                max(piece.ink, line.ink) < 2 * min(piece.ink, line.ink)
                and overlap < 0.3 * piece.length
                and -overlap < min(0.6 * line.length, max(24.0, 1.5 * piece.length))
                and off < 8 - 0.04 * min(overlap, 0)
            ):
                done[k] = _united(line, piece)
                break
        else:
            done.append(piece)
    return done


def _united(a: Ruling, b: Ruling) -> Ruling:
    first, second = (a, b) if a.start < b.start else (b, a)
    keep = first.along <= first.end
    rest = second.along > max(first.end, second.start)
    ink = float(np.average([a.ink, b.ink], weights=[a.length, b.length]))
    along = np.concatenate([first.along[keep], second.along[rest]])
    across = np.concatenate([first.across[keep], second.across[rest]])
    return Ruling(along, across, first.start, max(first.end, second.end), ink)


def long_ones(lines: list[Ruling]) -> list[Ruling]:
    """Those at least half as long as the longest."""
    longest = max(r.length for r in lines)
    return [r for r in lines if r.length >= 0.5 * longest]


def reached(lines: list[Ruling], others: list[Ruling]) -> list[Ruling]:
    """The lines that half of the others come to."""
    places = places_of(lines, others)
    come = (places > starts_of(others) - 12) & (places < ends_of(others) + 12)
    return [line for line, share in zip(lines, come.mean(axis=1), strict=True) if share >= 0.5]


def spanning(lines: list[Ruling], others: list[Ruling]) -> list[Ruling]:
    """The lines that go across much of the table and that most of the lines across reach."""
    if not lines or not others:
        return []
    places = places_of(lines, others)
    across = places_of(others, lines).T
    slack = max(10.0, 0.35 * step_of(places))
    come = (places > starts_of(others) - slack) & (places < ends_of(others) + slack)
    low, high = across.min(axis=1), across.max(axis=1)
    if len(others) == 1:
        return [line for line, ok in zip(lines, come[:, 0], strict=True) if ok]
    overlap = np.minimum(ends_of(lines), high) - np.maximum(starts_of(lines), low)
    share = overlap / np.maximum(high - low, 1)
    outer = come[np.arange(len(lines)), across.argmin(axis=1)] & come[np.arange(len(lines)), across.argmax(axis=1)]
    keep = (share >= 0.4) & ((come.mean(axis=1) >= 0.5) | ((share > 0.85) & outer))
    return [line for line, ok in zip(lines, keep, strict=True) if ok]


def wide(lines: list[Ruling], others: list[Ruling]) -> list[Ruling]:
    """The lines that go across enough of the table; those that nobody drew are kept."""
    if not others:
        return lines
    across = places_of(others, lines)
    low, high = across.min(axis=0), across.max(axis=0)
    over = np.minimum(ends_of(lines), high) - np.maximum(starts_of(lines), low)
    return [line for line, ok in zip(lines, over > 0.4 * (high - low), strict=True) if ok or not line.ink]


def distinct(lines: list[Ruling], others: list[Ruling]) -> list[Ruling]:
    """In order across, one line where two run side by side or cross: a double ruling, a pen over a printed line.

    The longer and darker one stays; more ink than the lines across have is no merit: tops of digits beside a ruling.
    """
    if not lines or not others:
        return []
    places = places_of(lines, others)
    order = np.argsort(places.mean(axis=1))
    step = step_of(places)
    usual = float(np.median([o.ink for o in others]))
    weight = [r.length * min(r.ink, usual) for r in lines]
    kept: list[int] = []
    for i in order:
        near = max(6.0, 0.28 * step)
        if kept and float(np.median(places[i] - places[kept[-1]])) < near:
            if weight[i] > weight[kept[-1]]:
                kept[-1] = int(i)
        else:
            kept.append(int(i))
    return [lines[i] for i in kept]
