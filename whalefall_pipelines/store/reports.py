"""What days hold, read for the whole fleet by one statement per kind of figure. Writing days is `capacity.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of the fleet. Sizes in bytes; None where nothing is known. Instances are those with a total.

    `total_bytes` is the sum of what has a size; it is the whole fleet only where the day `is_complete`. `held_total_bytes` has what is
    missing at its last known size. `shared_bytes` belong to no database.
    """

    stat_date: date
    instances: int
    databases: int
    total_bytes: int | None
    held_total_bytes: int | None
    is_complete: bool
    shared_bytes: int | None
    change_bytes: int | None
    measured: int
    recovered: int
    estimated: int
    missing: int


@dataclass(frozen=True, slots=True)
class InventorySummary:
    """The inventory on one day: instances with databases, databases, how many came and went."""

    stat_date: date
    instances: int
    databases: int
    created: int
    deactivated: int


@dataclass(frozen=True, slots=True)
class RankedDatabase:
    """A database among the largest (`size_rank`) or the fastest growing (`growth_rank`) of its day."""

    stat_date: date
    instance_name: str
    database_name: str
    total_bytes: int
    change_bytes: int | None
    size_rank: int
    growth_rank: int | None


@dataclass(frozen=True, slots=True)
class RankedInstance:
    """An instance among the largest of its day; incomplete when `database_count` is less than `expected_count`."""

    stat_date: date
    instance_name: str
    engine: str
    total_bytes: int
    shared_bytes: int | None
    change_bytes: int | None
    database_count: int
    expected_count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """An expected size that is not there. `database_name` is None when the databases of the instance were never listed."""

    stat_date: date
    instance_name: str
    database_name: str | None
    reason: str
    detail: str
    missing_of_day: int


def summarize_days(database: Database, days: Sequence[date]) -> dict[date, DaySummary]:
    """What each of these days holds."""
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
    """What is missing on each day, at most so many rows of one day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_gaps"), {"days": list(days), "most": most})
        return fetch_as(cursor, Gap)


def days_before(days: Sequence[date]) -> list[date]:
    """The day before each of these."""
    return [day - timedelta(days=1) for day in days]


def _span(days: Sequence[date]) -> dict[str, object]:
    return {"days": list(days), "first_day": min(days), "last_day": max(days)}
