"""When things happen by themselves, in the time zone of the store, and the jobs that they launch."""

import dagster as dg

from whalefall_pipelines.defs.calendar import TIMEZONE, ZONE
from whalefall_pipelines.defs.capacity import INVENTORY, SIZES, TOTALS
from whalefall_pipelines.defs.table_partitions import create_table_partitions, expire_table_partitions
from whalefall_pipelines.domain.capacity import today

collect_capacity = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "collect_capacity",
    selection=dg.AssetSelection.assets("instances", INVENTORY, SIZES, TOTALS),
    description="Visits every active server once and writes its day. Name instances in the run config to visit only those.",
    tags={"whalefall/lane": "collect"},
)


@dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_capacity,
    cron_schedule="0 3 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 03:00: the day that has begun.",
)
def collect_every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = today(context.scheduled_execution_time, ZONE).isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)


create_every_night = dg.ScheduleDefinition(
    name="create_table_partitions_every_night",
    job=create_table_partitions,
    cron_schedule="30 0 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 00:30: makes the months ahead and checks all of them.",
)
expire_every_month = dg.ScheduleDefinition(
    name="expire_table_partitions_every_month",
    job=expire_table_partitions,
    cron_schedule="0 1 1 * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On the first of every month at 01:00: drops the months that are older than their retention.",
)
