"""Reading the accounts of one server: against bare drivers with the same statements, against one query for each account, and how large a
server may be. Reading runs in its own process where memory is measured.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.accounts import ACCOUNTS
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.postgresql.databases import PARALLEL
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines_tests.benchmarks.crowd import peak_mebibytes
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.servers import mariadb

ROLES, DATABASES, TABLES, ROUNDS = 1000, 20, 40, 5
MANY, MANY_SECONDS, MANY_MEBIBYTES = 10_000, 5, 200
# So many accounts are asked for one by one; the seconds are scaled to all.
SAMPLE = 5
LOGIN = Login("monitor", "of the benchmark")
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "jit=off", "max_locks_per_transaction=2048")
_ROLES = """do $$ begin for number in {first}..{last} loop
    execute format('create role account_%s login', number);
    execute format('grant team_%s to account_%s', number %% 50, number);
    execute format('grant connect on database postgres to account_%s', number);
end loop; end $$"""
_CONTENTS = f"""do $$ begin for number in 1..{TABLES} loop
    execute format('create table table_%s (id integer)', number);
    execute format('grant select, insert on table_%s to team_%s, account_%s', number, number, number * 7);
    execute format('create function function_%s() returns integer language sql return 1', number);
end loop; end $$"""
_ONE_ACCOUNT = """select table_schema, table_name, privilege_type from information_schema.role_table_grants where grantee = %(name)s
    union all select b.rolname, a.rolname, '' from pg_auth_members join pg_roles as a on a.oid = member join pg_roles as b on b.oid = roleid
    where a.rolname = %(name)s"""


def new_server(folder: Path, roles: int, stack: ExitStack) -> PostgresCluster:
    """A server with this many accounts in 50 teams, and databases of tables that some of them may use."""
    cluster = PostgresCluster(for_store(major=18).bin_dir, folder, options=_OPTIONS, initdb_options=("--wal-segsize=4", "-N"))
    cluster.start(with_parent=True)
    stack.callback(cluster.stop)
    with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"create role {LOGIN.username} login password '{LOGIN.password}'")
        cursor.execute("do $$ begin for number in 0..49 loop execute format('create role team_%s', number); end loop; end $$")
        for first in range(1, roles + 1, 1000):
            cursor.execute(_ROLES.replace("%%", "%").format(first=first, last=min(roles, first + 999)))
        cursor.execute("create database application_0")
        with closing(psycopg2.connect(cluster.url("application_0"))) as inside, inside.cursor() as contents:
            contents.execute(_CONTENTS)
            inside.commit()
        for number in range(1, DATABASES):
            cursor.execute(f"create database application_{number} template application_0 strategy file_copy")
    return cluster


def read(instance: Instance) -> tuple[float, int]:
    """Seconds of a probe with both phases, and how many facts it read."""
    begun = time.monotonic()
    with ServerFleet().connect(ACCOUNTS, instance, LOGIN) as probe:
        listing = probe.list_accounts()
        privileges = probe.read_privileges(listing)
    seconds = time.monotonic() - begun
    assert privileges.unread == [], privileges.unread
    return seconds, len(listing.accounts) + len(privileges.memberships) + len(privileges.privileges)


def bare(cluster: PostgresCluster) -> float:
    """The same statements by psycopg2 with as many threads, rows fetched and thrown away. Seconds."""

    def ask(database: str, *statements: str) -> int:
        connection = psycopg2.connect(
            host=cluster.host, port=cluster.port, dbname=database, user=LOGIN.username, password=LOGIN.password, client_encoding="SQL_ASCII"
        )
        with closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            count = 0
            for statement in statements:
                cursor.execute(queries.load(f"probes/postgresql/{statement}"))
                count += len(cursor.fetchall())
            return count

    begun = time.monotonic()
    ask("postgres", "list_accounts", "list_memberships", "list_shared_privileges", "list_account_databases", "list_privileges")
    with ThreadPoolExecutor(PARALLEL) as pool:
        names = ["template1", *(f"application_{number}" for number in range(DATABASES))]
        assert sum(pool.map(lambda name: ask(name, "list_privileges"), names)) > DATABASES * TABLES
    return time.monotonic() - begun


def one_by_one(cluster: PostgresCluster) -> float:
    """One query for each account in each database, through connections that are open already. Seconds for all, from a sample."""
    with ExitStack() as stack:
        urls = [cluster.url(f"application_{number}") for number in range(DATABASES)]
        cursors = [stack.enter_context(closing(psycopg2.connect(url))).cursor() for url in urls]
        begun = time.monotonic()
        for number in range(1, SAMPLE + 1):
            for cursor in cursors:
                cursor.execute(_ONE_ACCOUNT, {"name": f"account_{number * 7}"})
                cursor.fetchall()
        return (time.monotonic() - begun) / SAMPLE * ROLES


def _postgresql(folder: Path, stack: ExitStack) -> Instance:
    cluster = new_server(folder, MANY, stack)
    return Instance(1, "target", Engine.POSTGRESQL, cluster.host, cluster.port, LOGIN.username)


def _mariadb(folder: Path, stack: ExitStack) -> Instance:
    """Its tables are filled directly, because CREATE USER takes minutes for so many."""
    target = stack.enter_context(mariadb.running(folder))
    numbers = f"mysql.seq_1_to_{MANY}"
    target.ask(
        f"create user {LOGIN.username} identified by '{LOGIN.password}'",
        f"grant select on mysql.* to {LOGIN.username}",
        "insert into mysql.global_priv select '%', concat('account_', seq), json_object('access', 0, 'plugin', 'mysql_native_password', "
        f"'authentication_string', '') from {numbers}",
        *(
            "insert into mysql.db (Host, Db, User, Select_priv, Insert_priv, Update_priv) "
            f"select '%', concat('application\\\\_', seq mod 100 + {place}), concat('account_', seq), 'Y', 'Y', 'Y' from {numbers}"
            for place in (0, 100, 200, 300)
        ),
    )
    return Instance(1, "target", Engine.MYSQL, target.host, target.port, LOGIN.username)


def _many(name: str, folder: Path, start: Callable[[Path, ExitStack], Instance]) -> list[Figure]:
    """Seconds and memory of a process that reads a large server."""
    with ExitStack() as stack:
        instance = start(folder, stack)
        command = [sys.executable, "-m", __name__, instance.engine, instance.host, str(instance.port)]
        rounds = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    seconds, facts, mebibytes = min(rounds)
    detail = f"{facts} accounts, memberships and privileges"
    return [
        Figure(f"read {MANY} accounts of {name}: seconds", seconds, MANY_SECONDS, "s", detail),
        Figure(f"read {MANY} accounts of {name}: memory", mebibytes, MANY_MEBIBYTES, "MiB", "the whole process"),
    ]


def measure(folder: Path) -> list[Figure]:
    """The ratios with one PostgreSQL, and large servers."""
    with ExitStack() as stack:
        cluster = new_server(folder / "ratios", ROLES, stack)
        instance = Instance(1, "target", Engine.POSTGRESQL, cluster.host, cluster.port, LOGIN.username)
        compared = alternate(lambda: read(instance)[0], lambda: bare(cluster), ROUNDS)
        singly = alternate(lambda: read(instance)[0], lambda: one_by_one(cluster), 2)
    subject = f"read {ROLES} accounts in {DATABASES} databases"
    return [
        Figure(f"{subject}: adapter / bare", compared.ratio, 1.3, "x", str(compared)),
        Figure(f"{subject}: adapter / one by one", singly.ratio, 1 / 20, "x", str(singly)),
        *_many("PostgreSQL", folder / "postgresql", _postgresql),
        *_many("MariaDB", folder / "mariadb", _mariadb),
    ]


def main(arguments: Sequence[str]) -> None:
    """Read one server; print seconds, facts and the largest resident set in MiB."""
    engine, host, port = arguments
    seconds, facts = read(Instance(1, "target", Engine(engine), host, int(port), LOGIN.username))
    print(json.dumps([seconds, facts, peak_mebibytes()]))


if __name__ == "__main__":
    main(sys.argv[1:])
