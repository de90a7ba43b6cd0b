"""Tables: which tables of a database take its space, and which of them grew."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.domain.months import Content, PartitionedTable
from whalefall_pipelines.tables.columns import COLUMNS

AREA = Area(
    __name__,
    commands={"tables": "Show the largest tables of a database."},
    has_definitions=True,
    has_settings=True,
    has_router=True,
    automations=("collect_tables_every_week", "retry_failed_tables"),
    has_grants=True,
    columns=COLUMNS,
    partitioned_tables=tuple(PartitionedTable(name, Content.DAYS) for name in ("table_size_observations", "table_size_stats")),
)
