"""The day of the fleet: inventory, sizes and totals, three assets from one probe of each server. The work is in `collect.py`."""

import time
from collections.abc import Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from whalefall_pipelines.capacity.collect import Collector, InstanceOutcome, capacity_collector, recompute_totals
from whalefall_pipelines.capacity.columns import COLUMNS
from whalefall_pipelines.capacity.day_reports import DayReport, report_days, within_zones
from whalefall_pipelines.capacity.figures import DaySummary
from whalefall_pipelines.capacity.fill_gaps import fill_gaps, record_uncollected_days
from whalefall_pipelines.capacity.metadata import (
    coverage_metadata,
    database_metadata,
    day_bytes,
    instance_metadata,
    inventory_metadata,
    notices_table,
)
from whalefall_pipelines.capacity.settings import CapacitySettings
from whalefall_pipelines.capacity.store.gaps import close_backfill_records
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.dagster_base.columns import table_asset
from whalefall_pipelines.dagster_base.metadata import Metadata, session_metadata
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import MISSING_TAG, InstancesConfig, Progress, span
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory
from whalefall_pipelines.domain.zones import ZONE_TAG
from whalefall_pipelines.inventory import columns as inventory
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.resources import ServersResource
from whalefall_pipelines.sessions.runs import plan_session, session_of_run
from whalefall_pipelines.sessions.store import list_notices, skip_records
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import analyze_months
from whalefall_pipelines.store.outage import retry_while_unavailable

INVENTORY, SIZES, TOTALS = (dg.AssetKey(name) for name in ("instance_databases", "database_size_stats", "instance_size_stats"))


@dg.multi_asset(
    specs=[
        table_asset(
            INVENTORY,
            inventory.COLUMNS["instance_databases"],
            deps=["instances"],
            group_name="inventory",
            description="Every database of every server, with the first and the last day on which it was listed.\n\n"
            "If materialized alone, it lists the databases and measures nothing.",
            grain="database",
        ),
        table_asset(
            SIZES,
            COLUMNS["database_size_stats"],
            deps=["instance_databases"],
            group_name="capacity",
            description="One honest size in bytes for every database and day. An unknown size has a reason instead of a row.\n\n"
            "Only today can be measured (and yesterday, within the grace period after midnight). Materializing a past day never changes "
            "a measured size: missing sizes are recovered from the server's own history, otherwise interpolated between the nearest "
            "known days, and otherwise reported with their reason.",
            grain="database-day",
        ),
        table_asset(
            TOTALS,
            COLUMNS["instance_size_stats"],
            deps=["database_size_stats"],
            group_name="capacity",
            description="The exact sum of each server's database sizes for every day, with the number of expected "
            "databases in it.\n\nIf materialized alone, it is recomputed from the stored database sizes.",
            grain="instance-day",
        ),
    ],
    can_subset=True,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def fleet_day(
    context: dg.AssetExecutionContext, config: InstancesConfig, whalefall: WhalefallResource, servers: ServersResource
) -> Generator[dg.MaterializeResult[Any]]:
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with whalefall.store() as database:
        collection = servers.collection(database).of_run(context.run.tags)
        targets, plan = _plan(context, collection, days, config.instances)
        with session_of_run(context, database, plan, targets) as check:
            inventory_only = SIZES not in context.selected_asset_keys
            collector = capacity_collector(whalefall.installation(), replace(collection, check=check), inventory_only=inventory_only)
            seconds_by_day = _work(context, collector, targets, days, plan)
        reports = retry_while_unavailable(lambda: report_days(database, days))
        shown = _metadata(database, reports, plan, seconds_by_day)
        measured = [report.summary for report in reports if report.day in seconds_by_day and not inventory_only]
        red = _red_days(collection, measured, whalefall.installation())
    _tag_run(context, reports)
    yield from _materialize(context, shown, red)


def _plan(
    context: dg.AssetExecutionContext, collection: Collection, days: Sequence[date], names: Sequence[str]
) -> tuple[Sequence[Instance], SessionPlan]:
    """The instances to probe, and the session. Past days are filled in all zones, because only histories need a server."""
    database, is_over = collection.database, collection.measurable_day(days) is None
    zones = None if is_over and ZONE_TAG not in context.run.tags else collection.reached
    plan = plan_session(
        context, database, SyncCategory.CAPACITY, days, zones=collection.reached, some_instances=bool(names), is_over=is_over
    )
    return active_instances(database, names, zones=zones), plan


def _work(
    context: dg.AssetExecutionContext, collector: Collector, targets: Sequence[Instance], days: Sequence[date], plan: SessionPlan
) -> Mapping[date, float]:
    """Measure the day that can still be measured, fill the gaps of past days, and return how many seconds measuring took."""
    collection, database = collector.collection, collector.collection.database
    if context.selected_asset_keys == {TOTALS}:
        recompute_totals(database, targets, days, plan.session_id)
        skip_records(database, plan.session_id, {"probed": False, "why": "the totals are recomputed from stored sizes"})
        return {}
    measurable = collection.measurable_day(days)
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
        context.log.info("%s: past days are not measured: %d recovered, %d estimated", span(over), filled.recovered, filled.estimated)
    analyze_months(database, days, STATS_TABLES)
    if not measurable:
        retry_while_unavailable(lambda: close_backfill_records(database, plan.session_id, min(over), max(over)))
    return seconds_by_day


def _metadata(
    database: Database, reports: Sequence[DayReport], plan: SessionPlan, seconds_by_day: Mapping[date, float]
) -> Mapping[tuple[dg.AssetKey, date], Metadata]:
    """What the UI shows of each asset and day. The coverage calendar and the notices of the session are shown on the last day."""
    last_day = reports[-1].day
    coverage = {"coverage": retry_while_unavailable(lambda: coverage_metadata(database, last_day))}
    notices = notices_table(retry_while_unavailable(lambda: list_notices(database, plan.session_id)))
    shown: dict[tuple[dg.AssetKey, date], Metadata] = {}
    for report in reports:
        is_last = report.day == last_day
        seconds = {"seconds": seconds_by_day[report.day]} if report.day in seconds_by_day else {}
        end = {**seconds, **session_metadata(plan.session_id)}
        exact = day_bytes(report.summary)
        shown[INVENTORY, report.day] = {**inventory_metadata(report), **end}
        shown[SIZES, report.day] = {
            **database_metadata(report),
            **(notices if is_last else {}),
            **(coverage if is_last else {}),
            **exact,
            **end,
        }
        shown[TOTALS, report.day] = {**instance_metadata(report), **(coverage if is_last else {}), **exact, **end}
    return shown


def _tag_run(context: dg.AssetExecutionContext, reports: Sequence[DayReport]) -> None:
    """Tag the run with what is missing, so that the list of runs shows it."""
    missing, expected = (sum(counts) for counts in zip(*((day.summary.missing, day.summary.expected) for day in reports), strict=True))
    context.instance.add_run_tags(context.run.run_id, {MISSING_TAG: f"{missing} of {expected}"})
    context.log.info("%s: databases missing: %d of %d", span([day.day for day in reports]), missing, expected)


def _red_days(collection: Collection, measured: Sequence[DaySummary], settings: Settings) -> set[date]:
    """The measured days on which too few of the expected databases of the zones that the run reached have a size."""
    least = settings.of(CapacitySettings).fail_below_coverage
    reached = retry_while_unavailable(lambda: [within_zones(collection.database, summary, collection.reached) for summary in measured])
    return {summary.stat_date for summary in reached if summary.is_below(least)}


def _materialize(
    context: dg.AssetExecutionContext, shown: Mapping[tuple[dg.AssetKey, date], Metadata], red: AbstractSet[date]
) -> Generator[dg.MaterializeResult[Any]]:
    """Materialize the selected assets of all days, or fail the run of a day with too few sizes after materializing the other days.

    Raises:
        dg.Failure: a day failed. Everything that was measured is stored all the same, and a successful retry completes the day.
    """
    selected = [key for key in (INVENTORY, SIZES, TOTALS) if key in context.selected_asset_keys]
    for (key, day), metadata in shown.items():
        if key in selected and red and day not in red:
            context.log_event(dg.AssetMaterialization(key, metadata=metadata, partition=day.isoformat()))
        elif key in selected and not red:
            context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
    for day in red:
        metadata = shown[SIZES, day]
        raise dg.Failure(
            f"{day}: too few of the expected databases were measured (WHALEFALL_FAIL_BELOW_COVERAGE). Missing: {metadata['missing']}. "
            "The measured sizes are stored.",
            metadata=metadata,
            allow_retries=False,
        )
    for key in selected:
        yield dg.MaterializeResult(asset_key=key)


def _problem(outcome: InstanceOutcome) -> str | None:
    """Describe an instance that failed, has missing sizes, or has notices; None if everything is fine."""
    if outcome.error:
        return f"{outcome.instance.name}: {outcome.error}"
    if outcome.missing:
        names = ", ".join(f"{gap.database_name} ({gap.reason})" for gap in outcome.missing[:5])
        return f"{outcome.instance.name}: {outcome.measured} measured, {len(outcome.missing)} missing: {names}"
    return "; ".join(outcome.notices[:5]) or None
