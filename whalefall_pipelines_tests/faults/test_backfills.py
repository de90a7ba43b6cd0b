"""A backfill that is killed with -9 at each of its steps, loses the store, or meets a broken history: the next one completes its days."""

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.capacity.fill_gaps import fill_gaps
from whalefall_pipelines.capacity.store import gaps
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.domain.sessions import RunState, SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import Method, RecoveredSize
from whalefall_pipelines.errors import StoreUnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.cli.trees import eventually
from whalefall_pipelines_tests.conftest import TIMEZONE, libpq_url
from whalefall_pipelines_tests.factories import DAY, NIGHT, FleetTest, query, register, server
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import BACKFILL_KILLS, BACKFILL_STORES, BROKEN_HISTORY, KILLED
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.stores import Store, own_store

KNOWN, NEEDY = "with a history", "without a history"
BEFORE = DAY - timedelta(days=4)
LOST = [DAY - timedelta(days=age) for age in (3, 2, 1)]
# The history of one server: both databases on the first lost day, one of them on the second.
RECOVERED = {("app", LOST[0]): 1100, ("shop", LOST[0]): 2300, ("app", LOST[1]): 1200}
STOPS = {
    "writing down the lost days": Stop("capacity_gaps", "insert"),
    "taking up a server with a history": Stop("sync_instance_records", "update", "new.status = 'running'"),
    "writing recovered sizes": Stop("database_size_stats", "insert", "new.provenance = 'recovered'"),
    "writing the totals of recovered sizes": Stop("instance_size_stats", "insert", f"new.stat_date = '{LOST[0]}'"),
    "estimating": Stop("database_size_stats", "insert", "new.provenance = 'estimated'"),
    "writing the totals of estimates": Stop("instance_size_stats", "insert", f"new.stat_date = '{LOST[2]}'"),
    "closing its records": Stop("sync_instance_records", "update", "new.status = 'completed'"),
    "closing its session": Stop("sync_sessions", "update", "new.status <> 'running'"),
}


def history(on_probe: Callable[[FakeServer], object] | None = None) -> FakeServer:
    known = [
        RecoveredSize(name, day, size, size, None, Method.BACKUP_FILE_SIZE, datetime.combine(day, datetime.min.time(), TIMEZONE))
        for (name, day), size in RECOVERED.items()
    ]
    return server(history=known, on_probe=on_probe)


@dataclass
class Past(FleetTest):
    """Two servers, one of which keeps a history, measured on the first day and the last: the days between are lost."""

    outage_seconds: float = 60

    def __post_init__(self) -> None:
        if not active_instances(self.store):
            register(self.store, KNOWN, engine=Engine.SQLSERVER)
            register(self.store, NEEDY)
        self.instances = active_instances(self.store)

    def measure(self) -> None:
        for day in (BEFORE, DAY):
            self.now = NIGHT - (DAY - day)
            self.collect(day)

    def fill(self) -> None:
        """Backfill the lost days as a run does."""
        plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.BACKFILL, LOST[0], LOST[-1], run_id=str(uuid4()))
        collection = replace(self.collection(), outage_seconds=self.outage_seconds)
        collector = Collector(collection, engines_with_history=frozenset({Engine.SQLSERVER}))
        with sync_session(self.store, plan, self.instances):
            fill_gaps(collector, self.instances, LOST, plan.session_id)
            gaps.close_backfill_records(self.store, plan.session_id, LOST[0], LOST[-1])


def past_of(store: Database, folder: Path) -> Past:
    return Past(store, folder, {KNOWN: history(), NEEDY: server()})


def fill_elsewhere(url: str, folder: Path) -> None:
    """Run the backfill in its own process."""
    with closing(Database(parse_url(url), TIMEZONE)) as store:
        past_of(store, folder).fill()


def measured(store: Database) -> list[tuple[object, ...]]:
    """Everything that was measured, to the byte and the instant."""
    rows = query(store, "select s::text from database_size_stats as s where provenance = 'measured' order by 1")
    return rows + query(store, "select s::text from instance_size_stats as s where provenance = 'measured' order by 1")


def check_halves(store: Database) -> None:
    """Every day has a total that is the sum of its rows, computed by a loop and not by a statement of the package."""
    sizes: dict[object, int] = {}
    for instance_id, day, size in query(store, "select instance_id, stat_date, total_bytes from database_size_stats"):
        sizes[instance_id, day] = sizes.get((instance_id, day), 0) + int(str(size))
    totals = query(store, "select instance_id, stat_date, total_bytes from instance_size_stats")
    assert {(instance_id, day): size for instance_id, day, size in totals} == sizes


def check_whole(past: Past) -> None:
    """Nothing is missing; days in the history are recovered, the rest is estimated, and no session is open."""
    check_halves(past.store)
    rows = query(
        past.store,
        "select i.name, s.database_name, s.stat_date, s.total_bytes, s.provenance from database_size_stats as s "
        "inner join instances as i using (instance_id) where s.stat_date = any(%s)",
        LOST,
    )
    states = {(name, database, day): (provenance, size) for name, database, day, size, provenance in rows}
    assert len(rows) == len(states) == 2 * 2 * len(LOST)
    recovered = {(KNOWN, database, day): size for (database, day), size in RECOVERED.items()}
    assert {key: size for key, (provenance, size) in states.items() if provenance == "recovered"} == recovered
    assert {provenance for key, (provenance, _) in states.items() if key not in recovered} == {"estimated"}
    assert query(past.store, "select 1 from capacity_gaps where closed_by is null") == []
    assert query(past.store, "select 1 from sync_sessions where status = 'running'") == []


def first_backfill(store: Database) -> tuple[str, str | None]:
    """How its session ended."""
    backfills = "select status, error_code from sync_sessions where sync_type = 'backfill' order by started_at limit 1"
    ((status, code),) = query(store, backfills)
    return str(status), None if code is None else str(code)


@contextmanager
def killed(past: Past, step: str) -> Generator[None]:
    """Kill a backfill with -9 at this step; nothing of it runs any more in the block."""
    with stopped_at(past.store, STOPS[step]) as holder:
        run = multiprocessing.get_context("spawn").Process(target=fill_elsewhere, args=(libpq_url(past.store.url), past.home))
        run.start()
        holder.wait_for_somebody()
        run.kill()
        run.join(10)
        assert run.exitcode == -signal.SIGKILL
        holder.let_go()
    others = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"
    assert eventually(lambda: query(past.store, others) == [])
    yield


@pytest.mark.parametrize(("fault", "engine"), parameters(BACKFILL_KILLS))
def test_a_killed_backfill_leaves_nothing_half_done(fault: Fault, engine: str, store: Database, tmp_path: Path, report: Report) -> None:
    past = past_of(store, tmp_path)
    past.measure()
    before = measured(store)
    with killed(past, fault.name.removeprefix(KILLED)):
        ended_at = time.monotonic()
        check_halves(store)
        assert measured(store) == before
        end_dead_sessions(store, lambda run_ids: dict.fromkeys(run_ids, RunState.FAILED))
        assert first_backfill(store) == ("failed", fault.code)
    past.fill()
    report(fault, engine, time.monotonic() - ended_at)
    check_whole(past)
    assert measured(store) == before


def restarted(past: Past, store: Store) -> None:
    past.servers[KNOWN] = history(lambda _: store.restart(after_seconds=1))
    past.fill()


def killed_in_the_estimates(past: Past, store: Store) -> None:
    with stopped_at(past.store, STOPS["estimating"]) as holder:

        def kill() -> None:
            holder.wait_for_somebody()
            store.restart(crash=True)

        killer = threading.Thread(target=kill)
        killer.start()
        past.fill()
        killer.join()


def away(past: Past, store: Store) -> None:
    past.outage_seconds = 1
    past.servers[KNOWN] = history(lambda _: store.cluster.stop())
    with pytest.raises(StoreUnreachableError):
        past.fill()
    store.restart()
    end_dead_sessions(store.database, lambda run_ids: dict.fromkeys(run_ids, RunState.FAILED))


STORES = {
    "store restarted while a history is read": restarted,
    "store killed with -9 during the estimates": killed_in_the_estimates,
    "store unavailable for longer than a backfill waits": away,
}


@pytest.mark.process
@pytest.mark.parametrize(("fault", "engine"), parameters(BACKFILL_STORES))
def test_a_backfill_survives_an_outage_of_its_store_or_fails_as_a_whole(fault: Fault, engine: str, tmp_path: Path, report: Report) -> None:
    with own_store(tmp_path / "store") as store:
        past = past_of(store.database, tmp_path)
        past.measure()
        before = measured(store.database)
        STORES[fault.name](past, store)
        ended_at = time.monotonic()
        check_halves(store.database)
        assert first_backfill(store.database) == ("failed" if fault.code else "completed", fault.code)
        past.servers[KNOWN] = history()
        past.fill()
        report(fault, engine, time.monotonic() - ended_at)
        check_whole(past)
        assert measured(store.database) == before


@pytest.mark.parametrize(("fault", "engine"), parameters((BROKEN_HISTORY,)))
def test_a_broken_history_affects_only_its_own_server(fault: Fault, engine: str, store: Database, tmp_path: Path, report: Report) -> None:
    def break_off(_: FakeServer) -> None:
        raise ValueError(fault.says)

    past = past_of(store, tmp_path)
    past.measure()
    before = measured(store)
    past.servers[KNOWN] = history(break_off)
    past.fill()
    ended_at = time.monotonic()
    check_halves(store)
    (session_id,) = query(store, "select session_id from sync_sessions where sync_type = 'backfill'")[0]
    records = {record.instance_name: record for record in sessions.list_records(store, UUID(str(session_id)))}
    assert (records[KNOWN].status, records[KNOWN].error_code, records[NEEDY].status) == ("failed", fault.code, "completed")
    assert fault.says in str(records[KNOWN].error_message)
    estimated = "select count(*) from database_size_stats where provenance = 'estimated'"
    assert query(store, estimated) == [(2 * 2 * len(LOST),)]
    past.servers[KNOWN] = history()
    past.fill()
    report(fault, engine, time.monotonic() - ended_at)
    check_whole(past)
    assert measured(store) == before
