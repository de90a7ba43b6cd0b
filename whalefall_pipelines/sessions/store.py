"""Sessions and their records in the store. Every transition checks the current state, so an orphan cannot reopen a closed session."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import (
    DEAD_AFTER_SECONDS,
    ClosedRecord,
    InstanceRecord,
    Notice,
    ProbeRecord,
    RunningSession,
    Session,
    SessionPlan,
    SessionStatus,
    SyncCategory,
)
from whalefall_pipelines.errors import NotFoundError, SessionEndedError, SessionRunningError
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import Model, fetch_as

# Two runs of these would ask the same servers the same questions.
_ONE_AT_A_TIME = {SyncCategory.CAPACITY, SyncCategory.TABLES}

# The categories whose runs reach servers. The others work in the store alone.
REACHING = (SyncCategory.CAPACITY, SyncCategory.ACCOUNT, SyncCategory.TABLES)


def open_session(database: Database, plan: SessionPlan, instance_ids: Sequence[int]) -> None:
    """Open a running session with one pending record per instance.

    Raises:
        SessionRunningError: a session of these days runs in this zone or has these instances; this one is stored as failed, without any.
        SessionEndedError: it was cancelled before it began.
    """
    with database.transaction() as cursor:
        if status := _find_status(cursor, plan.session_id):
            raise SessionEndedError(f"Session {plan.session_id} was {status} before it began.")
        refused = _find_rival(cursor, plan, instance_ids) if plan.category in _ONE_AT_A_TIME else None
        _open(cursor, plan, [] if refused else instance_ids)
        if refused:
            _close(cursor, plan.session_id, SessionStatus.FAILED, refused.code, str(refused))
    if refused:
        raise refused


def record_failed_session(
    database: Database, plan: SessionPlan, instance_ids: Sequence[int], *, error_code: str, error_message: str
) -> None:
    """Store a session that failed before it began. Other running sessions do not matter, and its records stay pending."""
    with database.transaction() as cursor:
        _open(cursor, plan, instance_ids)
        _close(cursor, plan.session_id, SessionStatus.FAILED, error_code, error_message)


def cancel_queued_session(database: Database, plan: SessionPlan, *, error_message: str) -> None:
    """Store a session as cancelled whose run has not begun. If the run has just opened it, it is cancelled like any other."""
    with database.transaction() as cursor:
        _open(cursor, plan, [])
        _abandon(cursor, plan.session_id, SessionStatus.CANCELLED, "CANCELLED", error_message)


def _open(cursor: Cursor, plan: SessionPlan, instance_ids: Sequence[int]) -> None:
    cursor.execute(
        queries.load("sessions/open_session"),
        {
            "session_id": str(plan.session_id),
            "run_id": plan.run_id,
            "sync_category": plan.category,
            "sync_type": plan.sync_type,
            "first_day": plan.first_day,
            "last_day": plan.last_day,
            "retry_of": str(plan.retry_of) if plan.retry_of else None,
            "zone": plan.zone,
            "instance_ids": list(instance_ids),
        },
    )


def _find_rival(cursor: Cursor, plan: SessionPlan, instance_ids: Sequence[int]) -> SessionRunningError | None:
    wanted = {"category": plan.category, "first_day": plan.first_day, "last_day": plan.last_day, "zone": plan.zone}
    cursor.execute(queries.load("sessions/lock_opening"))
    cursor.execute(queries.load("sessions/find_rival"), {**wanted, "instance_ids": list(instance_ids)})
    row = cursor.fetchone()
    if row is None:
        return None
    session_id, started_at, done, total = row
    return SessionRunningError(
        f"Session {session_id} has been collecting these days since {started_at:%H:%M:%S} ({done:,} of {counted(total, 'instance')} done). "
        f"Wait until it ends (`whalefall sessions show {session_id}`), or end it with `whalefall sessions cancel {session_id}`."
    )


def keep_alive(database: Database, session_id: UUID) -> SessionStatus:
    """Store a heartbeat of a session, and return the session's status."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/keep_alive"), {"session_id": str(session_id)})
        return SessionStatus.RUNNING if cursor.fetchone() else status_of(cursor, session_id)


def status_of(cursor: Cursor, session_id: UUID) -> SessionStatus:
    """The status of a session.

    Raises:
        NotFoundError: there is no session with this id.
    """
    status = _find_status(cursor, session_id)
    if status is None:
        raise NotFoundError(f"There is no session {session_id}.")
    return status


def _find_status(cursor: Cursor, session_id: UUID) -> SessionStatus | None:
    cursor.execute(queries.load("sessions/find_status"), {"session_id": str(session_id)})
    row = cursor.fetchone()
    return SessionStatus(row[0]) if row else None


def list_running(database: Database, dead_after_seconds: float = DEAD_AFTER_SECONDS) -> tuple[RunningSession, ...]:
    """Every running session, and whether its last heartbeat is at most `dead_after_seconds` old."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/list_running"), {"dead_after_seconds": dead_after_seconds})
        return fetch_as(cursor, RunningSession)


def start_records(database: Database, session_id: UUID, instance_ids: Sequence[int]) -> frozenset[int]:
    """Count one attempt for each of these records, and return the instances that may start: open records of a running session."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/start_records"), {"session_id": str(session_id), "instance_ids": list(instance_ids)})
        return frozenset(row[0] for row in cursor.fetchall())


def close_records(cursor: Cursor, session_id: UUID, records: Sequence[ClosedRecord]) -> frozenset[int]:
    """Close the records of instances, within the transaction of their work, and return the instances whose record was running."""
    # Not by asdict(), which copies every detail of a record, and takes longer than all else here.
    rows = [{name: getattr(record, name) for name in record.__slots__} for record in records]
    parameters = {"session_id": str(session_id), "records": json.dumps(rows)}
    cursor.execute(queries.load("sessions/close_records"), parameters)
    return frozenset(row[0] for row in cursor.fetchall())


def complete_record(
    cursor: Cursor, session_id: UUID, instance_id: int, *, is_skipped: bool, items: Mapping[str, int], details: Mapping[str, object]
) -> bool:
    """Close a record as completed, within the transaction of its work. `items` counts what was synced, created, updated and deleted."""
    synced, created, updated, deleted = (items.get(name, 0) for name in ("synced", "created", "updated", "deleted"))
    record = ClosedRecord(instance_id, details, is_skipped, synced, created, updated, deleted)
    return bool(close_records(cursor, session_id, [record]))


def fail_record(
    cursor: Cursor, session_id: UUID, instance_id: int, *, error_code: str, error_message: str, details: Mapping[str, object]
) -> bool:
    """Close a record as failed, within the transaction that writes its gaps."""
    record = ClosedRecord(instance_id, details, error_code=error_code, error_message=error_message)
    return bool(close_records(cursor, session_id, [record]))


def skip_records(database: Database, session_id: UUID, details: Mapping[str, object]) -> None:
    """Close all records of a session that needs no server as completed, and count them as skipped."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/start_pending_records"), {"session_id": str(session_id)})
        cursor.execute(queries.load("sessions/skip_running_records"), {"session_id": str(session_id), "sync_details": json.dumps(details)})


def close_session(database: Database, session_id: UUID) -> SessionStatus:
    """End a session whose work is finished: failed if any record failed, else completed. Return its status.

    The status may differ if the session was ended elsewhere.
    """
    with database.transaction() as cursor:
        return _close(cursor, session_id) or status_of(cursor, session_id)


def abandon_session(database: Database, session_id: UUID, status: SessionStatus, *, error_code: str, error_message: str) -> bool:
    """End a session before its work was finished, as failed or cancelled, together with its running records, and store the reason.

    Returns False if the session had already ended.
    """
    with database.transaction() as cursor:
        return _abandon(cursor, session_id, status, error_code, error_message)


def list_sessions(database: Database, *, most: int, **wanted: object) -> tuple[Session, ...]:
    """The newest sessions. `wanted` are further parameters of the statement."""
    return _sessions(database, most=most, **wanted)


def get_session(database: Database, session_id: UUID) -> Session:
    """One session.

    Raises:
        NotFoundError: there is no session with this id.
    """
    sessions = _sessions(database, most=1, session_id=str(session_id))
    if not sessions:
        raise NotFoundError(f"There is no session {session_id}; `whalefall sessions list` shows the newest.")
    return sessions[0]


def list_records(database: Database, session_id: UUID) -> tuple[InstanceRecord, ...]:
    """The records of a session, failures first."""
    return _list(database, "list_records", InstanceRecord, session_id=str(session_id))


def list_probes(database: Database, instance_id: int, *, sessions: int, most: int) -> tuple[ProbeRecord, ...]:
    """What happened to an instance in this many of the newest sessions that reach servers, newest first."""
    wanted = {"instance_id": instance_id, "categories": list(REACHING), "sessions": sessions, "most": most}
    return _list(database, "list_records_of_instance", ProbeRecord, **wanted)


def list_notices(database: Database, session_id: UUID) -> tuple[Notice, ...]:
    """The notices of a session about databases that it measured."""
    return _list(database, "list_notices", Notice, session_id=str(session_id))


_ALL = dict.fromkeys(("session_id", "sync_category", "sync_type", "status", "zone", "after_start", "after_id"))


def _sessions(database: Database, **wanted: object) -> tuple[Session, ...]:
    return _list(database, "list_sessions", Session, **{**_ALL, "skipped": 0, **wanted})


def _list(database: Database, statement: str, model: type[Model], **values: object) -> tuple[Model, ...]:
    with database.transaction() as cursor:
        cursor.execute(queries.load(f"sessions/{statement}"), values)
        return fetch_as(cursor, model)


def _abandon(cursor: Cursor, session_id: UUID, status: SessionStatus, error_code: str, error_message: str) -> bool:
    values = {"session_id": str(session_id), "error_code": error_code, "error_message": error_message}
    cursor.execute(queries.load("sessions/fail_running_records"), values)
    return _close(cursor, session_id, status, error_code, error_message) is not None


def _close(
    cursor: Cursor, session_id: UUID, status: SessionStatus | None = None, error_code: str | None = None, error_message: str | None = None
) -> SessionStatus | None:
    values = {"session_id": str(session_id), "status": status, "error_code": error_code, "error_message": error_message}
    cursor.execute(queries.load("sessions/close_session"), values)
    row = cursor.fetchone()
    return SessionStatus(row[0]) if row else None
