"""Where the table of a form stands: its parts side by side, their columns, how far rows are apart; data of the form's
file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from formlens.types import Box

_MOST = 200
"""Parts of a table, and columns of one, that a file may name."""


@dataclass(frozen=True)
class Part:
    """One table, or one half of it: rows from `top` to `bottom`, in pixels of the form's frame."""

    top: int
    bottom: int
    edges: tuple[tuple[int, int], ...]
    """Its upright edges from left to right: x at its top and at its bottom."""
    columns: tuple[int | None, ...]
    """For each room between two edges the number of the form's column that stands there; None for another."""
    header: Box
    """The print above it, by which it is found on a page."""


@dataclass(frozen=True)
class Listing:
    """The table of a form."""

    parts: tuple[Part, ...]
    """In the order in which they are read."""
    pitch: float
    """Pixels of the form's frame from one row to the next."""

    @property
    def headers(self) -> tuple[Box, ...]:
        """The print above each part."""
        return tuple(part.header for part in self.parts)

    @property
    def bodies(self) -> tuple[Box, ...]:
        """Where each part has its rows."""
        return tuple((min(map(min, p.edges)), p.top, max(map(max, p.edges)), p.bottom) for p in self.parts)

    @property
    def columns(self) -> frozenset[int]:
        """The numbers of the form's columns that stand in its rows."""
        return frozenset(column for part in self.parts for column in part.columns if column is not None)


def listing_from(content: Any, columns: int, width: int, height: int) -> Listing | None:
    """The table that a form's file describes, None for null. Raises ValueError, KeyError, TypeError for others."""
    if content is None:
        return None
    parts = tuple(_part(part, columns, width, height) for part in _few(content["parts"]))
    pitch = content["pitch"]
    if not parts or type(pitch) not in (int, float) or not 4 <= pitch <= height:
        raise ValueError("no rows")
    return Listing(parts, float(pitch))


def _part(content: Any, columns: int, width: int, height: int) -> Part:
    top, bottom = _inside(content["top"], height), _inside(content["bottom"], height)
    edges = []
    for edge in _few(content["edges"]):
        above, below = edge
        edges.append((_inside(above, width), _inside(below, width)))
    held = tuple(None if column is None else _inside(column, columns - 1) for column in _few(content["columns"]))
    rooms = pairwise(edges)
    if top >= bottom or len(held) != len(edges) - 1 or any(a >= c or b >= d for (a, b), (c, d) in rooms):
        raise ValueError("a part without room")
    x0, y0, x1, y1 = (_inside(edge, max(width, height)) for edge in _few(content["header"]))
    if not (x0 < x1 <= width and y0 < y1 <= height):
        raise ValueError("a header off the page")
    return Part(top, bottom, tuple(edges), held, (x0, y0, x1, y1))


def _inside(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not a place")
    return value


def _few(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise ValueError("not a list")
    return value
