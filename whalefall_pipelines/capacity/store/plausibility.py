"""Finds suspicious rows in the store: wrong totals, implausible sizes, jumps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.store.reports import days_before
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class WrongTotal:
    """An instance total that differs from the sum of its database rows, in bytes; None if one of the two does not exist."""

    stat_date: date
    instance_name: str
    total_bytes: int | None
    sum_bytes: int | None


@dataclass(frozen=True, slots=True)
class ImplausibleSize:
    """A size in bytes that no database can have."""

    stat_date: date
    instance_name: str
    database_name: str
    total_bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class Jump:
    """A database whose size is far from that of the day before, in bytes."""

    stat_date: date
    instance_name: str
    database_name: str
    bytes_before: int
    total_bytes: int


def list_wrong_totals(database: Database, days: Sequence[date]) -> tuple[WrongTotal, ...]:
    """The totals of these days that differ from the sum of their databases."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_wrong_totals"), {"days": list(days)})
        return fetch_as(cursor, WrongTotal)


def list_implausible_sizes(database: Database, days: Sequence[date]) -> tuple[ImplausibleSize, ...]:
    """The implausible sizes of these days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_implausible_sizes"), {"days": list(days)})
        return fetch_as(cursor, ImplausibleSize)


def list_jumps(database: Database, days: Sequence[date], *, percent: int, gigabytes: int) -> tuple[Jump, ...]:
    """The databases that changed by more than both limits since the day before, the largest change first."""
    with database.transaction() as cursor:
        limits = {"percent": percent, "bytes": gigabytes * 10**9}
        cursor.execute(queries.load("capacity/list_jumps"), {"days": list(days), "days_before": days_before(days), **limits})
        return fetch_as(cursor, Jump)
