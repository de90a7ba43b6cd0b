"""The routes of sessions: list, show, records, cancel. A run that was launched and has not begun reads `queued`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query

from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.filters import TEXT
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Services, ServicesOf
from whalefall_pipelines.domain.sessions import InstanceRecord, Session, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.sessions import show_sessions

ROUTES = Routes("sessions")


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session, or a run that was launched and has not opened it yet: its status is queued and it has no counts."""

    session_id: UUID
    run_id: str | None
    sync_category: str
    sync_type: str | None
    status: str
    first_day: date | None
    last_day: date | None
    total_instances: int | None = None
    successful_instances: int | None = None
    failed_instances: int | None = None
    skipped_instances: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    retry_of: UUID | None = None
    error_code: str | None = None
    error_message: str | None = None
    failures: Mapping[str, int] | None = None
    zone: str | None = None


@ROUTES.get("/sessions", "/sync-sessions")
def list_sessions(
    services: ServicesOf,
    paging: PagingOf,
    sync_category: Annotated[SyncCategory | None, Query(description="Only sessions of this category.")] = None,
    sync_type: Annotated[SyncType | None, Query(description="Only sessions started in this way.")] = None,
    status: Annotated[SessionStatus | None, Query(description="Only sessions with this status.")] = None,
    zone: Annotated[str | None, Query(max_length=200, pattern=TEXT, description="Only sessions of this zone, or of the centre.")] = None,
) -> Page[Session]:
    """List sessions, newest first."""
    wanted = {"sync_category": sync_category, "sync_type": sync_type, "status": status, "zone": zone}
    after = paging.after_values("after_start", "after_id")
    rows = show_sessions.list_sessions(services.reader, {**wanted, **after, "skipped": paging.offset}, most=paging.limit + 1)
    return paging.page_of(rows, "started_at", "session_id")


@ROUTES.get("/sessions/{session_id}", "/sync-sessions/{session_id}")
def get_session(services: ServicesOf, session_id: UUID) -> SessionState:
    """Show a session, or the run that will open it."""
    try:
        session = show_sessions.get_session(services.reader, session_id)
    except NotFoundError as error:
        return _queued(services, session_id, error)
    return SessionState(
        session.session_id,
        session.run_id,
        session.sync_category,
        session.sync_type,
        session.status,
        session.first_day,
        session.last_day,
        session.total_instances,
        session.successful_instances,
        session.failed_instances,
        session.skipped_instances,
        session.started_at,
        session.completed_at,
        session.retry_of,
        session.error_code,
        session.error_message,
        session.failures,
        session.zone,
    )


@ROUTES.get("/sessions/{session_id}/records", "/sync-sessions/{session_id}/records")
def list_session_records(services: ServicesOf, session_id: UUID) -> tuple[InstanceRecord, ...]:
    """List the records of a session, one for each server, failures first."""
    show_sessions.get_session(services.reader, session_id)
    return show_sessions.list_records(services.reader, session_id)


@ROUTES.post("/sessions/{session_id}/actions/cancel", status=202)
def cancel_session(services: ServicesOf, session_id: UUID) -> Reply[Session]:
    """Cancel a running session, or a run that has not begun. The run stops within seconds; finished servers keep their results."""
    try:
        cancelled = show_sessions.cancel_session(services.writer, str(session_id))
    except NotFoundError as error:
        queued, today = _queued(services, session_id, error), services.today()
        days = (queued.first_day or today, queued.last_day or today)
        plan = SessionPlan(session_id, SyncCategory(queued.sync_category), SyncType.MANUAL_TASK, *days, queued.run_id)
        cancelled = show_sessions.cancel_queued_session(services.writer, plan)
    except InputError as error:
        raise Refusal(409, "CONSTRAINT_VIOLATION", str(error)) from None
    return Reply(cancelled, "cancelled", 202)


def _queued(services: Services, session_id: UUID, error: NotFoundError) -> SessionState:
    """The run that was launched with this session and has not opened it.

    Raises:
        NotFoundError: there is none; it is the given error.
    """
    queued = services.find_queued(session_id)
    if queued is None:
        raise error
    launched = queued.answer.get("data", {})
    days = [date.fromisoformat(day) if (day := launched.get(name)) else None for name in ("first_day", "last_day")]
    return SessionState(session_id, queued.run_id, launched.get("sync_category", ""), None, "queued", days[0], days[1])
