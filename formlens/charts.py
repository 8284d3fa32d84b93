"""Numbers go in, charts as inline SVG come out; their colours are those of the page that they stand in."""

from collections.abc import Sequence

import numpy as np

from formlens.bounds import Flags, Floats, lower_bound, trade_off, upper_bound

_WIDE, _TALL = 360, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 12, 24, 44


def reliability(confidence: Floats, right: Flags, bins: int = 8) -> str:
    """How sure the cells are against how often they are right, in bins of equally many cells with 95 % intervals."""
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    marks = [_path("M", [(0, 0), (1, 1)], "ideal")]
    for part in parts:
        wrong, sure = int((~right[part]).sum()), float(confidence[part].mean())
        low, high = 1 - upper_bound(wrong, len(part), 0.975), 1 - lower_bound(wrong, len(part), 0.975)
        share = 1 - wrong / len(part)
        marks.append(_path("M", [(sure, low), (sure, high)], "bar"))
        title = f"{len(part)} cells: {sure:.1%} sure, {share:.1%} right ({low:.1%} to {high:.1%})"
        marks.append(_dot(sure, share, 4.5, title))
    ticks = [(0.25 * i, f"{25 * i} %") for i in range(5)]
    return _chart("".join(marks), ticks, ticks, "confidence", "cells that are right")


def flagging(confidence: Floats, right: Flags, error: float) -> str:
    """How many of the cells that are left unflagged are wrong, against how many are left; ``error`` as a line."""
    shares, _, errors = trade_off(confidence, right)
    settled = shares * len(confidence) >= min(20, len(confidence))  # a first wrong cell among three says nothing
    most = max(3 * error, 1.15 * float(errors[settled].max(initial=0.0)))
    top = next((round_ for round_ in (0.02, 0.04, 0.08, 0.2, 0.4) if round_ >= most), 1.0)
    points = list(zip(shares[settled].tolist(), (errors[settled] / top).tolist(), strict=True))
    thinned = points[:: max(1, len(points) // 300)] + points[-1:]
    marks = [_path("M", [(0, error / top), (1, error / top)], "ideal"), _path("M", thinned, "curve")]
    across = [(0.25 * i, f"{25 * i} %") for i in range(5)]
    up = [(i / 4, f"{100 * top * i / 4:.3g} %") for i in range(5)]
    return _chart("".join(marks), across, up, "cells left unflagged, the surest first", "of them wrong")


def _x(value: float) -> float:
    return round(_LEFT + value * (_WIDE - _LEFT - _RIGHT), 1)


def _y(value: float) -> float:
    return round(_TALL - _BOTTOM - value * (_TALL - _TOP - _BOTTOM), 1)


def _path(start: str, points: Sequence[tuple[float, float]], look: str) -> str:
    way = " L".join(f"{_x(x)} {_y(min(y, 1.0))}" for x, y in points)
    return f'<path class="{look}" d="{start}{way}"/>'


def _dot(x: float, y: float, radius: float, title: str) -> str:
    return f'<circle class="dot" cx="{_x(x)}" cy="{_y(y)}" r="{radius}"><title>{title}</title></circle>'


def _chart(
    marks: str, across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]], below: str, beside: str
) -> str:
    grid = [_path("M", [(at, 0), (at, 1)], "grid") for at, _ in across]
    grid += [_path("M", [(0, at), (1, at)], "grid") for at, _ in up]
    labels = [f'<text x="{_x(at)}" y="{_y(0) + 16}" text-anchor="middle">{text}</text>' for at, text in across]
    labels += [f'<text x="{_LEFT - 7}" y="{_y(at) + 4}" text-anchor="end">{text}</text>' for at, text in up]
    labels.append(f'<text x="{_x(0.5)}" y="{_TALL - 8}" text-anchor="middle">{below}</text>')
    head = f'<svg viewBox="0 0 {_WIDE} {_TALL}" role="img" aria-label="{beside} by {below}">'
    return f'{head}{"".join(grid + labels)}{marks}</svg><p class="axis">Upwards: {beside}.</p>'
