"""Checks that people see in the UI beside the assets."""

from datetime import UTC, datetime

import dagster as dg

from whalefall_pipelines.defs.calendar import DAYS, SETTINGS
from whalefall_pipelines.defs.capacity import SIZES
from whalefall_pipelines.defs.metadata import MISSING, gap_row, markdown_table
from whalefall_pipelines.defs.resources import WhalefallResource
from whalefall_pipelines.defs.runs import days_of
from whalefall_pipelines.domain.capacity import today
from whalefall_pipelines.store import capacity

# A table of more rows than this is read by nobody; the count is always whole.
MOST_ROWS = 200


@dg.asset_check(
    asset=SIZES,
    description="Fails when an expected database of the run's days (today, when executed alone) has no size, and names it with its reason.",
)
def every_expected_database_has_a_size(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    days = days_of(context.run.tags, DAYS) or [today(datetime.now(UTC), SETTINGS.timezone)]
    with whalefall.store() as database:
        gaps = capacity.list_gaps(database, days)
        summaries = capacity.summarize_days(database, days)
    missing = sum(one.missing for one in summaries.values())
    named = ", ".join(f"{gap.instance_name}/{gap.database_name or '*'} ({gap.reason})" for gap in gaps[:5])
    more = f" and {missing - 5} more" if missing > 5 else ""
    return dg.AssetCheckResult(
        passed=missing == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{missing} missing: {named}{more}" if missing else "every expected database has a size",
        metadata={
            "missing": missing,
            "days": f"{days[0]} to {days[-1]}",
            "missing, with reasons": markdown_table(("day", *MISSING), [(gap.stat_date, *gap_row(gap)) for gap in gaps[:MOST_ROWS]]),
        },
    )
