"""When things happen by themselves, in the time zone of the store, and the jobs that they launch."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS
from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.retention.assets import create_table_partitions, expire_table_partitions
from whalefall_pipelines.retention.footprint import expire_rows, measure_footprint

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


def _every_night(job: dg.JobDefinition | UnresolvedAssetJobDefinition, cron_schedule: str, description: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job.name}_every_night",
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )


UPKEEP = (
    _every_night(create_table_partitions, "30 0 * * *", "Every night at 00:30: makes the months ahead and checks all of them."),
    _every_night(expire_table_partitions, "0 1 * * *", "Every night at 01:00: drops the months that are older than their retention."),
    _every_night(measure_footprint, "15 1 * * *", "Every night at 01:15: writes down what the installation takes on disk."),
    _every_night(expire_rows, "30 1 * * *", "Every night at 01:30: deletes gaps, sessions and Dagster's events that are older than kept."),
)
