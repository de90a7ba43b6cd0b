"""What Prometheus is told of table partitions: how many months exist ahead of the running one."""

from collections import Counter
from datetime import date

from whalefall_pipelines.areas import partitioned_table_names
from whalefall_pipelines.domain.metrics import Metric, gauge
from whalefall_pipelines.domain.months import Month, Place
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import read_catalogue


def read_metrics(database: Database, today: date) -> tuple[Metric, ...]:
    """The attached months after the running one, of each table."""
    current = Month(today.year, today.month)
    ahead = Counter(
        partition.table_name
        for partition in read_catalogue(database)
        if partition.place is Place.ATTACHED and partition.month and partition.month > current
    )
    samples = [(ahead[name], {"table": name}) for name in partitioned_table_names()]
    return (gauge("whalefall_table_partitions_ahead", "Months of a table that exist after the running one.", samples),)
