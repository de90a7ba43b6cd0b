"""The asset check of the tables."""

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of
from whalefall_pipelines.tables.assets import TABLES
from whalefall_pipelines.tables.collect_day import report_day


@dg.asset_check(
    asset=TABLES, description="Fails if a database or table of the run's day (today, if executed alone) has no size, and names its reason."
)
def every_table_has_a_size(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    (day,) = days_of(context.run.tags, DAYS) or [whalefall.today()]
    with whalefall.store() as database:
        _, missing = report_day(database, day, 1)
    names = (
        (".".join(filter(None, (f"{gap.instance_name}/{gap.database_name}", gap.schema_name, gap.table_name))), gap.reason)
        for gap in missing[:5]
    )
    named = ", ".join(f"{name} ({reason})" for name, reason in names)
    return dg.AssetCheckResult(
        passed=not missing,
        description=f"{len(missing)} missing: {named}" if missing else "every table has a size",
        metadata={"missing": len(missing)},
    )
