"""One session over many instances: opened, worked through by a bounded pool of threads, and always ended.

What is done with an instance is the caller's function; the states are moved by `store/sessions.py`.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus
from whalefall_pipelines.errors import StoreError, WhalefallError
from whalefall_pipelines.store import sessions
from whalefall_pipelines.store.database import Database

Outcome = TypeVar("Outcome")
# The waiting thread wakes this often, because a run that is terminated raises only between its waits.
POLL_SECONDS = 0.2


@contextmanager
def sync_session(database: Database, plan: SessionPlan, instances: Sequence[Instance]) -> Generator[None]:
    """Open a session for the block and end it, whatever happens in the block.

    An exception makes it failed; what is no `Exception` (an interrupt, Dagster's termination) makes it cancelled.
    """
    sessions.open_session(database, plan, [instance.instance_id for instance in instances])
    try:
        yield
    except BaseException as error:
        status = SessionStatus.FAILED if isinstance(error, Exception) else SessionStatus.CANCELLED
        code = error.code if isinstance(error, WhalefallError) else "INTERNAL_ERROR" if isinstance(error, Exception) else "CANCELLED"
        _abandon(database, plan, status, code, f"the run ended here: {type(error).__name__}: {error}".rstrip(": "))
        raise
    sessions.close_session(database, plan.session_id)


def _abandon(database: Database, plan: SessionPlan, status: SessionStatus, code: str, message: str) -> None:
    try:
        sessions.abandon_session(database, plan.session_id, status, error_code=code, error_message=message)
    except StoreError:
        return  # The store is the thing that broke: what broke the run is the error to show, and the sweep closes the session.


def each_instance(
    instances: Sequence[Instance],
    work: Callable[[Instance], Outcome],
    *,
    parallel: int,
    interrupt: Callable[[], None],
    take_up: Callable[[Sequence[Instance]], Sequence[Instance]] = lambda next_ones: next_ones,
) -> Iterator[tuple[Instance, Outcome | Exception]]:
    """Do the work for every instance in at most so many threads and yield each outcome as it comes.

    `take_up` is told which instances are begun next and returns those that may be; the others are left alone and yield nothing.
    What one instance raises is its outcome, and no other instance's affair. When the caller is interrupted or leaves the loop,
    nothing more is begun and `interrupt` is called, which must make work that waits on a server return at once.
    """
    threads = max(1, min(parallel, len(instances)))
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="instance")
    untouched = iter(instances)
    running: set[Future[tuple[Instance, Outcome | Exception]]] = set()
    try:
        while True:
            next_ones = tuple(islice(untouched, threads - len(running)))
            if next_ones:
                running |= {pool.submit(_guarded, work, instance) for instance in take_up(next_ones)}
            elif not running:
                return
            done, running = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        interrupt()


def _guarded(work: Callable[[Instance], Outcome], instance: Instance) -> tuple[Instance, Outcome | Exception]:
    try:
        return instance, work(instance)
    except Exception as error:  # noqa: BLE001 - the one place: whatever breaks here broke for one instance only
        return instance, error
