"""`whalefall collect` on named instances and `whalefall sessions`: what they print, and their exit codes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import RecordStatus, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, register, server

Environment = dict[str, str]


@pytest.fixture
def environment(store: Database, postgres_server: PostgresCluster, store_environment: Environment) -> Environment:
    """Two instances: `up` is a real server, `down` an address where nothing listens."""
    password = postgres_server.pgpass.read_text().strip().rsplit(":", 1)[1]
    register(store, "up", port=postgres_server.port)
    register(store, "down", port=9)
    with store.transaction() as cursor:
        cursor.execute("update credentials set username = %s, secret = 'env:MONITOR_SUPERUSER_PASSWORD'", (postgres_server.superuser,))
    return {**store_environment, "MONITOR_SUPERUSER_PASSWORD": password}


def test_one_instance_is_measured_at_once_and_without_a_session(
    store: Database, postgres_server: PostgresCluster, environment: Environment
) -> None:
    result = whalefall(environment, "collect", "--instance", "up", "--json")
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["instance"], row["code"], row["missing"]) == ("up", "OPERATION_SUCCESS", [])
    assert query(store, "select count(*) from sync_sessions") == [(0,)]
    (stored,) = query(store, "select total_bytes from database_size_stats where database_name = 'postgres'")
    assert stored == administer(postgres_server, "select pg_database_size('postgres')")[0]
    assert query(store, "select total_bytes from instance_size_stats") == [(row["total_bytes"],)]


def test_an_instance_that_cannot_be_reached_answers_with_its_code(environment: Environment) -> None:
    result = whalefall(environment, "collect", "--instance", "down", "--json")
    assert result.exit_code == 2
    (row,) = json.loads(result.stdout)
    assert (row["code"], row["missing"]) == ("DATABASE_CONNECTION_ERROR", None)


def test_some_of_several_is_partial(environment: Environment) -> None:
    result = whalefall(environment, "collect", "--instance", "up", "--instance", "down")
    assert result.exit_code == 1
    assert "OPERATION_SUCCESS" in result.stdout
    assert "DATABASE_CONNECTION_ERROR" in result.stdout


def test_an_instance_that_does_not_exist(environment: Environment) -> None:
    assert "'nobody'" in refused(environment, "collect", "--instance", "nobody")
    result = whalefall(environment, "collect", "--instance", "nobody", "--json")
    assert (result.exit_code, json.loads(result.stdout)[0]["code"]) == (2, "RESOURCE_NOT_FOUND")


def test_an_empty_fleet_gets_a_next_step(store_environment: Environment) -> None:
    assert "whalefall instances add" in refused(store_environment, "collect")


def test_no_session_yet_is_a_sentence(store_environment: Environment) -> None:
    assert "whalefall collect" in succeed(store_environment, "sessions", "list")
    assert document(store_environment, "sessions", "list") == []


def test_sessions_are_listed_and_shown_by_a_prefix_of_their_id(store: Database, tmp_path: Path, store_environment: Environment) -> None:
    now = datetime.now(UTC)
    fleet = FleetTest(store, tmp_path, {"a\n🐋": server({"app": 5, "secret": None}), "gone": server({})}, now=now)
    session_id, _ = fleet.collect(today(now, TIMEZONE))
    assert str(session_id)[:8] in succeed(store_environment, "sessions", "list")
    shown = succeed(store_environment, "sessions", "show", str(session_id)[:6])
    assert "a\\n🐋" in shown
    begun = query(store, "select to_char(started_at at time zone %s, 'YYYY-MM-DD HH24:MI:SS') from sync_sessions", TIMEZONE.key)
    assert f"started      {begun[0][0]}" in shown  # in the time zone of the days, not of this machine
    assert "no_permission" in shown
    (listed,) = document(store_environment, "sessions", "list")
    assert (UUID(listed["session_id"]), listed["status"]) == (session_id, "completed")
    records = document(store_environment, "sessions", "show", str(session_id))["records"]
    assert {record["instance_name"]: record["items_synced"] for record in records} == {"a\n🐋": 1, "gone": 0}


def test_failures_are_counted_by_code_and_grouped_by_reason(store: Database, tmp_path: Path, store_environment: Environment) -> None:
    refused_one = UnreachableError("nothing listens", reason="connection_refused")
    servers = {name: server(refusal=refused_one) for name in ("a", "b")} | {"empty": server({"app": None}), "good": server()}
    now = datetime.now(UTC)
    session_id, _ = FleetTest(store, tmp_path, servers, now=now).collect(today(now, TIMEZONE))
    shown = succeed(store_environment, "sessions", "show", str(session_id))
    assert "2 DATABASE_CONNECTION_ERROR (connection_refused): a, b" in shown
    assert "1 SYNC_DATA_ERROR (no_permission): empty" in shown
    records = [line.split() for line in shown.partition("instance ")[2].splitlines()[1:]]
    assert {words[0]: words[4] for words in records} == {"a": "–", "b": "–", "empty": "1", "good": "0"}
    (listed,) = document(store_environment, "sessions", "list")
    assert listed["failures"] == {"DATABASE_CONNECTION_ERROR": 2, "SYNC_DATA_ERROR": 1}


def test_only_a_running_session_can_be_cancelled_and_once(store: Database, store_environment: Environment) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    sessions.open_session(store, plan, [instance.instance_id for instance in register(store, "a", "b")])
    output = succeed(store_environment, "sessions", "cancel", str(plan.session_id)[:8])
    assert f"Session {plan.session_id} is cancelled: 0 of 2 instances" in output
    assert "is already cancelled; only a running session can be cancelled" in refused(
        store_environment, "sessions", "cancel", str(plan.session_id)
    )
    assert {record.status for record in sessions.list_records(store, plan.session_id)} == {RecordStatus.PENDING}


def test_a_session_without_records_shows_why_it_failed(store: Database, store_environment: Environment) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.PARTITION, SyncType.SCHEDULED_TASK, DAY, DAY)
    sessions.open_session(store, plan, [])
    why = "2026-04 is in the way"
    sessions.abandon_session(store, plan.session_id, SessionStatus.FAILED, error_code="MISSING_MONTH", error_message=why)
    assert f"MISSING_MONTH: {why}" in succeed(store_environment, "sessions", "show", str(plan.session_id))
    assert "MISSING_MONTH" in succeed(store_environment, "sessions", "list")
    (listed,) = document(store_environment, "sessions", "list")
    assert (listed["error_code"], listed["error_message"]) == ("MISSING_MONTH", why)


def test_a_session_that_does_not_exist(store_environment: Environment) -> None:
    assert "There is no session" in refused(store_environment, "sessions", "show", "ffff")
    assert "There is no session" in refused(store_environment, "sessions", "show", "%' or true --")


def test_the_demo_keeps_its_simulated_history_out_of_an_external_store(store_environment: Environment) -> None:
    assert "WHALEFALL_DATABASE_URL" in refused(store_environment, "demo")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("WHALEFALL_TIMEZONE", "Mars/Olympus", "time zone"),
        ("WHALEFALL_START_DATE", "yesterday", "YYYY-MM-DD"),
        ("WHALEFALL_GRACE_HOURS", "99", "from 0 to 23"),
        ("WHALEFALL_PARALLEL_INSTANCES", "many", "from 1 to 512"),
        ("WHALEFALL_DATABASE_URL", "mysql://me:hunter2@host/x", "is ambiguous"),
        ("WHALEFALL_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:9/x", "cannot be reached"),
        ("WHALEFALL_DATABASE_URL", "::hunter2::", "is ambiguous"),
        ("WHALEFALL_DATABASE_URL", "postgresql://me:hunter2/x", "is ambiguous"),
        ("WHALEFALL_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:9/x?odd=1", "An option"),
    ],
)
def test_an_invalid_setting_is_one_sentence(store_environment: Environment, name: str, value: str, word: str) -> None:
    sentence = refused({**store_environment, name: value}, "sessions", "list")
    assert word in sentence
    assert "hunter2" not in sentence
    assert len(sentence.strip().splitlines()) == 1
