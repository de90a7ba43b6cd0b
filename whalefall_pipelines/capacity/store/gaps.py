"""Gaps and coverage in the store: records the gaps of past days and interpolates them. `sizes.py` writes sizes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.coverage import Coverage, CoveredDay
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.zones import Zones, name_of
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Which gaps may be interpolated: those of these instances and days (inclusive) that lie within `max_gap_days` of known sizes."""

    first_day: date
    last_day: date
    max_gap_days: int
    instance_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class UnreadHistories:
    """A zone whose servers a backfill of these days (inclusive) did not ask for their history."""

    session_id: UUID
    first_day: date
    last_day: date
    zone: str


def record_uncollected_days(cursor: Cursor, first_day: date, last_day: date, zones: Zones, session_id: UUID | None) -> None:
    """Write the gaps of past days on which nothing ran in these zones."""
    days = {"first_day": first_day, "last_day": last_day, "zones": sorted(map(name_of, zones))}
    cursor.execute(queries.load("capacity/record_uncollected_days"), {**days, "session_id": str(session_id) if session_id else None})


def list_interpolable_days(cursor: Cursor, interpolation: Interpolation) -> list[date]:
    """The days on which a gap can now be interpolated."""
    statement = sql.SQL(queries.load("capacity/list_interpolable_days")).format(interpolations=_bridges())
    cursor.execute(statement, _parameters(interpolation))
    return [row[0] for row in cursor.fetchall()]


def estimate_gaps(cursor: Cursor, interpolation: Interpolation, session_id: UUID) -> dict[int, int]:
    """Write an estimate for every gap that can be interpolated, and return their number by instance id. Call `write_totals` afterwards."""
    statement = sql.SQL(queries.load("capacity/estimate_gaps")).format(interpolations=_bridges())
    cursor.execute(statement, _parameters(interpolation) | {"session_id": str(session_id)})
    return dict(cursor.fetchall())


def list_recoverable_sizes(database: Database, instance_id: int, first_day: date, last_day: date) -> frozenset[tuple[str, date]]:
    """The databases and days of an instance that are missing or estimated."""
    with database.transaction() as cursor:
        cursor.execute(
            queries.load("capacity/list_recoverable_sizes"), {"instance_id": instance_id, "first_day": first_day, "last_day": last_day}
        )
        return frozenset((row[0], row[1]) for row in cursor.fetchall())


def close_backfill_records(database: Database, session_id: UUID, first_day: date, last_day: date) -> None:
    """Close every record of a backfill that did not fail, with the numbers of filled and of still missing sizes."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("sessions/start_pending_records"), {"session_id": str(session_id)})
        cursor.execute(
            queries.load("capacity/close_backfill_records"),
            {"session_id": str(session_id), "first_day": first_day, "last_day": last_day},
        )


def list_unread_histories(database: Database, engines: Collection[Engine]) -> tuple[UnreadHistories, ...]:
    """The zones that backfills of the last day did not reach, with servers of these engines and sizes that may be recovered."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_unread_histories"), {"engines": sorted(engines)})
        return fetch_as(cursor, UnreadHistories)


def list_coverage(database: Database, first_day: date, last_day: date, instance_id: int | None = None) -> tuple[Coverage, ...]:
    """The coverage of every instance, or of one, on each of these days (inclusive). There is no entry where nothing was expected."""
    values = {"first_day": first_day, "last_day": last_day, "instance_id": instance_id}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_coverage"), values)
        return fetch_as(cursor, Coverage)


def list_covered_days(database: Database, days: Sequence[date], instance_id: int | None, *, most_rows: int) -> tuple[CoveredDay, ...]:
    """What is known of each instance, or of each group if there are more instances than `most_rows`, on each of these consecutive days."""
    span = {"days": list(days), "first_day": days[0], "last_day": days[-1]}
    values = {**span, "instance_id": instance_id, "most_rows": most_rows}
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_covered_days"), values)
        return fetch_as(cursor, CoveredDay)


def _bridges() -> sql.SQL:
    return sql.SQL(queries.load("capacity/interpolate_gaps"))


def _parameters(interpolation: Interpolation) -> dict[str, object]:
    return {
        "first_day": interpolation.first_day,
        "last_day": interpolation.last_day,
        "max_gap_days": interpolation.max_gap_days,
        "instance_ids": list(interpolation.instance_ids),
    }
