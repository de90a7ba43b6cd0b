"""The Dagster definitions of the capacity area."""

import dagster as dg

from whalefall_pipelines.capacity import assets, checks, jobs, sensors

DEFINITIONS = dg.Definitions(
    assets=[assets.fleet_day],
    asset_checks=[
        checks.every_expected_database_has_a_size,
        checks.every_total_is_the_sum_of_its_databases,
        checks.every_size_is_plausible,
        checks.no_database_jumped,
    ],
    jobs=[jobs.collect_capacity, jobs.fill_past_days],
    schedules=[jobs.collect_every_night],
    sensors=[sensors.interpolate_gaps, sensors.retry_failed_instances],
)
