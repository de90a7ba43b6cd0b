"""What `whalefall doctor` reads: a few facts of the store, and of Dagster's own database beside it. Nothing is written.

`sql/doctor/dagster/` reads tables of Dagster's own schema, as the pinned version has them: `whalefall_pipelines_tests/defs/test_doctor.py`
compares what it says with a real Dagster instance, so that an upgrade that changes them fails there.
"""

from datetime import datetime

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database


def find_timezone(database: Database) -> str | None:
    """The time zone that the database gives to clients that ask for none; None when that is the server's."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("doctor/find_timezone"))
        row = cursor.fetchone()
    return str(row[0]) if row else None


def read_heartbeats(dagster: Database) -> dict[str, datetime]:
    """When each part of Dagster's daemon last gave a sign of life."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_heartbeats"))
        return dict(cursor.fetchall())


def read_automations(dagster: Database) -> dict[str, str]:
    """The schedules and sensors that the daemon has met, with their states."""
    with dagster.transaction() as cursor:
        cursor.execute(queries.load("doctor/dagster/list_automations"))
        return dict(cursor.fetchall())
