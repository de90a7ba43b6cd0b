"""Detaches, reattaches and drops months under the maintenance lock. `store/months.py` creates months."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar

from whalefall_pipelines import queries
from whalefall_pipelines.domain.months import Month, Place, TablePartition, months_between, months_of
from whalefall_pipelines.domain.periods import PeriodType
from whalefall_pipelines.errors import InputError, MissingMonthError, StoreBusyError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import LOCK_POLICY, LockPolicy, compose
from whalefall_pipelines.store.rows import fetch_as

Row = TypeVar("Row")


@contextmanager
def only_maintenance(database: Database) -> Generator[None]:
    """Hold the maintenance lock for the block.

    Raises:
        StoreBusyError: another maintenance is running.
    """
    with database.session() as cursor:
        cursor.execute(queries.load("retention/try_lock_maintenance"))
        if cursor.fetchone() != (True,):
            raise StoreBusyError("Another maintenance of the table partitions is running, so nothing was changed.")
        try:
            yield
        finally:
            cursor.execute(queries.load("retention/unlock_maintenance"))


def needed_months(database: Database) -> tuple[Month, ...]:
    """The months of sessions that failed on a missing month within the last day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("retention/list_unwritten_days"), {"error_code": MissingMonthError.code})
        spans = [months_of(span) for span in cursor.fetchall()]
    return tuple(sorted({month for span in spans for month in months_between(span[0], span[-1])}))


def find_refused_maintenance(database: Database, run_id: str) -> datetime | None:
    """When the maintenance of this Dagster run ended because of a lock; None if it did not."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("retention/find_refused_maintenance"), {"run_id": run_id, "error_code": StoreBusyError.code})
        row = cursor.fetchone()
    return row[0] if row else None


def count_rows(database: Database, table_partition: TablePartition) -> int:
    """Count the rows of a month by reading them all."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(compose("retention/count_rows", table_partition))
        return int((cursor.fetchone() or (0,))[0])


def attach_again(database: Database, table_partition: TablePartition, lock_policy: LockPolicy = LOCK_POLICY) -> None:
    """Attach a detached month again, and remove its mark."""
    with database.transaction() as cursor:
        lock_policy.begin(cursor, table_partition.table_name)
        cursor.execute(compose("months/mark_table_partition", table_partition, mark=None))
        cursor.execute(
            compose(
                "months/attach_table_partition",
                table_partition,
                first_day=str(table_partition.first_day),
                end_day=str(table_partition.end_day),
            )
        )


def detach(database: Database, table_partition: TablePartition, lock_policy: LockPolicy = LOCK_POLICY) -> None:
    """Detach a month from its table, or finish an interrupted detach, and mark it as ours. A detached month is left as it is.

    Raises:
        StoreBusyError: another session holds a conflicting lock; the next maintenance finishes the detach.
    """
    with database.session() as cursor:
        lock_policy.begin(cursor, table_partition.table_name, is_local=False)
        if table_partition.place is not Place.DETACHED:
            cursor.execute(compose("months/mark_table_partition", table_partition, mark=_mark(table_partition)))
        if table_partition.place is Place.DETACH_PENDING:
            cursor.execute(compose("retention/finalize_detach", table_partition))
        elif table_partition.place is Place.ATTACHED:
            cursor.execute(compose("retention/detach_table_partition", table_partition))


def drop_detached(database: Database, table_partition: TablePartition, lock_policy: LockPolicy = LOCK_POLICY) -> None:
    """Drop a month that `detach` detached.

    Raises:
        StoreBusyError: another session reads it directly.
        InputError: it was attached again meanwhile.
    """
    with database.transaction() as cursor:
        lock_policy.begin(cursor, table_partition.table_name)
        cursor.execute(compose("retention/lock_detached", table_partition))
        cursor.execute(queries.load("retention/find_parent"), {"schema_name": table_partition.schema_name, "name": table_partition.name})
        if cursor.fetchone():
            raise InputError(f"{table_partition.name} was attached again before it could be dropped, so it was left alone.")
        cursor.execute(compose("retention/drop_table_partition", table_partition))


def _mark(table_partition: TablePartition) -> str:
    """The comment by which `list_detached` recognises the table."""
    return f"whalefall detaches {table_partition.table_name} from {table_partition.first_day} to {table_partition.end_day}"


def count_core_metrics(
    database: Database, model: type[Row], period_type: PeriodType, periods: Sequence[tuple[date, date]]
) -> tuple[Row, ...]:
    """The numbers of rows of the big tables in each of these periods, as rows of this model."""
    values = {"period_type": period_type, "starts": [start for start, _ in periods], "ends": [end for _, end in periods]}
    with database.transaction() as cursor:
        cursor.execute(queries.load("retention/count_core_metrics"), values)
        return fetch_as(cursor, model)
