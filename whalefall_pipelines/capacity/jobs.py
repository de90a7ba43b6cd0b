"""The jobs of the capacity area and their schedule, in the time zone of the store."""

import dagster as dg

from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS
from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today

collect_capacity = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "collect_capacity",
    selection=dg.AssetSelection.assets("instances", INVENTORY, SIZES, TOTALS),
    description="Probes every active server and writes its day. List instances in the run config to collect only those.",
    tags={"whalefall/concurrency_group": "collect"},
)


fill_past_days = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "fill_past_days",
    selection=dg.AssetSelection.assets(SIZES, TOTALS),
    description="Fills the missing sizes of past days: recovered if possible, else interpolated. Never changes a measured size.",
    tags={"whalefall/concurrency_group": "collect"},
)


@dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_capacity,
    cron_schedule="0 3 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Collects the current day every night at 03:00.",
)
def collect_every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = today(context.scheduled_execution_time, ZONE).isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)
