"""The monthly table partitions of the four big tables in the catalogue: reading it, making months, and taking them away.

What is to be done is decided in `domain/months.py`; rows that go to an archive or come back are `table_partition_rows.py`.
"""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.domain.months import Month, Place, TablePartition, months_between, months_of
from whalefall_pipelines.errors import InputError, MissingMonthError, StoreBusyError, StoreError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Cursor, Database
from whalefall_pipelines.store.rows import as_model, fetch_rows

Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lock is waited for, and how often creating tries. Waiting in the queue is what would hold up others."""

    lock_timeout_seconds: float = 2.0
    attempts: int = 3
    pause_seconds: float = 1.0

    def begin(self, cursor: Cursor, table_name: str, *, is_local: bool = True) -> None:
        """Prepare a transaction or a session for DDL: with the lock time-out, and as the owner of the table."""
        given = {"lock_timeout": f"{self.lock_timeout_seconds * 1000:.0f}ms", "is_local": is_local}
        cursor.execute(queries.load("table_partitions/limit_lock_wait"), given)
        cursor.execute(queries.load("table_partitions/act_as_owner"), {"table_name": table_name, "is_local": is_local})


PATIENCE = Patience()


@contextmanager
def only_upkeep(database: Database) -> Generator[None]:
    """Hold the one lock of upkeep for the block.

    Raises:
        StoreBusyError: another upkeep is at work.
    """
    with database.session() as cursor:
        cursor.execute(queries.load("table_partitions/try_lock_upkeep"))
        if cursor.fetchone() != (True,):
            raise StoreBusyError("Another upkeep of the table partitions is at work, so this one leaves and changes nothing.")
        try:
            yield
        finally:
            cursor.execute(queries.load("table_partitions/unlock_upkeep"))


def read_catalogue(database: Database, table_names: Iterable[str] | None = None) -> tuple[TablePartition, ...]:
    """Every part of these tables by its bounds, and the tables beside them that are in the way or were left by an interruption.

    No names are all partitioned tables.
    """
    given = {"table_names": list(table_names or partitioned_table_names())}
    with database.transaction() as cursor:
        return (*_attached(cursor, given), *_detached(cursor, given))


def needed_months(database: Database) -> tuple[Month, ...]:
    """The months of the days of sessions that met a missing month within a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("table_partitions/list_unwritten_days"), {"error_code": MissingMonthError.code})
        spans = [months_of(span) for span in cursor.fetchall()]
    return tuple(sorted({month for span in spans for month in months_between(span[0], span[-1])}))


def find_refused_upkeep(database: Database, run_id: str) -> datetime | None:
    """When the upkeep of this Dagster run ended because somebody held a lock; None if it did not end so."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("table_partitions/find_refused_upkeep"), {"run_id": run_id, "error_code": StoreBusyError.code})
        row = cursor.fetchone()
    return row[0] if row else None


def count_rows(database: Database, one: TablePartition) -> int:
    """Count the rows of a month by reading them all."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(compose("count_rows", one))
        return int((cursor.fetchone() or (0,))[0])


def ensure_months(database: Database, days: Iterable[date], table_names: Sequence[str] | None = None) -> int:
    """Create what these tables lack for these days, each table by itself, and return how many were created.

    No names are all partitioned tables.

    Raises:
        StoreError: a table could not get its month, for example because another table of that name is in the way; the others have theirs.
    """
    created, errors = 0, list[StoreError]()
    for month in months_of(days):
        for table_name in table_names or partitioned_table_names():
            try:
                created += ensure_month(database, table_name, month)
            except StoreError as error:
                errors.append(error)
    if errors:
        raise errors[0]
    return created


def writing_months(database: Database, days: Sequence[date], table_names: Sequence[str], write: Callable[[], Written]) -> Written:
    """Write days, with their months made before; where one vanished meanwhile it is made again, and the work, which kept nothing, redone.

    Raises:
        StoreError: a table could not get its month.
    """
    ensure_months(database, days, table_names)
    try:
        return write()
    except MissingMonthError:
        ensure_months(database, days, table_names)
        return write()


def analyze_months(database: Database, days: Iterable[date], table_names: Sequence[str]) -> None:
    """Let the planner know what these months hold. A month that is busy, or that this login may not analyze, is left to autovacuum."""
    wanted = set(months_of(days))
    parts = [one for one in read_catalogue(database, table_names) if one.place is Place.ATTACHED and one.month in wanted]
    for one in parts:
        with suppress(StoreError), database.transaction() as cursor:
            PATIENCE.begin(cursor, one.table_name)
            cursor.execute(compose("analyze_table_partition", one))


def kept_months(cursor: Cursor, table_name: str) -> frozenset[Month]:
    """The months that a table takes as a whole; a month that is about to be detached is none of them."""
    cursor.execute(queries.load("table_partitions/list_kept_days"), {"table_names": [table_name]})
    kept: set[Month] = set()
    for _, first_day, end_day in cursor.fetchall():
        first, last = months_of((first_day,))[0], months_of((end_day - timedelta(days=1),))[0]
        kept |= {one for one in months_between(first, last) if first_day <= one.first_day and one.end_day <= end_day}
    return frozenset(kept)


def ensure_month(database: Database, table_name: str, month: Month, patience: Patience = PATIENCE) -> bool:
    """Create one month of one table in a transaction of its own; whether it was missing.

    Raises:
        StoreBusyError: somebody held a lock through every attempt.
        StoreError: it cannot be created.
    """
    for attempt in range(1, patience.attempts + 1):
        try:
            return _try_to_create(database, table_name, month, patience)
        except StoreBusyError:
            if attempt == patience.attempts:
                raise
            time.sleep(patience.pause_seconds)
    raise AssertionError


def attach_again(database: Database, one: TablePartition, patience: Patience = PATIENCE) -> None:
    """Put a detached month back in its place and take its mark away."""
    with database.transaction() as cursor:
        patience.begin(cursor, one.table_name)
        cursor.execute(compose("mark_table_partition", one, mark=None))
        cursor.execute(compose("attach_table_partition", one, first_day=str(one.first_day), end_day=str(one.end_day)))


def detach(database: Database, one: TablePartition, patience: Patience = PATIENCE) -> None:
    """Take a month out of its table, or end an interrupted try to, marked as ours; nothing is done to one that is out.

    Raises:
        StoreBusyError: somebody is in the way; what was begun is ended the next time.
    """
    with database.session() as cursor:
        patience.begin(cursor, one.table_name, is_local=False)
        if one.place is not Place.DETACHED:
            cursor.execute(compose("mark_table_partition", one, mark=_mark(one)))
        if one.place is Place.DETACH_PENDING:
            cursor.execute(compose("finalize_detach", one))
        elif one.place is Place.ATTACHED:
            cursor.execute(compose("detach_table_partition", one))


def drop_detached(database: Database, one: TablePartition, patience: Patience = PATIENCE) -> None:
    """Drop a month that `detach` took out.

    Raises:
        StoreBusyError: somebody reads it directly.
        InputError: somebody attached it again meanwhile.
    """
    with database.transaction() as cursor:
        patience.begin(cursor, one.table_name)
        cursor.execute(compose("lock_detached", one))
        cursor.execute(queries.load("table_partitions/find_parent"), {"schema_name": one.schema_name, "name": one.name})
        if cursor.fetchone():
            raise InputError(f"{one.name} was attached again while it was about to be dropped, so it was left alone.")
        cursor.execute(compose("drop_table_partition", one))


def compose(name: str, one: TablePartition, **literals: str | None) -> sql.Composed:
    """A statement about one month, with its identifiers and these literals in it."""
    return sql.SQL(queries.load(f"table_partitions/{name}")).format(
        table_name=sql.Identifier(one.table_name),
        table_partition=sql.Identifier(one.schema_name, one.name) if one.schema_name else sql.Identifier(one.name),
        **{key: sql.Literal(value) for key, value in literals.items()},
    )


def new_month(table_name: str, month: Month) -> TablePartition:
    """A month that is not there yet, in the schema of its table."""
    name = month.table_partition(table_name)
    return TablePartition(table_name, "", name, Place.DETACHED, month.first_day, month.end_day, total_bytes=0, rows=None)


def begin_creating(cursor: Cursor, table_name: str, month: Month, patience: Patience = PATIENCE) -> bool:
    """Make sure within a transaction that nobody else creates months; False when this one is there."""
    if month in kept_months(cursor, table_name):
        return False
    patience.begin(cursor, table_name)
    cursor.execute(queries.load("table_partitions/lock_table_partitions"))
    return month not in kept_months(cursor, table_name)


def _try_to_create(database: Database, table_name: str, month: Month, patience: Patience) -> bool:
    with database.transaction() as cursor:
        if not begin_creating(cursor, table_name, month, patience):
            return False
        one = new_month(table_name, month)
        cursor.execute(compose("create_table_partition", one))
        cursor.execute(compose("attach_table_partition", one, first_day=str(one.first_day), end_day=str(one.end_day)))
    return True


def _attached(cursor: Cursor, given: dict[str, list[str]]) -> list[TablePartition]:
    cursor.execute(queries.load("table_partitions/list_attached"), given)
    return [
        as_model(row, TablePartition, place=Place.DETACH_PENDING if row.pop("is_detach_pending") else Place.ATTACHED)
        for row in fetch_rows(cursor)
    ]


def _detached(cursor: Cursor, given: dict[str, list[str]]) -> list[TablePartition]:
    cursor.execute(queries.load("table_partitions/list_detached"), given)
    return [as_model(row, TablePartition, place=Place.DETACHED if row["first_day"] else Place.STRAY) for row in fetch_rows(cursor)]


def _mark(one: TablePartition) -> str:
    """What `list_detached` recognises."""
    return f"whalefall detaches {one.table_name} from {one.first_day} to {one.end_day}"
