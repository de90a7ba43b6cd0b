"""Rows in PostgreSQL's binary COPY format, made of arrays: rows that look alike are one array of records, so that no row is formatted.

The format is in PostgreSQL's documentation of COPY, "Binary Format"; that of an array is what its `array_recv` reads.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whalefall_pipelines.forecasts.arrays import Flags, Integers

HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
# The types of the elements of arrays: int8 and float8.
_ELEMENT_TYPES = {">i8": 20, ">f8": 701}
_NULL = -1
_EPOCH = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers in a format of numpy, like `>i8` for bigint; with a second axis, one of arrays. What is not `known` is NULL."""

    kind: str
    values: NDArray[Any]
    known: Flags | None = None

    @property
    def looks(self) -> tuple[int, Integers | Flags]:
        """How many kinds of fields there are, and that of each row: 1 is NULL."""
        return (1, np.zeros(len(self.values), dtype=np.int64)) if self.known is None else (2, ~self.known)

    def field(self, look: int) -> tuple[int, Any]:
        """The length of a field in bytes, and its type; None if it has no bytes."""
        if look:
            return _NULL, None
        if self.values.ndim == 1:
            kind = np.dtype(self.kind)
            return kind.itemsize, kind
        item = np.dtype([("length", ">i4"), ("value", self.kind)])
        array = np.dtype([("header", ">i4", (5,)), ("items", item, (self.values.shape[1],))])
        return array.itemsize, array

    def fill(self, field: NDArray[Any], rows: Integers, _: int) -> None:
        """Write the values of these rows."""
        if self.values.ndim == 1:
            field[...] = self.values[rows]
            return
        # one dimension, no NULL, the type of the elements, how many there are, and the number of the first
        field["header"] = (1, 0, _ELEMENT_TYPES[self.kind], self.values.shape[1], 1)
        field["items"]["length"] = np.dtype(self.kind).itemsize
        field["items"]["value"] = self.values[rows]


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of few different texts: the place of the text of each row."""

    texts: Sequence[str]
    places: Integers | Flags

    @property
    def looks(self) -> tuple[int, Integers | Flags]:
        """How many texts there are, and that of each row."""
        return len(self.texts), self.places

    def field(self, look: int) -> tuple[int, Any]:
        """The length of a field in bytes, and its type."""
        length = len(self.texts[look].encode())
        return length, np.dtype(f"S{length}")

    def fill(self, field: NDArray[Any], _: Integers, look: int) -> None:
        """Write the text."""
        field[...] = self.texts[look].encode()


Column = Numbers | Texts


def known_numbers(kind: str, values: NDArray[np.float64]) -> Numbers:
    """A column that is NULL where it is NaN."""
    known = ~np.isnan(values)
    return Numbers(kind, np.where(known, values, 0), known)


def same(kind: str, value: int, rows: int) -> Numbers:
    """A column with one value."""
    return Numbers(kind, np.full(rows, value))


def day_number(day: date) -> int:
    """What stands for a day."""
    return (day - _EPOCH).days


def encode(columns: Sequence[Column]) -> Iterator[bytes]:
    """The records of all rows, in groups that look alike: the same fields are NULL, and texts are the same."""
    group = np.zeros(len(columns[0].looks[1]), dtype=np.int64)
    for column in columns:
        count, looks = column.looks
        group = group * count + looks
    for number in np.unique(group):
        rows = np.flatnonzero(group == number)
        yield _records(columns, [int(column.looks[1][rows[0]]) for column in columns], rows)


def _records(columns: Sequence[Column], looks: Sequence[int], rows: Integers) -> bytes:
    fields = [column.field(look) for column, look in zip(columns, looks, strict=True)]
    parts: list[tuple[str, Any]] = [("fields", ">i2")]
    for place, (_, kind) in enumerate(fields):
        parts.append((f"length_{place}", ">i4"))
        if kind is not None:
            parts.append((f"value_{place}", kind))
    records = np.zeros(len(rows), dtype=np.dtype(parts))
    records["fields"] = len(columns)
    for place, (column, look, (length, kind)) in enumerate(zip(columns, looks, fields, strict=True)):
        records[f"length_{place}"] = length
        if kind is not None:
            column.fill(records[f"value_{place}"], rows, look)
    return records.tobytes()


class Blocks(io.RawIOBase):
    """An iterator of blocks of records as a file for COPY, so that a million rows never stand in memory at once."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = chain([HEADER], blocks, [TRAILER])
        self._rest = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        length = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:length], self._rest[length:]
        return bytes(piece)
