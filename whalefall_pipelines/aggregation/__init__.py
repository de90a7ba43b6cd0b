"""Aggregation: days, weeks, months and quarters of every database and instance, computed from its days."""

from whalefall_pipelines.aggregation.columns import COLUMNS
from whalefall_pipelines.aggregation.model import AGGREGATION_TABLES
from whalefall_pipelines.area import Area
from whalefall_pipelines.domain.months import Content, PartitionedTable
from whalefall_pipelines.domain.periods import PeriodType

AREA = Area(
    __name__,
    commands={
        "aggregate": "Compute periods of the whole fleet from daily sizes.",
        "verify": "Compare every stored aggregation with its daily data.",
    },
    has_definitions=True,
    has_settings=True,
    has_router=True,
    has_metrics=True,
    automations=("refresh_aggregations", *(f"reconcile_{period_type}_periods" for period_type in PeriodType)),
    has_follow_up=True,
    has_grants=True,
    columns=COLUMNS,
    partitioned_tables=tuple(PartitionedTable(name, Content.PERIODS) for name in AGGREGATION_TABLES),
)
