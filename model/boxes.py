"""Boxes to tick, drawn: a random generator in; a picture of one, its blank, and whether it is marked, out.

Squares, circles, ovals, brackets, corners and cells of many sizes and lines, with what stands around them on forms;
marked as `box_marks` has it, taken as `box_photo` has it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from formlens.ink import Gray
from model.box_layers import FINE, SIZE, Frame, Layer, empty, letters, line, reach
from model.box_marks import mark, strays
from model.box_photo import photograph, register


@dataclass(frozen=True)
class Drawn:
    """A box as a page shows it, its blank a little beside it, and whether it is marked."""

    picture: Gray
    blank: Gray
    marked: bool


def draw_box(rng: Generator) -> Drawn:
    """One box, as often marked as not."""
    side = float(rng.normal(20, 1.5) if rng.random() < 0.6 else rng.uniform(11, 34)) * FINE / 2
    middle = SIZE * FINE / 2 + rng.normal(0, 0.05 * side, 2)
    flat = float(rng.uniform(0.45, 1.0)) if rng.random() < 0.25 else 1.0
    frame = Frame(float(middle[0]), float(middle[1]), side, side * flat, bool(rng.random() < 0.4))
    printed = empty()
    _print(rng, printed, frame)
    printed *= rng.uniform(0.35, 1.0)
    pen = empty()
    marked = bool(rng.random() < 0.5)
    if marked:
        mark(rng, pen, frame)
    strays(rng, pen, frame, few=marked)
    return Drawn(photograph(rng, printed, pen), register(rng, printed), marked)


def _print(rng: Generator, layer: Layer, frame: Frame) -> None:
    """The box, and what is printed around and, at times, in it."""
    thick = max(1, round(float(rng.uniform(0.04, 0.16)) * frame.a))
    if rng.random() < 0.06:  # a tinted page
        layer += np.float32(rng.uniform(0.08, 0.35))
        frame.erase(layer, 1.0)
    if frame.round:
        _oval(rng, layer, frame, thick)
    else:
        _square(rng, layer, frame, thick)
    if rng.random() < (0.3 if frame.round else 0.06):
        size = frame.b / FINE / rng.uniform(9, 14)
        within = empty()
        at = frame.x - 9 * size * FINE, frame.y + 10 * size * FINE
        letters(within, str(rng.choice(list("ABCDEFGHIJMFXYN0123456789"))), at, size, rng)
        np.maximum(layer, within * np.float32(rng.uniform(0.3, 1.0)), out=layer)
    if rng.random() < 0.06:  # a tinted inside
        tint = empty() + np.float32(rng.uniform(0.05, 0.2))
        around = tint.copy()
        frame.erase(around, 1.0)
        np.maximum(layer, tint - around, out=layer)
    if rng.random() < 0.04:  # broken, as worn copies have it
        worn = rng.uniform(0, len(layer), 2)
        cv2.circle(layer, (int(worn[0]), int(worn[1])), round(0.3 * frame.a), (0.0,), -1)
    _around(rng, layer, frame, thick)


def _oval(rng: Generator, layer: Layer, frame: Frame, thick: int) -> None:
    centre, axes = (round(frame.x), round(frame.y)), (round(frame.a), round(frame.b))
    style = rng.random()
    if style < 0.08:  # dotted
        for start in range(0, 360, int(rng.choice([20, 30, 36]))):
            cv2.ellipse(layer, centre, axes, 0, start, start + 12, (1.0,), thick, cv2.LINE_AA)
        return
    cv2.ellipse(layer, centre, axes, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)
    if style < 0.14:  # two lines
        wider = round(frame.a * 1.25), round(frame.b * 1.25)
        cv2.ellipse(layer, centre, wider, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)


def _square(rng: Generator, layer: Layer, frame: Frame, thick: int) -> None:
    x0, y0, x1, y1 = frame.edges()
    style = rng.random()
    if style < 0.1:  # parentheses
        bow = 35 if rng.random() < 0.5 else 60
        for turn in (0, 180):
            axes = round(frame.a), round(frame.b)
            cv2.ellipse(layer, (round(frame.x), round(frame.y)), axes, turn, -bow, bow, (1.0,), thick, cv2.LINE_AA)
    elif style < 0.16:  # brackets
        for x, way in ((x0, 1), (x1, -1)):
            corners = [[x + way * thick * 3, y0], [x, y0], [x, y1], [x + way * thick * 3, y1]]
            line(layer, np.array(corners, float), thick)
    elif style < 0.2:  # corners alone
        arm = frame.half * rng.uniform(0.3, 0.6)
        for x, way in ((x0, 1), (x1, -1)):
            for y, down in ((y0, 1), (y1, -1)):
                line(layer, np.array([[x + way * arm[0], y], [x, y], [x, y + down * arm[1]]]), thick)
    elif style < 0.24:  # a line to mark on
        line(layer, np.array([[x0 - 3 * thick, y1], [x1 + 3 * thick, y1]], float), thick)
    elif style < 0.3:  # dashes
        step = frame.a * rng.uniform(0.2, 0.45)
        for share in np.arange(-1, 1, step / frame.a):
            for turn in (-1, 1):
                ends = np.array([[share, turn], [min(share + 0.55 * step / frame.a, 1), turn]])
                line(layer, frame.middle + ends * frame.half, thick)
                line(layer, frame.middle + ends[:, ::-1] * frame.half, thick)
    elif style < 0.38:  # round corners
        t = np.linspace(0, 2 * np.pi, 60)
        power = rng.uniform(0.15, 0.5)
        shape = [np.sign(f(t)) * np.abs(f(t)) ** power for f in (np.cos, np.sin)]
        line(layer, frame.middle + np.stack(shape, 1) * frame.half, thick)
    else:
        cv2.rectangle(layer, (x0, y0), (x1, y1), (1.0,), thick, cv2.LINE_AA)
        if rng.random() < 0.1:  # a shadow to the right and below
            cv2.line(layer, (x0 + thick, y1 + thick), (x1 + thick, y1 + thick), (1.0,), thick)
            cv2.line(layer, (x1 + thick, y0 + thick), (x1 + thick, y1 + thick), (1.0,), thick)


def _around(rng: Generator, layer: Layer, frame: Frame, thick: int) -> None:
    """A label on one side or both, a ruling that ends at the box, a frame, or other boxes in a row or column."""
    size = frame.b / FINE * rng.uniform(0.03, 0.06)
    words = "".join(rng.choice(list("aeionrstlMFYN18 "), 9))
    if rng.random() < 0.45:
        x, y = frame.x + frame.a * rng.uniform(1.25, 1.7), frame.y + frame.b * rng.uniform(0.3, 0.9)
        letters(layer, words, (x, y), size, rng)
    if rng.random() < 0.2:
        x, y = frame.x - frame.a * rng.uniform(1.25, 1.7), frame.y + frame.b * rng.uniform(0.3, 0.9)
        letters(layer, words, (x - reach(words, size), y), size, rng)
    if rng.random() < 0.06:
        for turn in (-1, 1) if rng.random() < 0.5 else (int(rng.choice([-1, 1])),):
            level = frame.y + frame.b * rng.choice([-1.0, 0.0, 1.0])
            ends = [[frame.x + turn * frame.a * rng.uniform(1.0, 1.15), level], [frame.x + turn * 4 * frame.a, level]]
            line(layer, np.array(ends), thick)
    if rng.random() < 0.12:
        x0, y0, x1, y1 = frame.edges(float(rng.uniform(1.35, 1.9)))
        cv2.rectangle(layer, (x0, y0), (x1, y1), (1.0,), thick, cv2.LINE_AA)
    elif rng.random() < 0.3:
        way = (1, 0) if rng.random() < 0.5 else (0, 1)
        pitch = float(rng.uniform(2.1, 3.2)) if rng.random() < 0.7 else 2.0
        for turn in (-1, 1):
            x, y = frame.x + turn * way[0] * pitch * frame.a, frame.y + turn * way[1] * pitch * frame.b
            if frame.round:
                axes = round(frame.a), round(frame.b)
                cv2.ellipse(layer, (round(x), round(y)), axes, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)
            else:
                corner = (round(x + frame.a), round(y + frame.b))
                cv2.rectangle(layer, (round(x - frame.a), round(y - frame.b)), corner, (1.0,), thick, cv2.LINE_AA)
