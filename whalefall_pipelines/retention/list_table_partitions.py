"""The verb that lists the table partitions, optionally with exact row counts."""

from datetime import date

from whalefall_pipelines.domain.months import TablePartition
from whalefall_pipelines.retention.store.table_partitions import count_rows
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import read_catalogue


def list_table_partitions(database: Database, *, is_exact: bool) -> list[tuple[TablePartition, int | None]]:
    """Every table partition with its number of rows, by table and month: PostgreSQL's estimate, or an exact count that reads all rows."""
    partitions = sorted(
        read_catalogue(database), key=lambda partition: (partition.table_name, partition.first_day or date.min, partition.name)
    )
    return [(partition, count_rows(database, partition) if is_exact and partition.is_plain else partition.rows) for partition in partitions]
