"""What notices by itself: days that can be bridged, periods behind their days. Refreshing a period whose day changed is declared on the
aggregations themselves (`aggregation.py`).
"""

from collections.abc import Iterator

import dagster as dg

from whalefall_pipelines.aggregation.assets import asset_key
from whalefall_pipelines.aggregation.store import Level, list_due_periods
from whalefall_pipelines.capacity.assets import SIZES, TOTALS
from whalefall_pipelines.capacity.fill_gaps import find_bridgeable_days
from whalefall_pipelines.dagster_base.calendar import CALENDARS, FIRST_DAY, TIMEZONE, ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RANGE_TAGS
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import Period, PeriodType, spans
from whalefall_pipelines.retention.maintain_table_partitions import rules

_SECONDS = 60

refresh_aggregations = dg.AutomationConditionSensorDefinition(
    "refresh_aggregations",
    target=dg.AssetSelection.assets(*(asset_key(level, period_type) for level in Level for period_type in PeriodType)),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    run_tags={"whalefall/lane": "aggregate", "dagster/max_retries": "1"},
    description="Computes the periods of every day that changed: exactly its day, week, month and quarter.",
)

fill_past_days = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    "fill_past_days",
    selection=dg.AssetSelection.assets(SIZES, TOTALS),
    description="Fills what days that are over lack: recovered, else estimated. Changes nothing that was measured.",
    tags={"whalefall/lane": "collect"},
)

aggregation_jobs = {
    period_type: dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
        f"aggregate_{period_type}_periods",
        selection=dg.AssetSelection.assets(*(asset_key(level, period_type) for level in Level)),
        description=f"Computes {period_type} periods of the whole fleet from their days.",
        tags={"whalefall/lane": "aggregate"},
    )
    for period_type in PeriodType
}


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=fill_past_days,
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the backfill of days whose gaps lie between known sizes by now, once. Reads the coverage in the store.",
)
def bridge_gaps(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    day = whalefall.today()
    with whalefall.store() as database:
        days = find_bridgeable_days(database, day, whalefall.installation().max_gap_days)
    in_calendar = [Period(PeriodType.DAILY, one) for one in days if one >= FIRST_DAY]
    if not in_calendar:
        yield dg.SkipReason("no gap lies between known sizes")
    for first, last in spans(in_calendar):
        # Once a day: a run that broke is asked for again tomorrow, not every minute.
        yield dg.RunRequest(run_key=f"{first.start}:{last.start}:{day}", tags=_span_tags(first, last))


def _reconcile(period_type: PeriodType) -> dg.ScheduleDefinition:
    @dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
        name=f"reconcile_{period_type}_periods",
        job=aggregation_jobs[period_type],
        cron_schedule="20 0 * * *",
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every night at 00:20: {period_type} periods that closed at midnight or are behind their days, whoever wrote them.",
    )
    def reconcile(context: dg.ScheduleEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
        day = today(context.scheduled_execution_time, ZONE)
        with whalefall.store() as database:
            due = list_due_periods(database, period_type, day, daily_from=rules(whalefall.installation()).first_daily(day))
        known = set(CALENDARS[period_type].get_partition_keys())
        in_calendar = [period for period in due if period.start.isoformat() in known]
        if not in_calendar:
            yield dg.SkipReason(f"every {period_type} period is what its days say")
        for first, last in spans(in_calendar):
            yield dg.RunRequest(run_key=f"{day}:{first.start}:{last.start}", tags=_span_tags(first, last))

    return reconcile


reconcile_aggregations = [_reconcile(period_type) for period_type in PeriodType]


def _span_tags(first: Period, last: Period) -> dict[str, str]:
    if first == last:
        return {PARTITION_TAG: first.start.isoformat()}
    return {RANGE_TAGS[0]: first.start.isoformat(), RANGE_TAGS[1]: last.start.isoformat()}
