"""Retries work during a short outage of the store: a restart, a failover, a moment without free connections."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from whalefall_pipelines.errors import StoreUnreachableError

Result = TypeVar("Result")
# Longer than a restart of PostgreSQL and than most failovers. After this time the run fails, and a retry repairs the day.
OUTAGE_SECONDS = 60.0
PAUSE_SECONDS = 0.5


def retry_while_unavailable(
    work: Callable[[], Result], *, seconds: float = OUTAGE_SECONDS, stopped: threading.Event | None = None
) -> Result:
    """Do work that is one transaction, and retry it while the store is unavailable, until the time limit.

    The acknowledgement of a successful commit may be lost, so the work must be idempotent.

    Raises:
        StoreUnreachableError: the store did not become available in time, or `stopped` was set meanwhile.
    """
    until = time.monotonic() + seconds
    waiting = stopped or threading.Event()
    while True:
        try:
            return work()
        except StoreUnreachableError:
            if time.monotonic() > until or waiting.wait(PAUSE_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311 - jitter, not a secret
                raise
