"""The rows of one table partition: exports them as CSV, compares and restores them, and prunes the daily ones.

`archive.py` has the file formats of an archive; `table_partitions.py` has everything else about months.
"""

from collections.abc import Iterable, Sequence
from typing import IO

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.domain.months import Month, TablePartition, months_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Cursor, Database
from whalefall_pipelines.store.months import LOCK_POLICY, LockPolicy, begin_creating, compose, new_month


def column_types(database: Database, table_name: str) -> dict[str, str]:
    """The columns of a table in their order, with PostgreSQL's type names."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("retention/list_column_types"), {"table_name": table_name})
        return {str(name): str(type_name) for name, type_name in cursor.fetchall()}


def copy_out(database: Database, table_partition: TablePartition, file: IO[bytes]) -> None:
    """Write all rows of a month as CSV with a header."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(queries.load("retention/write_instants_in_utc"))
        cursor.copy(compose("retention/copy_rows_out", table_partition), file)


def count_differences(database: Database, table_partition: TablePartition, file: IO[bytes], columns: Sequence[str]) -> tuple[int, int]:
    """The number of rows of a month, and the number of rows that differ from this CSV."""
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(compose("retention/create_archive_check", table_partition))
        _copy_in(cursor, sql.Identifier("archive_check"), file, columns)
        cursor.execute(compose("retention/count_differences", table_partition))
        rows, differences = cursor.fetchone() or (0, 0)
        return int(rows), int(differences)


def restore_month(database: Database, table_name: str, month: Month, file: IO[bytes], columns: Sequence[str]) -> int:
    """Create a month with the rows of this CSV in one transaction. It is attached after it is filled, so nobody waits or sees a part.

    Raises:
        InputError: the month exists; nothing is changed.
    """
    table_partition = new_month(table_name, month)
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        if not begin_creating(cursor, table_name, month, LOCK_POLICY):
            raise InputError(f"{table_name} already has a table partition for {month}, so nothing was restored.")
        cursor.execute(compose("months/create_table_partition", table_partition))
        _copy_in(cursor, sql.Identifier(table_partition.name), file, columns)
        cursor.execute(compose("retention/count_rows", table_partition))
        (rows,) = cursor.fetchone() or (0,)
        cursor.execute(compose("months/analyze_table_partition", table_partition))
        cursor.execute(
            compose(
                "months/attach_table_partition",
                table_partition,
                first_day=str(table_partition.first_day),
                end_day=str(table_partition.end_day),
            )
        )
    return int(rows)


def months_with_days(database: Database, table_name: str, months: Iterable[Month]) -> frozenset[Month]:
    """Those of these months of an aggregation that have daily rows other than those of their last day."""
    statement = sql.SQL(queries.load("retention/list_months_with_days")).format(table_name=sql.Identifier(table_name))
    with database.transaction() as cursor:
        cursor.execute(statement, {"months": [month.first_day for month in months]})
        return frozenset(months_of(first_day for (first_day,) in cursor.fetchall()))


def prune(database: Database, table_partition: TablePartition, month: Month, lock_policy: LockPolicy = LOCK_POLICY) -> None:
    """Delete the daily rows of a month of aggregations, except those of its last day, by rewriting the rows that it keeps.

    Raises:
        StoreBusyError: another session holds a conflicting lock; nothing is changed.
    """
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        lock_policy.begin(cursor, table_partition.table_name)
        cursor.execute(compose("retention/lock_for_pruning", table_partition))
        cursor.execute(compose("retention/copy_what_stays", table_partition, last_day=str(month.last_day)))
        cursor.execute(compose("retention/empty_table_partition", table_partition))
        cursor.execute(compose("retention/put_back_what_stays", table_partition))


def _copy_in(cursor: Cursor, table: sql.Identifier, file: IO[bytes], columns: Sequence[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    cursor.copy(sql.SQL(queries.load("retention/copy_rows_in")).format(table_partition=table, columns=names), file)
