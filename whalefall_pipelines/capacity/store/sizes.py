"""Writes sizes, gaps and totals, those of one instance always in one transaction. `reports.py` reads them.

Rows are copied into a staging table, and one statement writes them: with arrays, a million rows took half as long again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.domain.sizes import MissingSize, Provenance
from whalefall_pipelines.store.copy_text import Lines, iso, number, text
from whalefall_pipelines.store.database import Cursor


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
    cursor.execute(queries.load("capacity/create_staging"))
    cursor.copy_from(Lines(map(_line, rows)), "staged_sizes", size=1 << 20)
    cursor.execute(queries.load("capacity/upsert_database_sizes"), {"session_id": str(session_id) if session_id else None})


def write_gaps(cursor: Cursor, missing: Mapping[int, Sequence[MissingSize]], day: date, session_id: UUID | None) -> None:
    """Write the gaps of instances on a day, by instance id. A database that already has a size keeps it."""
    gaps = [(instance_id, gap) for instance_id, group in missing.items() for gap in group]
    if not gaps:
        return
    cursor.execute(
        queries.load("capacity/upsert_gaps"),
        {
            "day": day,
            "instance_ids": [instance_id for instance_id, _ in gaps],
            "database_names": [gap.database_name for _, gap in gaps],
            "reasons": [gap.reason for _, gap in gaps],
            "details": [gap.detail for _, gap in gaps],
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
    shared_bytes: Mapping[int, int | None] | None = None,
) -> None:
    """Recompute the totals of these instances on these days from their database rows.

    `shared_bytes` are by instance id; without a new value the old one stays.
    """
    cursor.execute(
        queries.load("capacity/upsert_instance_sizes"),
        {
            "instance_ids": list(instance_ids),
            "shared_bytes": [(shared_bytes or {}).get(instance_id) for instance_id in instance_ids],
            "first_day": first_day,
            "last_day": last_day,
            "session_id": str(session_id) if session_id else None,
        },
    )


def write_unreached(cursor: Cursor, unreached: Mapping[int, tuple[str, str]], day: date, session_id: UUID | None) -> None:
    """Write the gaps of instances that could not be probed, given as reason and detail: all of their expected databases are missing."""
    cursor.execute(
        queries.load("capacity/record_unreached_instances"),
        {
            "instance_ids": list(unreached),
            "reasons": [reason for reason, _ in unreached.values()],
            "details": [detail for _, detail in unreached.values()],
            "day": day,
            "session_id": str(session_id) if session_id else None,
        },
    )


def _line(row: SizeRow) -> str:
    # Formatted with %, because an f-string formats each enum member by a call that takes as long as all the rest.
    return "%d\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n" % (  # noqa: UP031
        row.instance_id,
        text(row.database_name),
        iso(row.stat_date),
        row.total_bytes,
        number(row.data_bytes),
        number(row.log_bytes),
        iso(row.collected_at),
        row.provenance,
        row.method,
        number(row.growth_limit_bytes),
        number(row.used_bytes),
    )
