"""Which socket a driver opened that does not tell, so that the watchdog can shut it: seen when a driver in Python connects, found among
those of this process when ODBC did.
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
# One connection to the same address is opened at a time, so that the socket that is new is the one that was opened.
_opening: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)


def reach(host: str, port: int, seconds: float) -> Peers:
    """Connect once and hang up, which tells a refused port from a silent host; every address that a driver may now take.

    Of a host with several, drivers take which they like: Microsoft's prefers IPv4 where all others prefer IPv6.
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
        for peer in sorted(peers):  # everybody in the same order, or two would wait for each other
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
