"""Schedules and the sensor that refresh periods after their days changed. The automation condition is in `assets.py`."""

from collections.abc import Iterator

import dagster as dg

from whalefall_pipelines.aggregation.assets import asset_key
from whalefall_pipelines.aggregation.model import Level, first_kept_daily
from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.aggregation.store import list_due_periods
from whalefall_pipelines.dagster_base.calendar import CALENDARS, TIMEZONE, ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import span_tags
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, spans

refresh_aggregations = dg.AutomationConditionSensorDefinition(
    "refresh_aggregations",
    target=dg.AssetSelection.assets(*(asset_key(level, period_type) for level in Level for period_type in PeriodType)),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    run_tags={"whalefall/concurrency_group": "aggregate", "dagster/max_retries": "1"},
    description="Recomputes the day, week, month and quarter of every changed day.",
)

aggregation_jobs = {
    period_type: dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
        f"aggregate_{period_type}_periods",
        selection=dg.AssetSelection.assets(*(asset_key(level, period_type) for level in Level)),
        description=f"Computes {period_type} periods of the whole fleet from daily sizes.",
        tags={"whalefall/concurrency_group": "aggregate"},
    )
    for period_type in PeriodType
}


def _reconcile(period_type: PeriodType) -> dg.ScheduleDefinition:
    @dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
        name=f"reconcile_{period_type}_periods",
        job=aggregation_jobs[period_type],
        cron_schedule="20 0 * * *",
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Recomputes {period_type} periods that ended at midnight or do not match their days, every night at 00:20.",
    )
    def reconcile(context: dg.ScheduleEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
        day = today(context.scheduled_execution_time, ZONE)
        kept = whalefall.installation().of(KeptMonthsSettings)
        with whalefall.store() as database:
            due = list_due_periods(database, period_type, day, daily_from=first_kept_daily(kept.retention_months, day))
        known = set(CALENDARS[period_type].get_partition_keys())
        in_calendar = [period for period in due if period.start.isoformat() in known]
        if not in_calendar:
            yield dg.SkipReason(f"all {period_type} aggregations match their daily data")
        for first, last in spans(in_calendar):
            yield dg.RunRequest(run_key=f"{day}:{first.start}:{last.start}", tags=span_tags(first, last))

    return reconcile


reconcile_aggregations = [_reconcile(period_type) for period_type in PeriodType]
