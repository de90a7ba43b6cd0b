"""Each engine as Dagster collects it from a listening server: measured, with the same reasons and codes where something is wrong,
and for SQL Server and Oracle a missed day recovered from the history that the server itself keeps."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS, fleet_day
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions.collection import Collection, server_collection
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers import mariadb as mariadb_servers
from whalefall_pipelines_tests.servers.dead_host import REFUSING, silent_host
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.oracle import targets as oracle_targets
from whalefall_pipelines_tests.servers.oracle.double import BLOCK, GIBIBYTE
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.postgresql import create_login, new_name
from whalefall_pipelines_tests.servers.sqlserver.catalogue import File
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, driver_of, new_server

pytestmark = [pytest.mark.process, oracle_targets.LEFTOVERS]
leftovers = oracle_targets.leftovers
mariadb, maria, oracle = mariadb_servers.mariadb, mariadb_servers.maria, oracle_targets.server


@pytest.fixture
def sqlserver() -> Iterator[SqlServer]:
    """A SQL Server with two user databases, through the best driver on this machine."""
    driver_of("microsoft")
    with new_server() as server:
        server.catalogue.add_database("shop", data_pages=100, log_pages=10, growth=0, used_pages=77)
        server.catalogue.add_database("crm", data_pages=200, log_pages=20)
        yield server


def set_up(store: Database, folder: Path, name: str, *, engine: Engine, port: int, login: Login) -> None:
    secret = folder / name
    secret.write_text(login.password or "", encoding="utf-8")
    register(store, name, engine=engine, port=port)
    with store.transaction() as cursor:
        cursor.execute("update credentials set username = %s, secret = %s where name = %s", (login.username, f"file:{secret}", name))


def run(
    store: Database, folder: Path, instance: dg.DagsterInstance, day: date, now: datetime | None = None, **more: str
) -> dg.ExecuteInProcessResult:
    environment = {"WHALEFALL_HOME": str(folder), "WHALEFALL_SECRET_FOLDERS": str(folder), "WHALEFALL_CONNECT_TIMEOUT_SECONDS": "2", **more}

    configured = load_settings(environment | {"WHALEFALL_FAIL_BELOW_COVERAGE": "0"})

    def collection() -> Collection:
        return replace(
            server_collection(configured, store),
            clock=lambda: now or datetime.now(UTC),
            retry_rule=RetryRule(pause_seconds=0),
        )

    result = dg.materialize(
        [fleet_day],
        selection=dg.AssetSelection.assets(INVENTORY, SIZES, TOTALS),
        partition_key=str(day),
        resources={
            "whalefall": bound(store, settings=configured),
            "servers": bound_servers(store, collection),
        },
        instance=instance,
    )
    assert result.success
    return result


def current_day() -> date:
    return today(datetime.now(UTC), ZONE)


def test_a_sql_server_is_collected_by_a_run(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance, sqlserver: SqlServer
) -> None:
    set_up(store, tmp_path, "erp", engine=Engine.SQLSERVER, port=sqlserver.port, login=LOGIN)
    sqlserver.catalogue.add_database("half", state="RESTORING")
    day = current_day()
    run(store, tmp_path, dagster_instance, day)
    columns = "database_name, total_bytes, data_bytes, log_bytes, used_bytes, provenance, method, growth_limit_bytes"
    assert query(store, f"select {columns} from database_size_stats where stat_date = %s order by 1", day) == [
        ("crm", 220 * 8192, 200 * 8192, 20 * 8192, None, "measured", "master_files", None),
        ("shop", 110 * 8192, 100 * 8192, 10 * 8192, 77 * 8192, "measured", "master_files", 110 * 8192),
    ]
    assert query(store, "select total_bytes, database_count, expected_count from instance_size_stats") == [(330 * 8192, 2, 2)]
    assert query(store, "select database_name, reason from capacity_gaps") == [("half", "unavailable")]
    assert query(store, "select server_version from instances") == [("SQL Server 16.0.4135.4",)]
    assert query(store, "select status, items_synced, sync_details ->> 'hidden' from sync_instance_records") == [("completed", 2, "4")]


def test_an_oracle_is_collected_by_a_run(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance, oracle: OracleServer
) -> None:
    set_up(store, tmp_path, "ora", engine=Engine.ORACLE, port=oracle.port, login=oracle_targets.LOGIN)
    oracle.double.add_tablespace("HALF", (GIBIBYTE, None), (None, None))
    run(store, tmp_path, dagster_instance, current_day())
    columns = "database_name, total_bytes, data_bytes, log_bytes, used_bytes, provenance, method, growth_limit_bytes"
    assert query(store, f"select {columns} from database_size_stats order by 1") == [
        ("TEMP", 2 * GIBIBYTE, 2 * GIBIBYTE, None, None, "measured", "dba_data_files", 2 * GIBIBYTE),
        ("USERS", GIBIBYTE, GIBIBYTE, None, 5 * BLOCK, "measured", "dba_data_files", 4 * GIBIBYTE),
    ]
    assert query(store, "select database_name, reason from capacity_gaps") == [("HALF", "incomplete")]
    assert query(store, "select server_version from instances") == [("Oracle 19.0.0.0.0 (ORCLPDB1)",)]
    assert query(store, "select status, items_synced, sync_details ->> 'hidden' from sync_instance_records") == [("completed", 2, "1")]


def test_a_fault_has_the_same_reason_and_code_on_every_engine(
    store: Database,
    tmp_path: Path,
    dagster_instance: dg.DagsterInstance,
    *,
    sqlserver: SqlServer,
    oracle: OracleServer,
    maria: Target,
    postgres_server: PostgresCluster,
) -> None:
    maria.create_schema()
    targets = {
        Engine.POSTGRESQL: (postgres_server.port, create_login(postgres_server, new_name("collected"))),
        Engine.MYSQL: (maria.port, maria.create_login()),
        Engine.SQLSERVER: (sqlserver.port, LOGIN),
        Engine.ORACLE: (oracle.port, oracle_targets.LOGIN),
    }
    assert set(targets) == set(Engine)
    with ExitStack() as hosts:
        for engine, (port, login) in targets.items():
            silent = hosts.enter_context(silent_host())
            set_up(store, tmp_path, f"{engine} fine", engine=engine, port=port, login=login)
            set_up(store, tmp_path, f"{engine} refused", engine=engine, port=REFUSING.port, login=login)
            set_up(store, tmp_path, f"{engine} silent", engine=engine, port=silent.port, login=login)
            set_up(store, tmp_path, f"{engine} wrong", engine=engine, port=port, login=Login(login.username, "not the password"))
        run(store, tmp_path, dagster_instance, current_day())
    rows = query(
        store,
        "select i.name, r.status, r.error_code, r.sync_details ->> 'reason' from sync_instance_records as r "
        "join instances as i using (instance_id) order by 1",
    )
    expected = {
        "fine": ("completed", None, None),
        "refused": ("failed", "DATABASE_CONNECTION_ERROR", "connection_refused"),
        "silent": ("failed", "DATABASE_CONNECTION_ERROR", "timeout"),
        "wrong": ("failed", "DATABASE_CONNECTION_ERROR", "authentication_failed"),
    }
    assert rows == [(f"{engine} {fault}", *answer) for engine in sorted(Engine) for fault, answer in expected.items()]
    # A rejected login is never retried: accounts get locked.
    assert (sqlserver.rejected_logins, oracle.rejected_logins) == (1, 1)


def test_a_missed_day_of_a_sql_server_is_recovered_and_shown_as_such(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance, sqlserver: SqlServer
) -> None:
    set_up(store, tmp_path, "erp", engine=Engine.SQLSERVER, port=sqlserver.port, login=LOGIN)
    day = current_day()
    before, missed = day - timedelta(days=3), day - timedelta(days=2)
    run(store, tmp_path, dagster_instance, before, now=datetime.now(UTC) - timedelta(days=3))
    begun = datetime.combine(missed, datetime.min.time()) + timedelta(hours=22)
    sqlserver.catalogue.add_backup("shop", begun, File("D", 5000), File("L", 700))
    sqlserver.catalogue.add_backup("shop", begun - timedelta(days=1), File("D", 4000), File("L", 600))  # that day was measured
    result = run(store, tmp_path, dagster_instance, missed)
    columns = "stat_date, database_name, total_bytes, data_bytes, log_bytes, provenance, method"
    assert query(store, f"select {columns} from database_size_stats where database_name = 'shop' order by 1") == [
        (before, "shop", 110 * 8192, 100 * 8192, 10 * 8192, "measured", "master_files"),
        (missed, "shop", 5700, 5000, 700, "recovered", "backup_file_size"),
    ]
    coverage = query(store, "select expected, measured, recovered, missing from capacity_coverage where stat_date = %s", missed)
    assert coverage == [(2, 0, 1, 1)]
    assert query(store, "select database_name, closed_by from capacity_gaps where stat_date = %s order by 1", missed) == [
        ("crm", None),
        ("shop", "recovered"),
    ]
    shown = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.step_materialization_data.materialization.asset_key == SIZES
    ]
    assert shown[0]["recovered"].value == 1


@pytest.mark.parametrize("licensed", ["yes", "no"])
def test_a_missed_day_of_an_oracle_is_recovered_from_awr_only_where_that_is_licensed(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance, oracle: OracleServer, licensed: str
) -> None:
    set_up(store, tmp_path, "ora", engine=Engine.ORACLE, port=oracle.port, login=oracle_targets.LOGIN)
    day = current_day()
    before, missed = day - timedelta(days=3), day - timedelta(days=2)
    run(store, tmp_path, dagster_instance, before, now=datetime.now(UTC) - timedelta(days=3))
    begun = datetime.combine(missed, datetime.min.time()) + timedelta(hours=22)
    oracle.double.add_snapshot(1, begun, {"USERS": (500, 900, 300)})
    run(store, tmp_path, dagster_instance, missed, WHALEFALL_ORACLE_AWR_LICENSED=licensed)
    columns = "database_name, total_bytes, data_bytes, used_bytes, growth_limit_bytes, provenance, method"
    recovered = ("USERS", 500 * BLOCK, 500 * BLOCK, 300 * BLOCK, 900 * BLOCK, "recovered", "dba_hist_tbspc_space_usage")
    assert query(store, f"select {columns} from database_size_stats where stat_date = %s", missed) == (
        [recovered] if licensed == "yes" else []
    )
    assert any("dba_hist" in statement for statement in oracle.double.statements) is (licensed == "yes")
    closed_by = "recovered" if licensed == "yes" else None
    assert query(store, "select database_name, closed_by from capacity_gaps where stat_date = %s order by 1", missed) == [
        ("TEMP", None),
        ("USERS", closed_by),
    ]
