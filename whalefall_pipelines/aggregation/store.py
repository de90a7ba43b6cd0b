"""Aggregations in the store: writes them for the whole fleet with one statement per level and period type, and compares them with their
days.

`domain/periods.py` defines periods; `aggregate.py` and Dagster decide when they are computed.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.model import Difference, IncompletePeriod, Level, PeriodSummary, RankedPeriod
from whalefall_pipelines.domain.months import months_of
from whalefall_pipelines.domain.periods import Period, PeriodType
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.months import kept_months
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows

Row = TypeVar("Row")
_DAILY_TABLES = ("database_size_stats", "instance_size_stats")


def lock_period_type(cursor: Cursor, period_type: PeriodType) -> None:
    """Lock this period type against other writers until the transaction ends."""
    cursor.execute(queries.load("aggregation/lock_period_type"), {"period_type": period_type})


def write_period(cursor: Cursor, level: Level, period: Period, today: date) -> dict[int, int]:
    """Compute a period from its days for the whole fleet; return the rows written by instance id."""
    cursor.execute(_compose(f"upsert_{level}_aggregations", level), parameters(cursor, period, today))
    return dict(cursor.fetchall())


def compare_period(cursor: Cursor, level: Level, period: Period, today: date) -> list[Difference]:
    """Compute a period, and return the differences from the stored one."""
    cursor.execute(_compose("compare_aggregations", level), parameters(cursor, period, today))
    return [as_model(row, Difference, level=level, period=period) for row in fetch_rows(cursor)]


def is_stale(cursor: Cursor, level: Level, period: Period, today: date) -> bool:
    """Whether recomputing a period would change it."""
    cursor.execute(_compose("find_changed_aggregation", level), parameters(cursor, period, today))
    (is_stale,) = cursor.fetchone() or (False,)
    return is_stale


def list_due_periods(database: Database, period_type: PeriodType, today: date, *, daily_from: date = date.min) -> list[Period]:
    """The periods of a type that must be recomputed according to the ledger of changes. Stored sizes are not read.

    Daily periods before `daily_from` are not kept.
    """
    with database.transaction() as cursor:
        cursor.execute(queries.load("aggregation/list_due_periods"), {"period_type": period_type, "today": today, "daily_from": daily_from})
        return [Period(period_type, start) for (start,) in cursor.fetchall()]


def forget_stale_periods(cursor: Cursor, periods: Sequence[Period]) -> None:
    """Remove consecutive periods of one type from the ledger, because this transaction computes them at all levels."""
    cursor.execute(queries.load("aggregation/forget_stale_periods"), _span(periods))


def mark_running_periods(cursor: Cursor, periods: Sequence[Period], today: date) -> None:
    """Mark those of these periods that are not over as due again tomorrow."""
    running = [period.start for period in periods if period.end >= today]
    if running:
        values = {"period_type": periods[0].period_type, "starts": running, "due_on": today + timedelta(days=1)}
        cursor.execute(queries.load("aggregation/mark_running_periods"), values)


def close_records(cursor: Cursor, session_id: UUID, periods: Sequence[Period], written: Mapping[int, int]) -> None:
    """Add a closed record to an aggregation session for each changed instance, with its written rows and missing days."""
    cursor.execute(queries.load("aggregation/open_records"), {"session_id": str(session_id), "instance_ids": list(written)})
    cursor.execute(queries.load("sessions/start_pending_records"), {"session_id": str(session_id)})
    cursor.execute(
        queries.load("aggregation/close_records"),
        {
            "session_id": str(session_id),
            "period_type": periods[0].period_type,
            "first_start": periods[0].start,
            "last_start": periods[-1].start,
            "instance_ids": list(written),
            "written": list(written.values()),
        },
    )


def changed(level: Level) -> sql.SQL:
    """The statement that computes a period from its days and returns what changed. `parameters` returns its parameters."""
    return sql.SQL(queries.load(f"aggregation/compute_changed_{level}_aggregations"))


def _compose(name: str, level: Level) -> sql.Composed:
    return sql.SQL(queries.load(f"aggregation/{name}")).format(changed=changed(level))


def parameters(cursor: Cursor, period: Period, today: date) -> dict[str, object]:
    """The parameters of the statements that compute a period."""
    return {
        "period_type": period.period_type,
        "start": period.start,
        "end_day": period.following.start,
        "next_end_day": period.following.following.start,
        "previous_start": period.previous.start,
        "is_kept": _is_kept(cursor, period, today),
        "today": today,
    }


def _is_kept(cursor: Cursor, period: Period, today: date) -> bool:
    """Whether no day of a period has expired."""
    if period.start >= months_of([today])[0].plus(-3).first_day:
        return True  # WHALEFALL_RETENTION_MONTHS is at least 3
    months = set(months_of(period.days_until(today)))
    kept = kept_months(cursor, _DAILY_TABLES)
    absent = {month for month in months if any(month not in kept[table_name] for table_name in _DAILY_TABLES)}
    if not absent:
        return True
    cursor.execute(queries.load("aggregation/list_expired_months"), {"months": [month.first_day for month in absent]})
    return not cursor.fetchall()


def summarize_periods(database: Database, periods: Sequence[Period]) -> dict[date, PeriodSummary]:
    """The summary of each of these consecutive periods of one type, by its start. A period without data has no entry."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("aggregation/summarize_periods"), _span(periods))
        return {summary.period_start: summary for summary in fetch_as(cursor, PeriodSummary)}


def rank_periods(database: Database, periods: Sequence[Period], *, most: int = 10) -> tuple[RankedPeriod, ...]:
    """The fastest growing databases and instances of each of these consecutive periods of one type."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("aggregation/rank_periods"), _span(periods) | {"most": most})
        return fetch_as(cursor, RankedPeriod)


def _span(periods: Sequence[Period]) -> dict[str, object]:
    return {"period_type": periods[0].period_type, "first_start": periods[0].start, "last_start": periods[-1].start}


def list_incomplete_periods(database: Database, periods: Sequence[Period]) -> tuple[IncompletePeriod, ...]:
    """Those of these consecutive periods of one type that are final and have missing days of an instance."""
    with database.transaction() as cursor:
        cursor.execute(
            queries.load("aggregation/list_incomplete_periods"),
            {
                "period_type": periods[0].period_type,
                "first_start": periods[0].start,
                "last_start": periods[-1].start,
                "end_day": periods[-1].following.start,
            },
        )
        return fetch_as(cursor, IncompletePeriod)


def list_periods(database: Database, level: Level, model: type[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
    """Periods of a level as rows of this model, newest first."""
    with database.transaction() as cursor:
        cursor.execute(queries.load(f"aggregation/list_{level}_periods"), values)
        return fetch_as(cursor, model)


def count_periods(database: Database, level: Level, values: Mapping[str, Any]) -> int:
    """The number of periods of a list."""
    with database.transaction() as cursor:
        cursor.execute(queries.load(f"aggregation/count_{level}_periods"), values)
        (total,) = cursor.fetchone() or (0,)
        return total


def summarize_sizes(database: Database, level: Level, model: type[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
    """The sums of the newest period of a level; none if nothing is known."""
    with database.transaction() as cursor:
        cursor.execute(queries.load(f"aggregation/summarize_{level}_sizes"), values)
        return fetch_as(cursor, model)
