"""The watchdog: every visit is watched, and its socket is shut when its time is over or the run is told to stop.

Drivers do not need to cooperate: psycopg2 hangs for ever on a server that goes silent in mid-query whatever its time-outs say
(`facts/servers.md` section 5), but a socket that is shut under it makes every driver return with an error.
"""

import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

from whalefall_pipelines.domain.reasons import Reason


class Watch:
    """One watched visit. `reason` tells an adapter that an error is our own doing and not the server's: TIMEOUT or CANCELLED."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self.reason: Reason | None = None
        self._sockets: list[socket.socket] = []

    @property
    def is_expired(self) -> bool:
        """The visit is over, by its deadline or because the run was told to stop."""
        return self.reason is not None

    def attach(self, file_descriptor: int) -> None:
        """Watch this connection, too, from now on; when the visit is over already it is shut at once.

        The descriptor is duplicated, so that a driver that closes or wraps its own cannot take ours away.
        """
        self._sockets.append(socket.socket(fileno=os.dup(file_descriptor)))
        if self.reason:
            self.shut(self.reason)

    def shut(self, reason: Reason) -> None:
        """End both directions of every connection; whoever waits on one wakes up. What ended the visit first stays its reason."""
        self.reason = self.reason or reason
        for attached in self._sockets:
            with suppress(OSError):  # the peer was faster
                attached.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the duplicates back; the connections themselves are the driver's."""
        for attached in self._sockets:
            attached.close()


class Watchdog:
    """All visits of one fleet."""

    def __init__(self) -> None:
        """Start with nothing to watch."""
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()

    @contextmanager
    def watch(self, file_descriptor: int | None, seconds: float) -> Generator[Watch]:
        """Shut this connection after so many seconds unless the block ends before.

        None is a connection that is still to be opened: it counts from now, and is attached when it has a descriptor.
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
        with self._lock:  # never shut a descriptor that was given back and belongs to somebody else by now
            if watch in self._watches:
                watch.shut(Reason.TIMEOUT)

    def shut_all(self) -> None:
        """Shut every watched connection now, and those that are being opened as soon as they are open."""
        with self._lock:
            for watch in self._watches:
                watch.shut(Reason.CANCELLED)
