"""Writes what several threads have ready in one transaction, because most of the cost of a small transaction does not depend on its size.

Whoever comes first writes at once. Who comes meanwhile waits, and the next one writes for all who wait.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from whalefall_pipelines.errors import SessionEndedError, StoreUnreachableError

Work = TypeVar("Work")
Result = TypeVar("Result")


class WriteTogether(Generic[Work, Result]):
    """Hands the work of all waiting threads to `write`, which does all of it or nothing and returns a result for each."""

    def __init__(self, write: Callable[[Sequence[Work]], Sequence[Result]]) -> None:
        """Nobody waits yet."""
        self._write = write
        self._waiting: deque[tuple[Work, Future[Result]]] = deque()
        self._lock = threading.Lock()

    def __call__(self, work: Work) -> Result:
        """Write this, alone or with others, and return its result. It never fails because of the others.

        Raises:
            StoreUnreachableError, SessionEndedError: nothing can be written any more.
            Exception: what `write` raises for this work alone.
        """
        place: Future[Result] = Future()
        self._waiting.append((work, place))
        with self._lock:
            if not place.done():
                self._settle([self._waiting.popleft() for _ in range(len(self._waiting))])
        return place.result()

    def _settle(self, group: Sequence[tuple[Work, Future[Result]]]) -> None:
        try:
            results = self._write([work for work, _ in group])
        except BaseException as error:  # noqa: BLE001 - it is raised again in the threads that wait for it
            if len(group) == 1 or not isinstance(error, Exception) or isinstance(error, (StoreUnreachableError, SessionEndedError)):
                for _, place in group:
                    place.set_exception(error)
            else:
                for alone in group:
                    self._settle([alone])
        else:
            for (_, place), result in zip(group, results, strict=True):
                place.set_result(result)
