"""Which sessions and Dagster runs the store knows."""

from collections.abc import Collection
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.sessions import SyncCategory
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
