"""Verbs for people: the newest sessions, one session with its records, and ending one that runs."""

from uuid import UUID

from whalefall_pipelines.domain.sessions import InstanceRecord, Session, SessionStatus
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable


def newest_sessions(database: Database, *, limit: int) -> tuple[Session, ...]:
    """The newest sessions, newest first."""
    return retry_while_unavailable(lambda: sessions.list_sessions(database, most=limit))


def show_session(database: Database, session_id: UUID | str) -> tuple[Session, tuple[InstanceRecord, ...]]:
    """One session and its records, failures first. The beginning of its id is enough.

    Raises:
        NotFoundError: there is none.
        InputError: there are several that begin so.
    """
    session = retry_while_unavailable(lambda: sessions.find_session(database, str(session_id)))
    return session, retry_while_unavailable(lambda: sessions.list_records(database, session.session_id))


def cancel_session(database: Database, session_id: str) -> Session:
    """End a running session, and return it as it ended. Its run stops within seconds.

    Raises:
        NotFoundError: there is none whose id begins so.
        InputError: there are several, or it is over.
    """
    session = sessions.find_session(database, session_id)
    was_running = session.status is SessionStatus.RUNNING
    if was_running:
        session = retry_while_unavailable(lambda: _cancel(database, session.session_id))
    if not was_running or session.status is not SessionStatus.CANCELLED:
        raise InputError(f"Session {session.session_id} is {session.status} already; only a running one can be cancelled.")
    return session


def _cancel(database: Database, session_id: UUID) -> Session:
    message = "a person cancelled the session"
    sessions.abandon_session(database, session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message=message)
    return sessions.get_session(database, session_id)
