"""Writes sizes, gaps and totals, those of one instance in one transaction. `reports.py` reads them.

Sizes are sent as arrays within the statement that writes them. `domain/sizes.py` defines what they mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.sizes import MissingSize, Provenance
from whalefall_pipelines.store.array_text import dates, numbers, texts
from whalefall_pipelines.store.database import Cursor

# The number of rows in one statement, whose text both sides hold in memory. A single probe has fewer.
BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One row of `database_size_stats`. Sizes are in bytes."""

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


def move_day(cursor: Cursor, instance_id: int, day: date, names: Mapping[str, str]) -> None:
    """Rename the rows that were written for a day before its databases were renamed. `names` maps old names to new names."""
    if names:
        values = {"instance_id": instance_id, "day": day, "renamed": list(names), "renamed_to": list(names.values())}
        cursor.execute(queries.load("capacity/move_day"), values)


def write_sizes(cursor: Cursor, rows: Iterable[SizeRow], session_id: UUID | None) -> None:
    """Write sizes of any instances and days; call `write_totals` for them afterwards."""
    waiting = iter(rows)
    while batch := tuple(islice(waiting, BATCH_ROWS)):
        cursor.execute(
            queries.load("capacity/upsert_database_sizes"), _columns(batch) | {"session_id": str(session_id) if session_id else None}
        )
        if len(batch) == BATCH_ROWS:
            cursor.send()  # so that a million rows are never in memory at once


def write_gaps(cursor: Cursor, instance_id: int, missing: Sequence[MissingSize], day: date, session_id: UUID | None) -> None:
    """Write the gaps of an instance on a day. A database that already has a size keeps it."""
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


def write_totals(
    cursor: Cursor,
    instance_ids: Sequence[int],
    first_day: date,
    last_day: date,
    session_id: UUID | None,
    *,
    shared_bytes: int | None = None,
) -> None:
    """Recompute the totals of these instances on these days from their database rows. Without new `shared_bytes` the old ones stay."""
    cursor.execute(
        queries.load("capacity/upsert_instance_sizes"),
        {
            "instance_ids": list(instance_ids),
            "first_day": first_day,
            "last_day": last_day,
            "session_id": str(session_id) if session_id else None,
            "shared_bytes": shared_bytes,
        },
    )


def write_unreached(cursor: Cursor, instance_id: int, day: date, *, reason: str, detail: str, session_id: UUID | None) -> None:
    """Write the gaps of an instance that could not be probed: all of its expected databases are missing."""
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


def _columns(rows: Sequence[SizeRow]) -> dict[str, object]:
    return {
        "instance_ids": numbers(row.instance_id for row in rows),
        "database_names": texts(row.database_name for row in rows),
        "stat_dates": dates(row.stat_date for row in rows),
        "total_bytes": numbers(row.total_bytes for row in rows),
        "data_bytes": numbers(row.data_bytes for row in rows),
        "log_bytes": numbers(row.log_bytes for row in rows),
        "instants": dates(row.collected_at for row in rows),
        "provenances": texts(row.provenance for row in rows),
        "methods": texts(row.method for row in rows),
        "growth_limit_bytes": numbers(row.growth_limit_bytes for row in rows),
        "used_bytes": numbers(row.used_bytes for row in rows),
        "instances": sorted({row.instance_id for row in rows}),
    }
