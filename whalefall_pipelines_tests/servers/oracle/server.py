"""An Oracle for tests that python-oracledb connects to, logs in to and asks: a thread for each session. Its contents are in `double.py`.

It speaks as much of the thin protocol as a probe needs: accept, protocol and data types, the log-in by password (11g verifier, both
sides prove that they know it), execute, fetch, log off, and breaks. It is as the driver expects it, not as a recording of a real one.
"""

import hashlib
import itertools
import re
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import oracledb
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from whalefall_pipelines_tests.servers.listener import Listener
from whalefall_pipelines_tests.servers.oracle import wire
from whalefall_pipelines_tests.servers.oracle.double import OracleDouble

_PROTOCOL, _DATA_TYPES, _FUNCTION, _PIGGYBACK = 1, 2, 3, 17
_CHALLENGE, _PROOF, _EXECUTE, _FETCH, _LOGOFF = 118, 115, 94, 5, 9
_VERIFIER_11G = 0x1B25
_VERSION_19 = 12  # of the messages
_BREAK, _RESET = 1, 2
# The bytes before and after the text of a statement in its message, in this version of the messages.
_BEFORE_TEXT, _AFTER_TEXT, _OF_A_BIND = "nnbnbnbbnnnbnbbbbbbnnbbbnbnnbnbbnbnbbn", "n" * 13, "bbbbnnnnnnbnn"


@dataclass
class Session:
    """The state of one client."""

    client: socket.socket
    username: str = ""
    session_key: bytes = b""
    verifier: bytes = b""
    is_large: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    cursors: dict[int, list[tuple[object, ...]]] = field(default_factory=dict[int, list[tuple[object, ...]]])


class OracleServer(Listener):
    """`refusals` are the errors that logins meet whatever their password; `held` stops every statement until it is cleared or the client
    loses patience."""

    def __init__(self, double: OracleDouble | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._carry, host)
        self.double = double or OracleDouble()
        self.passwords: dict[str, str] = {}
        self.refusals: dict[str, int] = {}
        self.held = threading.Event()
        self.rejected_logins = 0
        self._tls, self._lock = tls, threading.Lock()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.double.database.close()

    def _carry(self, client: socket.socket) -> None:
        with self._secured(client) as secured:
            session = Session(secured)
            _, body = self._read(session)
            if len(body) < 66 + int.from_bytes(body[16:18], "big"):
                self._read(session)  # a long description of the connection comes by itself
            # Version 315 (Oracle 12.1): nothing out of band, no fast log-in, and from here on long lengths.
            secured.sendall(wire.packet(wire.ACCEPT, struct.pack(">HH20xI", 315, 0, 65535), is_large=False))
            session.is_large = True
            while True:
                kind, body = self._read(session)
                if kind == wire.DATA and len(body) > 2:
                    self._send(session, self._answer(session, wire.Reader(body[2:])))

    def _secured(self, client: socket.socket) -> socket.socket:
        if self._tls is None:
            return client
        secured = self._tls.wrap_socket(client, server_side=True)
        self._connections.append(secured)
        return secured

    def _read(self, session: Session) -> tuple[int, bytes]:
        head = self._receive(session, 8)
        if not session.is_large and head[4] not in {wire.CONNECT, wire.DATA}:
            raise ConnectionError("that is none of ours")
        length = int.from_bytes(head[: 4 if session.is_large else 2], "big")
        return head[4], self._receive(session, length - 8)

    def _receive(self, session: Session, count: int) -> bytes:
        received = b""
        while len(received) < count:
            piece = session.client.recv(count - len(received))
            if not piece:
                raise ConnectionError("hung up")
            received += piece
        return received

    def _send(self, session: Session, body: bytes) -> None:
        session.client.sendall(wire.packet(wire.DATA, b"\0\0" + body, is_large=True))

    def _answer(self, session: Session, message: wire.Reader) -> bytes:
        kind = message.byte()
        if kind == _PIGGYBACK:  # cursors that are no longer needed
            *_, count = message.numbers("bbbn")
            for _ in range(count):
                session.cursors.pop(message.number())
            kind = message.byte()
        if kind == _PROTOCOL:
            abilities = bytes(_VERSION_19 if place == 7 else 0 for place in range(45))
            sets = bytes(9) + struct.pack(">H", 2000)
            head = b"\x01\x06\0Linux\0" + struct.pack("<HBH", 873, 0, 0)
            return head + struct.pack(">H", len(sets)) + sets + wire.text(abilities) + wire.text(bytes(7))
        if kind == _DATA_TYPES:
            return bytes([_DATA_TYPES, 0, 0])
        function, _ = message.byte(), message.byte()
        if kind != _FUNCTION:
            raise ConnectionError(f"message {kind}")
        if function in {_CHALLENGE, _PROOF}:
            return self._log_in(session, function, *_read_log_in(message))
        if function == _EXECUTE:
            return self._execute(session, message)
        if function == _FETCH:
            cursor, count = message.numbers("nn")
            return self._rows(session, cursor, count)
        if function == _LOGOFF:
            return wire.status()
        raise ConnectionError(f"function {function}")

    def _log_in(self, session: Session, function: int, username: str, parameters: dict[str, str]) -> bytes:
        password = self.passwords.get(username, "nobody has this one")
        if function == _CHALLENGE:
            salt, session.session_key, session.username = secrets.token_bytes(10), secrets.token_bytes(48), username
            session.verifier = hashlib.sha1(password.encode() + salt).digest() + bytes(4)  # noqa: S324 - as Oracle 11g has it
            values = {"AUTH_SESSKEY": _encrypted(session.verifier, session.session_key), "AUTH_VFR_DATA": salt.hex()}
            return wire.parameters(values, {"AUTH_VFR_DATA": _VERIFIER_11G})
        theirs = _decrypted(session.verifier, parameters["AUTH_SESSKEY"])
        mixed = bytes(mine ^ their for mine, their in zip(session.session_key[16:40], theirs[16:40], strict=True))
        key = (hashlib.md5(mixed[:16]).digest() + hashlib.md5(mixed[16:]).digest())[:24]  # noqa: S324 - as Oracle has it
        padded = _decrypted(key, parameters["AUTH_PASSWORD"])[16:]
        code = self.refusals.get(username, 0 if padded[: -padded[-1]] == password.encode() else 1017)
        if code:
            self.rejected_logins += 1
            return wire.failure(code, f"ORA-{code:05}: invalid username/password; logon denied\n")
        answer = _encrypted(key, secrets.token_bytes(16) + b"SERVER_TO_CLIENT")
        return wire.parameters(
            {"AUTH_SESSION_ID": "42", "AUTH_SERIAL_NUM": "7", "AUTH_VERSION_NO": str(19 << 24), "AUTH_SVR_RESPONSE": answer}
        )

    def _execute(self, session: Session, message: wire.Reader) -> bytes:
        before = message.numbers(_BEFORE_TEXT)
        wanted, bind_count = before[9], before[12]
        statement = message.text().decode()
        message.numbers(_AFTER_TEXT)
        kinds = [message.numbers(_OF_A_BIND)[0] for _ in range(bind_count)]
        names = list(dict.fromkeys(re.findall(r":(\w+)", statement)))
        wanted_names = zip(names, kinds, strict=True) if bind_count else ()
        values = {name: wire.read_value(kind, message.text()) for name, kind in wanted_names if name != names[0] or message.byte()}
        if self.held.is_set():
            return self._break_off(session)
        try:
            with self._lock:
                self.double.execute(statement, values)
                columns, rows = self.double.describe(), self.double.fetchall()
        except oracledb.DatabaseError as error:
            (details,) = error.args
            return wire.failure(details.code, f"{details.message}\n")
        cursor = next(session.numbers)
        session.cursors[cursor] = rows
        return wire.description(columns) + self._rows(session, cursor, wanted)

    def _rows(self, session: Session, cursor: int, count: int) -> bytes:
        rows = session.cursors[cursor]
        session.cursors[cursor] = rows[count:]
        is_over = len(rows) < count
        return wire.rows(rows[:count]) + wire.failure(1403 if is_over else 0, "ORA-01403: no data found\n", cursor)

    def _break_off(self, session: Session) -> bytes:
        """Wait until the client gives up, and report that its statement was cancelled."""
        marks: Sequence[int] = ()
        while _RESET not in marks:
            kind, body = self._read(session)
            if kind == wire.MARKER:
                marks = (*marks, body[2])
                if body[2] != _RESET:
                    session.client.sendall(wire.packet(wire.MARKER, bytes([1, 0, _BREAK]), is_large=True))
        session.client.sendall(wire.packet(wire.MARKER, bytes([1, 0, _RESET]), is_large=True))
        return wire.failure(1013, "ORA-01013: user requested cancel of current operation\n")


def _read_log_in(message: wire.Reader) -> tuple[str, dict[str, str]]:
    *_, pair_count, _, _ = message.numbers("bnnbnbb")
    username = message.text().decode()
    pairs: dict[str, str] = {}
    for _ in range(pair_count):
        key = message.long_text().decode()
        pairs[key] = message.long_text().decode()
        message.number()
    return username, pairs


def _encrypted(key: bytes, data: bytes) -> str:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return (encryptor.update(data) + encryptor.finalize()).hex().upper()


def _decrypted(key: bytes, data: str) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    return decryptor.update(bytes.fromhex(data)) + decryptor.finalize()
