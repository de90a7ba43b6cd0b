"""Forecasts: how large databases and servers become, when they reach a limit, and how good that was forecast before."""

from whalefall_pipelines.area import Area
from whalefall_pipelines.domain.months import Content, PartitionedTable
from whalefall_pipelines.forecasts.columns import COLUMNS

AREA = Area(
    __name__,
    commands={
        "runway": "Show how many days each database and server has until it reaches its limit.",
        "forecasts": "Make forecasts, and show how good they were.",
    },
    has_definitions=True,
    has_router=True,
    automations=("forecast_every_day",),
    has_grants=True,
    columns=COLUMNS,
    # Scores have all that the report of them needs, so they outlive the forecasts and the days.
    partitioned_tables=(
        PartitionedTable("capacity_forecasts", Content.DAYS),
        PartitionedTable("capacity_forecast_scores", Content.RESULTS),
    ),
)
