"""The watchdog: every probe is watched, and its socket is shut when its deadline is over or the run is terminated.

Drivers need not cooperate: psycopg2 hangs forever on a server that goes silent during a query, regardless of its time-outs
(`facts/servers.md` section 5), but every driver returns with an error when its socket is shut.
"""

import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

from whalefall_pipelines.domain.reasons import Reason


class Watch:
    """One watched probe. `reason` tells an adapter that we caused an error, not the server: TIMEOUT or CANCELLED."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self.reason: Reason | None = None
        self._sockets: list[socket.socket] = []

    @property
    def is_expired(self) -> bool:
        """The probe is over, because of its deadline or because the run was terminated."""
        return self.reason is not None

    def attach(self, file_descriptor: int) -> None:
        """Watch this connection as well. If the probe is already over, it is shut at once.

        The descriptor is duplicated, because a driver may close or wrap its own.
        """
        self._sockets.append(socket.socket(fileno=os.dup(file_descriptor)))
        if self.reason:
            self.shut(self.reason)

    def shut(self, reason: Reason) -> None:
        """Shut both directions of every connection, which wakes up waiting threads. The first reason is kept."""
        self.reason = self.reason or reason
        for attached in self._sockets:
            with suppress(OSError):  # the peer closed it first
                attached.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the duplicates. The driver closes the connections themselves."""
        for attached in self._sockets:
            attached.close()


class Watchdog:
    """Watches all probes of one fleet."""

    def __init__(self) -> None:
        """Start with nothing to watch."""
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()

    @contextmanager
    def watch(self, file_descriptor: int | None, seconds: float) -> Generator[Watch]:
        """Shut this connection after this many seconds, unless the block ends earlier.

        None stands for a connection that is not open yet: its time starts now, and it is attached when it has a descriptor.
        """
        watch = Watch()
        if file_descriptor is not None:
            watch.attach(file_descriptor)
        timer = threading.Timer(seconds, self._expire, (watch,))
        timer.daemon = True
        with self._lock:
            self._watches.add(watch)
        try:
            timer.start()
            yield watch
        finally:
            timer.cancel()
            with self._lock:
                self._watches.discard(watch)
                watch.close()

    def _expire(self, watch: Watch) -> None:
        with self._lock:  # never shut a closed descriptor, which may have been reused
            if watch in self._watches:
                watch.shut(Reason.TIMEOUT)

    def shut_all(self) -> None:
        """Shut every watched connection now, and those that are still being opened as soon as they are open."""
        with self._lock:
            for watch in self._watches:
                watch.shut(Reason.CANCELLED)
