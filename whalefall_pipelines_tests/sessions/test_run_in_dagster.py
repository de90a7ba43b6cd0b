"""A run in a real Dagster process on real servers: its session, and that no secret is stored anywhere."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, period_of, periods_between
from whalefall_pipelines.domain.runs import aggregation, collection
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import RunFailedError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.run_in_dagster import find_reason, run_in_dagster
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query, register

pytestmark = pytest.mark.process
CANARY, WRONG = "canary-7f3a1c-right", "canary-7f3a1c-wrong"
_numbers = itertools.count()


@pytest.fixture
def installation(
    postgres_server: PostgresCluster, store_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, str]]:
    """The settings of an installation with two real instances, one with the right password; and its Dagster database."""
    number = next(_numbers)
    role, dagster = f"monitor_{number}", f"dagster_{number}"
    administer(postgres_server, f"create role {role} login password '{CANARY}'", f"create database {dagster}")
    monkeypatch.setenv("MONITOR_RIGHT_PASSWORD", CANARY)
    monkeypatch.setenv("MONITOR_WRONG_PASSWORD", WRONG)
    configured = load_settings({**store_environment, "WHALEFALL_DAGSTER_DATABASE_URL": postgres_server.url(dagster)})
    configured.home.mkdir(parents=True)
    yield configured, dagster
    administer(postgres_server, f"drop database {dagster} with (force)", f"drop role {role}")


def add_instances(store: Database, postgres_server: PostgresCluster, role: str) -> None:
    register(store, "right", "wrong", port=postgres_server.port)
    with store.transaction() as cursor:
        cursor.execute("update credentials set username = %s, secret = 'env:MONITOR_RIGHT_PASSWORD' where name = 'right'", (role,))
        cursor.execute("update credentials set username = %s, secret = 'env:MONITOR_WRONG_PASSWORD' where name = 'wrong'", (role,))


def everything_in(postgres_server: PostgresCluster, database: str) -> str:
    tables = administer(
        postgres_server,
        "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = %(schema)s",
        database=database,
        parameters={"schema": "public"},
    )
    rows = [administer(postgres_server, f"select t::text from {table} as t", database=database) for (table,) in tables]
    return "\n".join(str(row) for table_rows in rows for row in table_rows)


def test_a_run_measures_real_servers_and_leaves_no_secret(
    store: Database, postgres_server: PostgresCluster, installation: tuple[Settings, str]
) -> None:
    configured, dagster = installation
    add_instances(store, postgres_server, f"monitor_{dagster.removeprefix('dagster_')}")
    day = today(datetime.now(UTC), configured.timezone)
    shown: list[int] = []
    (session,) = run_in_dagster(configured, store, collection(day, day), on_progress=lambda session: shown.append(session.total_instances))
    assert (session.status, session.successful_instances, session.failed_instances) == (SessionStatus.FAILED, 1, 1)
    assert shown[-1] == 2
    records = {record.instance_name: record for record in sessions.list_records(store, session.session_id)}
    assert records["wrong"].error_code == "DATABASE_CONNECTION_ERROR"
    assert records["wrong"].attempts == 1
    (stored,) = query(store, "select total_bytes from database_size_stats where database_name = 'postgres' and stat_date = %s", day)
    assert stored == administer(postgres_server, "select pg_database_size('postgres')")[0]
    history = everything_in(postgres_server, dagster)
    assert str(session.session_id) in history  # the run's tags lead to the session
    assert str(session.run_id) in history
    files = "\n".join(path.read_text(errors="replace") for path in configured.home.rglob("*") if path.is_file())
    for secret in (CANARY, WRONG):
        assert secret not in history
        assert secret not in everything_in(postgres_server, str(store.url.database))
        assert secret not in files


def test_a_failed_run_is_one_sentence_that_names_the_log(store: Database, installation: tuple[Settings, str], tmp_path: Path) -> None:
    configured, _ = installation
    broken = configured.model_copy(update={"dagster_database_url": "postgresql://nobody@127.0.0.1:9/dagster"})
    day = today(datetime.now(UTC), configured.timezone)
    with pytest.raises(RunFailedError, match=r"Dagster run failed: .*Exception: .*full log is in .*\.log"):
        run_in_dagster(broken, store, collection(day, day))


STEP_FAILED = "dagster.StepError: step failed"
STACK = "Stack Trace:\n  File x, line 1\n    f(g)\n      ^^^"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "it wrote nothing."),
        (f"{STEP_FAILED}\n\nIt was caused by:\nKeyError: 'end_day'\n\n{STACK}\n", "KeyError: 'end_day'"),
        (f"whalefall_pipelines.errors.InputError: no day\n{STEP_FAILED}\n{STACK}", "whalefall_pipelines.errors.InputError: no day"),
    ],
    ids=["nothing", "an unexpected error", "an error of whalefall"],
)
def test_the_reason_why_a_run_broke_is_its_innermost_error(tmp_path: Path, log: str, reason: str) -> None:
    (tmp_path / "log").write_text(log)
    assert find_reason(tmp_path / "log") == reason


def test_several_runs_execute_in_order_and_each_reports_its_partitions_to_dagster(
    store: Database, postgres_server: PostgresCluster, installation: tuple[Settings, str]
) -> None:
    configured, dagster = installation
    add_instances(store, postgres_server, f"monitor_{dagster.removeprefix('dagster_')}")
    day = today(datetime.now(UTC), configured.timezone)
    months = periods_between(PeriodType.MONTHLY, day - timedelta(days=40), day)
    past = collection(day - timedelta(days=3), day - timedelta(days=1))
    shown: list[object] = []
    runs = (past, collection(day, day), aggregation(months[0], months[-1]))
    opened = run_in_dagster(configured, store, *runs, on_progress=lambda session: shown.append(session.session_id))
    assert [(session.sync_category, session.sync_type) for session in opened] == [
        (SyncCategory.CAPACITY, SyncType.BACKFILL),
        (SyncCategory.CAPACITY, SyncType.MANUAL_TASK),
        (SyncCategory.AGGREGATION, SyncType.BACKFILL),
    ]
    assert [session.session_id for session in opened] == [run.session_id for run in runs]
    assert len({session.run_id for session in opened}) == len(runs)
    assert shown[-1] == runs[-1].session_id
    materialized = administer(
        postgres_server,
        "select asset_key, array_agg(distinct partition order by partition) from event_logs "
        "where dagster_event_type = 'ASSET_MATERIALIZATION' and partition is not null group by asset_key",
        database=dagster,
    )
    partitions = {str(key): keys for key, keys in materialized}
    assert partitions['["database_size_stats"]'] == [str(day - timedelta(days=age)) for age in (3, 2, 1, 0)]
    assert partitions['["database_size_aggregations", "monthly"]'] == [str(month.start) for month in months]


def test_no_run_follows_a_failed_one(store: Database, installation: tuple[Settings, str]) -> None:
    configured, _ = installation
    day = today(datetime.now(UTC), configured.timezone)
    month = period_of(PeriodType.MONTHLY, day + timedelta(days=31))
    with pytest.raises(RunFailedError, match="has not begun"):
        run_in_dagster(configured, store, aggregation(month, month), collection(day, day))
    assert query(store, "select array_agg(sync_category || ' ' || status) from sync_sessions") == [(["aggregation failed"],)]
