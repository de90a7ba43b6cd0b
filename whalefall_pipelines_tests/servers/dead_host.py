"""Hosts on loopback that are no servers: one that is dead, one that accepts and says nothing, one that answers with whatever it is told.

They need no privileges. What stands between a client and a real server is `chaos_proxy.py`.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from whalefall_pipelines.processes import free_port

# With this SO_LINGER, close() sends a reset instead of an orderly end.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens, or seems to."""

    host: str
    port: int


# Nothing listens here (it would be tcpmux): the kernel refuses at once.
REFUSING = Address("127.0.0.1", 1)


@contextmanager
def _listening(host: str, backlog: int) -> Generator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, free_port(host)))
        listener.listen(backlog)
        yield listener


@contextmanager
def dead_host(host: str = "127.0.0.1") -> Generator[Address]:
    """A host that does not answer at all: connecting to it waits until the client gives up.

    The kernel drops every SYN for a listener whose queue of accepted connections is full.
    """
    with _listening(host, 0) as listener, contextlib.ExitStack() as fillers:
        for _ in range(3):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield Address(*listener.getsockname())


@contextmanager
def silent_host(host: str = "127.0.0.1") -> Generator[Address]:
    """A host that accepts connections (the kernel does) and never says a word."""
    with _listening(host, 64) as listener:
        yield Address(*listener.getsockname())


@contextmanager
def answering_host(answer: bytes | None, host: str = "127.0.0.1") -> Generator[Address]:
    """A host that says this to whoever speaks to it and hangs up; with None it resets the connection instead."""
    with _listening(host, 64) as listener:
        thread = threading.Thread(target=_answer, args=(listener, answer))
        thread.start()
        try:
            yield Address(*listener.getsockname())
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(listener: socket.socket, answer: bytes | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # the block is over
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            client.recv(65536)
            if answer is None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            else:
                client.sendall(answer)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
