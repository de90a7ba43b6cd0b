"""The entry for Dagster: everything in `defs/`, run in one process so that a killed run leaves nothing behind that goes on writing."""

import dagster as dg

from whalefall_pipelines.defs import capacity, checks, inventory, resources, schedules, table_partitions

defs = dg.Definitions(
    assets=[inventory.instances, capacity.fleet_day, table_partitions.table_partitions],
    asset_checks=[checks.every_expected_database_has_a_size, table_partitions.table_partitions_are_in_order],
    jobs=[schedules.collect_capacity, table_partitions.create_table_partitions, table_partitions.expire_table_partitions],
    schedules=[schedules.collect_every_night, schedules.create_every_night, schedules.expire_every_month],
    sensors=[table_partitions.missing_table_partitions],
    resources={"whalefall": resources.WhalefallResource()},
    executor=dg.in_process_executor,
)
