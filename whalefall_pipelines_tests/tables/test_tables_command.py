"""`whalefall tables` on a real server: what it prints, its codes, and its exit codes."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.cli.commands import document, refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers.postgresql import create_database, superuser

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


def test_it_names_the_table_behind_the_growth(store: Database, postgres_server: PostgresCluster, environment: Environment) -> None:
    database = create_database(postgres_server)
    with superuser(postgres_server, database) as cursor:
        cursor.execute("create table quiet as select generate_series(1, 10000) as number")
        cursor.execute("create table busy as select generate_series(1, 1000) as number")
        cursor.execute('create schema "we.ird"')
        cursor.execute('create table "we.ird"."na.me" (number integer)')
    target = f"up/{database}"
    assert "were never read" in refused(environment, "tables", target)
    first = document(environment, "tables", target, "--refresh")
    assert (first["code"], first["before_date"]) == ("OPERATION_SUCCESS", None)
    assert (first["total_bytes"],) == administer(postgres_server, f"select pg_database_size('{database}')")[0]
    assert first["total_bytes"] == sum(table["total_bytes"] for table in first["tables"])
    tables = ("table_size_stats", "table_size_observations")
    ensure_months(store, [date.fromisoformat(first["stat_date"]) - timedelta(days=1)], tables)
    for table in tables:
        query(store, f"update {table} set stat_date = stat_date - 1 returning 1")
    with superuser(postgres_server, database) as cursor:
        cursor.execute("insert into busy select generate_series(1, 50000)")
        cursor.execute("create table fresh as select 1 as number")
    second = document(environment, "tables", target, "--refresh", "--limit", "50")
    changes = {table["table_name"]: (table["change_bytes"], table["is_new"]) for table in second["tables"]}
    assert changes["quiet"] == (0, False)
    assert changes["fresh"] == (8192, True)
    assert changes["busy"][0] > 1_500_000
    shown = succeed(environment, "tables", "--schema", "public", target)
    assert shown.index("public.busy") < shown.index("public.quiet")
    assert "(new)" in shown
    rows = list(csv.DictReader(io.StringIO(succeed(environment, "tables", target, "--csv"))))
    assert {row["table_name"] for row in rows} == {"", "quiet", "busy", "fresh", "na.me"}
    days = document(environment, "tables", "history", f"{target}.public.busy")
    assert len(days) == 2
    assert days[1]["total_bytes"] - days[0]["total_bytes"] == changes["busy"][0]
    assert len(document(environment, "tables", "history", f"{target}.we.ird.na.me")) == 2
    assert "No table" in refused(environment, "tables", "history", f"{target}.public.absent")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("absent/shop", "RESOURCE_NOT_FOUND"),
        ("down/shop", "DATABASE_CONNECTION_ERROR"),
        ("up/no such database", "SYNC_DATA_ERROR"),
        ("up", "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_read_answers_with_its_code(environment: Environment, target: str, code: str) -> None:
    result = whalefall(environment, "tables", target, "--refresh", "--json")
    assert result.exit_code == 2, result.output
    assert json.loads(result.stdout)["code"] == code
