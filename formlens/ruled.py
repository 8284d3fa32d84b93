"""A blank form goes in; its rulings, level and upright, what else is printed, and where it is shaded, come out."""

from dataclasses import dataclass

import cv2
import numpy as np

from formlens.ink import Gray
from formlens.types import Box, Image

_LONG = 31
"""Pixels of a form's frame from which a straight line is a ruling."""
_THICK = 14
"""Pixels that a ruling may be thick."""
_TICK = 42
"""Pixels that a line which parts characters is lower than."""
_SHADED = 0.88
"""How light, as a share of the paper, an area is that nobody is meant to write on."""


@dataclass(frozen=True)
class Ruled:
    """What is printed on a form, taken apart; both maps have the blank's shape and are 1 or 0."""

    level: tuple[Box, ...]
    """Rulings to write on, from top to bottom: solid lines, and dashes or dots that stand close."""
    dotted: frozenset[Box]
    """Those of them that are dashes or dots."""
    upright: tuple[Box, ...]
    """Solid upright rulings."""
    ticks: tuple[Box, ...]
    """Short and dotted upright lines, which part characters and not fields."""
    text: Gray
    """All print that is no ruling and no tick."""
    shaded: Gray


def take_apart(blank: Gray) -> Ruled:
    """Tell the rulings of a blank, shape (height, width), from its words and its shades."""
    shaded, black = _shades(blank)
    dark = np.asarray(
        cv2.adaptiveThreshold(blank, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20), np.uint8
    )
    inner = cv2.erode(black, np.ones((9, 9), np.uint8))  # the side of a black area may go on as a ruling
    lines = np.asarray(cv2.subtract(dark, inner), np.uint8)
    level = [line for line in _joined(_lines(lines, (1, _LONG), 0)) if not _is_edge(line, dark)]
    upright = [line for line in _lines(lines, (_LONG, 1), 1) if not _is_edge(line, black)]
    dotted = [line for line in _dotted(lines, 0, 80) if not any(_touch(line, other) for other in level)]
    ticks = [tick for tick in _dotted(lines, 1, 20) if not any(_touch(tick, other) for other in upright)]
    stubs = [stub for stub in _stubs(lines, level) if not any(_touch(stub, other) for other in upright)]
    ticks += _ticks([*upright, *stubs], level)
    upright = [line for line in upright if line not in ticks]
    text = cv2.max(dark, black)
    for x0, y0, x1, y1 in [*level, *upright, *dotted, *ticks]:
        text[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 0
    known = [*level, *_joined(dotted)]
    return Ruled(
        tuple(sorted(known, key=lambda box: (box[1], box[0]))), frozenset(_joined(dotted)), tuple(upright),
        tuple(ticks), _without_specks(np.asarray(text, np.uint8)), shaded,
    )  # fmt: skip


def levelled(image: Image) -> Image:
    """A blank turned so that its rulings are level to a pixel or two; as it is where they are, or there are none."""
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    dark = cv2.adaptiveThreshold(gray, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 20)
    found = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, _LONG), np.uint8))
    _, components, boxes, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    slopes, lengths = [], []
    for number in np.flatnonzero(boxes[:, cv2.CC_STAT_WIDTH] > max(image.shape) // 10)[1:]:
        x, y, w, h, area = boxes[number]
        if area < 0.5 * w * _THICK and h < 0.05 * w + _THICK:
            ys, xs = np.nonzero(components[y : y + h, x : x + w] == number)
            slopes.append(float(np.polyfit(xs, ys, 1)[0]))
            lengths.append(w)
    if not slopes:
        return image
    order = np.argsort(slopes)
    middle = np.searchsorted(np.cumsum(np.array(lengths)[order]), sum(lengths) / 2)
    angle = float(np.degrees(np.arctan(np.array(slopes)[order][middle])))
    if abs(angle) < 0.05:
        return image
    height, width = gray.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _shades(blank: Gray) -> tuple[Gray, Gray]:
    """Where no bare paper is for the width of a letter and more: shaded areas, and those of them that are black."""
    square = np.ones((13, 13), np.uint8)
    around = np.asarray(cv2.erode(cv2.dilate(blank, square), square), np.uint8)
    paper = float(np.percentile(blank, 90))
    return np.asarray(around < _SHADED * paper, np.uint8), np.asarray(around < 0.45 * paper, np.uint8)


def _lines(dark: Gray, shape: tuple[int, int], axis: int) -> list[Box]:
    """Straight solid lines, level (axis 0) or upright."""
    found = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
    lines: list[Box] = []
    for x, y, w, h, _ in cv2.connectedComponentsWithStats(found, connectivity=8)[2][1:].tolist():
        thick = h if axis == 0 else w
        if thick <= _THICK and max(w, h) > 3 * thick:
            lines.append((x, y, x + w, y + h))
    return lines


def _is_edge(line: Box, dark: Gray) -> bool:
    """Whether a line is nothing but the side of a black area, with words in white perhaps."""
    x0, y0, x1, y1 = line
    wide, tall = (0, 12) if x1 - x0 > y1 - y0 else (12, 0)
    sides = [dark[y0 : y1 + tall, x0 : x1 + wide], dark[max(0, y0 - tall) : y1, max(0, x0 - wide) : x1]]
    return max(float(side.mean()) for side in sides) > 0.6


def _dotted(dark: Gray, axis: int, least: int) -> list[Box]:
    """Lines of dots or dashes that stand closer than the signs of a leader do; level (axis 0) or upright."""
    _, components, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    along, across = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT) if axis == 0 else (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH)
    small = (boxes[:, across] <= 6) & (boxes[:, along] <= (30 if axis == 0 else 12))
    small[0] = False
    near = (1, 13) if axis == 0 else (9, 1)
    joined = cv2.morphologyEx(np.asarray(small[components], np.uint8), cv2.MORPH_CLOSE, np.ones(near, np.uint8))
    lines: list[Box] = []
    for x, y, w, h, _ in cv2.connectedComponentsWithStats(joined, connectivity=8)[2][1:].tolist():
        length, thick = (w, h) if axis == 0 else (h, w)
        if length >= least and thick <= 8 and length > 4 * thick:
            lines.append((x, y, x + w, y + h))
    return lines


def _stubs(dark: Gray, level: list[Box]) -> list[Box]:
    """Thin upright strokes that stand on rulings and are too low for rulings themselves."""
    bare = dark.copy()
    for x0, y0, x1, y1 in level:
        bare[max(0, y0 - 1) : y1 + 1, x0:x1] = 0
    stats = cv2.connectedComponentsWithStats(bare, connectivity=8)[2][1:].tolist()
    thin = [(x, y, x + w, y + h) for x, y, w, h, _ in stats if w <= 6 and 8 <= h < _LONG and h > 2 * w]
    return [u for u in thin if any(a[0] - 4 <= u[0] and u[2] <= a[2] + 4 and -2 <= a[1] - u[3] < 4 for a in level)]


def _ticks(upright: list[Box], level: list[Box]) -> list[Box]:
    """Low lines, free at their top, that stand on one ruling at one pitch: they part the places of characters."""
    low = [u for u in upright if u[3] - u[1] < _TICK and not any(_touch(u, a) and abs(a[1] - u[1]) < 6 for a in level)]
    ticks: list[Box] = []
    for ruling in level:
        standing = sorted(u for u in low if -8 < u[3] - ruling[1] < 12 and ruling[0] - 6 < u[0] < ruling[2] + 6)
        steps = np.diff([u[0] for u in standing])
        if len(steps) >= 2 and steps.max() < 2 * _TICK and np.ptp(steps) < 0.2 * steps.mean():
            ticks += standing
    return ticks


def _joined(lines: list[Box]) -> list[Box]:
    """Rulings of one height that follow each other within a few pixels, as one."""
    found: list[Box] = []
    for line in sorted(lines):
        touching = [other for other in found if _touch(line, other)]
        found = [other for other in found if other not in touching]
        edges = list(zip(line, *touching, strict=True))
        found.append((min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])))
    return found


def _touch(a: Box, b: Box) -> bool:
    return min(a[3], b[3]) - max(a[1], b[1]) >= 0 and min(a[2], b[2]) - max(a[0], b[0]) > -8


def _without_specks(text: Gray) -> Gray:
    _, components, boxes, _ = cv2.connectedComponentsWithStats(text, connectivity=8)
    kept = boxes[:, cv2.CC_STAT_AREA] >= 5
    kept[0] = False
    return np.asarray(kept[components], np.uint8)
