"""The Dagster definitions of the retention area."""

import dagster as dg

from whalefall_pipelines.retention import assets, footprint, schedules

DEFINITIONS = dg.Definitions(
    assets=[assets.table_partitions, footprint.footprint],
    jobs=[assets.create_table_partitions, assets.expire_table_partitions, footprint.measure_footprint, footprint.expire_rows],
    schedules=schedules.EVERY_NIGHT,
    sensors=[assets.missing_table_partitions],
)
