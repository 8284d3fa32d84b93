"""A learned form and its file: a zip of `form.json` and `blank.png`, data only, safe to load from a stranger."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, cast, get_args

import cv2
import numpy as np

from formlens.calibrate import Own
from formlens.choices import Choice, Option
from formlens.hand import Hand, hand_from
from formlens.ink import Gray
from formlens.kinds import Kind, Name
from formlens.listing import Listing, listing_from
from formlens.pen import print_of
from formlens.register import Print, find_print
from formlens.trust import KEPT, Trust
from formlens.types import Box, CallError

VERSION = 1
SIDE = 2200
"""Pixels of the longer side of a form's frame: letter and A4 at about 200 dpi."""

_MOST = {"form.json": 4_000_000, "blank.png": 8_000_000}
"""What a form's file may hold, and bytes of each when unpacked."""


@dataclass(frozen=True)
class Column:
    """One column of the spreadsheet."""

    name: str
    kind: Kind
    place: Box | None
    """Where it stands, in pixels of the form's frame; None where it is not on the page."""
    choice: Choice | None = None
    """The marks that answer it; None for a column that is written, or is not on the page."""
    cells: int = 1
    """Of a comb, how many boxes of one character each its place has."""
    dittos: tuple[str, ...] = ()
    """Of a column in rows, what the reader sees where a mark stands for the value above."""


@dataclass(frozen=True)
class Form:
    """Where each column lives on the page and what may stand there."""

    name: str
    columns: tuple[Column, ...]
    blank: Gray
    """What is printed on the form, shape (height, width), the longer of them `SIDE`."""
    listing: Listing | None = None
    """The table of many rows, where the form holds one."""
    trust: Trust | None = None
    """How far its readings can be trusted; None where no labelled scan could say."""
    hand: Hand | None = None
    """What its own rows taught about its writers; None where they taught nothing."""

    @property
    def located(self) -> int:
        """How many columns are on the page."""
        rows = self.listing.columns if self.listing else frozenset()
        return sum(column.place is not None or number in rows for number, column in enumerate(self.columns))

    @cached_property
    def printed(self) -> Gray:
        """Where the form is printed, 1 or 0."""
        return print_of(self.blank)

    @cached_property
    def print(self) -> Print:
        """What the form is recognized by."""
        return find_print(self.blank)


def save_form(form: Form, path: Path) -> None:
    """Write a form's file; the same form gives the same bytes."""
    text = json.dumps(
        {"version": VERSION, "name": form.name, "columns": [asdict(column) for column in form.columns],
         "listing": form.listing and asdict(form.listing), "trust": form.trust and asdict(form.trust),
         "hand": form.hand and asdict(form.hand)},
        ensure_ascii=False, indent=1,
    )  # fmt: skip
    # 32 greys are all that print needs, and make the file half as large
    picture = cv2.imencode(".png", np.minimum(form.blank // 8 * 8 + 4, 252) | (form.blank // 8 == 31) * np.uint8(3))[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("form.json", text.encode()), ("blank.png", picture.tobytes())):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    unfinished.replace(path)


def load_form(path: Path) -> Form:
    """Read a form's file. Raises CallError, which names it, for a file that is not a whole and sound form."""
    try:
        with path.open("rb") as stream:
            data = stream.read(sum(_MOST.values()) + 1)
    except IsADirectoryError as error:
        raise CallError(f"{path} is a folder; a form is the file that `formlens learn` wrote") from error
    except FileNotFoundError as error:
        raise CallError(f"{path}: no such form; learn it with: formlens learn FOLDER --out {path}") from error
    try:
        return _form(data)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, NotImplementedError, RuntimeError, EOFError) as error:
        raise CallError(f"{path} is not a form, or is damaged: learn it again") from error


def _form(data: bytes) -> Form:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if members.keys() != _MOST.keys() or any(members[name].file_size > most for name, most in _MOST.items()):
            raise ValueError("not the members of a form")
        parts = {name: archive.open(name).read(most + 1) for name, most in _MOST.items()}
    content = json.loads(parts["form.json"])
    if content["version"] != VERSION:
        raise ValueError("made by another version")
    blank = _picture(parts["blank.png"])
    height, width = blank.shape
    columns = tuple(_column(column, width, height) for column in _list(content["columns"]))
    if not columns or len({column.name for column in columns}) < len(columns):
        raise ValueError("no columns, or two of one name")
    listing = listing_from(content.get("listing"), len(columns), width, height)
    hand = hand_from(content.get("hand"))
    return Form(_text(content["name"]), columns, blank, listing, _trust(content.get("trust")), hand)


def _trust(content: Any) -> Trust | None:
    if content is None:
        return None
    own = content["own"]
    cells = content["cells"]
    if not isinstance(cells, list) or len(cells) > KEPT:
        raise ValueError("not the cells that a form was checked on")
    shifts = tuple((_text(name), _number(shift, -50, 50)) for name, shift in _list(own["columns"]))
    held = tuple((_text(name), _number(sure, 0, 1), right is True) for name, sure, right in cells)
    stretch, shift = _number(own["stretch"], 0, 50), _number(own["shift"], -50, 50)
    return Trust(_text(content["reader"]), _number(content["error"], 0, 1), Own(stretch, shift, shifts), held)


def _number(value: Any, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError("not a number within its bounds")
    return float(value)


def _picture(data: bytes) -> Gray:
    """The blank; its size is looked at before it is unpacked."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if max(width, height) != SIDE or min(width, height) < SIDE // 8:
        raise ValueError("not the size of a form")
    blank = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if blank is None or blank.shape != (height, width):
        raise ValueError("a damaged PNG")
    return np.asarray(blank, np.uint8)


def _column(content: dict[str, Any], width: int, height: int) -> Column:
    kind = content["kind"]
    name = kind["name"]
    if name not in get_args(Name) or (name == "mark" and kind["typed"].count("\n") != 1):
        raise ValueError("an unknown kind")
    characters = None if kind["characters"] is None else _text(kind["characters"])
    place = content["place"]
    return Column(
        _text(content["name"]),
        Kind(cast(Name, name), characters, _text(kind["typed"]), _weighed(kind["ways"]), _counted(kind["examples"])),
        None if place is None else _place(_list(place), width, height),
        None if content.get("choice") is None else _choice(content["choice"], width, height),
        _cells(content.get("cells", 1)),
        _dittos(content.get("dittos", [])),
    )


def _cells(content: Any) -> int:
    if type(content) is not int or not 1 <= content <= 200:
        raise ValueError("not a number of boxes")
    return content


def _dittos(content: Any) -> tuple[str, ...]:
    marks = tuple(_text(mark) for mark in _list(content))
    if not all(0 < len(mark) <= 20 for mark in marks) or len(marks) > 50:
        raise ValueError("not marks that repeat a value")
    return marks


def _weighed(content: Any) -> tuple[tuple[str, float], ...]:
    ways = tuple((_text(way), weight) for way, weight in _list(content))
    if not all(type(weight) is float and 0 < weight <= 1 for _, weight in ways) or len(ways) > 200:
        raise ValueError("not weights of ways")
    return ways


def _counted(content: Any) -> tuple[tuple[str, int], ...]:
    examples = tuple((_text(value), count) for value, count in _list(content))
    if not all(type(count) is int and count > 0 for _, count in examples) or sum(len(v) for v, _ in examples) > 50_000:
        raise ValueError("not values and how often each was seen")
    return examples


def _choice(content: dict[str, Any], width: int, height: int) -> Choice:
    options = tuple(_option(option, width, height) for option in _list(content["options"]))
    if not options or len(set(options)) < len(options) or content["way"] not in ("one", "several", "grid"):
        raise ValueError("not a choice")
    if content["way"] != "grid" and any(option.slot for option in options):
        raise ValueError("slots without a grid")
    return Choice(options, _text(content["none"]), content["way"], _text(content["joint"]))


def _option(content: dict[str, Any], width: int, height: int) -> Option:
    slot, sure, way = content["slot"], content["sure"], content["way"]
    if type(slot) is not int or not 0 <= slot < 200 or type(sure) is not bool or way not in ("box", "word"):
        raise ValueError("not an option")
    return Option(_text(content["text"]), _place(_list(content["box"]), width, height), way, slot, sure)


def _place(edges: Sequence[Any], width: int, height: int) -> Box:
    x0, y0, x1, y1 = edges
    if not all(type(edge) is int for edge in edges) or not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError("a place off the page")
    return x0, y0, x1, y1


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > 2000:
        raise ValueError("not a list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError("not a text")
    return value
