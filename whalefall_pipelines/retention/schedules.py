"""The schedules of the retention area, in the time zone of the store."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from whalefall_pipelines.dagster_base.calendar import TIMEZONE
from whalefall_pipelines.retention.assets import create_table_partitions, expire_table_partitions
from whalefall_pipelines.retention.footprint import expire_rows, measure_footprint


def _every_night(job: dg.JobDefinition | UnresolvedAssetJobDefinition, cron_schedule: str, description: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job.name}_every_night",
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )


EVERY_NIGHT = (
    _every_night(create_table_partitions, "30 0 * * *", "Creates the months ahead and checks all months, every night at 00:30."),
    _every_night(expire_table_partitions, "0 1 * * *", "Drops the months that are older than their retention, every night at 01:00."),
    _every_night(measure_footprint, "15 1 * * *", "Records the disk usage of the installation, every night at 01:15."),
    _every_night(expire_rows, "30 1 * * *", "Deletes expired gaps, sessions, requests and Dagster events, every night at 01:30."),
)
