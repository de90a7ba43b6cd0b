"""Ends sessions whose run is over or whose process is gone, so that none stays running.

What Dagster knows of a run is given; asking it is `sessions/sensors.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from whalefall_pipelines.domain.sessions import DEAD_AFTER_SECONDS, RunningSession, RunState, SessionPlan, SessionStatus, ending_of
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database

_CODES = {SessionStatus.FAILED: "RUN_DIED", SessionStatus.CANCELLED: "CANCELLED"}


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was ended, why, and whether Dagster still believes that its run goes on."""

    session: RunningSession
    status: SessionStatus
    why: str
    run_goes_on: bool


def end_dead_sessions(
    database: Database, states_of: Callable[[Sequence[str]], Mapping[str, RunState]], *, dead_after_seconds: float = DEAD_AFTER_SECONDS
) -> list[EndedSession]:
    """End every running session that should not run, given what Dagster says of these runs; runs it does not know are left out."""
    running = sessions.list_running(database, dead_after_seconds)
    states = states_of([session.run_id for session in running if session.run_id])
    ended = [_end(database, session, states.get(session.run_id or "", RunState.UNKNOWN)) for session in running]
    return [session for session in ended if session]


def end_sessions_without_process(database: Database) -> None:
    """End what nothing was heard of lately; what opens the next session need not wait for the sweep."""
    end_dead_sessions(database, lambda _: {})


def end_sessions_of_run(database: Database, run_id: str, status: SessionStatus, why: str) -> None:
    """End what still runs of a run that is over, and why it is."""
    for session in sessions.list_running(database):
        if session.run_id == run_id:
            _abandon(database, session, status, why)


def record_lost_run(database: Database, plan: SessionPlan, instance_ids: Sequence[int]) -> None:
    """Write down a run that failed before it had a session: a failed session whose instances nobody visited, so that they are retried."""
    message = "the run failed before it had a session; its events in Dagster say why"
    sessions.record_failed_session(database, plan, instance_ids, error_code=_CODES[SessionStatus.FAILED], error_message=message)


def _end(database: Database, session: RunningSession, run: RunState) -> EndedSession | None:
    ending = ending_of(run, is_alive=session.is_alive)
    if ending is None:
        return None
    status, why = ending
    if not _abandon(database, session, status, why):
        return None
    return EndedSession(session, status, why, run_goes_on=run is RunState.GOING)


def _abandon(database: Database, session: RunningSession, status: SessionStatus, why: str) -> bool:
    message = f"the session was ended because {why}"
    return sessions.abandon_session(database, session.session_id, status, error_code=_CODES[status], error_message=message)
