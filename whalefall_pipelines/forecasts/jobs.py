"""The job of the forecasts and its schedule, in the time zone of the store."""

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.forecasts.assets import CHANGES, FORECASTS, SCORES

make_forecasts = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "make_forecasts",
    selection=dg.AssetSelection.assets(CHANGES, SCORES, FORECASTS),
    description="Scores the forecasts whose day has come, detects changes, and makes the forecasts of the day.",
    # A run that was killed is repeated at once; the schedule would make its forecasts a day later.
    tags={"whalefall/concurrency_group": "forecast", "dagster/max_retries": "1"},
)


@dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=make_forecasts,
    cron_schedule="0 6 * * *",
    execution_timezone=TIMEZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Makes the forecasts of the day every morning at 06:00, when the retries of the night are over.",
)
def forecast_every_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = today(context.scheduled_execution_time, ZONE).isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)
