"""Finds the instances with missing sizes that a retry may fix, those that wait for a person, and those that a person has measured.

`sessions/retries.py` decides when they are retried.
"""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.sessions.retries import CURED_BY_A_CHANGE, NEEDS_A_PERSON, Retry, Unrepaired
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import as_model, fetch_rows


def list_rejected_logins(database: Database, day: date) -> frozenset[int]:
    """Instances whose login was rejected on this day and has not been changed since."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/list_rejected_logins"), {"day": day, "rejected": Reason.AUTHENTICATION_FAILED})
        return frozenset(row[0] for row in cursor.fetchall())


def list_unrepaired(database: Database, day: date) -> tuple[Unrepaired, ...]:
    """Instances with missing sizes that a retry may fix, grouped by the ended session that attempted them last."""
    with database.transaction() as cursor:
        cursor.execute(
            queries.load("sessions/list_unrepaired"),
            {"day": day, "needs_a_person": sorted(NEEDS_A_PERSON), "cured_by_a_change": sorted(CURED_BY_A_CHANGE)},
        )
        return tuple(as_model(row, Unrepaired, day=day, ended_at=row.pop("completed_at")) for row in fetch_rows(cursor))


def list_measured_by_hand(database: Database, day: date) -> tuple[Retry, ...]:
    """Retries that only report a day: of the instances whose missing sizes were measured by hand since the session that missed them."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/list_measured_by_hand"), {"day": day})
        return tuple(as_model(row, Retry, day=day, retry_of=row.pop("session_id")) for row in fetch_rows(cursor))
