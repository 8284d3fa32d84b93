"""A lattice and the image go in; how much of it is really drawn, and whether it can be a table, come out."""

import numpy as np

from formlens.fragments import Floats, Ruling
from formlens.rulings import Gray


def edges_drawn(lines: list[Ruling], corners: Floats, hat: Gray, axis: int) -> Floats:
    """Share of each edge between neighbouring crossings that is inked; shape (lines, edges).

    It counts most what is inked near the crossings, where digits below each other leave off.
    """
    height, width = hat.shape
    shares = np.zeros((len(lines), corners.shape[1] - 1))
    steps = np.linspace(0.07, 0.93, 32)
    for i, line in enumerate(lines):
        at = corners[i, :, axis]
        along = at[:-1, None] + (at[1:] - at[:-1])[:, None] * steps
        across = line.at(along) + np.arange(-3, 4)[:, None, None]
        x, y = (
            (np.broadcast_to(along, across.shape), across)
            if axis == 0
            else (across, np.broadcast_to(along, across.shape))
        )
        dark = hat[np.clip(np.round(y), 0, height - 1).astype(int), np.clip(np.round(x), 0, width - 1).astype(int)].max(
            axis=0
        )
        inked = dark > max(3.0, 0.45 * float(np.percentile(dark, 60)))
        near = inked[:, np.abs(steps - 0.5) > 0.3]
        shares[i] = np.minimum(inked.mean(axis=1), near.mean(axis=1) + 0.2)
    return shares


def is_faint(edges: Floats, ink: float) -> bool:
    """Whether too little of a line is drawn; digits below each other leave gaps at every edge, and carry less ink.

    `ink` is that of the line as a share of what the table's lines of its direction usually carry.
    """
    enough = {1: 0.85, 2: 0.78, 3: 0.75}.get(len(edges), 0.7)
    if ink < 0.75:
        return bool(edges.mean() < 0.88)
    return bool(edges.mean() < enough and (len(edges) < 4 or (edges > 0.75).mean() < 0.4))


def is_closed(rows: list[Ruling], columns: list[Ruling], corners: Floats) -> bool:
    """Whether the rulings of a small table end where it does, as strokes of letters between two bands do not."""
    for lines, others, places in ((columns, rows, corners[..., 1]), (rows, columns, corners[..., 0].T)):
        single = len(others) == 2
        if len(others) > 3 or (not single and any(line.printed for line in lines)):
            continue
        if single and not all(border.ink for border in others):
            return False
        room = float(np.median(places[-1] - places[0]))
        slack = max(4.0, 0.12 * room)
        drawn = [k for k, line in enumerate(lines) if line.ink]
        over = np.array([(places[0, k] - lines[k].start, lines[k].end - places[-1, k]) for k in drawn])
        if len(over) and ((over > -slack).all(axis=1).mean() < (1.0 if single else 0.8)):
            return False
        if len(over) and np.median(np.maximum(over, 0).sum(axis=1)) > 2 * slack:
            return False
        ends = corners[..., 0] if others is rows else corners[..., 1]
        if single and any(b.start < ends.min() - 0.5 * room or b.end > ends.max() + 0.5 * room for b in others):
            return False
    return True


def is_roomy(corners: Floats) -> bool:
    """Whether every cell could hold a digit: no crossed lines, and sides of some pixels."""
    wide = np.diff(corners[..., 0], axis=1)
    tall = np.diff(corners[..., 1], axis=0)
    least = 28 if min(len(wide[0]), len(tall)) <= 2 else 18
    return bool(wide.min() > 5 and tall.min() > 5 and np.median(wide) >= least and np.median(tall) >= 0.8 * least)
