"""Schedules that request the run of a day, in the time zone of the store."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today


def schedule_of_day(name: str, job: UnresolvedAssetJobDefinition, cron_schedule: str, description: str) -> dg.ScheduleDefinition:
    """A schedule whose every tick requests one run of the job, for the day of the tick."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = today(context.scheduled_execution_time, ZONE).isoformat()
        return dg.RunRequest(run_key=day, partition_key=day)

    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone=TIMEZONE,
        execution_fn=request,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
