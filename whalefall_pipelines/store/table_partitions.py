"""The monthly table partitions of the four big tables: which there are, and making the ones that a write needs."""

from collections.abc import Iterable, Sequence
from datetime import date

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.domain.table_partitions import PARTITIONED_TABLES, Month, months_of
from whalefall_pipelines.store.database import Cursor, Database


def ensure_months(database: Database, days: Iterable[date], table_names: Sequence[str] = PARTITIONED_TABLES) -> int:
    """Create what these tables lack for these days, each table by itself, and return how many were created.

    Raises:
        StoreError: a table could not get its month, for example because another table of that name is in the way.
    """
    created = 0
    for month in months_of(days):
        for table_name in table_names:
            with database.transaction() as cursor:
                if not _exists(cursor, table_name, month):
                    cursor.execute(queries.load("table_partitions/lock_table_partitions"))
                    if not _exists(cursor, table_name, month):
                        _create(cursor, table_name, month)
                        created += 1
    return created


def kept_months(cursor: Cursor, table_name: str) -> frozenset[Month]:
    """The months that a table holds."""
    cursor.execute(queries.load("table_partitions/list_table_partitions"), {"table_names": [table_name]})
    return frozenset(months_of(first_day for _, first_day, _ in cursor.fetchall()))


def _exists(cursor: Cursor, table_name: str, month: Month) -> bool:
    cursor.execute(queries.load("table_partitions/list_table_partitions"), {"table_names": [table_name]})
    return any(first_day <= month.first_day < end_day for _, first_day, end_day in cursor.fetchall())


def _create(cursor: Cursor, table_name: str, month: Month) -> None:
    names = {"table_name": sql.Identifier(table_name), "table_partition": sql.Identifier(month.table_partition(table_name))}
    bounds = {"first_day": sql.Literal(month.first_day.isoformat()), "end_day": sql.Literal(month.end_day.isoformat())}
    cursor.execute(sql.SQL(queries.load("table_partitions/create_table_partition")).format(**names))
    cursor.execute(sql.SQL(queries.load("table_partitions/attach_table_partition")).format(**names, **bounds))
