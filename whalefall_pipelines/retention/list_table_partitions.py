"""The verb that lists the table partitions, optionally with exact row counts."""

from datetime import date

from whalefall_pipelines.domain.months import TablePartition
from whalefall_pipelines.retention.store.table_partitions import count_rows
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import read_catalogue


def list_table_partitions(database: Database, *, is_exact: bool) -> list[tuple[TablePartition, int | None]]:
    """Every table partition with its number of rows, by table and month: PostgreSQL's estimate, or an exact count that reads all rows."""
    table_partitions = sorted(
        read_catalogue(database),
        key=lambda table_partition: (table_partition.table_name, table_partition.first_day or date.min, table_partition.name),
    )
    return [
        (table_partition, count_rows(database, table_partition) if is_exact and table_partition.is_plain else table_partition.rows)
        for table_partition in table_partitions
    ]
