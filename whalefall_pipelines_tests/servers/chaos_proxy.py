"""A TCP proxy that makes the network bad on command: slow, silent in mid-stream, or cut.

Hosts without a server behind them are `dead_host.py`.
"""

import contextlib
import socket
import threading
import time
from enum import Enum, auto
from types import TracebackType
from typing import Self

from whalefall_pipelines.processes import free_port
from whalefall_pipelines_tests.servers.dead_host import RESET_ON_CLOSE

# A stalled connection is cut in the end: a test whose subject never gives up must fail, not hang.
LONGEST_STALL_SECONDS = 30


class Fault(Enum):
    """What becomes of a connection when the server has said as much as it may."""

    STALL = auto()
    CUT = auto()


class ChaosProxy:
    """Listens on `host` and `port`, and forwards to a server. `latency_seconds` is added to every piece, each way.

    One thread for each direction of each connection; leaving the context closes all of them.
    """

    def __init__(self, server_host: str, server_port: int, *, host: str = "127.0.0.1", latency_seconds: float = 0) -> None:
        self.host = host
        self.latency_seconds = latency_seconds
        self.forwarded_bytes = 0  # what the servers said
        self.has_stalled, self.has_cut = threading.Event(), threading.Event()
        self._server = (server_host, server_port)
        self._fault: Fault | None = None
        self._allowed_bytes = 0
        self._held_until = 0.0
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, free_port(host)))
        self._listener.listen(64)
        self.port = int(self._listener.getsockname()[1])

    def stall(self, *, after_bytes: int = 0) -> None:
        """From now on let the server say so much, then forward nothing, while every connection stays open."""
        self.has_stalled.clear()
        self._fault, self._allowed_bytes = Fault.STALL, after_bytes

    def cut(self, *, after_bytes: int = 0) -> None:
        """From now on let the server say so much, then reset the client's connection."""
        self._fault, self._allowed_bytes = Fault.CUT, after_bytes

    def hold(self, seconds: float) -> None:
        """Let what the server says next arrive so much later, once."""
        self._held_until = time.monotonic() + seconds

    def heal(self) -> None:
        """From now on forward everything; what was stalled or cut stays so."""
        self._fault, self._held_until = None, 0.0

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def _start_pump(self, source: socket.socket, target: socket.socket, *, is_server_speaking: bool) -> None:
        thread = threading.Thread(target=self._pump, args=(source, target, is_server_speaking))
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the context is over
            self._sockets.append(client)
            try:
                server = socket.create_connection(self._server, timeout=5)
            except OSError:
                client.shutdown(socket.SHUT_RDWR)
                continue
            server.settimeout(None)
            self._sockets.append(server)
            self._start_pump(client, server, is_server_speaking=False)
            self._start_pump(server, client, is_server_speaking=True)

    def _pump(self, source: socket.socket, target: socket.socket, is_server_speaking: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if self.latency_seconds:
                    time.sleep(self.latency_seconds)
                if is_server_speaking:
                    self._over.wait(self._held_until - time.monotonic())
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
        if self._fault is Fault.CUT or not self._over.wait(LONGEST_STALL_SECONDS):
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            target.shutdown(socket.SHUT_RD)  # wakes the other pump, whose waiting would keep the reset from being sent
            target.close()
            self.has_cut.set()
