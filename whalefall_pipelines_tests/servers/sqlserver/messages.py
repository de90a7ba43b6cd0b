"""The contents of prelogin, login and requests, and the tokens of the server's answers. The transport is in `channel.py`."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from whalefall_pipelines_tests.servers.sqlserver.values import COLLATION, Column, Reader, describe, encode

TDS_7_4 = 0x74000004
_VERSION, _ENCRYPTION, _INSTANCE, _THREAD, _MARS, _FEDERATED, _TERMINATOR = 0, 1, 2, 3, 4, 6, 0xFF
# Procedures that are called by a number instead of a name.
_PROCEDURES = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare"}
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF
MORE, ERROR, COUNT, ATTENTION = 0x01, 0x02, 0x10, 0x20


class Encryption(IntEnum):
    """What each side declares about encryption before the login. OFF encrypts only the login."""

    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


class ServerError(Exception):
    """An error with SQL Server's own number. Severity 11 to 16 is the statement's fault, 20 and more ends the session."""

    def __init__(self, number: int, message: str, *, severity: int = 16, state: int = 1) -> None:
        super().__init__(message)
        self.number, self.message, self.severity, self.state = number, message, severity, state


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of one statement; without columns, the statement has no result."""

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Prelogin:
    """What a client wants before it logs in."""

    encryption: Encryption
    asks_for_federation: bool


def read_prelogin(payload: bytes) -> Prelogin:
    options: dict[int, bytes] = {}
    position = 0
    while payload[position] != _TERMINATOR:
        option, offset, length = struct.unpack_from(">BHH", payload, position)
        options[option] = payload[offset : offset + length]
        position += 5
    return Prelogin(Encryption(options[_ENCRYPTION][0]), _FEDERATED in options)


def answer_prelogin(asked: Prelogin, encryption: Encryption, version: tuple[int, int, int]) -> bytes:
    options = {_VERSION: struct.pack(">BBHH", *version, 0), _ENCRYPTION: bytes([encryption]), _INSTANCE: b"\0", _THREAD: b"", _MARS: b"\0"}
    if asked.asks_for_federation:
        options[_FEDERATED] = b"\0"
    heads, bodies = b"", b""
    for option, value in options.items():
        heads += struct.pack(">BHH", option, len(options) * 5 + 1 + len(bodies), len(value))
        bodies += value
    return heads + bytes([_TERMINATOR]) + bodies


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """The login request of a client."""

    username: str
    password: str
    application: str
    database: str
    packet_size: int
    wants_features: bool


def read_login(payload: bytes) -> LoginRequest:
    def field(number: int) -> bytes:
        offset, characters = struct.unpack_from("<HH", payload, 36 + 4 * number)
        return payload[offset : offset + characters * 2]

    password = bytes(((byte ^ 0xA5) << 4 & 0xF0) | ((byte ^ 0xA5) >> 4) for byte in field(2))
    return LoginRequest(
        username=field(1).decode("utf-16-le"),
        password=password.decode("utf-16-le"),
        application=field(3).decode("utf-16-le"),
        database=field(8).decode("utf-16-le"),
        packet_size=struct.unpack_from("<I", payload, 8)[0],
        wants_features=bool(payload[27] & 0x10),
    )


def accept_login(asked: LoginRequest, database: str, version: tuple[int, int, int], *, old_size: int, new_size: int) -> bytes:
    name = b"\x01" + struct.pack(">I", TDS_7_4) + _short_text("Microsoft SQL Server") + struct.pack(">BBH", *version)
    return b"".join(
        (
            _change(1, _short_text(database), _short_text("master")),
            _change(7, bytes([len(COLLATION)]) + COLLATION, b"\0"),
            _change(2, _short_text("us_english"), _short_text("")),
            _change(4, _short_text(str(new_size)), _short_text(str(old_size))),
            b"\xad" + struct.pack("<H", len(name)) + name,
            b"\xae\xff" if asked.wants_features else b"",
            done(),
        )
    )


def read_batch(payload: bytes) -> str:
    """A statement after the headers, whose total length comes first."""
    return payload[struct.unpack_from("<I", payload)[0] :].decode("utf-16-le")


def read_procedure(payload: bytes) -> tuple[str, list[object]]:
    """The name of a procedure and its parameters."""
    reader = Reader(payload, struct.unpack_from("<I", payload)[0])
    length = reader.number(2)
    if length == 0xFFFF:
        number = reader.number(2)
        name = _PROCEDURES.get(number, f"procedure {number}")
    else:
        name = reader.text(length)
    reader.take(2)
    parameters: list[object] = []
    while not reader.is_over:
        parameters.append(reader.parameter())
    return name.lower(), parameters


def done(token: int = DONE, status: int = 0, count: int = 0) -> bytes:
    return struct.pack("<BHHQ", token, status, 0xC1 if count else 0, count)


def rows_of(result: Result, token: int = DONE, status: int = 0) -> bytes:
    """A whole result, closed with this token."""
    if not result.columns:
        return done(token, status)
    head = b"\x81" + struct.pack("<H", len(result.columns))
    head += b"".join(struct.pack("<IH", 0, 0x0009) + describe(column) + _short_text(column.name) for column in result.columns)
    rows = b"".join(
        b"\xd1" + b"".join(encode(column, value) for column, value in zip(result.columns, row, strict=True)) for row in result.rows
    )
    return head + rows + done(token, status | COUNT, len(result.rows))


def error_of(error: ServerError, server_name: str) -> bytes:
    body = struct.pack("<IBB", error.number, error.state, error.severity) + _long_text(error.message)
    body += _short_text(server_name) + _short_text("") + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def return_status() -> bytes:
    return struct.pack("<Bi", 0x79, 0)


def return_handle(handle: int) -> bytes:
    """The first, unnamed output parameter of sp_prepexec."""
    return (
        b"\xac" + struct.pack("<H", 0) + _short_text("") + b"\x01" + struct.pack("<IH", 0, 0) + b"\x26\x04\x04" + struct.pack("<i", handle)
    )


def transaction_change(kind: int) -> bytes:
    """8 begins, 9 commits, 10 rolls back."""
    number = b"\x08" + struct.pack("<Q", 1)
    return _change(kind, number, b"\0") if kind == 8 else _change(kind, b"\0", number)


def _change(kind: int, new: bytes, old: bytes) -> bytes:
    body = bytes([kind]) + new + old
    return b"\xe3" + struct.pack("<H", len(body)) + body


def _short_text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _long_text(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")
