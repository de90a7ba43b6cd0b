"""Reads the figures of days for the whole fleet, with one statement per kind of figure. `sizes.py` writes days."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.figures import DaySummary, Gap, InventorySummary, RankedDatabase, RankedInstance
from whalefall_pipelines.domain.zones import Zones, name_of
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as, fetch_rows


def summarize_days(database: Database, days: Sequence[date]) -> dict[date, DaySummary]:
    """The figures of each of these days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/summarize_days"), _span(days))
        return {summary.stat_date: summary for summary in fetch_as(cursor, DaySummary)}


def summarize_inventory(database: Database, days: Sequence[date]) -> dict[date, InventorySummary]:
    """The inventory of each of these days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/summarize_inventory"), _span(days))
        return {summary.stat_date: summary for summary in fetch_as(cursor, InventorySummary)}


def rank_databases(database: Database, days: Sequence[date], *, most: int = 10) -> tuple[RankedDatabase, ...]:
    """The largest and the fastest growing databases of each day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/rank_databases"), {"days": list(days), "days_before": days_before(days), "most": most})
        return fetch_as(cursor, RankedDatabase)


def rank_instances(database: Database, days: Sequence[date], *, most: int = 20) -> tuple[RankedInstance, ...]:
    """The largest instances of each day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/rank_instances"), {"days": list(days), "days_before": days_before(days), "most": most})
        return fetch_as(cursor, RankedInstance)


def list_gaps(database: Database, days: Sequence[date], *, most: int = 50) -> tuple[Gap, ...]:
    """The gaps of each day, at most `most` rows per day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_gaps"), {"days": list(days), "most": most})
        return fetch_as(cursor, Gap)


def measure_zones(database: Database, day: date, zones: Zones) -> dict[str, Any]:
    """How many databases of these zones were measured, recovered, estimated and are missing on a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/measure_zones"), {"day": day, "zones": sorted(map(name_of, zones))})
        (row,) = fetch_rows(cursor)
        return row


def days_before(days: Sequence[date]) -> list[date]:
    """The day before each of these."""
    return [day - timedelta(days=1) for day in days]


def _span(days: Sequence[date]) -> dict[str, object]:
    return {"days": list(days), "first_day": min(days), "last_day": max(days)}
