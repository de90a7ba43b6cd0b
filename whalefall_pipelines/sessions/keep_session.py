"""A context manager that opens a session, keeps its heartbeat in a thread, and always ends it.

The state transitions are in `sessions/store.py`. `end_dead_sessions.py` ends sessions whose process died.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import BEAT_SECONDS, SessionPlan, SessionStatus
from whalefall_pipelines.errors import SessionEndedError, StoreError, WhalefallError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.end_dead_sessions import end_sessions_without_process
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

Check = Callable[[], None]


@contextmanager
def sync_session(database: Database, plan: SessionPlan, instances: Sequence[Instance]) -> Generator[Check]:
    """Open a session for the block and end it, whatever happens in the block.

    Yields a cheap check that raises SessionEndedError once the session was ended elsewhere; the block's statements in the store are
    then interrupted. An `Exception` in the block makes the session failed. Any other exception (an interrupt, or the termination of a
    run by Dagster) makes it cancelled.

    Raises:
        SessionRunningError: another session collects some of these days.
        SessionEndedError: the session was cancelled before its work was finished.
    """
    end_sessions_without_process(database)
    sessions.open_session(database, plan, [instance.instance_id for instance in instances])
    beat = _Beat(database, plan)
    try:
        with beat:
            yield beat.check
    except BaseException as error:
        if isinstance(error, StoreError):
            beat.check()
        status = SessionStatus.FAILED if isinstance(error, Exception) else SessionStatus.CANCELLED
        code = error.code if isinstance(error, WhalefallError) else "INTERNAL_ERROR" if isinstance(error, Exception) else "CANCELLED"
        _abandon(database, plan, status, code, f"the run ended here: {type(error).__name__}: {error}".rstrip(": "))
        raise
    if retry_while_unavailable(lambda: sessions.close_session(database, plan.session_id)) is SessionStatus.CANCELLED:
        raise _ended(plan, SessionStatus.CANCELLED)


def _abandon(database: Database, plan: SessionPlan, status: SessionStatus, code: str, message: str) -> None:
    try:
        sessions.abandon_session(database, plan.session_id, status, error_code=code, error_message=message)
    except StoreError:
        return  # The store is unavailable. The original error is the one to show, and the sensor ends the session later.


def _ended(plan: SessionPlan, status: SessionStatus) -> SessionEndedError:
    return SessionEndedError(f"Session {plan.session_id} was {status} before its work was finished; unfinished work was discarded.")


class _Beat:
    """A thread that sends a heartbeat every few seconds, and interrupts the session's statements once the session was ended elsewhere."""

    def __init__(self, database: Database, plan: SessionPlan) -> None:
        self._database = database
        self._plan = plan
        self._status = SessionStatus.RUNNING
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="session", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def check(self) -> None:
        if self._status is not SessionStatus.RUNNING:
            raise _ended(self._plan, self._status)

    def _go_on(self) -> None:
        while not self._is_over.wait(BEAT_SECONDS):
            try:
                self._status = sessions.keep_alive(self._database, self._plan.session_id)
            except StoreError:
                continue  # The work handles the outage of the store itself. The heartbeat resumes as soon as the store is available.
            if self._status is not SessionStatus.RUNNING:
                self._database.interrupt()
