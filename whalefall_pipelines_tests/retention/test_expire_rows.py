"""Rows outside table partitions that expire: which go, which stay, and that the cost of deleting depends only on what is deleted."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.retention.expire_rows import Databases, expire_rows, plan_rows, read_footprint, record_footprint
from whalefall_pipelines.retention.expired_rows import RowKind
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import changed, query, register

SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})
TODAY = date(2026, 11, 22)
OLDEST = Month(2025, 11)
LONG_AGO, LATELY = TODAY - timedelta(days=91), TODAY - timedelta(days=89)
_numbers = itertools.count()


@pytest.fixture
def databases(store: Database, postgres_server: PostgresCluster) -> Iterator[Databases]:
    """A store with its months, beside a database with the few columns of Dagster's tables that the statements use."""
    for table_name in STATS_TABLES:
        for month in months_between(OLDEST, Month(2026, 11)):
            ensure_month(store, table_name, month)
    name = f"dagster_of_rows_{next(_numbers)}"
    administer(postgres_server, f"create database {name}")
    with closing(Database(parse_url(postgres_server.url(name)), TIMEZONE)) as dagster:
        with dagster.session() as cursor:
            cursor.execute("create table runs (id bigserial primary key, run_id text unique, status text, create_timestamp timestamp)")
            cursor.execute("create table event_logs (id bigserial primary key, run_id text, asset_key text, dagster_event_type text)")
            cursor.execute("create index on event_logs (run_id, id)")
            cursor.execute("create table kvs (key text primary key, value text)")
        yield Databases(store, dagster)
    administer(postgres_server, f"drop database {name} with (force)")


def session(
    store: Database,
    begun: date,
    *,
    category: str = "aggregation",
    status: str = "completed",
    retry_of: UUID | None = None,
    records: int = 0,
) -> UUID:
    """A session of one day that began on it, with this many records."""
    session_id = uuid4()
    with store.transaction() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at, retry_of) "
            "values (%s, %s, 'scheduled_task', %s, %s, %s, %s)",
            (str(session_id), category, begun, begun, begun, str(retry_of) if retry_of else None),
        )
        for number in range(1, records + 1):
            cursor.execute("insert into sync_instance_records (session_id, instance_id) values (%s, %s)", (str(session_id), number))
        if status != "running":
            cursor.execute("update sync_sessions set status = %s, completed_at = now() where session_id = %s", (status, str(session_id)))
    return session_id


def gap(store: Database, day: date, closed_by: str | None = None, session_id: UUID | None = None) -> None:
    query(
        store,
        "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, closed_by, session_id) "
        "values (1, 'app', %s, 'timeout', 'asleep', %s, %s) returning 1",
        day,
        closed_by,
        str(session_id) if session_id else None,
    )


def sessions_left(store: Database) -> set[UUID]:
    return {UUID(str(session_id)) for (session_id,) in query(store, "select session_id from sync_sessions")}


def deleted(databases: Databases, today: date = TODAY) -> Mapping[RowKind, int]:
    """What a run deletes: exactly what was planned, and afterwards nothing is left to delete."""
    planned = {outcome.kind: outcome.rows for outcome in plan_rows(databases, SETTINGS, today)}
    done = {outcome.kind: outcome.rows for outcome in expire_rows(databases, SETTINGS, today)}
    assert done == planned
    assert not any(outcome.rows for outcome in plan_rows(databases, SETTINGS, today))
    return done


def test_sessions_go_but_those_that_run_and_those_that_something_refers_to(databases: Databases) -> None:
    store = databases.store
    register(store, "a", "b")
    old_day = OLDEST.first_day - timedelta(days=1)
    kept = {
        session(store, LATELY, records=2),
        session(store, LONG_AGO, status="running", records=2),
        session(store, LONG_AGO, category="capacity"),  # its day is kept, and refers to it
    }
    retried = session(store, LONG_AGO, status="failed")
    kept |= {retried, session(store, LATELY, retry_of=retried)}
    session(store, LONG_AGO, records=2)
    session(store, LONG_AGO, category="partition")
    session(store, old_day, category="capacity", status="cancelled", records=1)
    assert deleted(databases) == dict.fromkeys(RowKind, 0) | {RowKind.RECORDS: 3, RowKind.SESSIONS: 3}
    assert sessions_left(store) == kept
    assert query(store, "select count(*) from sync_instance_records") == [(4,)]


def test_old_requests_and_tokens_that_ended_long_ago_go(databases: Databases) -> None:
    store, begun, ended, lately = databases.store, "2020-01-01", TODAY - timedelta(days=401), TODAY - timedelta(days=399)
    tokens = {
        # name: expires_at, revoked_at, the token that it comes from
        "forever": (None, None, None),
        "expired": (ended, None, None),
        "browser of expired": (ended, None, "expired"),
        "revoked": (lately, ended, None),
        "expired lately": (lately, None, None),
        "ended, and audited lately": (ended, None, None),
    }
    for name, (expires_at, revoked_at, parent) in tokens.items():
        query(
            store,
            "insert into api_tokens (kind, name, scope, digest, created_by, created_at, expires_at, revoked_at, parent_id)"
            " select 'browser', %s, 'read', sha256(%s::bytea), 'tests', %s, %s, %s,"
            " (select token_id from api_tokens where name = %s) returning 1",
            *(name, name, begun, expires_at, revoked_at, parent),
        )
    requests = {"1": ("expired", ended), "2": ("forever", ended), "3": ("ended, and audited lately", lately), "4": (None, ended)}
    for request_id, (name, requested_at) in requests.items():
        query(
            store,
            "insert into api_requests (request_id, requested_at, caller, token_id, method, path)"
            " values (%s, %s, 'tests', (select token_id from api_tokens where name = %s), 'POST', '/') returning 1",
            *(request_id, requested_at, name),
        )
    assert deleted(databases) == dict.fromkeys(RowKind, 0) | {RowKind.REQUESTS: 3, RowKind.TOKENS: 3}
    assert {name for (name,) in query(store, "select name from api_tokens")} == {"forever", "expired lately", "ended, and audited lately"}
    assert query(store, "select request_id from api_requests") == [("3",)]


def test_the_session_of_a_kept_day_loses_its_records_and_stays(databases: Databases) -> None:
    register(databases.store, "a")
    kept = session(databases.store, LONG_AGO, category="capacity", records=1)
    gap(databases.store, LONG_AGO, session_id=kept)
    assert deleted(databases)[RowKind.RECORDS] == 1
    assert sessions_left(databases.store) == {kept}
    assert query(databases.store, "select session_id::text from capacity_gaps") == [(str(kept),)]


def test_a_chain_of_retries_expires_as_a_whole(databases: Databases) -> None:
    first = session(databases.store, LONG_AGO, status="failed")
    second = session(databases.store, LONG_AGO, status="failed", retry_of=first)
    session(databases.store, LONG_AGO, retry_of=second)
    expire_rows(databases, SETTINGS, TODAY)
    assert sessions_left(databases.store) == set()


def test_gaps_go_with_their_days_whether_open_or_closed(databases: Databases) -> None:
    register(databases.store, "a")
    for closed_by in (None, "estimated"):
        for day in (OLDEST.first_day, OLDEST.first_day - timedelta(days=1)):
            gap(databases.store, day + timedelta(days=0 if closed_by else 40 if day == OLDEST.first_day else -40), closed_by)
    assert deleted(databases)[RowKind.GAPS] == 2
    assert query(databases.store, "select min(stat_date) from capacity_gaps") == [(OLDEST.first_day,)]


def test_a_gap_that_goes_makes_no_period_be_computed_from_what_is_left_of_its_days(databases: Databases) -> None:
    store = databases.store
    register(store, "a")
    kept = date(2026, 2, 3)
    for day in (date(2025, 10, 1), date(2025, 10, 31), OLDEST.first_day, kept):  # the third is in the same week as the second
        gap(store, day)
    query(store, "delete from stale_periods where true returning 1")
    gap(store, kept + timedelta(days=1))
    assert deleted(databases)[RowKind.GAPS] == 2
    expected = {(period_type, period_of(period_type, kept + timedelta(days=1)).start) for period_type in PeriodType}
    assert set(query(store, "select period_type, period_start from stale_periods")) == expected


def test_what_the_ledger_has_of_days_that_are_not_kept_is_forgotten_even_where_no_gap_goes(databases: Databases) -> None:
    query(databases.store, "insert into stale_periods values ('quarterly', '2025-10-01'), ('monthly', '2025-11-01') returning 1")
    expire_rows(databases, SETTINGS, TODAY)
    assert query(databases.store, "select period_type from stale_periods") == [("monthly",)]


def test_the_gaps_of_a_month_that_is_held_stay_with_it(databases: Databases) -> None:
    register(databases.store, "a")
    ensure_month(databases.store, STATS_TABLES[1], OLDEST.plus(-1))
    gap(databases.store, OLDEST.plus(-1).first_day)
    assert deleted(databases)[RowKind.GAPS] == 0


def events(databases: Databases, run_id: str, created: date, status: str, *types: tuple[str, str | None]) -> None:
    statement = "insert into runs (run_id, status, create_timestamp) values (%s, %s, %s) returning 1"
    query(databases.dagster, statement, run_id, status, created)
    for kind, asset in types:
        query(
            databases.dagster,
            "insert into event_logs (run_id, dagster_event_type, asset_key) values (%s, %s, %s) returning 1",
            run_id,
            kind,
            asset,
        )


STEPS = (("STEP_START", None), ("STEP_SUCCESS", None))


def test_events_of_old_runs_go_but_those_of_assets_and_checks(databases: Databases) -> None:
    kept = (("ASSET_MATERIALIZATION", '["x"]'), ("ASSET_CHECK_EVALUATION", None), ("ASSET_MATERIALIZATION_PLANNED", '["x"]'))
    events(databases, "old", LONG_AGO, "SUCCESS", *STEPS, *kept)
    events(databases, "nothing to keep", LONG_AGO, "FAILURE", *STEPS)
    events(databases, "running", LONG_AGO, "STARTED", *STEPS)
    events(databases, "young", LATELY, "SUCCESS", *STEPS)
    assert deleted(databases)[RowKind.EVENTS] == 4
    left = query(databases.dagster, "select run_id, dagster_event_type, asset_key from event_logs order by id")
    assert left == [("old", *step) for step in kept] + [(run, *step) for run in ("running", "young") for step in STEPS]
    assert query(databases.dagster, "select run_id from runs order by id") == [("old",), ("running",), ("young",)]


def test_the_events_of_a_run_are_read_once(databases: Databases) -> None:
    """Otherwise every night would read the remaining events of every run ever."""
    events(databases, "old", LONG_AGO, "SUCCESS", ("ASSET_MATERIALIZATION", '["x"]'))
    expire_rows(databases, SETTINGS, TODAY)
    events(databases, "next", LATELY, "SUCCESS", *STEPS)
    query(
        databases.dagster, "insert into event_logs (run_id) values ('old') returning 1"
    )  # nothing writes into an ended run, so this shows whether it is read again
    assert deleted(databases, TODAY + timedelta(days=2))[RowKind.EVENTS] == 2


def test_what_was_not_confirmed_is_not_deleted(databases: Databases) -> None:
    session(databases.store, LONG_AGO)
    planned = plan_rows(databases, SETTINGS, TODAY)
    with pytest.raises(InputError, match="nothing was deleted"):
        expire_rows(databases, changed(SETTINGS, RetentionSettings, session_retention_days=30), TODAY, confirmed=planned)
    assert len(sessions_left(databases.store)) == 1
    expire_rows(databases, SETTINGS, TODAY, confirmed=planned)
    assert sessions_left(databases.store) == set()


class Killed(BaseException):
    """The process ends between two batches."""


def test_an_interrupted_run_is_resumed_by_the_next_one(databases: Databases) -> None:
    register(databases.store, "a")
    for _ in range(3):
        session(databases.store, LONG_AGO, records=1)

    def kill(kind: RowKind, _rows: int) -> None:
        if kind is RowKind.RECORDS:
            raise Killed

    with pytest.raises(Killed):
        expire_rows(databases, SETTINGS, TODAY, on_batch=kill)
    assert query(databases.store, "select count(*) from sync_instance_records") == [(2,)]
    assert len(sessions_left(databases.store)) == 3
    assert deleted(databases) == dict.fromkeys(RowKind, 0) | {RowKind.RECORDS: 2, RowKind.SESSIONS: 3}


@pytest.fixture
def full(databases: Databases) -> Databases:
    """Enough kept rows to give the planner a choice: 300 sessions with 100 records each, and gaps of a year."""
    register(databases.store, *(f"i{number}" for number in range(100)))
    with databases.store.session() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
            "select gen_random_uuid(), 'capacity', 'scheduled_task', d, d, d "
            "from generate_series(date '2026-01-27', '2026-11-22', '1 day') d"
        )
        cursor.execute(
            "insert into sync_instance_records (session_id, instance_id) select session_id, instance_id from sync_sessions, instances "
            "where started_at >= '2026-08-25'"
        )
        cursor.execute("update sync_sessions set status = 'completed', completed_at = now()")
        cursor.execute(
            "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, closed_by) "
            "select instance_id, 'app', d, 'timeout', '', 'estimated' "
            "from instances, generate_series(date '2025-11-01', '2026-11-22', '1 day') d"
        )
        cursor.execute("analyze sync_sessions, sync_instance_records, capacity_gaps")
    with databases.dagster.session() as cursor:
        cursor.execute("insert into runs (run_id, status) select r, 'SUCCESS' from generate_series(1, 500) r")
        cursor.execute("insert into event_logs (run_id, asset_key) select r % 500 + 1, nullif(r % 2, 0) from generate_series(1, 50000) r")
        cursor.execute("analyze runs, event_logs")
    return databases


STATEMENTS = {
    "retention/list_sessions_with_expired_records": "sync_instance_records",
    "retention/delete_records": "sync_instance_records",
    "retention/delete_gaps": "capacity_gaps",
    "retention/count_expired_gaps": "capacity_gaps",
    "retention/dagster/list_expired_events": "event_logs",
}


@pytest.mark.parametrize(("name", "table"), STATEMENTS.items(), ids=STATEMENTS)
def test_deleting_never_scans_what_is_kept(full: Databases, name: str, table: str) -> None:
    database = full.dagster if "dagster" in name else full.store
    values = {
        "before": LONG_AGO - timedelta(days=300 if "gaps" in name else 0),
        "most": 10_000,
        "session_id": str(uuid4()),
        "run_ids": ["7"],
    }
    with database.transaction() as cursor:
        cursor.execute("explain (format json) " + queries.load(name).partition("\n\n")[0], values)
        ((plan,),) = cursor.fetchall()
    scans = {node["Node Type"] for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == table}
    assert scans, plan
    assert not scans & {"Seq Scan"}, json.dumps(plan, indent=1)


def nodes(plan: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield plan
    for child in plan.get("Plans", []):  # type: ignore[attr-defined]
        yield from nodes(child)


def test_the_footprint_is_what_the_server_says_and_its_growth_what_was_written_down(databases: Databases) -> None:
    before = read_footprint(databases, TODAY)
    (whole,) = query(databases.store, "select pg_database_size(current_database())")[0]
    assert (sum(size for kind, size in before.sizes.items() if kind != "dagster"), before.growth_bytes(["sizes"])) == (whole, None)
    sizes = {"sizes": 1}
    record_footprint(databases, replace(before, sizes=sizes, today=TODAY - timedelta(days=500)))
    record_footprint(
        databases, replace(before, sizes=sizes, today=TODAY - timedelta(days=31))
    )  # older than the window in which growth is measured
    record_footprint(databases, replace(before, today=TODAY - timedelta(days=10)))
    query(databases.store, "create table somebody as select repeat('x', 500) from generate_series(1, 9999); select 1")
    after = read_footprint(databases, TODAY)
    assert after.earlier_on == TODAY - timedelta(days=10)
    grown = after.sizes["other"] - before.sizes["other"]
    assert grown > 1_000_000
    assert after.growth_bytes(["other"]) == round(grown / 10)
    assert query(databases.store, "select min(measured_on) from footprints") == [(TODAY - timedelta(days=31),)]
