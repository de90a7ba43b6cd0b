"""Capacity: the size of every database on every day, or the reason why it is missing."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.capacity.columns import COLUMNS
from whalefall_pipelines.capacity.tables import DISK_TABLES, STATS_TABLES
from whalefall_pipelines.domain.months import Content, PartitionedTable

AREA = Area(
    __name__,
    commands={
        "collect": "Measure today: the whole fleet, or named instances.",
        "coverage": "Show a calendar of the last days.",
        "gaps": "List the sizes that are missing, newest day first, with the reason and what to do.",
        "top": "Show the largest databases, servers or tags.",
        "history": "Show the size of a server or a database on each day.",
        "disk": "Show what fills a server's disk: its databases, and what belongs to no database.",
    },
    has_definitions=True,
    has_settings=True,
    has_router=True,
    has_metrics=True,
    automations=("collect_every_night", "interpolate_gaps", "retry_failed_instances"),
    has_grants=True,
    columns=COLUMNS,
    partitioned_tables=(
        *(PartitionedTable(name, Content.AGGREGATED_DAYS) for name in STATS_TABLES),
        *(PartitionedTable(name, Content.DAYS) for name in DISK_TABLES),
    ),
)
