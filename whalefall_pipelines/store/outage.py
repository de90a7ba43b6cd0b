"""Outlasts a short outage of the store: a restart, a failover, a moment without free connections."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from whalefall_pipelines.errors import StoreUnreachableError

Result = TypeVar("Result")
# Longer than a restart of PostgreSQL and than most failovers; after it the run ends, and the day is repaired by a retry.
OUTAGE_SECONDS = 60.0
PAUSE_SECONDS = 0.5


def retry_while_unavailable(
    work: Callable[[], Result], *, seconds: float = OUTAGE_SECONDS, stopped: threading.Event | None = None
) -> Result:
    """Do a piece of work that is one transaction, and again while the store is away, for at most so many seconds.

    A commit whose answer was lost may have been kept: the work must bear to be done twice.

    Raises:
        StoreUnreachableError: the store did not come back in time, or `stopped` was set meanwhile.
    """
    until = time.monotonic() + seconds
    waiting = stopped or threading.Event()
    while True:
        try:
            return work()
        except StoreUnreachableError:
            if time.monotonic() > until or waiting.wait(PAUSE_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311 - jitter, no secret
                raise
