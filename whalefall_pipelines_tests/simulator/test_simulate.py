"""A simulated fleet: the same seed makes the same bytes, its figures add up, and it never mixes with real servers."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.simulator.days import simulate_days
from whalefall_pipelines.simulator.model import HOSTILE_NAMES, Faults, Simulation, parse_faults, simulate_servers
from whalefall_pipelines.simulator.simulate import simulate
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import changed, query, register

DAY = date(2026, 11, 22)
# Enough servers for one that is dead and one that hangs.
FAULTS = Faults(dead=0.2, hanging=0.2, away=0.05, missed=0.05, dropped=0.2, forbidden=0.05)
SMALL = Simulation(servers=20, databases=3, days=40, last_day=DAY, seed=7, faults=FAULTS, latency_seconds=0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    configured = load_settings({"WHALEFALL_HOME": str(tmp_path)})
    return changed(configured, CollectingSettings, instance_timeout_seconds=0.05)


def stored(store: Database) -> list[tuple[object, ...]]:
    """Everything that was simulated, in order."""
    return [
        *query(store, "select instance_id, database_name, stat_date, total_bytes, method from database_size_stats order by 1, 2, 3"),
        *query(store, "select instance_id, database_name, stat_date, reason from capacity_gaps order by 1, 2, 3"),
        *query(store, "select instance_id, stat_date, total_bytes, expected_count from instance_size_stats order by 1, 2"),
        *query(store, "select instance_id, account_name, is_active from instance_accounts order by 1, 2"),
        *query(store, "select session_id, status, first_day, successful_instances, failed_instances from sync_sessions order by 1"),
    ]


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(store: Database, settings: Settings) -> None:
    simulate(settings, store, SMALL)
    first = stored(store)
    with store.transaction() as cursor:
        tables = "instances, credentials, instance_databases, database_activity, database_size_stats, instance_size_stats, sync_sessions"
        cursor.execute(f"truncate {tables} restart identity cascade")
        cursor.execute("update installation set simulation = null")
    simulate(settings, store, SMALL)
    assert stored(store) == first
    servers = simulate_servers(SMALL)[:5]
    days = list(simulate_days(SMALL, servers, 0))
    assert list(simulate_days(SMALL, servers, 0)) == days
    assert list(simulate_days(replace(SMALL, seed=8), servers, 0)) != days


def test_its_history_is_one_that_a_real_fleet_could_have(store: Database, settings: Settings) -> None:
    simulated = simulate(settings, store, SMALL)
    assert query(store, "select simulation ->> 'seed' from installation") == [("7",)]
    ((sizes, methods, first, last),) = query(
        store,
        "select count(*), array_agg(distinct method), min(stat_date), max(stat_date) from database_size_stats where stat_date < %s",
        DAY,
    )
    assert (sizes, methods, first, last) == (simulated.days_written, ["simulated"], SMALL.first_day, date(2026, 11, 21))
    # every total is the sum of its rows, and what is expected is there or missing
    assert query(
        store,
        "select count(*) from instance_size_stats as t where total_bytes <> (select sum(total_bytes) from database_size_stats as s "
        "where s.instance_id = t.instance_id and s.stat_date = t.stat_date)",
    ) == [(0,)]
    assert query(
        store,
        "select count(*) from capacity_coverage where expected <> measured + missing or expected is null",
    ) == [(0,)]
    reasons = {row[0] for row in query(store, "select distinct reason from capacity_gaps")}
    assert reasons >= {"not_collected", "connection_refused", "timeout", "no_permission"}
    assert query(store, "select count(*) > 0 from instance_databases where not is_active and deleted_at is not null") == [(True,)]
    assert query(store, "select count(*) from sync_sessions where status = 'running'") == [(0,)]
    names = {str(row[0]) for row in query(store, "select distinct database_name from instance_databases")}
    assert names & set(HOSTILE_NAMES)
    assert query(store, "select count(*) > 20 from instance_accounts") == [(True,)]
    assert simulated.failed == sum(server.is_dead or server.hangs for server in simulate_servers(SMALL)) > 0


def test_a_store_with_servers_is_refused_and_so_is_a_second_simulation(store: Database, settings: Settings) -> None:
    (own,) = register(store, "own")
    with pytest.raises(InputError, match="home of its own"):
        simulate(settings, store, SMALL)
    assert query(store, "select instance_id from instances") == [(own.instance_id,)]
    assert query(store, "select simulation from installation") == [(None,)]


def test_faults_are_shares_by_name() -> None:
    assert parse_faults("") == Faults()
    assert parse_faults("dead=0.5, away=0") == Faults(dead=0.5, away=0)
    assert parse_faults("none") == Faults(0, 0, 0, 0, 0, 0)
    for text, sentence in (
        ("broken=1", "no fault 'broken'"),
        ("dead=2", "from 0 to 1"),
        ("dead", "from 0 to 1"),
        ("dead=x", "from 0 to 1"),
    ):
        with pytest.raises(InputError, match=sentence):
            parse_faults(text)
