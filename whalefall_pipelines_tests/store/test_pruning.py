"""Queries about some days read only the months of those days, however long the history is, according to PostgreSQL's plans."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from psycopg2 import sql
from psycopg2.sql import Composable

from whalefall_pipelines import queries
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.conftest import cloned_store
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.plans import rows_read, tables_planned, tables_read

# The middle of a month of a store that has fourteen.
ASKED = date(2026, 8, 20)
DAYS = {"days": [ASKED], "days_before": [ASKED - timedelta(days=1)], "first_day": ASKED, "last_day": ASKED, "day": ASKED, "most": 10}
STATEMENTS = {
    "capacity/rank_databases": {},
    "capacity/rank_instances": {},
    "capacity/list_jumps": {"percent": 30, "bytes": 1},
    "capacity/summarize_days": {},
    "capacity/summarize_inventory": {},
    "capacity/list_coverage": {"first_day": ASKED - timedelta(days=5), "instance_id": None},
    "capacity/list_gaps": {},
    "capacity/list_wrong_totals": {},
    "capacity/list_implausible_sizes": {},
    "capacity/record_uncollected_days": {"first_day": ASKED - timedelta(days=5), "zones": ["centre"], "session_id": None},
    "capacity/record_unreached_instances": {"instance_ids": [1], "reasons": ["timeout"], "details": ["asleep"], "session_id": None},
    "capacity/upsert_instance_sizes": {"instance_ids": [1, 2], "session_id": None, "shared_bytes": [None, None]},
    "capacity/list_recoverable_sizes": {"instance_id": 1},
    "capacity/list_largest_databases": {},
    "capacity/list_largest_groups": {"tag": None},
    "capacity/list_growth": {"first_day": ASKED - timedelta(days=10)},
    "capacity/list_database_history": {"first_day": ASKED - timedelta(days=10), "instance_id": 1, "database_name": "app"},
    "capacity/list_instance_history": {"first_day": ASKED - timedelta(days=10), "instance_id": 1},
    "forecasts/list_runway": {"newest_day": ASKED, "with_all": True},
    "sessions/list_unrepaired": {"needs_a_person": [], "cured_by_a_change": []},
}
Tables = Callable[[Database, str | Composable, Mapping[str, Any]], set[str]]
# 400 sessions of two records each.
SESSIONS = (
    "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
    "select gen_random_uuid(), 'capacity', 'scheduled_task', day::date, day::date, day "
    "from generate_series(timestamp '2025-10-01', timestamp '2026-11-04', interval '1 day') as day; "
    "insert into sync_instance_records (session_id, instance_id) select session_id, instance_id from sync_sessions, instances; "
    "analyze sync_sessions, sync_instance_records"
)
# Two years of days on which accounts were read, and a privilege that was granted on the day that is asked for.
OBSERVED = (
    "insert into account_observations (instance_id, observed_on, observed_at, method, account_count, membership_count, privilege_count, "
    "unread_count) select instance_id, day::date, day, 'catalogue', 1, 0, 1, 0 "
    "from instances, generate_series(timestamp '2024-10-01', timestamp '2026-08-20', interval '1 day') as day; "
    "insert into instance_accounts (instance_id, account_name, account_kind, first_seen_date) values (1, 'app', 'user', '2024-10-01'); "
    "insert into account_privilege_facts (scope, privilege, is_grantable, origin, effect) "
    "values ('server', 'CONNECT', false, 'grant', 'grant'); "
    "insert into account_privileges (account_id, fact_id, valid_from) select account_id, fact_id, '2026-08-20' "
    "from instance_accounts, account_privilege_facts; analyze account_observations, instance_accounts, account_privileges"
)
# A copy of a database on each day, dropped the day after.
GONE = (
    "insert into database_activity (instance_id, database_name, active_from, active_until, database_id) "
    "select 1, 'copy_' || number, date '2026-08-19' - number, date '2026-08-20' - number, 100 + number "
    "from generate_series(2, 2000) as number; analyze database_activity"
)
# The same at a hundred instances: five copies a day at each.
GONE_EVERYWHERE = (
    "insert into instances (name, engine, host, port, credential_id) select name || number, engine, host, port + number, credential_id "
    "from instances, generate_series(1, 98) as number where name = 'shop'; "
    "insert into database_activity (instance_id, database_name, active_from, active_until, database_id) "
    "select instance_id, 'copy_' || number, date '2026-08-19' - number, date '2026-08-20' - number, 1000000 + number "
    "from instances, generate_series(2, 1000) as number; analyze instances, database_activity, instance_activity"
)
# 200 servers of 30 databases, on ten days.
LARGE_DAYS = """
insert into credentials (name, username) values ('all', 'monitor');
insert into instances (name, engine, host, port, credential_id)
select 'i' || i, 'mysql', '127.0.0.1', i, credential_id from credentials, generate_series(1, 200) as i;
insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method)
select instance_id, 'app_' || d, date '2026-08-20' - day, 1, now(), 'measured', 'x'
from instances, generate_series(1, 30) as d, generate_series(0, 9) as day;
insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance)
select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured' from database_size_stats group by 1, 2;
insert into database_size_aggregations
(instance_id, database_name, period_type, period_start, period_end, data_count, expected_count, estimated_count, is_final)
select instance_id, database_name, 'daily', stat_date, stat_date, 1, 1, 0, true from database_size_stats;
analyze instances, instance_size_stats, database_size_stats, database_size_aggregations
"""
BRIDGES = {"first_day": ASKED - timedelta(days=7), "last_day": ASKED, "max_gap_days": 7, "session_id": None}
# The query for the first stored day reads the end of every index, and only that one row.
EDGES = {"capacity/list_coverage", "capacity/record_uncollected_days", "capacity/list_database_history", "capacity/list_instance_history"}


@pytest.fixture(scope="module")
def history_template(postgres_server: PostgresCluster, store_template: str) -> Iterator[str]:
    """Two databases over more than a year, with gaps, and statistics as autovacuum keeps them."""
    with cloned_store(postgres_server, store_template) as store:
        orders, shop = register(store, "orders", "shop")
        days = days_from(date(2025, 10, 1), 400)
        keys = [(orders.instance_id, "app"), (shop.instance_id, "app")]
        write_days(store, {(key, day): ModelDay(None if day.day % 7 == 3 else 1000 + day.day) for key in keys for day in days})
        ensure_months(store, days)
        with store.transaction() as cursor:
            cursor.execute("analyze")
        store.close()  # a database that somebody uses cannot be copied
        yield str(store.url.database)


@pytest.fixture
def long_history(postgres_server: PostgresCluster, history_template: str) -> Iterator[Database]:
    """A copy of it for this test."""
    with cloned_store(postgres_server, history_template) as store:
        yield store


def months(tables: set[str]) -> set[str]:
    return {table for table in tables if "_stats_20" in table}


@pytest.mark.parametrize("tables", [tables_read, tables_planned])
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_query_about_days_reads_and_plans_only_their_months(long_history: Database, name: str, tables: Tables) -> None:
    seen = months(tables(long_history, queries.load(name), DAYS | STATEMENTS[name]))
    edges = {table for table in seen if name in EDGES and table.startswith("instance_size_stats")}
    assert seen - edges <= {"database_size_stats_2026_08", "instance_size_stats_2026_08", "instance_volume_stats_2026_08"}


@pytest.mark.parametrize("tables", [tables_read, tables_planned])
@pytest.mark.parametrize("name", ["capacity/list_interpolable_days", "capacity/estimate_gaps"])
def test_a_gap_is_interpolated_from_the_months_around_it(long_history: Database, name: str, tables: Tables) -> None:
    values: dict[str, Any] = BRIDGES | {"instance_ids": [1, 2]}
    statement = sql.SQL(queries.load(name)).format(interpolations=sql.SQL(queries.load("capacity/interpolate_gaps")))
    assert months(tables(long_history, statement, values)) == {"database_size_stats_2026_08"}


def test_the_nightly_query_reads_the_ledger_and_nothing_that_grows(long_history: Database) -> None:
    values = {"period_type": "daily", "today": ASKED, "daily_from": date.min}
    assert tables_planned(long_history, queries.load("aggregation/list_due_periods"), values) == {"stale_periods"}


def test_the_range_of_stored_days_is_read_from_the_ends_of_indexes(long_history: Database) -> None:
    assert rows_read(long_history, queries.load("aggregation/find_known_days"), {}) < 50


def test_the_newest_day_is_read_from_the_ends_of_indexes(long_history: Database) -> None:
    statement = queries.load("capacity/find_newest_day")
    assert rows_read(long_history, statement, {"first_day": None, "last_day": ASKED}) < 50
    month = {"first_day": ASKED - timedelta(days=10), "last_day": ASKED}
    assert tables_planned(long_history, statement, month) == {"instance_size_stats_2026_08"}


@pytest.mark.parametrize("after", [None, ("2026-08-20", "150", "app_3"), ("2026-08-19", "199", "app_30")])
def test_a_page_of_a_large_day_reads_its_own_rows(store: Database, after: tuple[str, str, str] | None) -> None:
    ensure_months(store, [ASKED])
    with store.transaction() as cursor:
        cursor.execute(LARGE_DAYS)
    day, *place = after or (None, None, None)
    values = {**FleetFilter().parameters, "database_name": None, "after_id": place[0], "after_name": place[1], "skipped": 0, "most": 5}
    sizes = {**values, "first_day": ASKED - timedelta(days=9), "last_day": ASKED, "after_day": day}
    assert rows_read(store, queries.load("capacity/list_sizes"), sizes) < 500
    periods = {**values, **next(Days().windows(ASKED)).parameters, "period_type": "daily", "after_start": day}
    assert rows_read(store, queries.load("aggregation/list_database_periods"), periods) < 500


@pytest.mark.parametrize("after", [(None, None), ("2026-08-20", "150"), ("2026-08-19", "199")])
def test_a_page_of_the_coverage_reads_its_own_days(store: Database, after: tuple[str | None, str | None]) -> None:
    ensure_months(store, [ASKED])
    with store.transaction() as cursor:
        cursor.execute(LARGE_DAYS)
    day, instance_id = after
    values = {**FleetFilter().parameters, "first_day": ASKED - timedelta(days=9), "last_day": ASKED, "skipped": 0, "most": 60}
    values |= {"after_day": day, "after_id": instance_id}
    databases, instances, days_of_page = 30, 200, 2
    assert rows_read(store, queries.load("capacity/list_instance_coverage"), values) < days_of_page * instances * (databases + 10)


def test_windows_reach_back_further_and_further() -> None:
    assert [days.first_day for days in Days().windows(ASKED)] == [date(2026, 7, 20), date(2025, 8, 19), None]
    assert list(Days(ASKED, ASKED).windows(ASKED)) == [Days(ASKED, ASKED)]


@pytest.mark.parametrize(("view", "days"), [("fleet_today", (0, 14)), ("database_growth", (0, 14, 21, 30, 44, 90, 104))])
def test_a_view_reads_the_months_of_its_days(long_history: Database, view: str, days: tuple[int, ...]) -> None:
    """The history must be around today, which the view asks the server for."""
    (today,) = query(long_history, "select current_date")[0]
    assert isinstance(today, date)
    ensure_months(long_history, [today - timedelta(days=count) for count in days])
    expected = {f"database_size_stats_{today - timedelta(days=count):%Y_%m}" for count in days}
    assert months(tables_planned(long_history, f"select * from {view}", {})) == expected


def test_the_newest_sessions_are_found_without_the_records_of_the_others(long_history: Database) -> None:
    with long_history.transaction() as cursor:
        cursor.execute(SESSIONS)
    values = dict.fromkeys(("session_id", "sync_category", "sync_type", "status", "zone", "after_start", "after_id"))
    assert rows_read(long_history, queries.load("sessions/list_sessions"), {**values, "skipped": 0, "most": 2}) < 50


def test_the_changes_of_a_day_are_found_without_the_observations_of_the_others(long_history: Database) -> None:
    values = {"day": ASKED, "first_day": ASKED, "last_day": ASKED, "names": None, "most": 10}
    with long_history.transaction() as cursor:
        cursor.execute(OBSERVED)
        cursor.execute(queries.load("accounts/list_changes"), values)
        assert [row[3] for row in cursor.fetchall()] == ["modify_privilege"]
    for name in ("accounts/list_changes", "accounts/summarize_observations"):
        assert rows_read(long_history, queries.load(name), values) < 50


def test_long_dropped_databases_are_not_read_for_an_inventory(long_history: Database) -> None:
    with long_history.transaction() as cursor:
        cursor.execute(GONE)
    assert rows_read(long_history, queries.load("capacity/summarize_inventory"), DAYS) < 50


@pytest.mark.parametrize("name", ["capacity/list_coverage", "capacity/record_uncollected_days", "capacity/summarize_days"])
def test_long_dropped_databases_are_not_read_for_a_range_of_days(long_history: Database, name: str) -> None:
    with long_history.transaction() as cursor:
        cursor.execute(GONE_EVERYWHERE)
    assert rows_read(long_history, queries.load(name), DAYS | STATEMENTS[name]) < 1000
