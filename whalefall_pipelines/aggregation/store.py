"""Aggregations in the store: writes them for the whole fleet with one statement per level and period type, and compares them with their
days.

`domain/periods.py` defines periods; `aggregate.py` and Dagster decide when they are computed.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.model import Difference, IncompletePeriod, Level, PeriodSummary, RankedPeriod
from whalefall_pipelines.domain.months import Month, months_of
from whalefall_pipelines.domain.periods import Period, PeriodType
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.months import kept_months
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows


def lock_period_type(cursor: Cursor, period_type: PeriodType) -> None:
    """Lock this period type against other writers until the transaction ends."""
    cursor.execute(queries.load("aggregation/lock_period_type"), {"period_type": period_type})


def write_periods(cursor: Cursor, level: Level, periods: Sequence[Period], today: date) -> dict[int, int]:
    """Compute consecutive periods of one type from their days for the whole fleet; return the rows written by instance id."""
    statement = sql.SQL(queries.load(f"aggregation/upsert_{level}_aggregations")).format(computed=computed(level))
    cursor.execute(statement, parameters(cursor, periods, today))
    return dict(cursor.fetchall())


def compare_periods(cursor: Cursor, level: Level, periods: Sequence[Period], today: date) -> list[Difference]:
    """Compute consecutive periods of one type, and return the differences from the stored ones."""
    cursor.execute(_compared(level), parameters(cursor, periods, today))
    period_type = periods[0].period_type
    return [as_model(row, Difference, level=level, period=Period(period_type, row.pop("period_start"))) for row in fetch_rows(cursor)]


def list_stale_periods(cursor: Cursor, level: Level, periods: Sequence[Period], today: date) -> list[Period]:
    """Those of these consecutive periods that recomputing would change."""
    statement = sql.SQL(queries.load("aggregation/list_stale_periods")).format(compared=_compared(level))
    cursor.execute(statement, parameters(cursor, periods, today))
    return [Period(periods[0].period_type, row[0]) for row in cursor.fetchall()]


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


def computed(level: Level) -> sql.SQL:
    """The statement that computes periods from their days. `parameters` returns its parameters."""
    return sql.SQL(queries.load(f"aggregation/compute_{level}_aggregations"))


def _compared(level: Level) -> sql.Composed:
    return sql.SQL(queries.load(f"aggregation/compare_{level}_aggregations")).format(computed=computed(level))


def parameters(cursor: Cursor, periods: Sequence[Period], today: date) -> dict[str, object]:
    """The parameters of this module's statements for consecutive periods of one type."""
    expired = _expired_months(cursor, periods, today)
    first, last = periods[0], periods[-1]
    return {
        "period_type": first.period_type,
        "starts": [first.previous.start, *(period.start for period in periods), last.following.start],
        "length": (first.following.start - first.start).days,
        "first_start": first.start,
        "last_start": last.start,
        "end_day": last.following.start,
        "previous_start": first.previous.start,
        "today": today,
        "kept_starts": [period.start for period in periods if expired.isdisjoint(months_of(period.days_until(today)))],
    }


def _expired_months(cursor: Cursor, periods: Sequence[Period], today: date) -> frozenset[Month]:
    """The months of these periods whose days are no longer stored."""
    if periods[0].start >= months_of([today])[0].plus(-3).first_day:
        return frozenset()  # WHALEFALL_RETENTION_MONTHS is at least 3
    months = months_of(day for period in periods for day in period.days_until(today))
    absent = set(months) - (kept_months(cursor, "database_size_stats") & kept_months(cursor, "instance_size_stats"))
    if not absent:
        return frozenset()
    cursor.execute(queries.load("aggregation/list_expired_months"), {"months": [month.first_day for month in absent]})
    return frozenset(months_of(first_day for (first_day,) in cursor.fetchall()))


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
