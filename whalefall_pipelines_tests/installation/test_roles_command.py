"""A production deployment as documented: roles separated with psql, Dagster with the writer's login, and no problem for the doctor."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import refused, succeed
from whalefall_pipelines_tests.cli.trees import Home, eventually, running

ROLES = ("prod_owner", "prod_writer", "prod_reader")
NAMES = ("--owner", "prod_owner", "--writer", "prod_writer", "--reader", "prod_reader")


def test_the_statements_are_printed_and_nothing_is_changed(store: Database, store_environment: dict[str, str]) -> None:
    output = succeed(store_environment, "store", "roles", *NAMES)
    assert 'grant select, insert, update on all tables in schema "public" to "prod_writer";' in output
    assert "{" not in output
    with store.transaction() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = 'prod_owner'")
        assert cursor.fetchall() == []
    assert "Invalid role names" in refused(store_environment, "store", "roles", "--owner", "a b")


@pytest.fixture
def databases(postgres_server: PostgresCluster) -> Iterator[tuple[str, str]]:
    """Two databases; afterwards the roles are removed, too."""
    names = ("prod_whalefall", "prod_dagster")
    administer(postgres_server, *(f"create database {name}" for name in names))
    yield names
    administer(
        postgres_server, *(f"drop database {name} with (force)" for name in names), *(f"drop role if exists {name}" for name in ROLES)
    )


@pytest.mark.process
def test_a_production_with_separated_roles_runs_and_is_in_order(
    postgres_server: PostgresCluster, databases: tuple[str, str], tmp_path: Path
) -> None:
    whalefall, dagster = databases

    def home(login: str) -> Home:
        urls = [postgres_server.url(name) if login == "postgres" else _url(postgres_server, login, name) for name in databases]
        variables = {"WHALEFALL_DATABASE_URL": urls[0], "WHALEFALL_DAGSTER_DATABASE_URL": urls[1], "MONITOR_PASSWORD": "monitor's"}
        return Home(tmp_path / "home", variables)

    administrator, owner, writer = home("postgres"), home("prod_owner"), home("prod_writer")
    administrator.succeed("store", "migrate")
    for database, name in (("whalefall", whalefall), ("dagster", dagster)):
        for _ in range(2):
            _psql(postgres_server, name, administrator.succeed("store", "roles", *NAMES, "--database", database))
    administer(postgres_server, *(f"alter role {role} password '{role}'" for role in ROLES), "drop role if exists prod_monitor")
    administer(postgres_server, "create role prod_monitor login password 'monitor''s' in role pg_read_all_stats")
    assert "up to date" in owner.succeed("store", "migrate")
    assert "42501" in writer.run("store", "migrate").stderr
    add = ("instances", "add", "self", "--engine", "postgresql", "--host", "127.0.0.1", "--port", str(postgres_server.port))
    add = (*add, "--username", "prod_monitor", "--secret", "env:MONITOR_PASSWORD")
    assert "42501" in writer.run(*add).stderr
    owner.succeed(*add)
    with running(writer, free_port()) as up:
        # The sensor requests the missing months, which the writer's run creates.
        assert eventually(lambda: "problem" not in writer.run("doctor").stdout, seconds=60), writer.run("doctor").stdout
        assert up.process.poll() is None
        writer.succeed("collect")
        writer.succeed("aggregate", "--period", "monthly", "--start", "2026-10-01")
        writer.succeed("partitions", "expire")
        output = writer.succeed("doctor")
    assert "warning" not in output
    assert output.count("ok ") == 11
    assert "no heartbeat" not in output
    with contextlib.closing(psycopg2.connect(_url(postgres_server, "prod_reader", whalefall))) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from database_size_stats where method = 'pg_database_size'")
        assert (cursor.fetchone() or (0,))[0] > 0
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _ask(_url(postgres_server, "prod_reader", whalefall), "select secret from credentials")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _ask(_url(postgres_server, "prod_reader", dagster), "select * from runs")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _ask(_url(postgres_server, "prod_writer", dagster), "truncate runs")
    administer(postgres_server, "drop role prod_monitor")


def _ask(url: str, statement: str) -> None:
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _url(cluster: PostgresCluster, role: str, database: str) -> str:
    return f"postgresql://{role}:{role}@127.0.0.1:{cluster.port}/{database}"


def _psql(cluster: PostgresCluster, database: str, text: str) -> None:
    command = [str(cluster.bin_dir / "psql"), "-X", "-1", "-v", "ON_ERROR_STOP=1", "-d", cluster.url(database)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
