"""Hosts on loopback that are not servers: one is dead, one accepts and sends nothing, one answers with given bytes.

They need no privileges. The proxy between a client and a real server is in `chaos_proxy.py`.
"""

import contextlib
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from whalefall_pipelines_tests.servers.listener import Listener, listening_socket

# With this SO_LINGER, close() sends a reset instead of an orderly end.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Address:
    """An address where something listens, or seems to."""

    host: str
    port: int


# Nothing listens here (it would be tcpmux): the kernel refuses at once.
REFUSING = Address("127.0.0.1", 1)


@contextmanager
def dead_host(host: str = "127.0.0.1") -> Generator[Address]:
    """A host that does not answer at all: connecting to it waits until the client gives up.

    The kernel drops every SYN for a listener whose queue of accepted connections is full.
    """
    with listening_socket(host, 0) as listener, contextlib.ExitStack() as fillers:
        for _ in range(3):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield Address(*listener.getsockname())


@contextmanager
def silent_host(host: str = "127.0.0.1") -> Generator[Address]:
    """A host that accepts connections (the kernel does) and never sends anything."""
    with listening_socket(host) as listener:
        yield Address(*listener.getsockname())


@contextmanager
def answering_host(answer: bytes | None, host: str = "127.0.0.1", *, speaks_first: bool = False) -> Generator[Address]:
    """A host that sends this after the client's first bytes, or at once, and closes the connection; with None it resets it instead."""

    def serve(client: socket.socket) -> None:
        client.settimeout(5)
        if not speaks_first:
            client.recv(65536)
        if answer is None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            return
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass

    with Listener(serve, host) as listener:
        yield Address(listener.host, listener.port)
