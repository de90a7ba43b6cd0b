"""Finds the days that are stored."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database


def find_known_days(database: Database) -> tuple[date, date] | None:
    """The first and the last day with any data; None if the store is empty."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("aggregation/find_known_days"))
        first_day, last_day = cursor.fetchone() or (None, None)
    return (first_day, last_day) if first_day and last_day else None
