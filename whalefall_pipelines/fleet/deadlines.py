"""The watchdog: every probe is watched, and its socket is shut when its deadline is over or the run is terminated.

Drivers need not cooperate: psycopg2 hangs forever on a server that goes silent during a query, regardless of its time-outs
(`facts/servers.md` section 5), but every driver returns with an error when its socket is shut.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from whalefall_pipelines.domain.reasons import Reason

_LONGEST_SLEEP_SECONDS = 3600.0


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
    """Watches all probes of one fleet, in a thread that exists while there are any."""

    def __init__(self) -> None:
        """Start with nothing to watch."""
        self._changed = threading.Condition()
        self._deadlines: dict[Watch, float] = {}
        self._wakes_at = math.inf
        self._is_awake = False

    @contextmanager
    def watch(self, file_descriptor: int | None, seconds: float) -> Generator[Watch]:
        """Shut this connection after this many seconds, unless the block ends earlier.

        None stands for a connection that is not open yet: its time starts now, and it is attached when it has a descriptor.
        """
        watch = Watch()
        if file_descriptor is not None:
            watch.attach(file_descriptor)
        try:
            self._begin(watch, time.monotonic() + seconds)
            yield watch
        finally:
            with self._changed:
                self._deadlines.pop(watch, None)
                watch.close()
                if not self._deadlines:
                    self._changed.notify()

    def _begin(self, watch: Watch, deadline: float) -> None:
        with self._changed:
            self._deadlines[watch] = deadline
            if not self._is_awake:
                threading.Thread(target=self._expire, name="watchdog", daemon=True).start()
                self._is_awake = True
            elif deadline < self._wakes_at:
                self._changed.notify()

    def _expire(self) -> None:
        """Shut what is over, until nothing is watched."""
        with self._changed:  # never shut a closed descriptor, which may have been reused
            while self._deadlines:
                now = time.monotonic()
                for watch in [watch for watch, deadline in self._deadlines.items() if deadline <= now]:
                    watch.shut(Reason.TIMEOUT)
                    self._deadlines[watch] = math.inf
                self._wakes_at = min(*self._deadlines.values(), now + _LONGEST_SLEEP_SECONDS)
                self._changed.wait(self._wakes_at - now)
            self._is_awake = False

    def shut_all(self) -> None:
        """Shut every watched connection now, and those that are still being opened as soon as they are open."""
        with self._changed:
            for watch in self._deadlines:
                watch.shut(Reason.CANCELLED)
