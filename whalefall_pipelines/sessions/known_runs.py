"""Which sessions and Dagster runs the store knows."""

from collections.abc import Collection
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.sessions import Session, SyncCategory
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.sessions.store import get_session
from whalefall_pipelines.store.database import Database


def is_of_another_run(database: Database, session_id: UUID, run_id: str) -> bool:
    """Whether a session with this id exists that this run did not open."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/find_other_run"), {"session_id": str(session_id), "run_id": run_id})
        return cursor.fetchone() is not None


def list_known_runs(database: Database, category: SyncCategory, run_ids: Collection[str]) -> frozenset[str]:
    """Those of these Dagster runs that have a session of this category."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/list_known_runs"), {"category": category, "run_ids": list(run_ids)})
        return frozenset(row[0] for row in cursor.fetchall())


def find_session(database: Database, prefix: str) -> Session:
    """The session whose id has this prefix.

    Raises:
        NotFoundError: there is none.
        InputError: there are several.
    """
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/find_sessions"), {"prefix": prefix.lower()})
        rows = cursor.fetchall()
    if not rows:
        raise NotFoundError(f"There is no session {prefix!r}; `whalefall sessions list` shows the newest.")
    if len(rows) > 1:
        raise InputError(f"Several session ids begin with {prefix!r}; enter more characters of the id.")
    return get_session(database, UUID(str(rows[0][0])))
