"""Asset checks of the sizes and totals."""

from datetime import date

import dagster as dg

from whalefall_pipelines.capacity.assets import SIZES, TOTALS
from whalefall_pipelines.capacity.metadata import gap_list
from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.capacity.store import plausibility, reports
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.metadata import MOST_ROWS, markdown_table, shown_change, shown_size
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import days_of, span
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.sessions.zones import describe_unfinished


@dg.asset_check(
    asset=SIZES,
    description="Fails if an expected database has no size on the run's days (today, if executed alone), and lists it with its reason, or "
    "if a zone has not been collected yet.",
)
def every_expected_database_has_a_size(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    days = _days(context, whalefall)
    with whalefall.store() as database:
        gaps = reports.list_gaps(database, days)
        summaries = reports.summarize_days(database, days)
        unfinished = describe_unfinished(database, SyncCategory.CAPACITY, max(days))
    missing = sum(summary.missing for summary in summaries.values())
    named = ", ".join(f"{gap.instance_name}/{gap.database_name or '*'} ({gap.reason})" for gap in gaps[:5])
    more = f" and {missing - 5} more" if missing > 5 else ""
    problems = [*([f"{missing} missing: {named}{more}"] if missing else []), *([unfinished] if unfinished else [])]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(problems) or "every expected database has a size",
        metadata={
            "missing": missing,
            "days": span(days),
            **gap_list(gaps[:MOST_ROWS], with_day=len(days) > 1),
        },
    )


@dg.asset_check(asset=TOTALS, description="Fails if a server's total on the run's days is not the exact sum of its database sizes.")
def every_total_is_the_sum_of_its_databases(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        wrong = plausibility.list_wrong_totals(database, _days(context, whalefall))
    named = ", ".join(f"{size.instance_name} on {size.stat_date} ({size.total_bytes} against {size.sum_bytes})" for size in wrong[:5])
    return dg.AssetCheckResult(
        passed=not wrong,
        description=f"{len(wrong)} wrong: {named}; materialize instance_size_stats of these days" if wrong else "every total is the sum",
        metadata={"wrong_totals": len(wrong)},
    )


@dg.asset_check(asset=SIZES, description="Fails if a size of the run's days is implausible: zero bytes, or above one pebibyte.")
def every_size_is_plausible(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    with whalefall.store() as database:
        absurd = plausibility.list_implausible_sizes(database, _days(context, whalefall))
    rows = [(size.stat_date, size.instance_name, size.database_name, shown_size(size.total_bytes), size.why) for size in absurd[:MOST_ROWS]]
    named = ", ".join(f"{size.instance_name}/{size.database_name} ({size.why})" for size in absurd[:5])
    return dg.AssetCheckResult(
        passed=not absurd,
        description=f"{len(absurd)} implausible: {named}" if absurd else "every size is plausible",
        metadata={"absurd": len(absurd), **markdown_table("sizes", ("day", "instance", "database", "size", "why"), rows)},
    )


@dg.asset_check(
    asset=SIZES,
    description="Warns if a database changed by more than WHALEFALL_JUMP_PERCENT and WHALEFALL_JUMP_GIGABYTES since the day before.",
)
def no_database_jumped(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> dg.AssetCheckResult:
    settings = whalefall.installation().of(CapacitySettings)
    with whalefall.store() as database:
        jumps = plausibility.list_jumps(
            database, _days(context, whalefall), percent=settings.jump_percent, gigabytes=settings.jump_gigabytes
        )
    rows = [
        (
            jump.stat_date,
            jump.instance_name,
            jump.database_name,
            shown_size(jump.bytes_before),
            shown_size(jump.total_bytes),
            shown_change(jump.total_bytes - jump.bytes_before),
        )
        for jump in jumps[:MOST_ROWS]
    ]
    named = ", ".join(
        f"{jump.instance_name}/{jump.database_name} ({counted(jump.total_bytes - jump.bytes_before, 'byte', is_change=True)})"
        for jump in jumps[:5]
    )
    return dg.AssetCheckResult(
        passed=not jumps,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(jumps)} jumped: {named}" if jumps else "no database jumped",
        metadata={"jumps": len(jumps), **markdown_table("databases", ("day", "instance", "database", "before", "size", "change"), rows)},
    )


def _days(context: dg.AssetCheckExecutionContext, whalefall: WhalefallResource) -> list[date]:
    """The days of the run that the check belongs to; today if it is executed alone."""
    return days_of(context.run.tags, DAYS) or [whalefall.today()]
