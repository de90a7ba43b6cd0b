"""The SQL Server types that our statements and their parameters have, as bytes of TDS 7.4. Other types are refused, never guessed."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

# SQL_Latin1_General_CP1_CI_AS, the collation of most servers.
COLLATION = bytes([0x09, 0x04, 0xD0, 0x00, 0x34])
_INTN, _BITN, _FLOATN, _DATETIMEN, _DECIMALN, _DATE, _DATETIME2, _NVARCHAR = 0x26, 0x68, 0x6D, 0x6F, 0x6A, 0x28, 0x2A, 0xE7
_VARBINARY, _MOST_BYTES = 0xA5, 256
_MOST_CHARACTERS = 4000
_DECIMAL_PRECISION = 38
# A row of datetime2 counts its time in ticks of this length by its scale; ours have the scale 7.
_TICKS_PER_SECOND = 10**7


class UnsupportedTypeError(Exception):
    """A type that no statement of ours should meet."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer; `scale` is that of a decimal."""

    name: str
    type_name: str
    scale: int = 0


def describe(column: Column) -> bytes:
    """The TYPE_INFO of a column; every one may be null."""
    known = {
        "tinyint": bytes([_INTN, 1]),
        "int": bytes([_INTN, 4]),
        "bigint": bytes([_INTN, 8]),
        "bit": bytes([_BITN, 1]),
        "float": bytes([_FLOATN, 8]),
        "date": bytes([_DATE]),
        "datetime": bytes([_DATETIMEN, 8]),
        "datetime2": bytes([_DATETIME2, 7]),
        "decimal": bytes([_DECIMALN, 17, _DECIMAL_PRECISION, column.scale]),
        "varbinary": bytes([_VARBINARY]) + struct.pack("<H", _MOST_BYTES),
        "nvarchar": bytes([_NVARCHAR]) + struct.pack("<H", _MOST_CHARACTERS * 2) + COLLATION,
    }
    if column.type_name not in known:
        raise UnsupportedTypeError(f"column {column.name} is {column.type_name}")
    return known[column.type_name]


def encode(column: Column, value: object) -> bytes:
    """A value of a column, with its length before it."""
    if column.type_name in {"nvarchar", "varbinary"}:
        data = value if value is None or isinstance(value, bytes) else str(value).encode("utf-16-le")
        return b"\xff\xff" if data is None else struct.pack("<H", len(data)) + data
    if value is None:
        return b"\0"
    data = _ENCODERS[column.type_name](column, value)
    return bytes([len(data)]) + data


def _encode_decimal(column: Column, value: object) -> bytes:
    whole = int(Decimal(str(value)).scaleb(column.scale))
    return bytes([whole >= 0]) + abs(whole).to_bytes(16, "little")


def _encode_datetime(_column: Column, value: object) -> bytes:
    since = _instant(value) - datetime(1900, 1, 1)  # noqa: DTZ001 - the type has no zone
    return struct.pack("<iI", since.days, round((since.seconds + since.microseconds / 1e6) * 300))


def _encode_datetime2(_column: Column, value: object) -> bytes:
    at = _instant(value)
    ticks = ((at.hour * 60 + at.minute) * 60 + at.second) * _TICKS_PER_SECOND + at.microsecond * 10
    return ticks.to_bytes(5, "little") + _days(at.date())


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise UnsupportedTypeError(f"{value!r} is no instant")
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _days(day: date) -> bytes:
    return (day - date(1, 1, 1)).days.to_bytes(3, "little")


_ENCODERS: dict[str, Callable[[Column, object], bytes]] = {
    "tinyint": lambda _, value: struct.pack("<B", value),
    "int": lambda _, value: struct.pack("<i", value),
    "bigint": lambda _, value: struct.pack("<q", value),
    "bit": lambda _, value: bytes([bool(value)]),
    "float": lambda _, value: struct.pack("<d", value),
    "date": lambda _, value: _days(value) if isinstance(value, date) else b"",
    "datetime": _encode_datetime,
    "datetime2": _encode_datetime2,
    "decimal": _encode_decimal,
}


class Reader:
    """Reads values from the beginning of a message."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self.position = position

    @property
    def is_over(self) -> bool:
        return self.position >= len(self._data)

    def take(self, count: int) -> bytes:
        piece = self._data[self.position : self.position + count]
        self.position += count
        return piece

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def text(self, characters: int) -> str:
        return self.take(characters * 2).decode("utf-16-le")

    def parameter(self) -> object:
        """The value of one parameter of a procedure; its name, flags and type come before it."""
        self.text(self.number(1))
        self.take(1)
        kind = self.number(1)
        decode = _DECODERS.get(kind)
        if decode is None:
            raise UnsupportedTypeError(f"a parameter has the type 0x{kind:02x}")
        return decode(self)

    def partially_long(self) -> bytes | None:
        """A value of a type without limit: its length, and then pieces until an empty one."""
        if self.number(8) == 2**64 - 1:
            return None
        data = b""
        while length := self.number(4):
            data += self.take(length)
        return data


def _decode_int(reader: Reader) -> int | None:
    reader.take(1)
    data = reader.take(reader.number(1))
    return int.from_bytes(data, "little", signed=len(data) > 1) if data else None


def _decode_nvarchar(reader: Reader) -> str | None:
    most = reader.number(2)
    reader.take(len(COLLATION))
    if most == 0xFFFF:
        data = reader.partially_long()
    else:
        length = reader.number(2)
        data = None if length == 0xFFFF else reader.take(length)
    return None if data is None else data.decode("utf-16-le")


def _decode_ntext(reader: Reader) -> str | None:
    """FreeTDS sends a long statement as ntext."""
    reader.take(4 + len(COLLATION))
    length = reader.number(4)
    return None if length == 2**32 - 1 else reader.take(length).decode("utf-16-le")


def _decode_datetime(reader: Reader) -> datetime | None:
    reader.take(1)
    data = reader.take(reader.number(1))
    if not data:
        return None
    days, ticks = struct.unpack("<iI", data)
    return datetime(1900, 1, 1) + timedelta(days=days, milliseconds=round(ticks * 10 / 3))  # noqa: DTZ001 - the type has no zone


def _decode_datetime2(reader: Reader) -> datetime | None:
    scale = reader.number(1)
    data = reader.take(reader.number(1))
    if not data:
        return None
    seconds = int.from_bytes(data[:-3], "little") / 10**scale
    day = date(1, 1, 1) + timedelta(days=int.from_bytes(data[-3:], "little"))
    return datetime.combine(day, time()) + timedelta(seconds=seconds)


_DECODERS: dict[int, Callable[[Reader], object]] = {
    _INTN: _decode_int,
    _NVARCHAR: _decode_nvarchar,
    0x63: _decode_ntext,
    _DATETIMEN: _decode_datetime,
    _DATETIME2: _decode_datetime2,
}
