"""The day of the fleet: inventory, sizes and totals, three assets from one probe of each server. The work is in `collect.py`."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from whalefall_pipelines.capacity.collect import Collector, InstanceOutcome, recompute_totals
from whalefall_pipelines.capacity.columns import COLUMNS
from whalefall_pipelines.capacity.day_reports import report_days
from whalefall_pipelines.capacity.fill_gaps import fill_gaps, record_uncollected_days
from whalefall_pipelines.capacity.metadata import (
    coverage_metadata,
    database_metadata,
    instance_metadata,
    inventory_metadata,
    notices_table,
)
from whalefall_pipelines.capacity.resources import CollectorResource
from whalefall_pipelines.capacity.store.gaps import close_backfill_records
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.dagster_base.calendar import DAYS, ZONE
from whalefall_pipelines.dagster_base.columns import column_schema
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import Progress
from whalefall_pipelines.domain.days import measurable_day
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory
from whalefall_pipelines.inventory import columns as inventory
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.sessions.store import list_notices, skip_records
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import analyze_months
from whalefall_pipelines.store.outage import retry_while_unavailable

INVENTORY, SIZES, TOTALS = (dg.AssetKey(name) for name in ("instance_databases", "database_size_stats", "instance_size_stats"))


class FleetDayConfig(dg.Config):
    """The names of the instances to collect; every active instance if empty."""

    instances: list[str] = Field(default_factory=list[str])


def _spec(key: dg.AssetKey, dependency: str, group: str, description: str, grain: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[dependency],
        group_name=group,
        description=description,
        kinds={"postgres", "python"},
        owners=["team:dba"],
        tags={"grain": grain},
        metadata={
            "dagster/column_schema": column_schema((COLUMNS | inventory.COLUMNS)[key.to_user_string()]),
            "dagster/table_name": key.to_user_string(),
        },
    )


@dg.multi_asset(
    specs=[
        _spec(
            INVENTORY,
            "instances",
            "inventory",
            "Every database of every server, with the first and the last day on which it was listed.\n\n"
            "Materialized alone, it lists the databases and measures nothing.",
            "database",
        ),
        _spec(
            SIZES,
            "instance_databases",
            "capacity",
            "One honest size in bytes for every database and day. An unknown size has no row, but a reason.\n\n"
            "Only today can be measured (and yesterday, within the grace period after midnight). Materializing a past day never changes "
            "a measured size: missing sizes are recovered from the server's own history, else interpolated between the nearest known "
            "days, else reported with their reason.",
            "database-day",
        ),
        _spec(
            TOTALS,
            "database_size_stats",
            "capacity",
            "The exact sum of each server's database sizes for every day, with the number of expected databases that are in it.\n\n"
            "Materialized alone, it is recomputed from the stored database sizes.",
            "instance-day",
        ),
    ],
    can_subset=True,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def fleet_day(
    context: dg.AssetExecutionContext, config: FleetDayConfig, whalefall: WhalefallResource, servers: CollectorResource
) -> Generator[dg.MaterializeResult[Any]]:
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with whalefall.store() as database:
        targets = active_instances(database, config.instances)
        collector = replace(servers.collector(database), inventory_only=SIZES not in context.selected_asset_keys)
        is_over = measurable_day(days, collector.clock(), ZONE, collector.grace) is None
        plan = plan_session(context, database, SyncCategory.CAPACITY, days, some_instances=bool(config.instances), is_over=is_over)
        with session_of_run(context, database, plan, targets) as check:
            seconds_by_day = _work(context, replace(collector, check=check), targets, days, plan)
        _report(context, database, days, seconds_by_day)
        notices = notices_table(retry_while_unavailable(lambda: list_notices(database, plan.session_id)))
    for key in (INVENTORY, SIZES, TOTALS):
        if key in context.selected_asset_keys:
            shown = {"session_id": str(plan.session_id), **({"notices": notices} if key == SIZES else {})}
            yield dg.MaterializeResult(asset_key=key, metadata=shown)


def _work(
    context: dg.AssetExecutionContext, collector: Collector, targets: Sequence[Instance], days: Sequence[date], plan: SessionPlan
) -> Mapping[date, float]:
    """Measure the day that can still be measured, fill the gaps of past days, and return how many seconds measuring took."""
    if context.selected_asset_keys == {TOTALS}:
        recompute_totals(collector.database, targets, days, plan.session_id)
        skip_records(collector.database, plan.session_id, {"probed": False, "why": "the totals are recomputed from stored sizes"})
        return {}
    measurable = measurable_day(days, collector.clock(), ZONE, collector.grace)
    over = [day for day in days if day != measurable]
    seconds_by_day: dict[date, float] = {}
    progress = Progress(context.log, len(targets))
    if measurable:
        record_uncollected_days(collector, measurable, plan.session_id)
        started = time.monotonic()
        for outcome in collector.collect_day(targets, measurable, plan.session_id):
            progress.note(_problem(outcome))
        seconds_by_day[measurable] = round(time.monotonic() - started, 2)
    if over and SIZES in context.selected_asset_keys:
        filled = fill_gaps(collector, targets, over, plan.session_id, progress.warn)
        context.log.info("%s: past days are not measured: %d recovered, %d estimated", _span(over), filled.recovered, filled.estimated)
    analyze_months(collector.database, days, STATS_TABLES)
    if not measurable:
        retry_while_unavailable(lambda: close_backfill_records(collector.database, plan.session_id, min(over), max(over)))
    return seconds_by_day


def _report(context: dg.AssetExecutionContext, database: Database, days: Sequence[date], seconds_by_day: Mapping[date, float]) -> None:
    calendar = {"coverage": retry_while_unavailable(lambda: coverage_metadata(database, max(days)))}
    for report in retry_while_unavailable(lambda: report_days(database, days)):
        seconds = {"seconds": seconds_by_day[report.day]} if report.day in seconds_by_day else {}
        for key, metadata in ((INVENTORY, inventory_metadata), (SIZES, database_metadata), (TOTALS, instance_metadata)):
            if key in context.selected_asset_keys:
                shown = {**metadata(report), **seconds, **(calendar if key != INVENTORY and report.day == max(days) else {})}
                context.add_asset_metadata(shown, asset_key=key, partition_key=report.day.isoformat())


def _problem(outcome: InstanceOutcome) -> str | None:
    """Describe an instance that failed, has missing sizes, or has notices; None if everything is fine."""
    if outcome.error:
        return f"{outcome.instance.name}: {outcome.error}"
    if outcome.missing:
        names = ", ".join(f"{gap.database_name} ({gap.reason})" for gap in outcome.missing[:5])
        return f"{outcome.instance.name}: {outcome.measured} measured, {len(outcome.missing)} missing: {names}"
    return "; ".join(outcome.notices[:5]) or None


def _span(days: Sequence[date]) -> str:
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
