"""Draws paper with tables on it whose true grid is known: what a test asks for, or anything at random from a seed."""

from dataclasses import dataclass, field, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Colour = tuple[int, int, int]

PAPER: Colour = (225, 232, 235)
PEN: Colour = (90, 50, 40)


@dataclass(frozen=True)
class Style:
    """How a table is drawn; lengths in pixels, colours BGR."""

    rows: int = 4
    columns: int = 3
    cell: tuple[float, float] = (130.0, 60.0)
    uneven: float = 0.0
    margin: int = 40
    paper: Colour = PAPER
    pen: Colour = PEN
    thickness: float = 3.0
    wobble: float = 0.0
    tilt: float = 0.0
    perspective: float = 0.0
    bow: float = 0.0
    missing: tuple[str, ...] = ()
    """Borders left out: any of "top", "bottom", "left", "right"."""
    ends: tuple[float, float] = (0.0, 0.0)
    """How far a ruling's end misses its corner: from (short, negative) to (over, positive)."""
    gaps: float = 0.0
    """Share of every ruling that is not drawn, in pieces."""
    dash: tuple[float, float] | None = None
    """Length of dash and of gap."""
    double: bool = False
    lines: Literal["none", "rows", "behind", "graph"] = "none"
    """Printed lines of the paper: none, instead of inner level rulings, behind all rulings, squares behind them."""
    line_colour: Colour = (205, 190, 165)
    line_step: float = 34.0
    grain: float = 0.0
    """Pencil: how much the ink comes and goes."""
    texture: float = 2.0
    shadow: float = 0.0
    blur: float = 0.0
    jpeg: int | None = None
    filled: float = 0.6
    ink_scale: float = 0.45
    """Height of digits as a share of the row."""
    room: tuple[int, int, int, int] = (0, 0, 0, 0)
    """More paper than the margin: left, top, right, bottom."""
    around: tuple[str, ...] = ()
    """What else is on the photo: any of "title", "below", "beside", "holes", "edge", "finger", "shade"."""
    again: float = 0.0
    """Chance that a ruling is drawn a second time."""
    noise: float = 1.5


@dataclass(frozen=True)
class Drawn:
    """An image, the true lattice of shape (rows+1, columns+1, 2) in its pixels, and each cell's text ("" if empty)."""

    image: Image
    corners: Floats
    texts: tuple[tuple[str, ...], ...]
    style: Style = field(default_factory=Style)


def draw_table(style: Style, seed: int = 0) -> Drawn:
    """Draw one table in a style; the same seed gives the same picture."""
    rng = np.random.default_rng(seed)
    widths = style.cell[0] * (1 + style.uneven * rng.uniform(-1, 1, style.columns))
    heights = style.cell[1] * (1 + (0 if style.lines == "rows" else style.uneven) * rng.uniform(-1, 1, style.rows))
    x = np.concatenate([[0], np.cumsum(widths)]) + style.margin
    y = np.concatenate([[0], np.cumsum(heights)]) + style.margin
    x, y = x + style.room[0], y + style.room[1]
    width, height = int(x[-1] + style.margin + style.room[2]), int(y[-1] + style.margin + style.room[3])
    bend = _bend(style, width, height, rng)
    wave_y = [_wave(style.wobble, rng) for _ in y]
    wave_x = [_wave(style.wobble, rng) for _ in x]
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = style.paper
    canvas *= _paper_texture(height, width, style.texture, rng)[..., None]
    _draw_paper_lines(canvas, style, y, bend)
    pen = np.zeros((height, width), np.float32)
    for i, level in enumerate(y):
        border = "top" if i == 0 else "bottom" if i == style.rows else ""
        if border in style.missing or (not border and style.lines == "rows"):
            continue
        t = np.linspace(x[0] - _end(style, rng), x[-1] + _end(style, rng), 200)
        _draw_ruling(pen, bend(np.stack([t, level + wave_y[i](t)], axis=1)), style, rng)
    for j, upright in enumerate(x):
        border = "left" if j == 0 else "right" if j == style.columns else ""
        if border in style.missing:
            continue
        t = np.linspace(y[0] - _end(style, rng), y[-1] + _end(style, rng), 200)
        _draw_ruling(pen, bend(np.stack([upright + wave_x[j](t), t], axis=1)), style, rng)
    flat_wave = [_wave(0.0, rng)] if style.lines == "rows" else []
    rows_wave = [w if i in (0, style.rows) or not flat_wave else flat_wave[0] for i, w in enumerate(wave_y)]
    lattice = np.array([[_crossing(a, b, rows_wave[i], wave_x[j]) for j, a in enumerate(x)] for i, b in enumerate(y)])
    corners = bend(lattice.reshape(-1, 2)).reshape(lattice.shape)
    texts = _write(pen, corners, style, rng)
    aside = np.random.default_rng([seed, 1])
    _write_around(pen, corners, style, aside)
    _lay_around(canvas, pen, style, aside)
    image = _developed(canvas, pen, style, rng)
    return Drawn(_shaded(image, style, aside), corners, texts, style)


def random_style(seed: int) -> Style:
    """A style that somebody's pen, paper and camera might have."""
    rng = np.random.default_rng(seed)

    def maybe(chance: float) -> bool:
        return bool(rng.random() < chance)

    def colour(low: int, high: int, cast: float) -> Colour:
        level, casts = rng.uniform(low, high), rng.uniform(-cast, cast, 3)
        return tuple(int(np.clip(level + c, 0, 255)) for c in casts)  # type: ignore[return-value]

    paper = colour(140, 245, 25)
    dark = float(np.mean(paper)) * rng.uniform(0.15, 0.72)
    pen: Colour = tuple(int(np.clip(dark + c, 0, 255)) for c in rng.uniform(-25, 25, 3))  # type: ignore[assignment]
    if maybe(0.12):
        paper, pen = colour(20, 70, 15), colour(150, 245, 20)
    scale = rng.uniform(0.7, 2.0)
    sides = ["top", "bottom", "left", "right"]
    rows, columns = int(rng.integers(2, 10)), int(rng.integers(2, 8))
    missing = tuple(rng.permutation(sides)[: int(rng.integers(1, 5))]) if maybe(0.2) else ()
    lines = rng.choice(["none", "rows", "behind", "graph"], p=[0.6, 0.15, 0.15, 0.1])
    if lines == "rows":
        missing = ()
        rows = max(rows, 3)
    height = rng.uniform(35, 80) * scale
    ink = np.mean(np.abs(np.subtract(paper, pen)))
    sign = 1 if np.mean(pen) > np.mean(paper) else -1
    line = np.add(paper, sign * ink * rng.uniform(0.15, 0.4) * np.array([0.6, 1.0, 1.4])[:: rng.choice([-1, 1])])
    return Style(
        rows=rows,
        columns=columns,
        cell=(rng.uniform(55, 170) * scale, height),
        uneven=rng.uniform(0, 0.35),
        margin=int(rng.uniform(12, 150)),
        paper=paper,
        pen=pen,
        thickness=rng.uniform(1.2, 3.2) * scale,
        wobble=rng.uniform(0, 2.5) * scale,
        tilt=rng.normal(0, 2.0),
        perspective=rng.uniform(0, 0.06),
        bow=rng.uniform(-0.012, 0.012),
        missing=missing,
        ends=(-rng.uniform(0, 7) * scale, rng.uniform(0, 8) * scale),
        gaps=rng.uniform(0.02, 0.1) if maybe(0.2) else 0.0,
        dash=(rng.uniform(12, 20), rng.uniform(3, 7)) if maybe(0.08) and lines == "none" else None,
        double=maybe(0.07),
        lines=str(lines),  # type: ignore[arg-type]
        line_colour=tuple(int(np.clip(c, 0, 255)) for c in line),  # type: ignore[arg-type]
        line_step=rng.uniform(22, 45) * scale,
        grain=rng.uniform(0.2, 0.6) if maybe(0.35) else 0.0,
        texture=rng.uniform(0.5, 6.0),
        shadow=rng.uniform(0, 0.5) if maybe(0.5) else 0.0,
        blur=rng.uniform(0.3, 1.4),
        jpeg=int(rng.integers(50, 95)) if maybe(0.6) else None,
        filled=rng.uniform(0.2, 0.95),
        ink_scale=rng.uniform(0.3, 0.7),
    )


def random_photo(seed: int) -> Style:
    """A random style with what a photograph has besides the table: other writing, edges of the paper, a finger."""
    style = random_style(seed)
    rng = np.random.default_rng([seed, 2])

    def maybe(chance: float) -> bool:
        return bool(rng.random() < chance)

    rows, columns = style.rows, style.columns
    if maybe(0.15):
        rows = int(rng.integers(10, 19))
    elif maybe(0.1) and style.lines != "rows":
        rows, columns = ((1, max(3, columns)), (max(3, rows), 1))[int(rng.integers(2))]
    things = ["title", "below", "beside", "holes", "edge", "finger", "shade"]
    around = tuple(t for t in things if maybe(0.2))
    room = tuple(int(v) for v in rng.uniform(0, 160, 4) * (rng.random(4) < 0.5))
    return replace(
        style,
        rows=rows,
        columns=columns,
        missing=() if min(rows, columns) == 1 else style.missing,
        uneven=rng.uniform(0, 0.6),
        margin=int(rng.uniform(25, 150)),
        room=room,  # type: ignore[arg-type]
        around=around,
        again=0.3 if maybe(0.15) else 0.0,
        ends=(style.ends[0], style.ends[1] * (3.0 if maybe(0.2) else 1.0)),
        noise=rng.uniform(1.0, 7.0) if maybe(0.4) else 1.5,
        blur=rng.uniform(1.4, 2.4) if maybe(0.15) else style.blur,
        bow=rng.uniform(-0.03, 0.03) if maybe(0.3) else style.bow,
    )


def draw_page(tables: list[Drawn], size: tuple[int, int], places: list[tuple[int, int]]) -> tuple[Image, list[Floats]]:
    """Put drawn tables on one page of their paper, each at its (x, y); the true lattices in page pixels come along."""
    page = np.full((size[1], size[0], 3), tables[0].style.paper, np.uint8)
    lattices = []
    for table, (x, y) in zip(tables, places, strict=True):
        height, width = table.image.shape[:2]
        page[y : y + height, x : x + width] = table.image
        lattices.append(table.corners + np.array([x, y]))
    return page, lattices


def draw_writing(
    seed: int, *, size: tuple[int, int] = (900, 1200), ruled: bool = False, margin_line: bool = False
) -> Image:
    """A page of writing, on plain or on ruled paper: no table."""
    rng = np.random.default_rng(seed)
    canvas = np.empty((size[1], size[0], 3), np.float32)
    canvas[:] = PAPER
    canvas *= _paper_texture(size[1], size[0], rng.uniform(0.5, 5), rng)[..., None]
    step = rng.uniform(34, 60)
    pen = np.zeros(canvas.shape[:2], np.float32)
    for y in np.arange(step * 1.5, size[1] - 20, step):
        if ruled:
            cv2.line(canvas, (0, int(y)), (size[0], int(y)), (205, 190, 165), 1 + int(step > 45), cv2.LINE_AA)
        words = " ".join("".join(rng.choice(list("aeilmnorstuHT147"), rng.integers(1, 9))) for _ in range(9))
        font = int(rng.choice([cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX]))
        left, scale = int(rng.uniform(20, 80)), step / 45
        cv2.putText(pen, words, (left, int(y - 4)), font, scale, (1.0,), 1 + int(step > 45), cv2.LINE_AA)
    if margin_line:
        cv2.line(canvas, (110, 0), (110, size[1]), (150, 140, 215), 2, cv2.LINE_AA)
    return _developed(canvas, pen, Style(blur=float(rng.uniform(0.3, 1.2)), shadow=float(rng.uniform(0, 0.3))), rng)


def draw_lined_paper(seed: int, *, size: tuple[int, int] = (900, 1200), squares: bool = False) -> Image:
    """Blank notebook paper, lined with a margin line, or squared: no table."""
    rng = np.random.default_rng(seed)
    canvas = np.empty((size[1], size[0], 3), np.float32)
    canvas[:] = PAPER
    step = rng.uniform(24, 50)
    for y in np.arange(rng.uniform(0, 90), size[1], step):
        cv2.line(canvas, (0, int(y)), (size[0], int(y)), (205, 190, 165), 1, cv2.LINE_AA)
    for x in np.arange(rng.uniform(0, 90), size[0], step) if squares else [110.0]:
        cv2.line(
            canvas, (int(x), 0), (int(x), size[1]), (205, 190, 165) if squares else (150, 140, 215), 1, cv2.LINE_AA
        )
    style = Style(blur=float(rng.uniform(0.3, 1.2)), shadow=float(rng.uniform(0, 0.3)))
    return _developed(canvas, np.zeros(canvas.shape[:2], np.float32), style, rng)


def photograph(image: Image, seed: int, *, desk: Colour = (60, 75, 95), slant: float = 0.12) -> tuple[Image, Floats]:
    """The paper lying on a desk, seen at an angle under a lamp, and its corners, clockwise from top left."""
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    frame = (int(width * 1.35), int(height * 1.35))
    box = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    quad = box + [0.175 * width, 0.175 * height] + rng.uniform(-slant, slant, (4, 2)) * [width, height]
    view = cv2.getPerspectiveTransform(box.astype(np.float32), quad.astype(np.float32))
    scene = np.empty((frame[1], frame[0], 3), np.float32)
    scene[:] = desk
    scene *= _paper_texture(frame[1], frame[0], 5.0, rng)[..., None]
    for _ in range(3):
        centre = rng.uniform(0, 1, 2) * frame
        a, b = rng.uniform(20, 120, 2)
        at = cv2.RotatedRect((float(centre[0]), float(centre[1])), (float(a), float(b)), float(rng.uniform(0, 180)))
        cv2.ellipse(scene, at, tuple(rng.uniform(20, 200, 3).tolist()), -1)  # type: ignore[call-overload]
    paper = cv2.warpPerspective(image.astype(np.float32), view, frame, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones((height, width), np.float32), view, frame)[..., None]
    scene = scene * (1 - inside) + paper * inside
    scene *= _lamp(frame[1], frame[0], 0.45, rng)[..., None]
    return np.clip(cv2.GaussianBlur(scene, (0, 0), 0.7), 0, 255).astype(np.uint8), quad


def _end(style: Style, rng: np.random.Generator) -> float:
    return float(rng.uniform(*style.ends)) if style.ends[0] != style.ends[1] else style.ends[0]


def _wave(size: float, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    periods, phases = rng.uniform(120, 900, 3), rng.uniform(0, 2 * np.pi, 3)
    sizes = size * rng.uniform(0.3, 1, 3)
    return lambda t: sum(
        s * np.sin(2 * np.pi * np.asarray(t) / p + q) for s, p, q in zip(sizes, periods, phases, strict=True)
    )


def _crossing(x: float, y: float, wave_y, wave_x) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    a, b = x, y
    for _ in range(5):
        a, b = x + wave_x(b), y + wave_y(a)
    return float(a), float(b)


def _bend(style: Style, width: int, height: int, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    box = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    pull = rng.uniform(0, style.perspective, (4, 2)) * [width, height] * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), style.tilt, 1 - abs(style.tilt) / 90)
    view = np.vstack([turn, [0, 0, 1]]) @ cv2.getPerspectiveTransform(
        box.astype(np.float32), (box + pull).astype(np.float32)
    )

    def bend(points: Floats) -> Floats:
        u = points[:, 0] / width - 0.5
        v = points[:, 1] / height - 0.5
        bowed = points + np.stack([style.bow * width * (v**2 - 0.08), style.bow * height * (u**2 - 0.08)], axis=1)
        return np.asarray(cv2.perspectiveTransform(bowed[None].astype(np.float64), view)[0], np.float64)

    return bend


def _polyline(target: NDArray[np.float32], points: Floats, colour: tuple[float, ...], thickness: float) -> None:
    whole = max(1, round(thickness))
    cv2.polylines(target, [np.round(points * 16).astype(np.int32)], False, colour, whole, cv2.LINE_AA, 4)


def _draw_ruling(pen: NDArray[np.float32], points: Floats, style: Style, rng: np.random.Generator) -> None:
    offsets = [0.0]
    if style.double:
        offsets = [-style.thickness * 1.2, style.thickness * 1.2]
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    place = np.concatenate([[0], np.cumsum(steps)])
    drawn = np.ones(len(points), bool)
    if style.dash:
        fine = np.arange(0, place[-1], 1.0)
        points = np.stack([np.interp(fine, place, points[:, k]) for k in (0, 1)], axis=1)
        drawn = fine % sum(style.dash) < style.dash[0]
    elif style.gaps:
        for _ in range(max(1, round(style.gaps * len(points) / 8))):
            first = int(rng.integers(0, len(points)))
            drawn[first : first + 8] = False
    direction = (points[-1] - points[0]) / np.linalg.norm(points[-1] - points[0])
    normal = np.array([-direction[1], direction[0]])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], drawn.astype(int), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        for offset in offsets:
            _polyline(pen, points[first:last] + offset * normal, (1.0,), style.thickness)
    if style.again and rng.random() < style.again:
        drift = np.linspace(rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.5), len(points))[:, None] * style.thickness
        _polyline(pen, points + drift * normal, (1.0,), style.thickness)


def _draw_paper_lines(canvas: NDArray[np.float32], style: Style, y: Floats, bend) -> None:  # type: ignore[no-untyped-def]
    height, width = canvas.shape[:2]
    across, down = np.linspace(-0.5 * width, 1.5 * width, 80), np.linspace(-0.5 * height, 1.5 * height, 80)
    if style.lines == "rows":
        step = style.cell[1]
        levels = np.arange(y[0] - 6 * step, y[-1] + 6 * step, step)
    else:
        levels = np.arange(-0.5 * height + 7, 1.5 * height, style.line_step)
    if style.lines != "none":
        for level in levels:
            _polyline(
                canvas, bend(np.stack([across, np.full(80, level)], axis=1)), style.line_colour, style.thickness / 3
            )
    if style.lines == "graph":
        for upright in np.arange(-0.5 * width + 5, 1.5 * width, style.line_step):
            line = bend(np.stack([np.full(80, upright), down], axis=1))
            _polyline(canvas, line, style.line_colour, style.thickness / 3)


def _write(
    pen: NDArray[np.float32], corners: Floats, style: Style, rng: np.random.Generator
) -> tuple[tuple[str, ...], ...]:
    fonts = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN]
    font = int(rng.choice(fonts))
    texts = []
    for i in range(style.rows):
        line = []
        for j in range(style.columns):
            if rng.random() >= style.filled:
                line.append("")
                continue
            quad = corners[[i, i, i + 1, i + 1], [j, j + 1, j, j + 1]]
            room = np.abs(quad[3] - quad[0])
            tall = style.ink_scale * room[1]
            text = "".join(rng.choice(list("0123456789"), rng.integers(1, 5)))
            thick = max(1, round(style.thickness * 0.8))
            scale = cv2.getFontScaleFromHeight(font, max(6, int(tall)), thick)
            (wide, high), _ = cv2.getTextSize(text, font, scale, thick)
            while wide > 0.85 * room[0] and len(text) > 1:
                text = text[:-1]
                (wide, high), _ = cv2.getTextSize(text, font, scale, thick)
            if wide > 0.85 * room[0]:
                scale *= 0.85 * room[0] / wide
                (wide, high), _ = cv2.getTextSize(text, font, scale, thick)
            slack = np.maximum(room - [wide, high] - 2 * style.thickness - 4, 0) / 2
            at = quad.mean(axis=0) + [-wide / 2, high / 2] + rng.uniform(-0.9, 0.9, 2) * slack
            cv2.putText(pen, text, (int(at[0]), int(at[1])), font, scale, (1.0,), thick, cv2.LINE_AA)
            line.append(text)
        texts.append(tuple(line))
    return tuple(texts)


def _write_around(pen: NDArray[np.float32], corners: Floats, style: Style, rng: np.random.Generator) -> None:
    """A title above, notes below, numbers beside the table."""
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    tall = max(10.0, 0.45 * style.cell[1])
    font, thick = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, max(1, round(style.thickness * 0.8))
    scale = cv2.getFontScaleFromHeight(font, int(tall), thick)

    def word(letters: str, n: int) -> str:
        return "".join(rng.choice(list(letters), n))

    letters = "aeilmnorstuHTF147"
    if "title" in style.around:
        at = int(low[0] + rng.uniform(0, 60)), int(low[1] - rng.uniform(0.3, 1.2) * tall)
        cv2.putText(pen, f"{word(letters, 6)} {word(letters, 5)}", at, font, scale, (1.0,), thick, cv2.LINE_AA)
    if "below" in style.around:
        for k in range(3):
            at = int(low[0] - rng.uniform(0, 60)), int(high[1] + (1.5 + 1.7 * k) * tall)
            words = " ".join(word(letters, int(n)) for n in rng.integers(2, 8, 5))
            cv2.putText(pen, words, at, font, scale, (1.0,), thick, cv2.LINE_AA)
    if "beside" in style.around:
        for y in corners[:-1, -1, 1]:
            at = int(high[0] + rng.uniform(0.3, 0.8) * tall), int(y + 1.3 * tall)
            cv2.putText(pen, word("0123456789", 3), at, font, scale, (1.0,), thick, cv2.LINE_AA)


def _lay_around(canvas: NDArray[np.float32], pen: NDArray[np.float32], style: Style, rng: np.random.Generator) -> None:
    """Punched holes, the desk beyond the edge of the paper, a finger."""
    height, width = pen.shape
    if "holes" in style.around:
        for y in np.arange(rng.uniform(10, 60), height, rng.uniform(40, 90)):
            cv2.circle(
                canvas, (int(0.35 * style.margin), int(y)), int(0.22 * style.margin), (70, 70, 75), -1, cv2.LINE_AA
            )
    if "edge" in style.around:
        slant = rng.uniform(-0.4, 0.4, 2) * style.margin
        at = width - 0.5 * style.margin
        beyond = np.array([[at + slant[0], 0], [width, 0], [width, height], [at + slant[1], height]])
        cv2.fillPoly(canvas, [beyond.astype(np.int32)], tuple(rng.uniform(30, 130, 3).tolist()), cv2.LINE_AA)
        cv2.fillPoly(pen, [beyond.astype(np.int32)], (0.0,))
    if "finger" in style.around:
        centre = rng.uniform(0.1, 0.9) * width, height + 10.0
        at = cv2.RotatedRect(centre, (60.0, 2.0 * style.margin), float(rng.uniform(-30, 30)))
        cv2.ellipse(canvas, at, (120, 150, 205), -1, cv2.LINE_AA)  # type: ignore[call-overload]
        cv2.ellipse(pen, at, (0.0,), -1, cv2.LINE_AA)  # type: ignore[call-overload]


def _shaded(image: Image, style: Style, rng: np.random.Generator) -> Image:
    """The edge of a shadow across the photo."""
    if "shade" not in style.around:
        return image
    height, width = image.shape[:2]
    edge = np.array([[0, 0], [rng.uniform(0, width), 0], [rng.uniform(0, width), height], [0, height]])
    shade = np.zeros((height, width), np.float32)
    cv2.fillPoly(shade, [edge.astype(np.int32)], (1.0,))
    soft = cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(4, 25)))[..., None]
    return np.asarray(image * (1 - np.float32(rng.uniform(0.15, 0.45)) * soft), np.uint8)


def _paper_texture(height: int, width: int, size: float, rng: np.random.Generator) -> NDArray[np.float32]:
    fine = rng.standard_normal((height, width), dtype=np.float32)
    rough = cv2.resize(rng.standard_normal((height // 3 + 1, width // 3 + 1), dtype=np.float32), (width, height))
    return 1 + (0.6 * fine + 0.8 * rough) * np.float32(size / 255)


def _lamp(height: int, width: int, depth: float, rng: np.random.Generator) -> NDArray[np.float32]:
    coarse = rng.uniform(1 - depth, 1, (4, 4)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _developed(canvas: NDArray[np.float32], pen: NDArray[np.float32], style: Style, rng: np.random.Generator) -> Image:
    if style.grain:
        height, width = pen.shape
        grain = cv2.resize(rng.random((height // 2 + 1, width // 2 + 1), dtype=np.float32), (width, height))
        pen = pen * (1 - np.float32(style.grain) * grain)
    light = canvas * (1 - pen[..., None]) + np.asarray(style.pen, np.float32) * pen[..., None]
    if style.shadow:
        light = light * _lamp(pen.shape[0], pen.shape[1], style.shadow, rng)[..., None]
    seen = cv2.GaussianBlur(light, (0, 0), style.blur) if style.blur else light
    noise = rng.standard_normal(light.shape, dtype=np.float32) * np.float32(style.noise)
    image = np.clip(seen + noise, 0, 255).astype(np.uint8)
    if not style.jpeg:
        return image
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, style.jpeg])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def variant(style: Style, **changes: object) -> Style:
    """The same style with some things changed."""
    return replace(style, **changes)  # type: ignore[arg-type]
