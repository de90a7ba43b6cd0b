"""Several threads that do something at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(*tasks: Callable[[], Result]) -> list[Result]:
    """Do each in a thread of its own; what they return, in their order, or the error of the first that fails."""
    together = threading.Barrier(len(tasks), timeout=10)

    def do(task: Callable[[], Result]) -> Result:
        together.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(do, tasks))
