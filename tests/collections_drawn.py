"""Small stand-ins for the collections that the reader is trained on, drawn here: folders laid out as the real ones."""

import json
from pathlib import Path

import cv2
import numpy as np
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:;/-+%&'\"()#@°€$£ "


def draw_collections(folder: Path, families: int = 24) -> Path:
    """Digits, boxed digits, letters, fonts and three sets of lines; every line says its page."""
    draw_mnist(folder, 5_040)
    boxes = folder / "odk_marks" / "digits_boxed"
    boxes.mkdir(parents=True)
    for digit in range(10):
        for i in range(8):
            cv2.imwrite(str(boxes / f"{digit}-{i:03}.jpg"), _boxed(str(digit)))
    letters = folder / "omniglot_latin"
    letters.mkdir()
    for n in range(26):
        for person in (1, 2, 5, 6):
            picture = 255 - _written(chr(ord("a") + n), (105, 105), 2.5, 3)
            cv2.imwrite(str(letters / f"character{n + 1:02}_0683_{person:02}.png"), picture)
    draw_fonts(folder / "fonts", families)
    (folder / "printed" / "dejavu").mkdir(parents=True)
    draw_font(folder / "printed" / "dejavu" / "plain.ttf", ALPHABET)
    for name in ("lyon", "stanford", "poilus"):
        draw_lines(folder / f"lines_{name}", [f"{name}{page}" for page in range(10)])
    return folder


def draw_mnist(folder: Path, count: int) -> None:
    """White digits on black; the ones kept for scoring are mirrored, so that a test can tell them."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [_written(str(digit), (28, 28), 0.8, 2) for digit in range(10)]
    x = np.stack([shapes[i % 10] if i < count - 5_000 else shapes[i % 10][:, ::-1] for i in range(count)])
    np.savez(folder / "mnist_train.npz", x=x, y=np.arange(count) % 10)


def draw_fonts(folder: Path, families: int) -> None:
    """So many families of one file each, all the same, and their index."""
    folder.mkdir(parents=True)
    draw_font(folder / "hand-0.ttf", ALPHABET)
    data = (folder / "hand-0.ttf").read_bytes()
    for i in range(1, families):
        (folder / f"hand-{i}.ttf").write_bytes(data)
    index = {f"hand-{i}.ttf": {"package": f"@fontsource/hand-{i}@5.0.0", "license": "OFL-1.1"} for i in range(families)}
    (folder / "fonts.json").write_text(json.dumps(index))


def draw_font(path: Path, characters: str, small_capitals: bool = False) -> None:
    """A font of boxes: capitals and digits tall, small letters short (or as tall), each of its own width."""
    named = {ord(character): f"c{ord(character)}" for character in characters}
    order = [".notdef", *named.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(named)
    tops = dict.fromkeys(order, 700)
    if not small_capitals:
        tops.update({name: 450 for code, name in named.items() if chr(code).islower()})
    glyphs, widths = {}, {}
    for i, name in enumerate(order):
        pen, width = TTGlyphPen(None), 250 + 10 * (i % 20)
        notch = 0 if small_capitals or name == ".notdef" or not chr(int(name[1:])).islower() else 200
        corners = [(50, 0), (50, tops[name]), (width, tops[name] - notch), (width, 0)]
        if name != named.get(ord(" ")):
            pen.moveTo(corners[0])
            for corner in corners[1:]:
                pen.lineTo(corner)
            pen.closePath()
        glyphs[name], widths[name] = pen.glyph(), (width + 50, 50)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(widths)
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(str(path))


def draw_lines(folder: Path, pages: list[str], texts: tuple[str, ...] = ("Marie 7", "Jean 12")) -> None:
    """A folder of lines as `model.lines` reads them: two lines a page."""
    (folder / "lines").mkdir(parents=True)
    rows = ["file\tpage\tline\ttext"]
    for page in pages:
        for i, text in enumerate(texts):
            name = f"{page}_l{i:03}.jpg"
            ink = _written(text, (96, 300), 1.6, 3)
            cv2.imwrite(str(folder / "lines" / name), 235 - ink // 2)
            rows.append(f"{name}\t{page}\t{i}\t{text}")
    (folder / "lines.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _written(text: str, shape: tuple[int, int], size: float, width: int) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    cv2.putText(canvas, text, (shape[0] // 6, int(shape[0] * 0.75)), cv2.FONT_HERSHEY_SIMPLEX, size, (255,), width)
    return canvas


def _boxed(text: str) -> np.ndarray:
    picture = np.full((60, 45), 190, np.uint8)
    cv2.rectangle(picture, (5, 5), (39, 54), (90,), 1)
    cv2.putText(picture, text, (14, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (70,), 2)
    return picture
