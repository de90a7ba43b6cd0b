"""The demo from end to end: starts servers, registers them, loads a simulated history, and collects today through Dagster."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Protocol
from uuid import uuid4

from whalefall_pipelines import queries
from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.capacity.collect import recompute_totals
from whalefall_pipelines.capacity.day_reports import DayReport, report_days
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.capacity.take_snapshot import take_snapshot
from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.classification.edit_rules import install_rules, list_rules
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.demo.console import DemoConsole
from whalefall_pipelines.demo.fleet import GROWING, POSTGRES_DATABASES, DemoFleet
from whalefall_pipelines.demo.history import HISTORY_DAYS, simulate
from whalefall_pipelines.demo.runs import find_runs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import Session, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import InputError, SessionEndedError, StoreBusyError, TargetError
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.inventory.register_instances import carry_out, plan_fleet, read_fleet_file
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.sessions.run_in_dagster import run_in_dagster
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import analyze_months, ensure_months
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines.tables.settings import TablesSettings


class Progress(Protocol):
    """Receives the progress of the demo, step by step."""

    def expect(self, steps: int) -> None:
        """Set the number of steps that follow."""

    def say(self, sentence: str) -> None:
        """Report that a step has begun."""

    def show(self, session: Session) -> None:
        """Report the progress of the current step's session."""


@dataclass(frozen=True, slots=True)
class DemoDay:
    """The summary that the demo prints at its end."""

    day: date
    session: Session
    report: DayReport


def demo_fleet(settings: Settings) -> DemoFleet:
    """The demo's servers of this home."""
    return DemoFleet(settings.home / "demo", settings.pg_bin)


def demo_console(settings: Settings) -> DemoConsole:
    """The demo's web process of this home."""
    return DemoConsole(settings, settings.home / "demo" / "console")


def refuse_own_store(settings: Settings) -> None:
    """Refuse to run the demo on a store other than the embedded one.

    Raises:
        InputError: WHALEFALL_DATABASE_URL is set.
    """
    if settings.database_url:
        raise InputError("The demo writes a simulated history, so it runs only on the embedded store. Unset WHALEFALL_DATABASE_URL.")


def refuse_real_fleet(database: Database, fleet: DemoFleet) -> None:
    """Keep simulated days out of a store that monitors real servers.

    Raises:
        InputError: an instance that does not belong to the demo is registered.
    """
    own_instances = [
        registered.instance.name for registered in registered_instances(database) if registered.entry.tags.get("env") != "demo"
    ]
    if own_instances or (not fleet.fleet_file.exists() and registered_instances(database)):
        named = ", ".join(own_instances[:3]) + (" …" if len(own_instances) > 3 else "")
        raise InputError(
            f"This store monitors servers of your own{f' ({named})' if named else ''}, and the demo writes a simulated history. Set "
            "WHALEFALL_HOME to a different home for the demo."
        )


def run_demo(settings: Settings, database: Database, progress: Progress) -> DemoDay:
    """Start the servers and the console, register the servers, load their history once, and collect today through Dagster.

    Raises:
        SessionEndedError: one of its sessions was cancelled.
    """
    fleet = demo_fleet(settings)
    refuse_real_fleet(database, fleet)
    day = today(system_clock(), database.timezone)
    runs = find_runs(database, day)
    has_history = _has_history(database)
    progress.expect(fleet.server_count + 1 + (not has_history) + len(runs))
    _begin_calendar(settings, day)
    fleet.start(progress.say)
    console = demo_console(settings)
    console.start()
    progress.say(f"console: {console.url}, which stays in the background")
    entries = read_fleet_file(fleet.fleet_file, settings)
    carry_out(database, entries, plan_fleet(database, entries))
    with suppress(StoreBusyError):  # another maintenance is creating the same months
        create_table_partitions(database, settings, day)
    if not list_rules(database):
        install_rules(database)
    if not has_history:
        progress.say(f"loading {HISTORY_DAYS} days of SIMULATED history")
        _load_history(settings, database, day)
        _observe_yesterday(settings, database, day)
        fleet.change_accounts()
        fleet.grow()
    sessions = _execute(settings, database, runs, progress)
    if not any(run.category is SyncCategory.AGGREGATION for _, run in runs):
        _aggregate(database, day)
    (report,) = report_days(database, [day])
    return DemoDay(
        day=day,
        session=next(session for session in sessions if session.sync_type is not SyncType.BACKFILL),
        report=report,
    )


def _execute(settings: Settings, database: Database, runs: list[tuple[str, Run]], progress: Progress) -> tuple[Session, ...]:
    unsaid = {run.session_id: sentence for sentence, run in runs[1:]}

    def show(session: Session) -> None:
        while session.session_id in unsaid:
            progress.say(unsaid.pop(next(iter(unsaid))))
        progress.show(session)

    progress.say(runs[0][0])
    sessions = run_in_dagster(settings, database, *(run for _, run in runs), on_progress=show)
    if len(sessions) < len(runs) or sessions[-1].status is SessionStatus.CANCELLED:
        raise SessionEndedError(f"Session {sessions[-1].session_id} was cancelled, so the demo is incomplete. Run it again.")
    return sessions


def _begin_calendar(settings: Settings, day: date) -> None:
    """Let Dagster's calendar begin with the simulated history, so that the UI shows no empty year before it."""
    saved = settings.home / "settings.env"
    if not saved.exists():
        saved.write_text(f"WHALEFALL_START_DATE={day - timedelta(days=HISTORY_DAYS)}\n")


def _aggregate(database: Database, day: date) -> None:
    """Compute today's periods directly, without Dagster, which computed all of them before."""
    for period_type in PeriodType:
        plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, day, day)
        with sync_session(database, plan, []):  # records are added for the instances that changed
            aggregate_sizes(database, [period_of(period_type, day)], day, plan.session_id)


def _observe_yesterday(settings: Settings, database: Database, day: date) -> None:
    """Store accounts, their classes and tables as SIMULATED observations of yesterday, so that what changes today is a change."""
    yesterday = day - timedelta(days=1)
    servers = server_collection(settings, database)
    then = replace(servers, clock=lambda: system_clock() - timedelta(days=1), retry_rule=RetryRule(deadline_seconds=0))
    for outcome in sync_accounts(then, active_instances(database), yesterday, None):
        if outcome.error and not isinstance(outcome.error, TargetError):
            raise outcome.error
    classify_accounts(database, yesterday)
    (growing,) = active_instances(database, [GROWING[0]])
    TablesCollector(then, settings.of(TablesSettings).tables_at_most).collect_instance(growing, list(dict(POSTGRES_DATABASES)[GROWING[0]]))


def _has_history(database: Database) -> bool:
    with database.transaction() as cursor:
        cursor.execute(queries.load("demo/find_simulated_history"))
        (exists,) = cursor.fetchone() or (False,)
    return bool(exists)


def _load_history(settings: Settings, database: Database, day: date) -> None:
    instances = active_instances(database)
    ids = {instance.name: instance.instance_id for instance in instances}
    days = list(simulate(day, ids, _sizes_now(settings, database, instances)))
    ensure_months(database, [size.stat_date for size in days])
    first_day, last_day = min(size.stat_date for size in days), max(size.stat_date for size in days)
    rows = [asdict(size) for size in days]
    with database.transaction() as cursor:
        cursor.execute(queries.load("demo/insert_simulated_history"), {"days": json.dumps(rows, default=str)})
    recompute_totals(database, instances, [first_day, last_day], None)
    analyze_months(database, [size.stat_date for size in days], STATS_TABLES)


def _sizes_now(settings: Settings, database: Database, instances: tuple[Instance, ...]) -> dict[tuple[str, str], int]:
    """The current sizes on the servers, at which the simulated history ends."""
    servers, filters = server_collection(settings, database), read_filters(settings)
    sizes: dict[tuple[str, str], int] = {}
    for instance in instances:
        try:
            outcomes = take_snapshot(servers, instance, filters).outcomes
        except TargetError:
            continue  # the server that is down has its own history
        sizes |= {(instance.name, size.database_name): size.total_bytes for size in outcomes if isinstance(size, DatabaseSize)}
    return sizes
