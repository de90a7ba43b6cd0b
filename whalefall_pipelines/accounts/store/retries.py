"""Finds the instances whose accounts a retry may read. `sessions/retries.py` has the rules."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.sessions.retries import NEEDS_A_PERSON, Unrepaired
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import as_model, fetch_rows


def list_unrepaired(database: Database, day: date) -> list[Unrepaired]:
    """The instances whose accounts were not read on a day although they were tried, by the session that tried them last."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_unrepaired"), {"day": day, "needs_a_person": sorted(NEEDS_A_PERSON)})
        return [as_model(row, Unrepaired, day=day, ended_at=row.pop("completed_at")) for row in fetch_rows(cursor)]
