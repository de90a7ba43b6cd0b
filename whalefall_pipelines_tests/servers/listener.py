"""A listening socket that serves each connection in its own thread, and leaves neither threads nor sockets behind.

The protocols are in `dead_host.py`, `chaos_proxy.py`, `sqlserver/` and `oracle/`.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

from whalefall_pipelines.runtime.processes import free_port


def listening_socket(host: str, backlog: int = 64) -> socket.socket:
    """A socket that listens on a free port of this host."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, free_port(host)))
    listener.listen(backlog)
    return listener


class Listener:
    """Listens on `host` and `port` while its context lasts; `serve` gets every connection, and may end with any error of a socket."""

    def __init__(self, serve: Callable[[socket.socket], None], host: str = "127.0.0.1") -> None:
        self.host, self.port = host, 0
        self._serve = serve
        self._is_over = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = listening_socket(self.host)
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self.end_sessions()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def end_sessions(self) -> None:
        """Close all connections, as KILL or a stop of the server does."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the context is over
            self._connections.append(client)
            thread = threading.Thread(target=self._run, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _run(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self._serve(client)
