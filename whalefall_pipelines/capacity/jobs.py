"""The jobs of the capacity area and their schedule."""

import dagster as dg

from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS
from whalefall_pipelines.inventory.schedules import schedule_of_fleet

collect_capacity = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "collect_capacity",
    selection=dg.AssetSelection.assets("instances", INVENTORY, SIZES, TOTALS),
    description="Probes every active server and stores its sizes of the day. List instances in the run config to collect only these.",
    tags={"whalefall/concurrency_group": "collect"},
)


fill_past_days = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "fill_past_days",
    selection=dg.AssetSelection.assets(SIZES, TOTALS),
    description="Recovers the missing sizes of past days if possible, and otherwise interpolates them. Never changes a measured size.",
    # A run that was killed is repeated at once; the sensor requests its days only once a day.
    tags={"whalefall/concurrency_group": "collect", "dagster/max_retries": "1"},
)


collect_every_night = schedule_of_fleet(
    "collect_every_night", collect_capacity, "0 3 * * *", "Collects the current day every night at 03:00."
)
