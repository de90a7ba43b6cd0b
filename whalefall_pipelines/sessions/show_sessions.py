"""What users do with sessions: list the newest, show one with its records, and cancel a running one."""

from collections.abc import Mapping
from uuid import UUID

from whalefall_pipelines.domain.sessions import InstanceRecord, ProbeRecord, Session, SessionPlan, SessionStatus
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.known_runs import find_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

# How many sessions are looked through for the last probes of an instance, and how many probes are told.
_NEWEST_SESSIONS, _PROBES = 60, 20
_MESSAGE = "the session was cancelled by a user"


def newest_sessions(database: Database, *, limit: int, zone: str | None = None) -> tuple[Session, ...]:
    """The newest sessions, of all zones or of the one that people write like this, newest first."""
    return retry_while_unavailable(lambda: sessions.list_sessions(database, most=limit, zone=zone))


def list_sessions(database: Database, wanted: Mapping[str, object], *, most: int) -> tuple[Session, ...]:
    """A page of the sessions with these properties, newest first."""
    return sessions.list_sessions(database, most=most, **wanted)


def get_session(database: Database, session_id: UUID) -> Session:
    """One session by its id.

    Raises:
        NotFoundError: there is none.
    """
    return sessions.get_session(database, session_id)


def list_records(database: Database, session_id: UUID) -> tuple[InstanceRecord, ...]:
    """The records of a session, failures first."""
    return sessions.list_records(database, session_id)


def last_probes(database: Database, instance_id: int) -> tuple[ProbeRecord, ...]:
    """What happened to one instance in the newest sessions, newest first."""
    return sessions.list_probes(database, instance_id, sessions=_NEWEST_SESSIONS, most=_PROBES)


def show_session(database: Database, session_id: UUID | str) -> tuple[Session, tuple[InstanceRecord, ...]]:
    """One session and its records, failures first. A prefix of its id is enough.

    Raises:
        NotFoundError: no session id has this prefix.
        InputError: several session ids have this prefix.
    """
    session = retry_while_unavailable(lambda: find_session(database, str(session_id)))
    return session, retry_while_unavailable(lambda: sessions.list_records(database, session.session_id))


def cancel_session(database: Database, session_id: str) -> Session:
    """Cancel a running session and return it. Its run stops within seconds.

    Raises:
        NotFoundError: no session id has this prefix.
        InputError: several session ids have this prefix, or the session has ended.
    """
    session = find_session(database, session_id)
    was_running = session.status is SessionStatus.RUNNING
    if was_running:
        session = retry_while_unavailable(lambda: _cancel(database, session.session_id))
    if not was_running or session.status is not SessionStatus.CANCELLED:
        raise InputError(f"Session {session.session_id} is already {session.status}; only a running session can be cancelled.")
    return session


def cancel_queued_session(database: Database, plan: SessionPlan, why: str = _MESSAGE) -> Session:
    """Cancel a session whose run waits in Dagster's queue, and return it. The run ends as soon as it begins."""
    sessions.cancel_queued_session(database, plan, error_message=why)
    return sessions.get_session(database, plan.session_id)


def _cancel(database: Database, session_id: UUID) -> Session:
    sessions.abandon_session(database, session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message=_MESSAGE)
    return sessions.get_session(database, session_id)
