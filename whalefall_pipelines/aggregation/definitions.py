"""The Dagster definitions of the aggregation area."""

import dagster as dg

from whalefall_pipelines.aggregation import assets, checks, sensors

DEFINITIONS = dg.Definitions(
    assets=assets.AGGREGATIONS,
    asset_checks=checks.every_final_period_is_complete_or_explained,
    jobs=[*sensors.aggregation_jobs.values()],
    schedules=sensors.reconcile_aggregations,
    sensors=[sensors.refresh_aggregations],
)
