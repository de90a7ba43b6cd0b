"""Ends sessions whose run is over or whose process has died, so that none stays running.

The caller passes the states of the runs; `sessions/sensors.py` reads them from Dagster.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from whalefall_pipelines.domain.sessions import DEAD_AFTER_SECONDS, RunningSession, RunState, SessionPlan, SessionStatus, ending_of
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database

_CODES = {SessionStatus.FAILED: "RUN_DIED", SessionStatus.CANCELLED: "CANCELLED"}


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was ended, the reason, and whether its run is still active for Dagster."""

    session: RunningSession
    status: SessionStatus
    why: str
    run_goes_on: bool


def end_dead_sessions(
    database: Database, states_of: Callable[[Sequence[str]], Mapping[str, RunState]], *, dead_after_seconds: float = DEAD_AFTER_SECONDS
) -> list[EndedSession]:
    """End every running session whose run or process is over. `states_of` maps run ids to states and omits unknown runs."""
    running = sessions.list_running(database, dead_after_seconds)
    states = states_of([session.run_id for session in running if session.run_id])
    ended = [_end(database, session, states.get(session.run_id or "", RunState.UNKNOWN)) for session in running]
    return [session for session in ended if session]


def end_sessions_without_process(database: Database) -> None:
    """End the sessions without a recent heartbeat, so that opening the next session need not wait for the sensor."""
    end_dead_sessions(database, lambda _: {})


def end_sessions_of_run(database: Database, run_id: str, status: SessionStatus, why: str) -> None:
    """End the running sessions of a run that is over, and record the reason."""
    for session in sessions.list_running(database):
        if session.run_id == run_id:
            _abandon(database, session, status, why)


def record_lost_run(database: Database, plan: SessionPlan, instance_ids: Sequence[int]) -> None:
    """Record a run that failed before it opened a session as a failed session, so that its instances are retried."""
    message = "the run failed before it opened a session; its events in Dagster show the cause"
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
