"""A login that could write is safe with whalefall: after a collected day, a connection test and a doctor run the server's own log
contains only reading statements, no transaction wrote, and a write through such a session is refused.

Each test ends with a deliberate write by the same login, to show that the log and the counters would have revealed it.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg2
import pymysql
import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.capacity.collect import capacity_collector
from whalefall_pipelines.doctor.examine import examine
from whalefall_pipelines.doctor.examined import Installation
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.connection_test import ConnectionTester
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import register
from whalefall_pipelines_tests.servers import mariadb
from whalefall_pipelines_tests.servers.postgresql import (
    MAJORS,
    ask_through,
    create_database,
    create_login,
    instance_of,
    new_cluster,
    superuser,
)
from whalefall_pipelines_tests.servers.running import running
from whalefall_pipelines_tests.servers.statements import writing

pytestmark = pytest.mark.process
MARK = "@@"


def probe_in_every_way(store: Database, environment: dict[str, str], engine: Engine, port: int, login: Login) -> None:
    """Collect a day of this server, test its connection, and run the doctor's checks; all of that must work."""
    register(store, "target", engine=engine, port=port)
    with store.transaction() as cursor:
        cursor.execute("update credentials set username = %s, secret = %s", (login.username, f"file:{environment['SECRET_FILE']}"))
    Path(environment["SECRET_FILE"]).write_text(str(login.password))
    configured = load_settings(environment)
    collection = server_collection(configured, store)
    collector = capacity_collector(configured, collection)
    instances = active_instances(store)
    day = today(datetime.now(UTC), configured.timezone)
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
    with sync_session(store, plan, instances):
        (outcome,) = collector.collect_day(instances, day, plan.session_id)
    assert (outcome.error, outcome.missing) == (None, ())
    assert outcome.measured
    tester = ConnectionTester(store, collection.fleet, collection.secrets, collector.filters, 2)
    assert [tested.is_fine for tested in tester.test_all(instances)] == [True]
    (finding,) = [outcome for outcome in examine(Installation(configured)) if outcome.check == "instances"]
    assert finding.sentence == "1 of 1 is reachable with all privileges."


@pytest.fixture
def environment(store_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return store_environment | {"SECRET_FILE": str(tmp_path / "secret")}


@dataclass(frozen=True, slots=True)
class PostgresTarget:
    """A PostgreSQL that logs every statement, and a superuser login."""

    cluster: PostgresCluster
    login: Login

    def statements(self) -> list[str]:
        """What this login has sent, as the server logged it."""
        entries = self.cluster.log.read_text(errors="replace").split(MARK)
        ours = [entry.partition(":")[2] for entry in entries if entry.startswith(f"{self.login.username}:")]
        return [logged[1] for entry in ours if (logged := re.match(r"\s*LOG:\s+(?:statement|execute [^:]*):\s*(.*)", entry, re.DOTALL))]

    def next_transaction(self) -> object:
        """The id that the next writing transaction will get, in any database of the server."""
        with superuser(self.cluster) as cursor:
            cursor.execute("select pg_snapshot_xmax(pg_current_snapshot())")
            return cursor.fetchone()


@pytest.fixture(params=MAJORS)
def postgres_target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostgresTarget]:
    options = ("log_statement=all", f"log_line_prefix={MARK}%u:")
    with running(new_cluster(request.param, tmp_path / "target", *options)) as cluster:
        create_database(cluster, "an app's")
        yield PostgresTarget(cluster, create_login(cluster, "mighty", "superuser"))


def test_a_postgresql_superuser_of_ours_writes_nothing(
    postgres_target: PostgresTarget, store: Database, environment: dict[str, str]
) -> None:
    cluster, login = postgres_target.cluster, postgres_target.login
    before = postgres_target.next_transaction()
    probe_in_every_way(store, environment, Engine.POSTGRESQL, cluster.port, login)
    sent = postgres_target.statements()
    assert len([statement for statement in sent if "pg_database_size" in statement]) >= 3, "the log is not read as it is written"
    assert writing(sent) == []
    assert postgres_target.next_transaction() == before

    with ServerFleet().connect(SIZES, instance_of(cluster), login) as probe:
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            ask_through(probe, "create table public.written (x integer)")
        assert ask_through(probe, "show transaction_read_only") == [("on",)]

    with (
        closing(psycopg2.connect(cluster.url(), user=login.username, password=login.password)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("create table public.written (x integer)")
        connection.commit()
    assert [statement for statement in writing(postgres_target.statements()) if "written" in statement] != []
    assert postgres_target.next_transaction() != before


def counters(target: mariadb.Target) -> dict[str, int]:
    """How many writing operations this MariaDB has performed."""
    commands = "INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|TRUNCATE|GRANT|REVOKE|LOAD|FLUSH|SET_PASSWORD"
    pattern = f"^(COM_({commands}).*|INNODB_ROWS_(INSERTED|UPDATED|DELETED)|BINLOG_COMMITS)$"
    rows = target.ask(f"select variable_name, variable_value from information_schema.global_status where variable_name regexp '{pattern}'")
    assert len(rows) > 20
    return {str(name): int(str(value)) for name, value in rows}


def mariadb_statements(target: mariadb.Target, login: Login) -> list[str]:
    """What this login has sent, as the server logged it; a changed default schema is not a statement."""
    rows = target.ask("select command_type, argument, user_host from mysql.general_log")
    ours = [(str(kind), _text(argument)) for kind, argument, who in rows if login.username in _text(who)]
    assert {kind for kind, _ in ours} <= {"Connect", "Query", "Init DB", "Quit", "Prepare", "Execute", "Close stmt"}
    return [argument for kind, argument in ours if kind in {"Query", "Prepare", "Execute"}]


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def test_a_mariadb_login_with_all_privileges_of_ours_writes_nothing(store: Database, environment: dict[str, str], tmp_path: Path) -> None:
    with mariadb.running(tmp_path / "target") as target:
        target.fill(target.create_schema("app"), "innodb", 5)
        target.fill("app", "aria", 5, "engine=aria")
        target.fill("app", "myisam", 5, "engine=myisam")
        login = Login("mighty", "mighty's \"password")
        target.ask(
            f"create user mighty@'127.0.0.1' identified by '{pymysql.converters.escape_string(str(login.password))}'",
            "grant all privileges on *.* to mighty@'127.0.0.1' with grant option",
            "set global log_output = 'TABLE'",
            "set global general_log = on",
        )
        before = counters(target)
        probe_in_every_way(store, environment, Engine.MYSQL, target.port, login)
        sent = mariadb_statements(target, login)
        assert len([statement for statement in sent if "innodb_sys_tablespaces" in statement]) >= 3, "the log is not read as it is written"
        assert writing(sent) == []
        assert counters(target) == before

        with ServerFleet().connect(SIZES, target.instance(), login) as probe, probe._session.connection.cursor() as cursor:  # type: ignore[attr-defined]
            for harm in ("create table app.written (x integer)", "insert into app.myisam values (0, 'x')", "drop table app.innodb"):
                with pytest.raises(pymysql.MySQLError, match="READ ONLY"):
                    cursor.execute(harm)

        with closing(pymysql.connect(host="127.0.0.1", port=target.port, user="mighty", password=str(login.password))) as connection:
            connection.cursor().execute("create table app.written (x integer)")
        assert "create table app.written (x integer)" in writing(mariadb_statements(target, login))
        assert counters(target) != before


PROBES = sorted(path.relative_to(queries.SQL_ROOT).with_suffix("").as_posix() for path in (queries.SQL_ROOT / "probes").rglob("*.sql"))


@pytest.mark.parametrize("name", PROBES)
def test_every_statement_for_a_monitored_server_only_reads(name: str) -> None:
    assert writing([queries.load(name)]) == []


@pytest.mark.parametrize(
    "statement",
    [
        "delete from x",
        "select 1; drop table x",
        "with gone as (delete from x returning *) select * from gone",
        "select * from x for update",
        "select nextval('s')",
        "select pg_terminate_backend(1)",
        "set global general_log = off",
        "show tables; drop table x",
        "select 1 into outfile 'x'",
        "exec sp_configure",
        "-- select\ncreate table x (y integer)",
    ],
)
def test_writing_statements_are_distinguished_from_reading_ones(statement: str) -> None:
    assert writing([statement]) == [statement]
