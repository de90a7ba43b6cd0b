"""`whalefall instances test` against real servers: every problem comes with its remedy."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2 import sql

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, everything, refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES
from whalefall_pipelines_tests.servers.postgresql import superuser

PASSWORD = "hunter2-canary"


@pytest.fixture
def target(postgres_server: PostgresCluster) -> Iterator[PostgresCluster]:
    """A server with a monitoring login and databases with hostile names, one of which the login cannot measure."""
    created = [sql.Identifier(name) for name in (*HOSTILE_NAMES, "closed")]
    with superuser(postgres_server) as cursor:
        cursor.execute(sql.SQL("create role {} login password {}").format(sql.Identifier("moni tor"), sql.Literal(PASSWORD)))
        for name in created:
            cursor.execute(sql.SQL("create database {} strategy file_copy").format(name))
        cursor.execute("revoke connect on database closed from public")
    yield postgres_server
    with superuser(postgres_server) as cursor:
        for name in created:
            cursor.execute(sql.SQL("drop database {} with (force)").format(name))
        cursor.execute('drop role "moni tor"')


def add(environment: dict[str, str], name: str, port: int, *options: str) -> None:
    login = ("--username", "moni tor", "--secret", "env:MONITOR_TARGET_PASSWORD")
    succeed(environment, "instances", "add", name, "--engine", "postgresql", "--host", "127.0.0.1", "--port", str(port), *login, *options)


def examined(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any]]:
    result = whalefall(environment, "instances", "test", "--json", *arguments)
    return result.exit_code, {row["name"]: row for row in json.loads(result.stdout)}


def test_the_suggested_grant_makes_the_database_measurable(
    store: Database, store_environment: dict[str, str], target: PostgresCluster
) -> None:
    environment = store_environment | {"MONITOR_TARGET_PASSWORD": PASSWORD}
    add(environment, "db1", target.port)
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 1
    grant = 'GRANT pg_monitor TO "moni tor";'
    assert f"db1: closed cannot be measured; run on that server: {grant}" in result.stdout
    code, results = examined(environment)
    assert (code, results["db1"]["missing"]) == (1, [{"database": "closed", "reason": "no_permission", "detail": grant}])
    with superuser(target) as cursor:
        cursor.execute(grant)
    code, results = examined(environment)
    tested = results["db1"]
    assert (code, tested["result"], tested["hidden"], tested["missing"]) == (0, "fine", 2, [])
    assert tested["measurable"] == tested["visible"] - 2 >= len(HOSTILE_NAMES)
    assert tested["version"].startswith("PostgreSQL ")
    assert 0 < tested["round_trip_seconds"] < 60
    (listed,) = document(environment, "instances", "list")
    assert listed["version"] == tested["version"]
    assert listed["last_connected"] is not None
    assert query(store, "select count(*) from instance_databases") == [(0,)]


def test_the_filter_file_hides_databases(store_environment: dict[str, str], target: PostgresCluster, tmp_path_factory: Any) -> None:
    filters = tmp_path_factory.mktemp("filters") / "filters.yaml"
    filters.write_text("postgresql: {names: [closed], patterns: ['two%']}", encoding="utf-8")
    environment = store_environment | {"MONITOR_TARGET_PASSWORD": PASSWORD, "WHALEFALL_FILTERS_FILE": str(filters)}
    add(environment, "db1", target.port)
    code, results = examined(environment)
    assert (code, results["db1"]["hidden"]) == (0, 4)
    filters.write_text("postgresql: []", encoding="utf-8")
    assert "line 1" in refused(environment, "instances", "test")


def test_one_problem_among_others_is_code_one_and_nothing_reachable_is_code_two(
    store_environment: dict[str, str], postgres_server: PostgresCluster
) -> None:
    with superuser(postgres_server) as cursor:
        cursor.execute(sql.SQL('create role "moni tor" login password {} in role pg_read_all_stats').format(sql.Literal(PASSWORD)))
    try:
        environment = store_environment | {"MONITOR_TARGET_PASSWORD": PASSWORD}
        add(environment, "up", postgres_server.port)
        add(environment, "down", free_port())
        add(
            environment,
            "wrong",
            postgres_server.port,
            "--credential-name",
            "other",
            "--database",
            "postgres",
            "--secret",
            "env:MONITOR_NOT_SET",
            "--replica",
        )
        code, results = examined(environment)
        assert code == 1
        assert {name: result["result"] for name, result in results.items()} == {
            "up": "fine",
            "down": "connection_refused",
            "wrong": "secret_unreadable",
        }
        assert "NOT_SET" in results["wrong"]["error"]
        assert results["down"]["visible"] is None
        assert examined(environment, "up")[0] == 0
        assert examined(environment, "down", "wrong")[0] == 2
        rejected = whalefall(environment | {"MONITOR_TARGET_PASSWORD": "not the password"}, "instances", "test", "up")
        assert (rejected.exit_code, "authentication_failed" in rejected.stdout) == (2, True)
        assert "not the password" not in everything(rejected)
    finally:
        with superuser(postgres_server) as cursor:
            cursor.execute('drop role "moni tor"')


def test_a_disabled_instance_is_tested_only_by_name(store_environment: dict[str, str]) -> None:
    add(store_environment, "off", free_port())
    succeed(store_environment, "instances", "disable", "off")
    assert "No instance is active" in succeed(store_environment, "instances", "test")
    assert document(store_environment, "instances", "test") == []
    assert examined(store_environment, "off")[0] == 2
    assert "'nobody'" in refused(store_environment, "instances", "test", "nobody", "off")
