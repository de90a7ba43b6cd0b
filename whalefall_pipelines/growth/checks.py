"""The asset check of growth."""

from datetime import timedelta

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.growth.assets import GROWTH
from whalefall_pipelines.growth.attribute import Grouping, attribute


@dg.asset_check(asset=GROWTH, description="Fails if the bars of the run's day (today, if executed alone) do not add up to the byte.")
def bars_add_up(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    (day,) = days_of(context.run.tags, DAYS) or [whalefall.today()]
    with whalefall.store() as database:
        answer = attribute(database, day - timedelta(days=1), day, Grouping("database"), most=1)
    unexplained = answer.change_bytes - sum(bar.change_bytes for bar in answer.exact)
    return dg.AssetCheckResult(
        passed=unexplained == 0,
        description=counted(unexplained, "byte of the change is in no bar", "bytes of the change are in no bar")
        if unexplained
        else "every byte of the change is in a bar",
        metadata={"unexplained_bytes": unexplained},
    )
