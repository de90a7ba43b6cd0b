"""Which socket a driver opened that does not tell: found among those of this process, so that the watchdog can shut it."""

import os
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

from whalefall_pipelines.domain.capacity import Reason
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch

# One connection to the same server is opened at a time, so that the socket that is new is the one that was opened.
_opening: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def opening(peer: tuple[str, int], seconds: float) -> Generator[set[str]]:
    """Be the only one that connects to this address and port; yields the sockets that are open before.

    Raises:
        UnreachableError: another connection is being opened there all the time.
    """
    lock = _opening[peer]
    if not lock.acquire(timeout=seconds):
        raise UnreachableError(f"Another connection to {peer[0]}:{peer[1]} is still being opened.", reason=Reason.TIMEOUT)
    try:
        yield set(_open_sockets())
    finally:
        lock.release()


def new_socket(peer: tuple[str, int], before: set[str]) -> int | None:
    """The descriptor of the socket to this peer that was not there before. ODBC does not tell it, Linux does; elsewhere None."""
    for inode, descriptor in _open_sockets().items():
        if inode not in before and _peer_of(descriptor) == peer:
            return descriptor
    return None


def _open_sockets() -> dict[str, int]:
    found: dict[str, int] = {}
    try:
        names = os.listdir("/proc/self/fd")  # noqa: PTH208 - names are numbers here
    except OSError:
        return found
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115 - it is no path
        except OSError:
            continue  # closed meanwhile
        if re.fullmatch(r"socket:\[\d+\]", target):
            found[target] = int(name)
    return found


def _peer_of(descriptor: int) -> tuple[str, int] | None:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as duplicate:
            if duplicate.family not in {socket.AF_INET, socket.AF_INET6}:
                return None
            host, port, *_ = duplicate.getpeername()
            return str(host), int(port)
    except OSError:
        return None  # it listens, or was closed meanwhile


@contextmanager
def spotting(peer: tuple[str, int], before: set[str], watch: Watch) -> Generator[None]:
    """Attach the socket that is opened in the block as soon as it is there: for drivers whose log-in may wait for ever."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.01):
            descriptor = new_socket(peer, before)
            if descriptor is not None:
                watch.attach(descriptor)
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
