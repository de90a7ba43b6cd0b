"""Makes a simulated fleet: its servers, its history, and its last day, which the real collectors read from fake servers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from uuid import NAMESPACE_OID, uuid5

from whalefall_pipelines.accounts.sync import sync_accounts
from whalefall_pipelines.capacity.collect import capacity_collector, recompute_totals
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, UnreachableError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import Collection, server_collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.simulator.accounts import simulate_accounts
from whalefall_pipelines.simulator.days import simulate_days
from whalefall_pipelines.simulator.model import SimulatedServer, Simulation, simulate_servers
from whalefall_pipelines.simulator.store import insert_days, insert_servers, insert_sessions, mark_simulated
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import analyze_months, ensure_months

# The days of so many servers are in memory at once, and land in one transaction.
_GROUP = 50
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was made, and how long its last day took to collect."""

    servers: int
    days_written: int
    gaps_written: int
    collected: int
    failed: int
    collecting_seconds: float


def simulate(settings: Settings, database: Database, simulation: Simulation, say: Say = lambda _: None) -> Simulated:
    """Fill an empty store with a simulated fleet.

    Raises:
        InputError: the store has servers, or was filled before.
    """
    servers = simulate_servers(simulation)
    days = [simulation.first_day + timedelta(days=number) for number in range(simulation.days)]
    ensure_months(database, days)
    with database.transaction() as cursor:
        if not mark_simulated(cursor, simulation):
            raise InputError("This store has servers already, and a simulation needs a home of its own: name another folder with --home.")
        ids = insert_servers(cursor, servers, simulation.first_day)
    fakes, written, gaps = _history(database, simulation, servers, ids, say)
    analyze_months(database, days, STATS_TABLES)
    collection = replace(
        server_collection(settings, database, FakeFleet(fakes, settings.of(CollectingSettings).deadlines)),
        clock=lambda: datetime.combine(simulation.last_day, time_of_day(3), database.timezone),
    )
    _observe_accounts(collection, simulation, servers, fakes, say)
    say(f"collecting {simulation.last_day} from {counted(len(servers), 'fake server')}")
    started = time.monotonic()
    failures = _collect(settings, collection, simulation)
    seconds = time.monotonic() - started
    return Simulated(len(servers), written, gaps, len(servers) - failures, failures, seconds)


def _history(
    database: Database, simulation: Simulation, servers: Sequence[SimulatedServer], ids: Mapping[str, int], say: Say
) -> tuple[dict[str, FakeServer], int, int]:
    """Write every day but the last one, and return the fake servers of the last one, with the numbers of sizes and gaps."""
    today: dict[str, dict[str, int | None]] = {server.name: {} for server in servers}
    written = gaps = 0
    yesterday = simulation.last_day - timedelta(days=1)
    for group, start in enumerate(range(0, len(servers), _GROUP)):
        some = servers[start : start + _GROUP]
        days = list(simulate_days(simulation, some, group))
        dice = simulation.dice(6, group)
        for day in (day for day in days if day.stat_date == simulation.last_day):
            is_forbidden = dice.random() < simulation.faults.forbidden
            today[day.server_name][day.database_name] = None if is_forbidden else day.total_bytes
        past = [day for day in days if day.stat_date < simulation.last_day]
        if past:
            with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
                insert_days(cursor, past, ids, yesterday)
            targets = [instance for instance in active_instances(database) if instance.instance_id in {ids[server.name] for server in some}]
            recompute_totals(database, targets, [simulation.first_day, yesterday], None)
        gaps += sum(day.total_bytes is None for day in past)
        written += sum(day.total_bytes is not None for day in past)
        whole = counted(len(servers), "server")
        done = counted(min(start + _GROUP, len(servers)), f"of {whole} has", f"of {whole} have")
        say(f"{done} a history: {counted(written, 'size')}, {counted(gaps, 'gap')}")
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        insert_sessions(cursor, simulation.first_day, yesterday, len(servers))
    return {server.name: _fake(server, today[server.name]) for server in servers}, written, gaps


def _fake(server: SimulatedServer, databases: Mapping[str, int | None]) -> FakeServer:
    refusal = UnreachableError(f"Nothing listens at {server.host}:{server.port}.", reason=Reason.CONNECTION_REFUSED)
    return FakeServer(databases, refusal=refusal if server.is_dead else None, hangs=server.hangs, delay_seconds=server.latency_seconds)


def _observe_accounts(
    collection: Collection, simulation: Simulation, servers: Sequence[SimulatedServer], fakes: Mapping[str, FakeServer], say: Say
) -> None:
    """Read the accounts of the last two days."""
    for is_last_day in (False, True):
        day = simulation.last_day - timedelta(days=not is_last_day)
        say(f"reading the accounts of {day}")
        for server in servers:
            fake = fakes[server.name]
            fake.accounts, fake.account_privileges = simulate_accounts(simulation, server, is_last_day=is_last_day)
        then = replace(collection, clock=lambda day=day: datetime.combine(day, time_of_day(1), collection.database.timezone))
        plan, instances = _plan(simulation, SyncCategory.ACCOUNT, day), active_instances(collection.database)
        with sync_session(collection.database, plan, instances):
            for outcome in sync_accounts(then, instances, day, plan.session_id):
                if outcome.error and not isinstance(outcome.error, UnreachableError):
                    raise outcome.error


def _collect(settings: Settings, collection: Collection, simulation: Simulation) -> int:
    """Collect the last day, and return how many servers failed."""
    plan, instances = _plan(simulation, SyncCategory.CAPACITY, simulation.last_day), active_instances(collection.database)
    with sync_session(collection.database, plan, instances):
        collector = capacity_collector(settings, collection)
        return sum(outcome.error is not None for outcome in collector.collect_day(instances, simulation.last_day, plan.session_id))


def _plan(simulation: Simulation, category: SyncCategory, day: date) -> SessionPlan:
    session_id = uuid5(NAMESPACE_OID, f"simulated {simulation.seed} {category} {day}")
    return SessionPlan(session_id, category, SyncType.SCHEDULED_TASK, day, day)
