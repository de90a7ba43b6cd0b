"""The job of growth and its schedule, in the time zone of the store."""

import dagster as dg

from whalefall_pipelines.dagster_base.schedules import schedule_of_day
from whalefall_pipelines.growth.assets import GROWTH

explain_growth = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "explain_growth",
    selection=dg.AssetSelection.assets(GROWTH),
    description="Explains why the fleet is larger or smaller than a day, a week and a month before. It reads only the store.",
    tags={"whalefall/concurrency_group": "explain_growth"},
)

explain_growth_every_day = schedule_of_day(
    "explain_growth_every_day", explain_growth, "30 6 * * *", "Explains the growth of the day every morning at 06:30."
)
