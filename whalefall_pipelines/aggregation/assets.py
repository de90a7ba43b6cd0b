"""Days, weeks, months and quarters of databases and instances: eight assets that Dagster keeps up to date with the days.

The statements are in `sql/aggregation/`, the verbs in `aggregate.py`, the metadata of a period in `metadata.py`.
"""

import warnings
from collections.abc import Generator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.aggregation.columns import COLUMNS
from whalefall_pipelines.aggregation.metadata import period_metadata
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.capacity.assets import SIZES, TOTALS
from whalefall_pipelines.dagster_base.calendar import CALENDARS, TIMEZONE
from whalefall_pipelines.dagster_base.columns import table_asset
from whalefall_pipelines.dagster_base.metadata import session_metadata
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.periods import Period, PeriodType
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.store.outage import retry_while_unavailable

_CHANGED = dg.AutomationCondition.any_deps_updated()
# `eager()` misses a change that arrives while the aggregation runs, and ignores old days. This condition requests a run after every change
# since the last request. A change in the same tick as a request is kept, because the request does not reset it. A failed run is requested
# again once an hour.
REFRESH = (
    (
        _CHANGED.since((dg.AutomationCondition.newly_requested() | dg.AutomationCondition.initial_evaluation()) & ~_CHANGED)
        | (dg.AutomationCondition.execution_failed() & dg.AutomationCondition.cron_tick_passed("0 * * * *", TIMEZONE))
    )
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("refresh_when_a_day_changes")

_WORDS = {
    PeriodType.DAILY: "day",
    PeriodType.WEEKLY: "week, Monday to Sunday",
    PeriodType.MONTHLY: "calendar month",
    PeriodType.QUARTERLY: "calendar quarter",
}
# Beta in Dagster 1.13. Without it, a backfill that includes the running period is refused.
with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
    _PERIOD_OF_DAY = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
_DAYS_OF = {Level.DATABASE: SIZES, Level.INSTANCE: TOTALS}


def asset_key(level: Level, period_type: PeriodType) -> dg.AssetKey:
    """The key of one aggregation: the table, then the period."""
    return dg.AssetKey([f"{level}_size_aggregations", str(period_type)])


def _spec(level: Level, period_type: PeriodType) -> dg.AssetSpec:
    basis = "complete days" if level is Level.INSTANCE else "known days"
    return table_asset(
        asset_key(level, period_type),
        COLUMNS[f"{level}_size_aggregations"],
        deps=[dg.AssetDep(_DAYS_OF[level], partition_mapping=_PERIOD_OF_DAY)],
        group_name=f"{level}_aggregations",
        description=(
            f"Every {level} per {_WORDS[period_type]}: average, extremes, first and last size in bytes, change since the previous "
            f"period.\n\nComputed from the {basis}, with the numbers of present, expected and estimated days beside the figures. The "
            "running period is included, with `is_final = false`. A changed day causes only its own periods to be recomputed."
        ),
        grain=f"{level}-{period_type}",
        kind="sql",
        automation_condition=REFRESH,
    )


def _aggregation(period_type: PeriodType) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"aggregate_{period_type}",
        specs=[_spec(level, period_type) for level in Level],
        can_subset=True,
        partitions_def=CALENDARS[period_type],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def aggregate(context: dg.AssetExecutionContext, whalefall: WhalefallResource) -> Generator[dg.MaterializeResult[Any]]:
        periods = [Period(period_type, date.fromisoformat(key)) for key in context.partition_keys]
        levels = [level for level in Level if asset_key(level, period_type) in context.selected_asset_keys]
        session_id = _aggregate(context, whalefall, periods, levels)
        for level in levels:
            yield dg.MaterializeResult(asset_key=asset_key(level, period_type), metadata=session_metadata(session_id))

    return aggregate


def _aggregate(context: dg.AssetExecutionContext, whalefall: WhalefallResource, periods: Sequence[Period], levels: Sequence[Level]) -> str:
    day = whalefall.today()
    with whalefall.store() as database:
        plan = plan_session(context, database, SyncCategory.AGGREGATION, [periods[0].start, min(periods[-1].end, day)])
        with session_of_run(context, database, plan, []) as check:  # records are added for the instances that changed
            written = aggregate_sizes(database, periods, day, plan.session_id, levels, check=check)
        context.log.info("%s from %s: %s written", counted(len(periods), "period"), periods[0].start, counted(written, "row"))
        for level in levels:
            for start, metadata in retry_while_unavailable(lambda level=level: period_metadata(database, level, periods)).items():
                key = asset_key(level, periods[0].period_type)
                context.add_asset_metadata(metadata, asset_key=key, partition_key=start.isoformat())
    return str(plan.session_id)


AGGREGATIONS = [_aggregation(period_type) for period_type in PeriodType]
