"""Reads what people ask about sizes, each with one statement. `reports.py` has the figures of a day that Dagster shows."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.answers import FleetDay, Growth, HistoryDay, LargeDatabase, LargeGroup, StackedSize
from whalefall_pipelines.capacity.coverage import Coverage
from whalefall_pipelines.domain.filters import Days
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows

# A total is held as long as the known size of a database (`fleet_on` in 0013_named_views.sql).
_DAYS_HELD = 14


def find_newest_day(database: Database, today: date) -> date | None:
    """The newest day that has sizes; None if no day has."""
    with database.transaction() as cursor:
        for days in Days(None, today).windows(today):
            cursor.execute(queries.load("capacity/find_newest_day"), days.parameters)
            (newest_day,) = cursor.fetchone() or (None,)
            if newest_day is not None:
                return newest_day
    return None


def list_largest_databases(database: Database, day: date, *, most: int) -> tuple[LargeDatabase, ...]:
    """The largest databases of a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_largest_databases"), {"day": day, "most": most})
        return fetch_as(cursor, LargeDatabase)


def list_largest_groups(database: Database, day: date, tag: str | None, *, most: int) -> tuple[LargeGroup, ...]:
    """The largest instances of a day, or with a `tag` the largest of its values."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_largest_groups"), {"day": day, "tag": tag, "most": most})
        return fetch_as(cursor, LargeGroup)


def list_fleet_totals(database: Database, first_day: date, last_day: date) -> tuple[FleetDay, ...]:
    """The total of the fleet on each day (inclusive) on which an instance was active."""
    values = {"first_day": first_day, "last_day": last_day, "days_held": _DAYS_HELD}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_fleet_totals"), values)
        return fetch_as(cursor, FleetDay)


def list_stacked_sizes(database: Database, instance_id: int, first_day: date, last_day: date, *, most: int) -> tuple[StackedSize, ...]:
    """What an instance consists of on each day (inclusive): its `most` largest databases, and the rest together."""
    values = {"instance_id": instance_id, "first_day": first_day, "last_day": last_day, "most": most}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_stacked_sizes"), values)
        return fetch_as(cursor, StackedSize)


def list_growth(database: Database, first_day: date, last_day: date, *, most: int) -> tuple[Growth, ...]:
    """The fastest growing databases between two days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_growth"), {"first_day": first_day, "last_day": last_day, "most": most})
        return fetch_as(cursor, Growth)


def list_database_history(
    database: Database, instance_id: int, database_name: str, first_day: date, last_day: date
) -> tuple[HistoryDay, ...]:
    """One database on each day (inclusive) on which it was expected."""
    values = {"instance_id": instance_id, "database_name": database_name, "first_day": first_day, "last_day": last_day}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_database_history"), values)
        return fetch_as(cursor, HistoryDay)


def list_instance_history(database: Database, instance_id: int, first_day: date, last_day: date) -> tuple[HistoryDay, ...]:
    """The total of one instance on each day (inclusive) on which anything was expected of it."""
    values = {"instance_id": instance_id, "first_day": first_day, "last_day": last_day}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_instance_history"), values)
        rows = fetch_rows(cursor)
    sizes = [row.pop("total_bytes") for row in rows]
    coverages = [as_model(row, Coverage) for row in rows]
    return tuple(
        HistoryDay(coverage.stat_date, total_bytes, coverage.state, coverage.reasons)
        for total_bytes, coverage in zip(sizes, coverages, strict=True)
    )
