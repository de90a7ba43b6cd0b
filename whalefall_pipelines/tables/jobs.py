"""The job of the tables and its schedule."""

import dagster as dg

from whalefall_pipelines.inventory.schedules import schedule_of_fleet
from whalefall_pipelines.tables.assets import TABLES

collect_tables = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "collect_tables",
    selection=dg.AssetSelection.assets(TABLES),
    description="Reads the tables of every database that a rule selects. List instances in the run config to probe only these.",
    tags={"whalefall/concurrency_group": "collect_tables"},
)


collect_tables_every_week = schedule_of_fleet(
    "collect_tables_every_week",
    collect_tables,
    "0 4 * * 1",
    "Reads the tables of the databases that a rule selects, every Monday at 04:00.",
)
