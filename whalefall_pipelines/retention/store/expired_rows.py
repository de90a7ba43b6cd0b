"""Counts expired rows in the store and in Dagster's database, deletes them in batches, and measures the disk usage. The rules are in
`retention/expired_rows.py`.

`sql/retention/dagster/` reads and writes tables of Dagster's own schema in the pinned version. A test compares the remaining rows with
what a real Dagster instance shows.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal
from uuid import UUID

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Cursor, Database

EndedKind = Literal["accounts", "requests", "tokens"]
# The number of rows, or of Dagster runs, in one transaction.
BATCH_ROWS, BATCH_RUNS = 10_000, 100


def count_gaps(database: Database, before: date) -> int:
    """The number of gaps of days before this one."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/count_expired_gaps"), {"before": before})
        return _count(cursor)


def delete_gaps(database: Database, before: date) -> Iterator[int]:
    """Delete the gaps of days before this one, and yield the number of rows per batch. This makes no period stale."""
    while True:
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            cursor.execute(queries.load("retention/delete_gaps"), {"before": before, "most": BATCH_ROWS})
            rows = len(cursor.fetchall())
            cursor.execute(queries.load("retention/forget_expired_periods"), {"before": before})
        if not rows:
            return
        yield rows


def count_ended(database: Database, kind: EndedKind, before: date) -> int:
    """The number of rows of a kind that ended before this day: versions of accounts, requests, or tokens."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load(f"retention/count_expired_{kind}"), {"before": before})
        return _count(cursor)


def delete_ended(database: Database, kind: EndedKind, before: date) -> Iterator[int]:
    """Delete them, and yield the number of rows per batch."""
    while rows := _delete(database, queries.load(f"retention/delete_{kind}"), {"before": before, "most": BATCH_ROWS}):
        yield rows


def sessions_with_expired_records(database: Database, before: date) -> dict[UUID, int]:
    """The number of records of each ended session that began before this day."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/list_sessions_with_expired_records"), {"before": before})
        return {UUID(str(session_id)): records for session_id, records in cursor.fetchall()}


def delete_records(database: Database, before: date) -> Iterator[int]:
    """Delete the records of sessions that began before this day, and yield the number of rows per session."""
    for session_id in sessions_with_expired_records(database, before):
        yield _delete(database, queries.load("retention/delete_records"), {"session_id": str(session_id)})


def count_sessions(database: Database, before: date, oldest_day: date) -> int:
    """The number of unreferenced sessions that began before this day."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(_composed("retention/count_expired_sessions", _expired_sessions()), {"before": before, "oldest_day": oldest_day})
        return _count(cursor)


def delete_sessions(database: Database, before: date, oldest_day: date) -> Iterator[int]:
    """Delete unreferenced sessions that began before this day, and yield the number of rows per batch."""
    values = {"before": before, "oldest_day": oldest_day, "most": BATCH_ROWS}
    while rows := _delete(database, _composed("retention/delete_sessions", _expired_sessions()), values):
        yield rows


def count_events(dagster: Database, before: date) -> int:
    """The number of deletable events of runs that were created before this day."""
    events = 0
    with dagster.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        if not _has_tables(cursor):
            return 0
        after = _last_run(cursor)
        while runs := _old_runs(cursor, after, before):
            cursor.execute(_composed("retention/dagster/count_expired_events", _expired_events()), {"run_ids": list(runs)})
            events += _count(cursor)
            after = max(runs.values())
    return events


def delete_events(dagster: Database, before: date) -> Iterator[int]:
    """Delete events of runs created before this day, and runs without any event left; yield the number of events per batch."""
    while True:
        with dagster.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            runs = _old_runs(cursor, _last_run(cursor), before) if _has_tables(cursor) else {}
            if not runs:
                return
            cursor.execute(_composed("retention/dagster/delete_events", _expired_events()), {"run_ids": list(runs)})
            events = len(cursor.fetchall())
            cursor.execute(queries.load("retention/dagster/delete_runs"), {"run_ids": list(runs)})
            cursor.execute(queries.load("retention/dagster/mark_last_run"), {"number": max(runs.values())})
        yield events


def measure_footprint(database: Database, dagster: Database) -> dict[str, int]:
    """The disk usage of the store by kind, and of Dagster's database, in bytes."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/measure_footprint"))
        sizes = dict(cursor.fetchall())
    with dagster.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/dagster/measure_footprint"))
        return {**sizes, "dagster": _count(cursor)}


def record_footprint(database: Database, day: date, sizes: Mapping[str, int], *, keep_from: date) -> None:
    """Store the disk usage of this day, and delete days before `keep_from`."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        values = {"measured_on": day, "kinds": list(sizes), "sizes": list(sizes.values())}
        cursor.execute(queries.load("retention/record_footprint"), values)
        cursor.execute(queries.load("retention/delete_footprints"), {"before": keep_from})


def find_earlier_footprint(database: Database, first_day: date, end_day: date) -> tuple[date | None, dict[str, int]]:
    """The first day of a span (its end is exclusive) with a stored footprint, and its bytes by kind."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/find_earlier_footprint"), {"first_day": first_day, "end_day": end_day})
        rows = cursor.fetchall()
    return (rows[0][0] if rows else None), {kind: total_bytes for _, kind, total_bytes in rows}


def _has_tables(cursor: Cursor) -> bool:
    cursor.execute(queries.load("retention/dagster/find_tables"))
    return cursor.fetchone() is not None


def _last_run(cursor: Cursor) -> int:
    cursor.execute(queries.load("retention/dagster/find_last_run"))
    return _count(cursor)


def _old_runs(cursor: Cursor, after: int, before: date) -> dict[str, int]:
    """The next runs to process: their numbers by run id."""
    values = {"after": after, "before": before, "most": BATCH_RUNS}
    cursor.execute(queries.load("retention/dagster/list_old_runs"), values)
    return {run_id: number for number, run_id in cursor.fetchall()}


def _delete(database: Database, statement: str | sql.Composed, values: Mapping[str, object]) -> int:
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(statement, values)
        return len(cursor.fetchall())


def _count(cursor: Cursor) -> int:
    return int((cursor.fetchone() or (0,))[0])


def _expired_sessions() -> str:
    return queries.load("retention/list_expired_sessions")


def _expired_events() -> str:
    return queries.load("retention/dagster/list_expired_events")


def _composed(name: str, expired: str) -> sql.Composed:
    """A statement that operates on the rows of another statement."""
    return sql.SQL(queries.load(name)).format(expired=sql.SQL(expired))
