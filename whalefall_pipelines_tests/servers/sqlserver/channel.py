"""TDS messages over a socket: plain, or through TLS whose handshake travels in prelogin packets (TDS 7). What they say is `messages.py`."""

import select
import socket
import ssl
import struct

PRELOGIN, LOGIN, BATCH, RPC, ATTENTION, TRANSACTION, RESPONSE = 0x12, 0x10, 0x01, 0x03, 0x06, 0x0E, 0x04
_END_OF_MESSAGE = 1
_HEADER = struct.Struct(">BBHHBB")  # type, status, length with this header, session, number, window


class Channel:
    """One connection as messages. `packet_size` is negotiated by the login."""

    def __init__(self, sock: socket.socket, session_id: int) -> None:
        self.packet_size = 4096
        self.is_encrypted = False
        self._socket = sock
        self._session_id = session_id
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    def read_message(self) -> tuple[int, bytes]:
        """The next message: its type and its contents.

        Raises:
            ConnectionError: the client is gone.
        """
        payload = b""
        while True:
            kind, status, length, *_ = _HEADER.unpack(self._read(_HEADER.size))
            payload += self._read(length - _HEADER.size)
            if status & _END_OF_MESSAGE:
                return kind, payload

    def write_message(self, payload: bytes, kind: int = RESPONSE) -> None:
        """Send a message in as many packets as it needs."""
        room = self.packet_size - _HEADER.size
        pieces = [payload[start : start + room] for start in range(0, len(payload), room)] or [b""]
        for number, piece in enumerate(pieces, 1):
            status = _END_OF_MESSAGE if number == len(pieces) else 0
            self._write(_HEADER.pack(kind, status, len(piece) + _HEADER.size, self._session_id, number & 255, 0) + piece)

    def has_message(self, seconds: float) -> bool:
        """Wait this long for the client to send something."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands inside prelogin packets; from then on everything is encrypted, packet headers too.

        Raises:
            ssl.SSLError: the client rejects our certificate.
        """
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                is_done = True
            except ssl.SSLWantReadError:
                is_done = False
            if sent := self._outgoing.read():
                self.write_message(sent, PRELOGIN)
            if is_done:
                break
            self._incoming.write(self.read_message()[1])
        self._tls = tls
        self.is_encrypted = True

    def stop_tls(self) -> None:
        """Continue in plain text, after a login that was the only part to use TLS."""
        self._tls = None
        self.is_encrypted = False

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._read_some(count - len(data))
            if not piece:
                raise ConnectionError("the client hung up")
            data += piece
        return data

    def _read_some(self, most: int) -> bytes:
        while self._tls:
            try:
                return self._tls.read(most)
            except ssl.SSLWantReadError:
                if not (piece := self._socket.recv(16384)):
                    return b""
                self._incoming.write(piece)
            except ssl.SSLZeroReturnError:
                return b""
        return self._socket.recv(most)

    def _write(self, data: bytes) -> None:
        if self._tls:
            self._tls.write(data)
            data = self._outgoing.read()
        self._socket.sendall(data)
