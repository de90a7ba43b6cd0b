"""Finds the sockets of drivers that do not expose them, so that the watchdog can shut them: by an audit hook for drivers in Python, and
among the sockets of this process for ODBC.
"""

import os
import re
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import cast

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch

Peers = frozenset[tuple[str, int]]
# Only one connection to the same address is opened at a time, so that the new socket is the one that was opened.
_opening: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)


def reach(host: str, port: int, seconds: float) -> Peers:
    """Connect once and disconnect, to distinguish a refused port from a silent host. Return all addresses that a driver may choose.

    Drivers choose differently among several addresses: Microsoft's prefers IPv4, all others prefer IPv6.
    """
    with socket.create_connection((host, port), seconds) as trial:
        reached = trial.getpeername()
    known = (address for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return frozenset((str(address[0]), int(address[1])) for address in (reached, *known))


@contextmanager
def opening(peers: Peers, seconds: float) -> Generator[set[str]]:
    """Be the only one that connects to these addresses; yields the sockets that are open before.

    Raises:
        UnreachableError: another connection is being opened there all the time.
    """
    deadline = time.monotonic() + seconds
    with ExitStack() as held:
        for peer in sorted(peers):  # always in the same order, to avoid a deadlock
            if not _opening[peer].acquire(timeout=max(0, deadline - time.monotonic())):
                raise UnreachableError(f"Another connection to {peer[0]}:{peer[1]} is still being opened.", reason=Reason.TIMEOUT)
            held.callback(_opening[peer].release)
        yield set(_open_sockets())


def new_socket(peers: Peers, before: set[str]) -> int | None:
    """The descriptor of the socket to one of these that was not there before. ODBC does not tell it, Linux does; elsewhere None."""
    for inode, descriptor in _open_sockets().items():
        if inode not in before and _peer_of(descriptor) in peers:
            return descriptor
    return None


def _open_sockets() -> dict[str, int]:
    descriptors: dict[str, int] = {}
    try:
        names = os.listdir("/proc/self/fd")  # noqa: PTH208 - names are numbers here
    except OSError:
        return descriptors
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115 - it is no path
        except OSError:
            continue  # closed meanwhile
        if re.fullmatch(r"socket:\[\d+\]", target):
            descriptors[target] = int(name)
    return descriptors


def _peer_of(descriptor: int) -> tuple[str, int] | None:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            if duplicate.family not in {socket.AF_INET, socket.AF_INET6}:
                return None
            host, port, *_ = duplicate.getpeername()
            return str(host), int(port)
    except OSError:
        return None  # it listens, or was closed meanwhile


_attaching = threading.local()


def _see(event: str, arguments: tuple[object, ...]) -> None:
    """Python's audit hooks are told of every connect, in the thread that makes it, and there is no other way into a driver's."""
    if event == "socket.connect":
        for watch in getattr(_attaching, "watches", ()):
            watch.attach(cast("socket.socket", arguments[0]).fileno())


sys.addaudithook(_see)


@contextmanager
def attaching(*watches: Watch) -> Generator[None]:
    """Attach every socket that this thread connects in the block, as Python itself tells of it: for drivers that are written in Python.

    A log-in may wait for ever, and at another address than ours: Oracle's listeners send their callers on.
    """
    _attaching.watches = watches
    try:
        yield
    finally:
        _attaching.watches = ()
