"""Faults of table sizes at the command: what a user sees, what is stored, and that the next refresh reads them."""

import json
import signal
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from whalefall_pipelines_tests.cli.commands import everything, whalefall
from whalefall_pipelines_tests.conftest import TIMEZONE, libpq_url
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.breaks import refused, wrong_password
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report, Stage
from whalefall_pipelines_tests.faults.fault import ORACLE, POSTGRESQL, Fault, parameters
from whalefall_pipelines_tests.faults.invariants import check_tables
from whalefall_pipelines_tests.faults.matrix import TABLES, TABLES_AT_A_SERVER, TABLES_AT_THE_STORE, TABLES_MEASURED
from whalefall_pipelines_tests.faults.scene import TARGET, Scene
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.stores import Store, own_store
from whalefall_pipelines_tests.faults.targets import MariadbTarget, PostgresTarget, Targets
from whalefall_pipelines_tests.fleet.test_postgresql import HOSTILE
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.mariadb import quoted as quoted_by_mariadb
from whalefall_pipelines_tests.servers.oracle import targets as oracle
from whalefall_pipelines_tests.servers.postgresql import quoted, superuser

pytestmark = [pytest.mark.process, oracle.LEFTOVERS]
leftovers = oracle.leftovers
Break = Callable[["Command"], AbstractContextManager[None]]
MANY, KEPT = 100_000, 20_000
# The bytes of a result that arrive before the fault.
SOME_BYTES = 40


class Command:
    """`whalefall tables target/wiki --refresh` against the server under fault."""

    def __init__(self, scene: Scene, more: Mapping[str, str] | None = None) -> None:
        self.scene = scene
        self.environment = {
            "WHALEFALL_HOME": str(scene.home),
            "WHALEFALL_DATABASE_URL": libpq_url(scene.store.url),
            "WHALEFALL_TIMEZONE": TIMEZONE.key,
            "WHALEFALL_INSTANCE_TIMEOUT_SECONDS": "60",
            **(more or {}),
        }
        assert scene.target
        self.target, self.database = scene.target, "wiki"

    def run(self, *arguments: str) -> Result:
        """Run it to its end."""
        return whalefall(self.environment, "tables", f"{TARGET}/{self.database}", "--refresh", "--json", *arguments)

    def read(self, *arguments: str) -> Any:
        """What it prints where nothing fails."""
        result = self.run(*arguments)
        assert result.exit_code == 0, everything(result)
        return json.loads(result.stdout)

    def reason(self) -> object:
        """Why nothing is stored of today."""
        ((reason,),) = query(self.scene.store, "select reason from table_size_observations where database_name = %s", self.database)
        return reason


@contextmanager
def forbidden(command: Command) -> Generator[None]:
    with command.target.forbidden("wiki"):
        yield


@contextmanager
def dropped(command: Command) -> Generator[None]:
    command.target.drop("wiki")
    command.scene.afterwards.callback(command.target.create, "wiki")
    yield


@contextmanager
def silent(command: Command) -> Generator[None]:
    proxy, sent = proxy_of(command), bytes_of_a_reading(command)
    proxy.stall(after_bytes=sent - SOME_BYTES)
    command.environment["WHALEFALL_INSTANCE_TIMEOUT_SECONDS"] = "3"
    yield
    command.environment["WHALEFALL_INSTANCE_TIMEOUT_SECONDS"] = "60"
    proxy.heal()


@contextmanager
def cut(command: Command) -> Generator[None]:
    proxy, sent = proxy_of(command), bytes_of_a_reading(command)
    proxy.cut(after_bytes=sent - SOME_BYTES)
    yield
    proxy.heal()


@contextmanager
def held_up(command: Command) -> Generator[None]:
    """The statement waits for a lock on a catalogue until its deadline."""
    assert isinstance(command.target, PostgresTarget)
    command.environment["WHALEFALL_STATEMENT_TIMEOUT_SECONDS"] = "1"
    with superuser(command.target.cluster, "wiki") as cursor:
        cursor.execute("begin")
        cursor.execute("lock table pg_largeobject in access exclusive mode")
        yield
        cursor.execute("rollback")
    command.environment["WHALEFALL_STATEMENT_TIMEOUT_SECONDS"] = "60"


def proxy_of(command: Command) -> ChaosProxy:
    assert command.scene.proxy
    return command.scene.proxy


def bytes_of_a_reading(command: Command) -> int:
    """What the server sends when nothing fails; what was stored of it is forgotten."""
    proxy = proxy_of(command)
    command.read()
    begun = proxy.forwarded_bytes
    command.read()
    for table in ("table_size_stats", "table_size_observations"):
        query(command.scene.store, f"delete from {table} returning 1")
    return proxy.forwarded_bytes - begun


BREAKS: dict[str, Break] = {
    "connection refused": lambda command: refused(command.scene),
    "wrong password": lambda command: wrong_password(command.scene),
    "missing privilege on the database": forbidden,
    "database dropped": dropped,
    "server that goes silent during a query": silent,
    "connection reset in the middle of a result": cut,
    "statement past its deadline": held_up,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(TABLES_AT_A_SERVER))
def test_a_server_that_fails_leaves_a_reason_and_no_zero(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    command = Command(stage(engine))
    with BREAKS[fault.name.removeprefix(TABLES)](command):
        result = command.run()
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["code"]) == (2, fault.code), everything(result)
    assert fault.says in answer["message"]
    assert str(command.target.login.password) not in everything(result)
    assert (command.reason(),) == fault.reasons
    assert query(command.scene.store, "select * from table_size_stats") == []
    check_tables(command.scene.store)
    begun = time.monotonic()
    command.scene.afterwards.close()
    command.read()
    assert command.reason() is None
    check_tables(command.scene.store)
    report(fault, engine, time.monotonic() - begun)


def some_vanish(command: Command) -> None:
    """One session drops tables from the last one on, while the command reads them from the first one on."""
    assert isinstance(command.target, PostgresTarget)
    cluster, count = command.target.cluster, 2000
    with superuser(cluster, "wiki") as cursor:
        cursor.execute(f"do $$ begin for i in 1..{count} loop execute format('create table t_%s as select 1 as n', i); end loop; end $$")

    def drop() -> None:
        with superuser(cluster, "wiki") as cursor:
            for number in range(count, 0, -1):
                cursor.execute(f"drop table t_{number}")

    vanished = 0
    with ThreadPoolExecutor(1) as pool:
        dropping = pool.submit(drop)
        while not dropping.done():
            result = command.run("--limit", "5000")
            answer = json.loads(result.stdout)
            assert result.exit_code == (1 if answer["missing"] else 0), everything(result)
            vanished += sum(table["reason"] == "vanished" for table in answer["missing"])
            assert sum(table["total_bytes"] for table in answer["tables"]) == answer["total_bytes"]
            assert {table["total_bytes"] for table in answer["tables"] if table["table_name"]} <= {8192}
        dropping.result()
    assert vanished > 0
    assert [table["table_name"] for table in command.read()["tables"]] == [""]


def hostile(command: Command) -> None:
    """Databases, schemas and tables with names that break what quotes, splits or formats them."""
    if isinstance(command.target, MariadbTarget):
        server, names = command.target.server, ["'; drop table x; --", '"quoted"', "100%s %(x)s", "new\nline", "a/b", "数据", "a#p#b"]
        command.database = "we/ird `数据 %s' \\"
        server.ask(f"create database {quoted_by_mariadb(command.database)}")
        command.scene.afterwards.callback(server.ask, f"drop database {quoted_by_mariadb(command.database)}")
        server.ask(*(f"create table {quoted_by_mariadb(command.database)}.{quoted_by_mariadb(name)} (id int)" for name in names))
    else:
        assert isinstance(command.target, PostgresTarget)
        names, command.database = list(HOSTILE), 'we/ird "数据" %s \'; --'
        command.target.create(command.database)
        command.scene.afterwards.callback(command.target.drop, command.database)
        with superuser(command.target.cluster, command.database) as cursor:
            for name in names:
                cursor.execute(f"create schema {quoted(name)}")
                cursor.execute(f"create table {quoted(name)}.{quoted(name)} (id integer)")
    answer = command.read("--limit", "100")
    assert answer["database"] == command.database
    assert {table["table_name"] for table in answer["tables"] if table["table_name"]} == set(names)
    stored = query(
        command.scene.store, "select table_name from table_sizes where table_name <> '' and database_name = %s", command.database
    )
    assert {name for (name,) in stored} == set(names)


def crowd(command: Command) -> None:
    assert isinstance(command.target, PostgresTarget)
    command.scene.afterwards.callback(command.target.create, "wiki")
    command.scene.afterwards.callback(command.target.drop, "wiki")
    with superuser(command.target.cluster, "wiki") as cursor:
        for first in range(0, MANY, 500):
            cursor.execute(";".join(f"create table many_{number} (id int)" for number in range(first, first + 500)))
        cursor.execute("insert into many_77777 select generate_series(1, 10000)")
    answer = command.read("--limit", "100000")
    assert answer["smaller_tables"] == MANY - KEPT
    assert len(answer["tables"]) == KEPT + 2
    assert sum(table["total_bytes"] for table in answer["tables"]) == answer["total_bytes"]
    assert "many_77777" in {table["table_name"] for table in answer["tables"]}


MEASURED: dict[str, Callable[[Command], None]] = {
    "table dropped while they are read": some_vanish,
    "hostile names": hostile,
    "a hundred thousand of them": crowd,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(TABLES_MEASURED))
def test_what_is_hard_to_read_is_read(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    command = Command(stage(engine))
    MEASURED[fault.name.removeprefix(TABLES)](command)
    check_tables(command.scene.store)
    report(fault, engine, None)


def test_a_killed_refresh_stores_nothing(process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(POSTGRESQL)
    (fault,) = [fault for fault in TABLES_AT_THE_STORE if "killed" in fault.name]
    with stopped_at(scene.store, Stop("table_size_stats", "insert")) as holder:
        run = installation.start("tables", f"{TARGET}/wiki", "--refresh")
        holder.wait_for_somebody(run.output)
        run.process.send_signal(signal.SIGKILL)
        run.wait()
    assert query(scene.store, "select * from table_size_observations") == []
    begun = time.monotonic()
    Command(scene).read()
    check_tables(scene.store)
    report(fault, "store", time.monotonic() - begun)


@contextmanager
def command_at(store: Store, targets: Targets, folder: Path) -> Generator[Command]:
    """The command on a store of its own."""
    target = targets.of(POSTGRESQL)
    password = store.cluster.pgpass.read_text().strip().rsplit(":", 1)[1]
    url = libpq_url(store.database.url.set(password=password, query={}))
    with ChaosProxy(target.host, target.port) as proxy:
        yield Command(Scene(store.database, folder / "home", {}, target=target, proxy=proxy), {"WHALEFALL_DATABASE_URL": url})


def test_a_restarted_store_is_waited_for(tmp_path: Path, targets: Targets, report: Report) -> None:
    fault = next(fault for fault in TABLES_AT_THE_STORE if "restarted" in fault.name)
    with own_store(tmp_path / "store") as store, command_at(store, targets, tmp_path) as command, ThreadPoolExecutor(1) as pool:
        with stopped_at(store.database, Stop("table_size_stats", "insert")) as holder:
            running = pool.submit(command.read)
            holder.wait_for_somebody()
            begun = time.monotonic()
            store.restart(after_seconds=1)
        query(store.database, "drop trigger if exists stand_still on table_size_stats; select 1")
        running.result()
        report(fault, "store", time.monotonic() - begun)
        check_tables(store.database)
        assert query(store.database, "select count(*) from table_size_observations") == [(1,)]


def test_a_store_that_is_away_is_a_sentence(tmp_path: Path, targets: Targets, report: Report) -> None:
    fault = next(fault for fault in TABLES_AT_THE_STORE if fault.code)
    with own_store(tmp_path / "store") as store, command_at(store, targets, tmp_path) as command:
        store.cluster.stop()
        result = command.run()
        assert (result.exit_code, result.stdout) == (2, ""), everything(result)
        assert "cannot be reached" in result.stderr
        store.keeper.submit(store.cluster.start, with_parent=True).result()
        begun = time.monotonic()
        command.read()
        report(fault, "store", time.monotonic() - begun)


def test_every_row_has_its_break() -> None:
    assert set(BREAKS) == {fault.name.removeprefix(TABLES) for fault in TABLES_AT_A_SERVER}
    assert set(MEASURED) == {fault.name.removeprefix(TABLES) for fault in TABLES_MEASURED}
    assert ORACLE in TABLES_AT_A_SERVER[0].engines
