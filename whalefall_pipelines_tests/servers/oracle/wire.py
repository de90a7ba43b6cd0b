"""How Oracle's thin protocol encodes packets, numbers and values, as python-oracledb reads and writes them; messages are in `server.py`."""

import struct
from collections.abc import Sequence
from datetime import datetime

CONNECT, ACCEPT, REFUSE, REDIRECT, DATA, MARKER = 1, 2, 4, 5, 6, 12
VARCHAR, NUMBER, DATE, TIMESTAMP = 1, 2, 12, 180
# The types that DuckDB answers with, and how long each may be.
_TYPES = {"VARCHAR": (VARCHAR, 4000), "TIMESTAMP": (TIMESTAMP, 11)}
_LONG, _CHARSET, _PARAMETER, _STATUS, _ERROR = 254, 873, 8, 9, 4


def packet(kind: int, body: bytes, *, is_large: bool) -> bytes:
    """A packet; once both sides have agreed, lengths have four bytes instead of two."""
    length = struct.pack(">I", 8 + len(body)) if is_large else struct.pack(">HH", 8 + len(body), 0)
    return length + bytes([kind, 0, 0, 0]) + body


def refusal(code: int) -> bytes:
    """A listener's answer to a request for an unknown service."""
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))".encode()
    return packet(REFUSE, struct.pack(">BBH", 0x22, 0, len(text)) + text, is_large=False)


def redirection(host: str, port: int) -> bytes:
    """The answer of a cluster's listener, which redirects clients to one of its nodes: the length of the address, and the address."""
    text = f"(ADDRESS=(PROTOCOL=tcp)(HOST={host})(PORT={port}))\0(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=ORCL)))".encode()
    return packet(REDIRECT, struct.pack(">H", len(text)), is_large=False) + packet(DATA, b"\0\0" + text, is_large=False)


def number(value: int) -> bytes:
    """An unsigned integer with its length before it."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def text(value: bytes | str) -> bytes:
    """A string with its length before it, long ones in one piece."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return bytes([len(data)]) + data if len(data) < 253 else bytes([_LONG]) + number(len(data)) + data + b"\0"


def long_text(value: bytes | str) -> bytes:
    """A string with its length before it, twice."""
    data = value.encode() if isinstance(value, str) else value
    return number(len(data)) + text(data) if data else b"\0"


class Reader:
    """Reads what a client wrote, in order."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._position : self._position + count]
        if len(taken) < count:
            raise ConnectionError("a message is shorter than it says")
        self._position += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(self.byte()), "big")

    def numbers(self, layout: str) -> list[int]:
        """Several in a row: `b` is a byte, `n` a number with its length."""
        return [self.byte() if kind == "b" else self.number() for kind in layout]

    def text(self) -> bytes:
        length = self.byte()
        if length != _LONG:
            return self.take(length)
        pieces: list[bytes] = []
        while size := self.number():
            pieces.append(self.take(size))
        return b"".join(pieces)

    def long_text(self) -> bytes:
        return self.text() if self.number() else b""


def parameters(values: dict[str, str], flags: dict[str, int] | None = None) -> bytes:
    """The parameters of the server at a log-in, and the end of the answer."""
    body = bytes([_PARAMETER]) + number(len(values))
    for key, value in values.items():
        body += long_text(key) + long_text(value) + number((flags or {}).get(key, 0))
    return body + status()


def status() -> bytes:
    return bytes([_STATUS, 0, 0])


def failure(code: int, message: str, cursor: int = 0) -> bytes:
    """An error; 0 is the end of a successful answer."""
    before = b"\0" * 6 + number(cursor) + b"\0" * 7 + b"\0" * 5 + b"\0" * 9
    return bytes([_ERROR]) + before + number(code) + b"\0" + (text(message) if code else b"")


def description(columns: Sequence[tuple[str, str]]) -> bytes:
    """Names and types of the columns of an answer."""
    body = b"\x10\0\0" + number(len(columns)) + b"\0"
    for position, (name, kind) in enumerate(columns, 1):
        type_number, size = _TYPES.get(kind, (NUMBER, 22))
        is_text = type_number == VARCHAR
        body += bytes([type_number, 0, 0, 0]) + number(size) + b"\0\0\0\0" + number(_CHARSET if is_text else 0) + bytes([is_text])
        body += number(size) + b"\0" + b"\1\0" + long_text(name) + b"\0\0" + number(position) + b"\0"
    return body + b"\0" * 6


def rows(values: Sequence[tuple[object, ...]]) -> bytes:
    """The rows of an answer, with their header."""
    return b"\x06" + b"\0" * 7 + b"".join(b"\x07" + b"".join(map(_value, row)) for row in values) if values else b""


def _value(value: object) -> bytes:
    if value is None:
        return b"\0"
    if isinstance(value, datetime):
        century, year = divmod(value.year, 100)
        return text(bytes([century + 100, year + 100, value.month, value.day, value.hour + 1, value.minute + 1, value.second + 1]))
    return text(value if isinstance(value, str) else _oracle_number(int(str(value))))


def _oracle_number(value: int) -> bytes:
    """Digits of base 100, each one more than it is, after an exponent; never negative here."""
    digits: list[int] = []
    while value:
        value, digit = divmod(value, 100)
        digits.insert(0, digit + 1)
    return bytes([192 + len(digits), *digits]) if digits else b"\x80"


def read_value(kind: int, data: bytes) -> str | datetime:
    """A parameter: a text, or a DATE or TIMESTAMP."""
    if kind == VARCHAR:
        return data.decode()
    century, year, month, day, hour, minute, second = data[:7]
    return datetime((century - 100) * 100 + year - 100, month, day, hour - 1, minute - 1, second - 1)  # noqa: DTZ001 - it has no zone
