"""Processes many instances in a bounded pool of threads. The caller's function does the work for one instance."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.errors import SessionEndedError, StoreUnreachableError, WhalefallError

Outcome = TypeVar("Outcome")
# The waiting thread wakes up this often, because the termination of a run is raised only between two waits.
POLL_SECONDS = 0.2


def threads_for(instances: int) -> int:
    """As many threads as let dead and hanging servers end in minutes: 5 % dead (10 s) and 2 % hanging (300 s) are 6.5 s an instance."""
    return 64 if instances <= 1_000 else 256 if instances <= 10_000 else 512


_Running: TypeAlias = Future[tuple[Instance, Outcome | Exception]]


def each_instance(
    instances: Sequence[Instance],
    work: Callable[[Instance], Outcome],
    *,
    parallel: int | None,
    interrupt: Callable[[], None],
    check: Callable[[], None] = lambda: None,
    claim: Callable[[Sequence[Instance]], Sequence[Instance]] = lambda next_ones: next_ones,
) -> Iterator[tuple[Instance, Outcome | Exception]]:
    """Run `work` for every instance in at most `parallel` threads (None: as many as so many instances need) and yield each outcome as
    soon as it is available.

    `claim` gets the instances that would start next and returns those that may start; the others are skipped and yield nothing.
    An exception of one instance is the outcome of this instance and does not affect the others. `check` is called several times a
    second. If it raises, or if the caller is interrupted or leaves the loop, no further instance is started and `interrupt` is called,
    which must make work that waits for a server return at once.
    """
    threads = max(1, min(parallel or threads_for(len(instances)), len(instances)))
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="instance")
    untouched, running, ended = iter(instances), 0, SimpleQueue[_Running[Outcome]]()
    try:
        while True:
            check()
            next_ones = tuple(islice(untouched, threads - running))
            if not (next_ones or running):
                return
            for instance in claim(next_ones) if next_ones else ():
                pool.submit(_guarded, work, instance).add_done_callback(ended.put)
                running += 1
            for future in _wait(ended) if running else ():
                running -= 1
                yield future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        interrupt()
        raise
    finally:
        pool.shutdown(wait=False)


def _wait(ended: SimpleQueue[Future[Outcome]]) -> list[Future[Outcome]]:
    """Everything that has ended by now; if that is nothing, wait a moment for it."""
    try:
        return [ended.get(timeout=POLL_SECONDS), *(ended.get_nowait() for _ in range(ended.qsize()))]
    except Empty:
        return []


def _guarded(work: Callable[[Instance], Outcome], instance: Instance) -> tuple[Instance, Outcome | Exception]:
    try:
        return instance, work(instance)
    except Exception as error:  # noqa: BLE001 - the only such place: a failure of one instance must not affect the others
        return instance, error


def as_whalefall_error(error: Exception) -> WhalefallError:
    """Turn an exception of one instance into the failure of that instance.

    Raises:
        StoreUnreachableError, SessionEndedError: they end the work on all instances.
    """
    if isinstance(error, (StoreUnreachableError, SessionEndedError)):
        raise error
    return error if isinstance(error, WhalefallError) else WhalefallError(f"unexpected {type(error).__name__}: {error}")
