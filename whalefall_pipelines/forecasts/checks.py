"""Asset checks of the forecasts. Alerts are made of them."""

from datetime import date

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, markdown_table, shown_size
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.forecasts import ask
from whalefall_pipelines.forecasts.assets import CHANGES, FORECASTS, SCORES
from whalefall_pipelines.forecasts.metadata import percent

WARN_DAYS, ERROR_DAYS = 30, 7
# So many intervals are needed for a share that says something. Intervals that hold too often are a smaller evil than those that do not.
_FEWEST_SCORED = 20
_BAND = (0.70, 0.95)


@dg.asset_check(
    asset=FORECASTS,
    description="Warns if a database or server reaches its limit within 30 days according to its newest forecast. Within 7 days it is "
    "an error.",
)
def no_limit_is_near(whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        near = [row for row in ask.runways(database, MOST_ROWS) if row.p50_days is not None and row.p50_days <= WARN_DAYS]
    is_error = any(row.p50_days is not None and row.p50_days <= ERROR_DAYS for row in near)
    named = ", ".join(f"{_name(row.instance_name, row.database_name)} ({counted(row.p50_days or 0, 'day')})" for row in near[:5])
    rows = [
        (row.instance_name, row.database_name, row.p50_days, row.p10_days, shown_size(row.used_bytes), shown_size(row.limit_bytes))
        for row in near
    ]
    reached = counted(len(near), "reaches its limit", "reach their limit")
    return dg.AssetCheckResult(
        passed=not near,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=f"{reached} within {WARN_DAYS} days: {named}" if near else f"no limit within {WARN_DAYS} days",
        metadata={
            "near": len(near),
            **markdown_table("limits", ("instance", "database", "days", "at the earliest", "used", "limit"), rows),
        },
    )


@dg.asset_check(
    asset=CHANGES,
    description="Warns if a database or server has less headroom than its largest jump of the last year. No forecast can predict a "
    "jump, and more than half of the limits that are reached soon are reached by one.",
)
def headroom_exceeds_the_largest_jump(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        small = ask.small_headroom(database, _day(context, whalefall))
    named = ", ".join(_name(row.instance_name, row.database_name) for row in small[:5])
    rows = [
        (row.instance_name, row.database_name, shown_size(row.headroom_bytes), shown_size(row.jump_bytes), row.jumped_on)
        for row in small[:MOST_ROWS]
    ]
    return dg.AssetCheckResult(
        passed=not small,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"one more jump fills {len(small)}: {named}" if small else "there is room for the largest jump of the year",
        metadata={"small": len(small), **markdown_table("headroom", ("instance", "database", "headroom", "largest jump", "on"), rows)},
    )


@dg.asset_check(
    asset=SCORES,
    description="Warns if the 80 % intervals for 30 days held in less than 70 % or more than 95 % of the cases of the last four weeks.",
)
def intervals_hold_as_promised(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        scored, held = ask.reliability(database, _day(context, whalefall))
    share = held / scored if scored >= _FEWEST_SCORED else None
    sentence = f"{held} of {scored} intervals held: {percent(share)} where 80 % were expected"
    assessable = counted(scored, "interval of series that move was scored", "intervals of series that move were scored")
    too_few = f"{assessable} in four weeks; {_FEWEST_SCORED} are needed for an assessment"
    return dg.AssetCheckResult(
        passed=share is None or _BAND[0] <= share <= _BAND[1],
        severity=dg.AssetCheckSeverity.WARN,
        description=too_few if share is None else sentence,
        metadata={"scored": scored, "held": held},
    )


def _day(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> date:
    """The last day of the run that the check belongs to; today if it is executed alone."""
    return (days_of(context.run.tags, DAYS) or [whalefall.today()])[-1]


def _name(instance_name: str, database_name: str | None) -> str:
    return instance_name if database_name is None else f"{instance_name}/{database_name}"
