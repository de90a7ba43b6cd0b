"""Sizes and gaps in the store. One instance is written in one transaction; days are read for the whole fleet at once.

Rows arrive by COPY into staging tables and are taken over by one statement each. What they mean is `domain/capacity.py`.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import MissingSize, Provenance
from whalefall_pipelines.domain.instances import InventoryChange, InventoryEntry
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One database on one day, as it goes into `database_size_stats`. Sizes in bytes."""

    instance_id: int
    database_name: str
    stat_date: date
    total_bytes: int
    data_bytes: int | None
    log_bytes: int | None
    collected_at: datetime
    provenance: Provenance
    method: str
    growth_limit_bytes: int | None = None
    used_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of the fleet. Sizes in bytes; None where nothing is known. Instances are those with a total."""

    stat_date: date
    instances: int
    databases: int
    total_bytes: int | None
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


def lock_inventory(cursor: Cursor, instance_id: int) -> tuple[InventoryEntry, ...]:
    """Read the inventory of an instance and keep other writers of the same instance out until the transaction ends."""
    cursor.execute(queries.load("capacity/lock_instance"), {"instance_id": instance_id})
    cursor.execute(queries.load("capacity/list_inventory"), {"instance_id": instance_id})
    return fetch_as(cursor, InventoryEntry)


def apply_inventory(cursor: Cursor, instance_id: int, change: InventoryChange, day: date) -> None:
    """Write what a listing did to the inventory."""
    cursor.execute(
        queries.load("capacity/apply_inventory"),
        {
            "instance_id": instance_id,
            "day": day,
            "listed": list(change.listed),
            "deactivated": list(change.deactivated),
            "held": list(change.held),
        },
    )


def write_sizes(cursor: Cursor, rows: Iterable[SizeRow], session_id: UUID | None) -> None:
    """Write sizes of any instances and days; call `write_totals` for them afterwards."""
    cursor.execute(queries.load("capacity/create_staging"))
    lines = (
        f"{row.instance_id}\t{_text(row.database_name)}\t{row.stat_date}\t{row.total_bytes}\t{_number(row.data_bytes)}\t"
        f"{_number(row.log_bytes)}\t{row.collected_at.isoformat()}\t{row.provenance}\t{row.method}\t"
        f"{_number(row.growth_limit_bytes)}\t{_number(row.used_bytes)}\n"
        for row in rows
    )
    cursor.copy_from(_Lines(lines), "staged_sizes", size=1 << 20)
    cursor.execute(queries.load("capacity/upsert_database_sizes"), {"session_id": str(session_id) if session_id else None})


def write_gaps(cursor: Cursor, instance_id: int, missing: Sequence[MissingSize], day: date, session_id: UUID | None) -> None:
    """Write what was expected of an instance on a day and not obtained; what has a size already stays measured."""
    if not missing:
        return
    cursor.execute(
        queries.load("capacity/upsert_gaps"),
        {
            "instance_id": instance_id,
            "day": day,
            "database_names": [gap.database_name for gap in missing],
            "reasons": [gap.reason for gap in missing],
            "details": [gap.detail for gap in missing],
            "session_id": str(session_id) if session_id else None,
        },
    )


def write_totals(cursor: Cursor, instance_ids: Sequence[int], first_day: date, last_day: date, session_id: UUID | None) -> None:
    """Recompute the totals of these instances on these days from their database rows."""
    cursor.execute(
        queries.load("capacity/upsert_instance_sizes"),
        {
            "instance_ids": list(instance_ids),
            "first_day": first_day,
            "last_day": last_day,
            "session_id": str(session_id) if session_id else None,
        },
    )


def write_unreached(cursor: Cursor, instance_id: int, day: date, *, reason: str, detail: str, session_id: UUID | None) -> None:
    """An instance could not be visited: what it was expected to give is missing."""
    cursor.execute(
        queries.load("capacity/record_unreached_instance"),
        {
            "instance_id": instance_id,
            "day": day,
            "reason": reason,
            "detail": detail,
            "session_id": str(session_id) if session_id else None,
        },
    )


def summarize_days(database: Database, days: Sequence[date]) -> dict[date, DaySummary]:
    """What each of these days holds."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/summarize_days"), {"days": list(days)})
        return {one.stat_date: one for one in fetch_as(cursor, DaySummary)}


def summarize_inventory(database: Database, days: Sequence[date]) -> dict[date, InventorySummary]:
    """The inventory of each of these days."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/summarize_inventory"), {"days": list(days)})
        return {one.stat_date: one for one in fetch_as(cursor, InventorySummary)}


def rank_databases(database: Database, days: Sequence[date], *, most: int = 10) -> tuple[RankedDatabase, ...]:
    """The largest and the fastest growing databases of each day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/rank_databases"), {"days": list(days), "most": most})
        return fetch_as(cursor, RankedDatabase)


def rank_instances(database: Database, days: Sequence[date], *, most: int = 20) -> tuple[RankedInstance, ...]:
    """The largest instances of each day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/rank_instances"), {"days": list(days), "most": most})
        return fetch_as(cursor, RankedInstance)


def list_gaps(database: Database, days: Sequence[date], *, most: int = 50) -> tuple[Gap, ...]:
    """What is missing on each day, at most so many rows of one day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("capacity/list_gaps"), {"days": list(days), "most": most})
        return fetch_as(cursor, Gap)


class _Lines(io.TextIOBase):
    """An iterator of lines as a file for COPY, so that a million rows never stand in memory at once."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines of about `size` characters; empty at the end."""
        wanted = size or 1 << 16
        parts: list[str] = []
        length = 0
        for line in self._lines:
            parts.append(line)
            length += len(line)
            if length >= wanted > 0:
                break
        return "".join(parts)


# How COPY's text format writes the characters that mean something to it.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _number(value: int | None) -> str:
    return "\\N" if value is None else str(value)
