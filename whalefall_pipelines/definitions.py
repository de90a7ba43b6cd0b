"""The entry for Dagster: everything in `defs/`, run in one process so that a killed run leaves nothing behind that goes on writing."""

import dagster as dg

from whalefall_pipelines.defs import capacity, checks, inventory, resources, schedules

defs = dg.Definitions(
    assets=[inventory.instances, capacity.fleet_day],
    asset_checks=[checks.every_expected_database_has_a_size],
    jobs=[schedules.collect_capacity],
    schedules=[schedules.collect_every_night],
    resources={"whalefall": resources.WhalefallResource()},
    executor=dg.in_process_executor,
)
