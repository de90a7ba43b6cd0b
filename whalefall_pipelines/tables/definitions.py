"""The Dagster definitions of the area of tables."""

import dagster as dg

from whalefall_pipelines.tables import assets, checks, jobs, sensors

DEFINITIONS = dg.Definitions(
    assets=[assets.tables_day],
    asset_checks=[checks.every_table_has_a_size],
    jobs=[jobs.collect_tables],
    schedules=[jobs.collect_tables_every_week],
    sensors=[sensors.retry_failed_tables],
)
