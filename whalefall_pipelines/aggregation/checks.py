"""Asset checks of the aggregations."""

import dagster as dg

from whalefall_pipelines.aggregation import store
from whalefall_pipelines.aggregation.assets import asset_key
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.dagster_base.calendar import CALENDARS
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, markdown_table
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of
from whalefall_pipelines.domain.quantities import counted


def _completeness(period_type: PeriodType) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(Level.INSTANCE, period_type),
        name="every_final_period_is_complete_or_explained",
        description="Fails if a day of an instance is missing from a finished period and no gap explains it.",
    )
    def check(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
        running = period_of(period_type, whalefall.today())
        starts = days_of(context.run.tags, CALENDARS[period_type])
        periods = [Period(period_type, start) for start in starts] or [running.previous]
        with whalefall.store() as database:
            incomplete = store.list_incomplete_periods(database, periods)
        unexplained = [period for period in incomplete if period.unexplained_days]
        rows = [
            (period.period_start, period.instance_name, period.missing_days, period.unexplained_days, ", ".join(period.reasons))
            for period in incomplete
        ]
        named = ", ".join(
            f"{period.instance_name} in {period.period_start} ({counted(period.unexplained_days, 'day')})" for period in unexplained[:5]
        )
        why = f"{len(unexplained)} unexplained: {named}; launch a backfill of the days of these periods"
        columns = ("period", "instance", "days missing", "days unexplained", "reasons")
        return dg.AssetCheckResult(
            passed=not unexplained,
            description=why if unexplained else f"{len(incomplete)} incomplete, but every missing day has a reason",
            metadata={
                "incomplete": len(incomplete),
                "unexplained": len(unexplained),
                **markdown_table("periods", columns, sorted(rows, key=lambda row: -row[3])[:MOST_ROWS]),
            },
        )

    return check


every_final_period_is_complete_or_explained = [_completeness(period_type) for period_type in PeriodType]
