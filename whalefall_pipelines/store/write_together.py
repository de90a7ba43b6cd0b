"""Writes what several threads have ready in one transaction, because most of the cost of a small transaction does not depend on its size.

Whoever comes first writes at once. Who comes meanwhile waits, and the next one writes for all who wait. What fails together is written
again by each thread alone, beside the others, so that nobody fails or waits for long because of another one.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from whalefall_pipelines import queries
from whalefall_pipelines.errors import SessionEndedError, StoreUnreachableError
from whalefall_pipelines.store.database import Cursor

Work = TypeVar("Work")
Work_contra = TypeVar("Work_contra", contravariant=True)
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
# All threads wait for one that writes for others, so it gives up a lock that somebody else holds for longer.
LOCK_MILLISECONDS = 1000


class Write(Protocol[Work_contra, Result_co]):
    """Writes all of a group or nothing. Work that `is_alone` may wait for locks."""

    def __call__(self, group: Sequence[Work_contra], /, *, is_alone: bool) -> Sequence[Result_co]:
        """Return a result for each."""
        ...


class WriteTogether(Generic[Work, Result]):
    """Hands the work of waiting threads to `write`."""

    def __init__(self, write: Write[Work, Result]) -> None:
        """Nobody waits yet."""
        self._write = write
        self._waiting: deque[tuple[Work, Future[Result]]] = deque()
        self._lock = threading.Lock()

    def __call__(self, work: Work) -> Result:
        """Write this, alone or with others, and return its result.

        Raises:
            StoreUnreachableError, SessionEndedError: nothing can be written any more.
            Exception: what `write` raises for this work alone.
        """
        place: Future[Result] = Future()
        self._waiting.append((work, place))
        with self._lock:
            if not place.done():
                self._write_group([self._waiting.popleft() for _ in range(len(self._waiting))])
        error = place.exception()
        if error is None:
            return place.result()
        if isinstance(error, (StoreUnreachableError, SessionEndedError)) or not isinstance(error, Exception):
            raise error
        # Which work of the group failed is known only after each was written alone.
        return self._write([work], is_alone=True)[0]

    def _write_group(self, group: Sequence[tuple[Work, Future[Result]]]) -> None:
        try:
            results = self._write([work for work, _ in group], is_alone=False)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the threads that wait for it
            for _, place in group:
                place.set_exception(error)
        else:
            for (_, place), result in zip(group, results, strict=True):
                place.set_result(result)


def limit_lock_wait(cursor: Cursor) -> None:
    """Make a transaction for several threads fail soon, instead of waiting for a lock."""
    cursor.execute(queries.load("months/limit_lock_wait"), {"lock_timeout": f"{LOCK_MILLISECONDS}ms", "is_local": True})
