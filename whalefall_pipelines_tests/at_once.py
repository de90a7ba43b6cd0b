"""Runs functions at the same moment in several threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(*tasks: Callable[[], Result]) -> list[Result]:
    """Call each in its own thread; return their results in order, or raise the error of the first that fails."""
    together = threading.Barrier(len(tasks), timeout=10)

    def do(task: Callable[[], Result]) -> Result:
        together.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(do, tasks))
