"""The monthly table partitions: reads the catalogue, and creates the months that are written.

The area `retention` removes months.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.domain.months import Month, Place, TablePartition, months_between, months_of
from whalefall_pipelines.errors import MissingMonthError, StoreBusyError, StoreError
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import as_model, fetch_rows

Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """How long to wait for a lock, and how often to retry. The wait is short, because a queued lock blocks other sessions."""

    lock_timeout_seconds: float = 2.0
    attempts: int = 3
    pause_seconds: float = 1.0

    def begin(self, cursor: Cursor, table_name: str, *, is_local: bool = True) -> None:
        """Prepare a transaction or a session for DDL: set the lock time-out, and become the owner of the table."""
        parameters = {"lock_timeout": f"{self.lock_timeout_seconds * 1000:.0f}ms", "is_local": is_local}
        cursor.execute(queries.load("months/limit_lock_wait"), parameters)
        cursor.execute(queries.load("months/act_as_owner"), {"table_name": table_name, "is_local": is_local})


LOCK_POLICY = LockPolicy()


def read_catalogue(database: Database, table_names: Iterable[str] | None = None) -> tuple[TablePartition, ...]:
    """Every partition of these tables with its bounds, and tables that conflict or were left by an interruption.

    Without names, all partitioned tables are read.
    """
    parameters = {"table_names": list(table_names or partitioned_table_names())}
    with database.transaction() as cursor:
        return (*_attached(cursor, parameters), *_detached(cursor, parameters))


def ensure_months(database: Database, days: Iterable[date], table_names: Sequence[str] | None = None) -> int:
    """Create the missing months of these tables for these days, table by table, and return how many were created.

    Without names, all partitioned tables get their months.

    Raises:
        StoreError: a month could not be created, for example because another table has its name; those of other tables were created.
    """
    months, table_names = months_of(days), table_names or partitioned_table_names()
    with database.transaction() as cursor:  # the months are nearly always there, which one statement tells of all tables
        kept = kept_months(cursor, table_names)
    created, errors = 0, list[StoreError]()
    for table_name, month in [(name, month) for month in months for name in table_names if month not in kept[name]]:
        try:
            created += ensure_month(database, table_name, month)
        except StoreError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return created


def writing_months(database: Database, days: Sequence[date], table_names: Sequence[str], write: Callable[[], Written]) -> Written:
    """Create the months of these days, then write them. If a month was dropped meanwhile, it is created again and `write` is repeated.

    Raises:
        StoreError: a month could not be created.
    """
    ensure_months(database, days, table_names)
    try:
        return write()
    except MissingMonthError:
        ensure_months(database, days, table_names)
        return write()


def analyze_months(database: Database, days: Iterable[date], table_names: Sequence[str]) -> None:
    """Update the planner's statistics of these months. A locked month, or one without the privilege, is left to autovacuum."""
    wanted = set(months_of(days))
    parts = [
        table_partition
        for table_partition in read_catalogue(database, table_names)
        if table_partition.place is Place.ATTACHED and table_partition.month in wanted
    ]
    for table_partition in parts:
        with suppress(StoreError), database.transaction() as cursor:
            LOCK_POLICY.begin(cursor, table_partition.table_name)
            cursor.execute(compose("months/analyze_table_partition", table_partition))


def kept_months(cursor: Cursor, table_names: Sequence[str]) -> Mapping[str, set[Month]]:
    """The months that each of these tables accepts completely. A month with a pending detach is not one of them."""
    cursor.execute(queries.load("months/list_kept_days"), {"table_names": list(table_names)})
    kept: dict[str, set[Month]] = {table_name: set() for table_name in table_names}
    for table_name, first_day, end_day in cursor.fetchall():
        first, last = months_of((first_day,))[0], months_of((end_day - timedelta(days=1),))[0]
        kept[table_name] |= {month for month in months_between(first, last) if first_day <= month.first_day and month.end_day <= end_day}
    return kept


def ensure_month(database: Database, table_name: str, month: Month, lock_policy: LockPolicy = LOCK_POLICY) -> bool:
    """Create one month of one table in its own transaction. Return whether it was missing.

    Raises:
        StoreBusyError: another session held a lock during every attempt.
        StoreError: it cannot be created.
    """
    for attempt in range(1, lock_policy.attempts + 1):
        try:
            return _try_to_create(database, table_name, month, lock_policy)
        except StoreBusyError:
            if attempt == lock_policy.attempts:
                raise
            time.sleep(lock_policy.pause_seconds)
    raise AssertionError


def compose(name: str, table_partition: TablePartition, **literals: str | None) -> sql.Composed:
    """A statement about one month, with its identifiers and these literals in it."""
    return sql.SQL(queries.load(name)).format(
        table_name=sql.Identifier(table_partition.table_name),
        table_partition=sql.Identifier(table_partition.schema_name, table_partition.name)
        if table_partition.schema_name
        else sql.Identifier(table_partition.name),
        **{key: sql.Literal(value) for key, value in literals.items()},
    )


def new_month(table_name: str, month: Month) -> TablePartition:
    """A month that does not exist yet, in the schema of its table."""
    name = month.table_partition(table_name)
    return TablePartition(table_name, "", name, Place.DETACHED, month.first_day, month.end_day, total_bytes=0, rows=None)


def begin_creating(cursor: Cursor, table_name: str, month: Month, lock_policy: LockPolicy = LOCK_POLICY) -> bool:
    """Lock the creation of months within a transaction. Return False if this month exists."""
    if month in kept_months(cursor, [table_name])[table_name]:
        return False
    lock_policy.begin(cursor, table_name)
    cursor.execute(queries.load("months/lock_table_partitions"))
    return month not in kept_months(cursor, [table_name])[table_name]


def _try_to_create(database: Database, table_name: str, month: Month, lock_policy: LockPolicy) -> bool:
    with database.transaction() as cursor:
        if not begin_creating(cursor, table_name, month, lock_policy):
            return False
        table_partition = new_month(table_name, month)
        cursor.execute(compose("months/create_table_partition", table_partition))
        cursor.execute(
            compose(
                "months/attach_table_partition",
                table_partition,
                first_day=str(table_partition.first_day),
                end_day=str(table_partition.end_day),
            )
        )
    return True


def _attached(cursor: Cursor, parameters: dict[str, list[str]]) -> list[TablePartition]:
    cursor.execute(queries.load("months/list_attached"), parameters)
    return [
        as_model(row, TablePartition, place=Place.DETACH_PENDING if row.pop("is_detach_pending") else Place.ATTACHED)
        for row in fetch_rows(cursor)
    ]


def _detached(cursor: Cursor, parameters: dict[str, list[str]]) -> list[TablePartition]:
    cursor.execute(queries.load("months/list_detached"), parameters)
    return [as_model(row, TablePartition, place=Place.DETACHED if row["first_day"] else Place.STRAY) for row in fetch_rows(cursor)]
