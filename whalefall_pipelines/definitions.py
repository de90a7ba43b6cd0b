"""The entry for Dagster: everything in `defs/`, run in one process so that a killed run leaves nothing behind that goes on writing."""

import dagster as dg

from whalefall_pipelines.aggregation import assets as aggregation
from whalefall_pipelines.aggregation import sensors
from whalefall_pipelines.capacity import assets as capacity
from whalefall_pipelines.capacity import checks
from whalefall_pipelines.capacity import jobs as schedules
from whalefall_pipelines.dagster_base import resources
from whalefall_pipelines.inventory import assets as inventory
from whalefall_pipelines.retention import assets as table_partitions
from whalefall_pipelines.retention import footprint as retention
from whalefall_pipelines.sessions import sensors as sessions

defs = dg.Definitions(
    assets=[inventory.instances, capacity.fleet_day, *aggregation.AGGREGATIONS, table_partitions.table_partitions, retention.footprint],
    asset_checks=[
        checks.every_expected_database_has_a_size,
        checks.every_total_is_the_sum_of_its_databases,
        checks.every_size_is_plausible,
        checks.no_database_jumped,
        *checks.every_final_period_is_complete_or_explained,
    ],
    jobs=[
        schedules.collect_capacity,
        sensors.fill_past_days,
        *sensors.aggregation_jobs.values(),
        table_partitions.create_table_partitions,
        table_partitions.expire_table_partitions,
        retention.measure_footprint,
        retention.expire_rows,
    ],
    schedules=[schedules.collect_every_night, *sensors.reconcile_aggregations, *schedules.UPKEEP],
    sensors=[
        sensors.refresh_aggregations,
        sensors.bridge_gaps,
        sessions.retry_failed_instances,
        sessions.end_dead_runs,
        sessions.end_failed_runs,
        sessions.end_cancelled_runs,
        table_partitions.missing_table_partitions,
    ],
    resources={"whalefall": resources.WhalefallResource()},
    executor=dg.in_process_executor,
)
