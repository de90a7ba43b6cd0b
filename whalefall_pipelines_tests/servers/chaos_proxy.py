"""A TCP proxy that degrades the network on command: slow, silent in mid-stream, or cut.

Hosts without a server behind them are `dead_host.py`.
"""

import contextlib
import socket
import threading
import time
from enum import Enum, auto

from whalefall_pipelines_tests.servers.dead_host import RESET_ON_CLOSE
from whalefall_pipelines_tests.servers.listener import Listener

# A stalled connection is finally cut: a test whose subject never gives up must fail, not hang.
LONGEST_STALL_SECONDS = 30


class Fault(Enum):
    """What happens to a connection when the server has sent its limit of bytes."""

    STALL = auto()
    CUT = auto()


class ChaosProxy(Listener):
    """Forwards to a server. `latency_seconds` is added to every chunk in each direction."""

    def __init__(self, server_host: str, server_port: int, *, host: str = "127.0.0.1", latency_seconds: float = 0) -> None:
        super().__init__(self._forward, host)
        self.latency_seconds = latency_seconds
        self.forwarded_bytes = 0  # what the servers sent
        self.has_stalled, self.has_cut = threading.Event(), threading.Event()
        self._server = (server_host, server_port)
        self._fault: Fault | None = None
        self._allowed_bytes = 0
        self._held_until = 0.0

    def stall(self, *, after_bytes: int = 0) -> None:
        """From now on let the server send this many bytes, then forward nothing, while every connection stays open."""
        self.has_stalled.clear()
        self._fault, self._allowed_bytes = Fault.STALL, after_bytes

    def cut(self, *, after_bytes: int = 0) -> None:
        """From now on let the server send this many bytes, then reset the client's connection."""
        self._fault, self._allowed_bytes = Fault.CUT, after_bytes

    def hold(self, seconds: float) -> None:
        """Delay the server's next data by this long, once."""
        self._held_until = time.monotonic() + seconds

    def heal(self) -> None:
        """From now on forward everything; stalled or cut connections stay so."""
        self._fault, self._held_until = None, 0.0

    def _forward(self, client: socket.socket) -> None:
        with socket.create_connection(self._server, timeout=5) as server:
            server.settimeout(None)
            self._connections.append(server)
            answers = threading.Thread(target=self._pump, args=(server, client, True))
            answers.start()
            self._pump(client, server, is_server_speaking=False)
            answers.join()

    def _pump(self, source: socket.socket, target: socket.socket, is_server_speaking: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self.latency_seconds:
                    time.sleep(self.latency_seconds)
                if is_server_speaking:
                    self._is_over.wait(self._held_until - time.monotonic())
                if is_server_speaking and self._fault:
                    self._misbehave(piece, target)
                    continue
                if is_server_speaking:
                    self.forwarded_bytes += len(piece)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def _misbehave(self, piece: bytes, target: socket.socket) -> None:
        allowed, self._allowed_bytes = piece[: self._allowed_bytes], max(0, self._allowed_bytes - len(piece))
        target.sendall(allowed)
        self.forwarded_bytes += len(allowed)
        if len(allowed) == len(piece):
            return
        if self._fault is Fault.STALL:
            self.has_stalled.set()
        if self._fault is Fault.CUT or not self._is_over.wait(LONGEST_STALL_SECONDS):
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            target.shutdown(socket.SHUT_RD)  # wakes the other pump, because its waiting would prevent the reset from being sent
            target.close()
            self.has_cut.set()
