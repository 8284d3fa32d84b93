"""Results go in, one Parquet file comes out: source and page, then each column as the text that was read, row by row.

Written here rather than by a library: pyarrow unpacks to 150 MB, and all that is used of the format is one kind of
column. The format is that of github.com/apache/parquet-format: version 1 data pages, plain encoding, gzip; its metadata
in Thrift's compact protocol. ``doubtful`` names the columns of a row that a person should check.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from formlens.sheet import rows_of
from formlens.types import PageResult

ROWS = 20_000
"""Rows of one group, which are held in memory."""
_MAGIC = b"PAR1"
_INT32, _BYTES = 1, 6  # types
_PLAIN, _RLE, _GZIP = 0, 3, 2
_I32, _I64, _STRING, _LIST, _STRUCT = 5, 6, 8, 9, 12  # wire types of Thrift

Field = tuple[int, int, bytes]
"""A field of a Thrift struct: its number, its wire type, its encoded value."""


class ParquetSheet:
    """Rows of a form, or of tables with the columns that they have, as a file that pandas, DuckDB and Spark read."""

    def __init__(self, stream: BinaryIO, *, columns: Sequence[str]) -> None:
        self._stream, self._offset = stream, 0
        self._names = ["source", "page", *_apart(columns, ("source", "page", "doubtful")), "doubtful"]
        self._values: list[list[str | int]] = [[] for _ in self._names]
        self._groups: list[tuple[list[bytes], int, int]] = []
        self._write(_MAGIC)

    def add(self, result: PageResult) -> None:
        """Append the rows of one page; each has a cell for each column."""
        for row in rows_of(result):
            doubtful = ", ".join(cell.column for cell in row if cell.flagged)
            fields: list[str | int] = [result.source, result.page, *(cell.text for cell in row), doubtful]
            for values, value in zip(self._values, fields, strict=True):
                values.append(value)
            if len(self._values[0]) >= ROWS:
                self._write_group()

    def close(self) -> None:
        """Write what is left, and where everything is."""
        if self._values[0]:
            self._write_group()
        root = _struct((4, _STRING, _string("schema")), (5, _I32, _int(len(self._names))))
        schema = [root, *(_column(name) for name in self._names)]
        groups = [
            _struct((1, _LIST, _list(_STRUCT, chunks)), (2, _I64, _int(size)), (3, _I64, _int(rows)))
            for chunks, size, rows in self._groups
        ]
        footer = _struct(
            (1, _I32, _int(1)),
            (2, _LIST, _list(_STRUCT, schema)),
            (3, _I64, _int(sum(rows for *_, rows in self._groups))),
            (4, _LIST, _list(_STRUCT, groups)),
            (6, _STRING, _string("formlens")),
        )
        self._write(footer + struct.pack("<I", len(footer)) + _MAGIC)

    def _write_group(self) -> None:
        rows, began = len(self._values[0]), self._offset
        chunks = [self._write_chunk(name, values) for name, values in zip(self._names, self._values, strict=True)]
        self._groups.append((chunks, self._offset - began, rows))
        self._values = [[] for _ in self._names]

    def _write_chunk(self, name: str, values: list[str | int]) -> bytes:
        data = b"".join(_plain(values))
        packed = zlib.compress(data, wbits=31)
        page = _struct(
            (1, _I32, _int(0)),  # a data page
            (2, _I32, _int(len(data))),
            (3, _I32, _int(len(packed))),
            (
                5,
                _STRUCT,
                _struct(
                    (1, _I32, _int(len(values))),
                    *((at, _I32, _int(how)) for at, how in ((2, _PLAIN), (3, _RLE), (4, _RLE))),
                ),
            ),
        )
        at = self._offset
        self._write(page + packed)
        metadata = _struct(
            (1, _I32, _int(_type_of(name))),
            (2, _LIST, _list(_I32, [_int(_PLAIN)])),
            (3, _LIST, _list(_STRING, [_string(name)])),
            (4, _I32, _int(_GZIP)),
            (5, _I64, _int(len(values))),
            (6, _I64, _int(len(page) + len(data))),
            (7, _I64, _int(len(page) + len(packed))),
            (9, _I64, _int(at)),
        )
        return _struct((2, _I64, _int(at)), (3, _STRUCT, metadata))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._offset += len(data)


def _apart(columns: Sequence[str], taken: tuple[str, ...]) -> list[str]:
    """The columns under names of which each is there once."""
    names: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in taken or name in names:
            name, number = f"{column} {number}", number + 1
        names.append(name)
    return names


def _type_of(name: str) -> int:
    return _INT32 if name == "page" else _BYTES


def _column(name: str) -> bytes:
    required = [(1, _I32, _int(_type_of(name))), (3, _I32, _int(0)), (4, _STRING, _string(name))]
    return _struct(*required, *([(6, _I32, _int(0))] if _type_of(name) == _BYTES else []))  # 0: UTF-8


def _plain(values: list[str | int]) -> Iterator[bytes]:
    for value in values:
        if isinstance(value, int):
            yield struct.pack("<i", value)
        else:
            data = value.encode()
            yield struct.pack("<I", len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _int(value: int) -> bytes:
    return _varint(value << 1)  # zigzag; nothing here is negative


def _string(text: str) -> bytes:
    data = text.encode()
    return _varint(len(data)) + data


def _list(kind: int, items: list[bytes]) -> bytes:
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + _varint(len(items))
    return head + b"".join(items)


def _struct(*fields: Field) -> bytes:
    out, last = bytearray(), 0
    for number, kind, value in fields:
        out += bytes([number - last << 4 | kind]) + value
        last = number
    return bytes(out) + b"\0"
