"""Many instances, worked through by a bounded pool of threads. What is done with one is the caller's function."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from whalefall_pipelines.domain.instances import Instance

Outcome = TypeVar("Outcome")
# The waiting thread wakes this often, because a run that is terminated raises only between its waits.
POLL_SECONDS = 0.2


def each_instance(
    instances: Sequence[Instance],
    work: Callable[[Instance], Outcome],
    *,
    parallel: int,
    interrupt: Callable[[], None],
    check: Callable[[], None] = lambda: None,
    claim: Callable[[Sequence[Instance]], Sequence[Instance]] = lambda next_ones: next_ones,
) -> Iterator[tuple[Instance, Outcome | Exception]]:
    """Do the work for every instance in at most so many threads and yield each outcome as it comes.

    `claim` is told which instances are begun next and returns those that may be; the others are left alone and yield nothing.
    What one instance raises is its outcome, and no other instance's affair. `check` is called several times a second. When it raises,
    the caller is interrupted or leaves the loop, nothing more is begun and `interrupt` is called, which must make work that waits on a
    server return at once.
    """
    threads = max(1, min(parallel, len(instances)))
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="instance")
    untouched = iter(instances)
    running: set[Future[tuple[Instance, Outcome | Exception]]] = set()
    try:
        while True:
            check()
            next_ones = tuple(islice(untouched, threads - len(running)))
            if next_ones:
                running |= {pool.submit(_guarded, work, instance) for instance in claim(next_ones)}
            elif not running:
                return
            done, running = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        interrupt()
        raise
    finally:
        pool.shutdown(wait=False)


def _guarded(work: Callable[[Instance], Outcome], instance: Instance) -> tuple[Instance, Outcome | Exception]:
    try:
        return instance, work(instance)
    except Exception as error:  # noqa: BLE001 - the one place: whatever breaks here broke for one instance only
        return instance, error
