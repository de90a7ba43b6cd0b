"""The verb that lists the table partitions, with their rows counted where that is asked for."""

from datetime import date

from whalefall_pipelines.domain.months import TablePartition
from whalefall_pipelines.retention.store.table_partitions import count_rows
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import read_catalogue


def list_table_partitions(database: Database, *, is_exact: bool) -> list[tuple[TablePartition, int | None]]:
    """Every table partition with its rows, by table and month: PostgreSQL's estimate, or counted, which reads them all."""
    partitions = sorted(
        read_catalogue(database), key=lambda partition: (partition.table_name, partition.first_day or date.min, partition.name)
    )
    return [(partition, count_rows(database, partition) if is_exact and partition.is_plain else partition.rows) for partition in partitions]
