"""The job of the tables and its schedule, in the time zone of the store."""

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.tables.assets import TABLES

collect_tables = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "collect_tables",
    selection=dg.AssetSelection.assets(TABLES),
    description="Reads the tables of every database that a rule names. List instances in the run config to probe only those.",
    tags={"whalefall/concurrency_group": "collect_tables"},
)


@dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_tables,
    cron_schedule="0 4 * * 1",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reads the tables of the databases that a rule names, every Monday at 04:00.",
)
def collect_tables_every_week(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = today(context.scheduled_execution_time, ZONE).isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)
