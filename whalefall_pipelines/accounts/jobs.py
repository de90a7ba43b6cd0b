"""The job of the accounts area and its schedule, in the time zone of the store."""

import dagster as dg

from whalefall_pipelines.accounts.assets import ACCOUNTS, PRIVILEGES
from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today

sync_accounts = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "sync_accounts",
    selection=dg.AssetSelection.assets(ACCOUNTS, PRIVILEGES),
    description="Reads the accounts of every active server. List instances in the run config to read only those.",
    tags={"whalefall/concurrency_group": "accounts"},
)


@dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=sync_accounts,
    cron_schedule="0 1 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Reads the accounts of the fleet every night at 01:00.",
)
def sync_accounts_every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = today(context.scheduled_execution_time, ZONE).isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)
