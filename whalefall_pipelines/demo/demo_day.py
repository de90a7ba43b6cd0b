"""The demo from end to end: servers, registration, simulated past, and today collected through Dagster."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from uuid import uuid4

from whalefall_pipelines import queries
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.demo.fleet import DemoFleet
from whalefall_pipelines.demo.history import HISTORY_DAYS, simulate
from whalefall_pipelines.domain.capacity import DatabaseSize, today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.periods import PeriodType, period_of, periods_between
from whalefall_pipelines.domain.sessions import Session, SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.domain.table_partitions import STATS_TABLES
from whalefall_pipelines.errors import InputError, StoreBusyError, TargetError
from whalefall_pipelines.services.aggregate_sizes import aggregate_sizes
from whalefall_pipelines.services.collect_capacity import server_collector
from whalefall_pipelines.services.keep_session import sync_session
from whalefall_pipelines.services.maintain_table_partitions import create_table_partitions
from whalefall_pipelines.services.register_instances import carry_out, plan_fleet, read_fleet_file
from whalefall_pipelines.services.run_in_dagster import aggregation, collection, run_in_dagster
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import capacity, reports
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.instances import active_instances, registered_instances
from whalefall_pipelines.store.sessions import list_sessions
from whalefall_pipelines.store.table_partitions import analyze_months, ensure_months


@dataclass(frozen=True, slots=True)
class DemoDay:
    """What the demo shows at its end."""

    day: date
    session: Session
    instances: tuple[reports.RankedInstance, ...]
    summary: reports.DaySummary
    gaps: tuple[reports.Gap, ...]


def demo_fleet(settings: Settings) -> DemoFleet:
    """The demo's servers of this home."""
    return DemoFleet(settings.home / "demo")


def refuse_own_store(settings: Settings) -> None:
    """Keep the demo to the embedded store.

    Raises:
        InputError: the store is one's own.
    """
    if settings.database_url:
        raise InputError("The demo writes a simulated past, so it runs on the embedded store only: unset WHALEFALL_DATABASE_URL.")


def refuse_real_fleet(database: Database, fleet: DemoFleet) -> None:
    """Keep simulated days out of a store that watches real servers.

    Raises:
        InputError: an instance is registered that is not the demo's.
    """
    foreign = [one.instance.name for one in registered_instances(database) if one.entry.tags.get("env") != "demo"]
    if foreign or (not fleet.fleet_file.exists() and registered_instances(database)):
        named = ", ".join(foreign[:3]) + (" …" if len(foreign) > 3 else "")
        raise InputError(
            f"This store watches servers of your own{f' ({named})' if named else ''}, and the demo writes a simulated past: "
            "give it a home of its own with WHALEFALL_HOME."
        )


def run_demo(settings: Settings, database: Database, say: Callable[[str], None], on_progress: Callable[[Session], None]) -> DemoDay:
    """Start the servers, register them, load their past once, collect today through Dagster."""
    fleet = demo_fleet(settings)
    refuse_real_fleet(database, fleet)
    day = today(system_clock(), database.timezone)
    _begin_calendar(settings, day)
    fleet.start(say)
    entries = read_fleet_file(fleet.fleet_file, SecretBox(settings))
    carry_out(database, entries, plan_fleet(database, entries))
    with suppress(StoreBusyError):  # another upkeep makes the same months at this moment
        create_table_partitions(database, settings, day)
    if not _has_history(database):
        started = time.monotonic()
        _load_history(settings, database, day)
        say(f"loaded {HISTORY_DAYS} days of SIMULATED history ({time.monotonic() - started:.1f} s)")
    if not any(session.sync_type is SyncType.BACKFILL for session in list_sessions(database, most=1000)):
        say("telling Dagster about them: a backfill that reads what is stored")
        past = collection(day - timedelta(days=HISTORY_DAYS), day - timedelta(days=1))
        run_in_dagster(settings, database, past, on_progress=on_progress)
    say(f"collecting {day} through Dagster")
    session = run_in_dagster(settings, database, collection(day, day), on_progress=on_progress)
    _aggregate(settings, database, day, say)
    return DemoDay(
        day=day,
        session=session,
        instances=reports.rank_instances(database, [day]),
        summary=reports.summarize_days(database, [day])[day],
        gaps=reports.list_gaps(database, [day]),
    )


def _begin_calendar(settings: Settings, day: date) -> None:
    """Let Dagster's calendar begin where the simulated past does, so that the UI shows no empty year before it."""
    saved = settings.home / "settings.env"
    if not saved.exists():
        saved.write_text(f"WHALEFALL_START_DATE={day - timedelta(days=HISTORY_DAYS)}\n")


def _aggregate(settings: Settings, database: Database, day: date, say: Callable[[str], None]) -> None:
    """Compute every period once through Dagster, so that the UI has them; on a later run those of today, at once and without it."""
    if any(one.sync_category is SyncCategory.AGGREGATION for one in list_sessions(database, most=1000)):
        for period_type in PeriodType:
            plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, day, day)
            with sync_session(database, plan, active_instances(database)):
                aggregate_sizes(database, [period_of(period_type, day)], day, plan.session_id)
        return
    say("computing days, weeks, months and quarters through Dagster: four runs")
    ranges = [periods_between(period_type, day - timedelta(days=HISTORY_DAYS), day) for period_type in PeriodType]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_in_dagster, settings, database, aggregation(periods[0], periods[-1])) for periods in ranges]
        for run in runs:
            run.result()


def _has_history(database: Database) -> bool:
    with database.transaction() as cursor:
        cursor.execute(queries.load("demo/find_simulated_history"))
        (exists,) = cursor.fetchone() or (False,)
    return bool(exists)


def _load_history(settings: Settings, database: Database, day: date) -> None:
    instances = active_instances(database)
    ids = {instance.name: instance.instance_id for instance in instances}
    days = list(simulate(day, ids, _sizes_now(settings, database, instances, day)))
    ensure_months(database, [one.stat_date for one in days])
    first_day, last_day = min(one.stat_date for one in days), max(one.stat_date for one in days)
    rows = [asdict(one) for one in days]
    with database.transaction() as cursor:
        cursor.execute(queries.load("demo/insert_simulated_history"), {"days": json.dumps(rows, default=str)})
        capacity.write_totals(cursor, list(ids.values()), first_day, last_day, None)
    analyze_months(database, [one.stat_date for one in days], STATS_TABLES)


def _sizes_now(settings: Settings, database: Database, instances: tuple[Instance, ...], day: date) -> dict[tuple[str, str], int]:
    """What the servers hold now, so that the simulated past leads up to it."""
    collector = server_collector(settings, database)
    sizes: dict[tuple[str, str], int] = {}
    for instance in instances:
        try:
            outcomes = collector.visit(instance, day).outcomes
        except TargetError:
            continue  # the one that is down has a past of its own
        sizes |= {(instance.name, one.database_name): one.total_bytes for one in outcomes if isinstance(one, DatabaseSize)}
    return sizes
